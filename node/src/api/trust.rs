//! The trust list: what the local admin decides about other agencies.

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{TrustAdd, TrustList, TrustVerify, TrustedAgency};
use diwan_core::id::AgencyId;
use diwan_core::identity::{AgencyChain, Fingerprint, FingerprintError};
use diwan_core::replica::Replica;
use diwan_core::trust::{TrustEntry, TrustState, Verification};

use super::answer::{Answer, Json, Named, apart};
use super::gate::Officer;
use super::{Api, cards, names, time};

/// `GET /v1/trust`.
pub(super) async fn list(State(api): State<Api>) -> Answer<TrustList> {
    let state = api.engine.state();
    let listed = state.replica.trust().iter();
    let mut agencies: Vec<TrustedAgency> = listed
        .map(|(agency, entry)| described(&state.replica, agency, entry))
        .collect();
    agencies.sort_by(|a, b| (&a.short, &a.agency).cmp(&(&b.short, &b.agency)));
    Ok(Json(TrustList { agencies }))
}

/// `GET /v1/trust/{agency}`.
pub(super) async fn show(State(api): State<Api>, Named(name): Named<String>) -> Answer<TrustList> {
    let (agency, _) = listed(&api, &name)?;
    answer(&api, &agency)
}

/// `POST /v1/trust`. Without the right fingerprint the agency is known from now on, but unverified.
/// One that is listed already keeps what was decided about it; its chain may grow.
pub(super) async fn add(
    State(api): State<Api>,
    officer: Officer,
    Json(request): Json<TrustAdd>,
) -> Answer<TrustList> {
    let given = request
        .fingerprint
        .as_deref()
        .map(fingerprint)
        .transpose()?;
    let card = apart(move || Ok(cards::verified(&request.card)?)).await?;
    let agency = card.chain.id();
    let expected = Fingerprint::of(&agency);
    let state = api.engine.state();
    let known = state.replica.trust().get(&agency).cloned();
    let entry = match given == Some(expected) {
        true => compared(known, officer, api.engine.now_ms()),
        false => known.unwrap_or_else(TrustEntry::unverified),
    };
    let short = card.chain.genesis().short.clone();
    api.engine
        .submit(move |step| step.trust_card(&card, entry))
        .await?;
    match given {
        Some(given) if given != expected => Err(mismatch(given, &short).into()),
        _ => answer(&api, &agency),
    }
}

/// `POST /v1/trust/{agency}/verify`.
pub(super) async fn verify(
    State(api): State<Api>,
    Named(name): Named<String>,
    officer: Officer,
    Json(request): Json<TrustVerify>,
) -> Answer<TrustList> {
    let (agency, entry) = listed(&api, &name)?;
    let given = fingerprint(&request.fingerprint)?;
    if given != Fingerprint::of(&agency) {
        let short = names::short(&api.engine.state().replica, &agency);
        return Err(mismatch(given, &short).into());
    }
    set(
        &api,
        agency,
        compared(Some(entry), officer, api.engine.now_ms()),
    )
    .await
}

/// `POST /v1/trust/{agency}/suspend`.
pub(super) async fn suspend(
    State(api): State<Api>,
    Named(name): Named<String>,
) -> Answer<TrustList> {
    let (agency, entry) = listed(&api, &name)?;
    if entry.state == TrustState::Blocked {
        // Suspending would show its content again, which nobody asked for.
        let expected = "an agency that is not blocked";
        return Err(ApiError::invalid("agency", name, expected).into());
    }
    set(&api, agency, entry.with_state(TrustState::Suspended)).await
}

/// `POST /v1/trust/{agency}/resume`.
pub(super) async fn resume(
    State(api): State<Api>,
    Named(name): Named<String>,
) -> Answer<TrustList> {
    let (agency, entry) = listed(&api, &name)?;
    set(&api, agency, entry.resumed()).await
}

/// `POST /v1/trust/{agency}/block`. An agency that only a group introduced can be blocked too.
pub(super) async fn block(State(api): State<Api>, Named(name): Named<String>) -> Answer<TrustList> {
    let agency = other(&api, &name)?;
    let known = api.engine.state().replica.trust().get(&agency).cloned();
    let entry = known.unwrap_or_else(TrustEntry::unverified);
    set(&api, agency, entry.with_state(TrustState::Blocked)).await
}

/// `POST /v1/trust/{agency}/remove`. Answers with the agency as it was.
pub(super) async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
) -> Answer<TrustList> {
    let (agency, _) = listed(&api, &name)?;
    let was = answer(&api, &agency)?;
    api.engine
        .submit(move |step| Ok(step.set_trust(agency, None)?))
        .await?;
    Ok(was)
}

async fn set(api: &Api, agency: AgencyId, entry: TrustEntry) -> Answer<TrustList> {
    api.engine
        .submit(move |step| Ok(step.set_trust(agency, Some(entry))?))
        .await?;
    answer(api, &agency)
}

/// An agency that is not this node's own.
fn other(api: &Api, name: &str) -> Result<AgencyId, ApiError> {
    let state = api.engine.state();
    let agency = names::agency(&state.replica, name)?;
    match agency == state.replica.me().agency {
        true => Err(ApiError::new(ErrorCode::OwnAgency).with("agency", name)),
        false => Ok(agency),
    }
}

/// An agency of the trust list.
fn listed(api: &Api, name: &str) -> Result<(AgencyId, TrustEntry), ApiError> {
    let agency = other(api, name)?;
    let entry = api.engine.state().replica.trust().get(&agency).cloned();
    let unknown = || ApiError::new(ErrorCode::UnknownAgency).with("name", name);
    Ok((agency, entry.ok_or_else(unknown)?))
}

fn answer(api: &Api, agency: &AgencyId) -> Answer<TrustList> {
    let state = api.engine.state();
    let entry = state.replica.trust().get(agency);
    let entry = entry.map(|entry| described(&state.replica, agency, entry));
    Ok(Json(TrustList {
        agencies: entry.into_iter().collect(),
    }))
}

fn described(replica: &Replica, agency: &AgencyId, entry: &TrustEntry) -> TrustedAgency {
    let chain = replica.agency(agency);
    let genesis = chain.map(AgencyChain::genesis);
    let verification = entry.verification.as_ref();
    TrustedAgency {
        agency: agency.to_string(),
        short: names::short(replica, agency),
        name: genesis.map(|g| g.name.clone()).unwrap_or_default(),
        country: genesis.map(|g| g.country.clone()).unwrap_or_default(),
        state: entry.state.name().to_owned(),
        verified: verification.is_some(),
        verified_at: verification.map(|by| time::rfc3339(by.at_ms)),
        verified_by: verification.map(|by| by.by_uid.to_string()),
        fingerprint: Fingerprint::of(agency).to_string(),
        addresses: chain.map(AgencyChain::addresses).unwrap_or_default(),
    }
}

/// The entry once the fingerprint was compared: pinned, unless the admin suspended or blocked the
/// agency, which a comparison does not undo.
fn compared(known: Option<TrustEntry>, officer: Officer, at_ms: u64) -> TrustEntry {
    let now = TrustEntry::pinned(Verification {
        at_ms,
        by_uid: officer.uid,
    });
    match known {
        None => now,
        Some(known) if known.state == TrustState::Unverified => now,
        Some(known) if known.verification.is_some() => known,
        Some(known) => now.with_state(known.state),
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, ApiError> {
    Fingerprint::read(text).map_err(|error| match error {
        FingerprintError::Group(group) => {
            ApiError::new(ErrorCode::FingerprintMistyped).with("group", group)
        }
        FingerprintError::Length { group, digits } => {
            let expected = format!("eight groups of five digits; group {group} has {digits}");
            ApiError::invalid("fingerprint", text, &expected)
        }
        FingerprintError::Digits(_) => {
            ApiError::invalid("fingerprint", text, "eight groups of five digits")
        }
    })
}

fn mismatch(given: Fingerprint, agency: &str) -> ApiError {
    ApiError::new(ErrorCode::FingerprintMismatch)
        .with("given", given)
        .with("agency", agency)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OfficerRole;

    fn officer(uid: u32) -> Officer {
        Officer {
            uid,
            role: OfficerRole::Admin,
        }
    }

    #[test]
    fn a_comparison_pins_but_undoes_no_decision() {
        let seven = officer(7);
        let pinned = compared(None, seven, 7);
        assert_eq!(pinned.state, TrustState::Pinned);
        assert_eq!(pinned.verification.as_ref().unwrap().by_uid, 7);
        assert_eq!(compared(Some(pinned.clone()), officer(8), 9), pinned);
        let blocked = TrustEntry::unverified().with_state(TrustState::Blocked);
        let blocked = compared(Some(blocked), seven, 9);
        assert_eq!(blocked.state, TrustState::Blocked);
        assert!(blocked.verification.is_some());
    }

    #[test]
    fn a_mistyped_fingerprint_names_its_group() {
        let right = Fingerprint::of(&AgencyId([3; 32])).to_string();
        let last = right.len() - 1;
        let digit = right.as_bytes()[last] - b'0';
        let wrong = format!("{}{}", &right[..last], (digit + 1) % 10);
        let error = fingerprint(&wrong).unwrap_err();
        assert_eq!(error.code, ErrorCode::FingerprintMistyped);
        assert_eq!(error.args["group"], "8");
        assert_eq!(fingerprint("12").unwrap_err().code, ErrorCode::InvalidValue);
        let longer = right.replacen(' ', "1 ", 2).replacen("1 ", " ", 1);
        let error = fingerprint(&longer).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidValue);
        assert!(
            error.args["expected"].ends_with("group 2 has 6"),
            "{error:?}"
        );
    }
}
