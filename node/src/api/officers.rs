//! Officers: the local users who may call, and their roles.

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{OfficerAdd, OfficerInfo, OfficerList, OfficerRoleChange};

use super::answer::{Answer, Json, Named};
use super::drafts::in_nfc;
use super::gate::Officer;
use super::{Api, names, time};
use crate::store::{OfficerRole, OfficerRow};

/// Bytes of an officer's name.
const NAME_MAX: usize = 200;

/// `GET /v1/officers`.
pub(super) async fn list(State(api): State<Api>) -> Answer<OfficerList> {
    let state = api.engine.state();
    let officers = state.officers.iter().map(|(uid, row)| told(*uid, row));
    Ok(Json(OfficerList {
        officers: officers.collect(),
    }))
}

/// `POST /v1/officers`. One who was revoked, or has another role, gets this one.
pub(super) async fn add(
    State(api): State<Api>,
    officer: Officer,
    Json(request): Json<OfficerAdd>,
) -> Answer<OfficerList> {
    let name = in_nfc(request.name.trim().to_owned());
    if name.len() > NAME_MAX || name.chars().any(char::is_control) {
        let expected = format!("one line of {NAME_MAX} bytes at most");
        return Err(ApiError::invalid("name", name, &expected).into());
    }
    let role = Some(role(&request.role)?);
    set(&api, officer, request.uid, Some(name), role).await
}

/// `POST /v1/officers/{uid}`.
pub(super) async fn set_role(
    State(api): State<Api>,
    Named(uid): Named<String>,
    officer: Officer,
    Json(request): Json<OfficerRoleChange>,
) -> Answer<OfficerList> {
    let role = Some(role(&request.role)?);
    let uid = known(&api, &uid)?;
    set(&api, officer, uid, None, role).await
}

/// `POST /v1/officers/{uid}/revoke`.
pub(super) async fn revoke(
    State(api): State<Api>,
    Named(uid): Named<String>,
    officer: Officer,
) -> Answer<OfficerList> {
    let uid = known(&api, &uid)?;
    set(&api, officer, uid, None, None).await
}

async fn set(
    api: &Api,
    by: Officer,
    uid: u32,
    name: Option<String>,
    role: Option<OfficerRole>,
) -> Answer<OfficerList> {
    let known = api.engine.state().officers.get(&uid).cloned();
    let kept = known.map(|row| row.name).unwrap_or_default();
    let row = OfficerRow {
        role,
        name: name.filter(|name| !name.is_empty()).unwrap_or(kept),
        since_ms: api.engine.now_ms(),
        by_uid: by.uid,
    };
    let answer = told(uid, &row);
    api.engine
        .submit(move |step| step.set_officer(uid, row))
        .await?;
    tracing::info!(uid, role = %answer.role, by = by.uid, "an officer's role changed");
    Ok(Json(OfficerList {
        officers: vec![answer],
    }))
}

fn told(uid: u32, row: &OfficerRow) -> OfficerInfo {
    OfficerInfo {
        uid,
        name: row.name.clone(),
        role: row.role.map_or("revoked", OfficerRole::name).to_owned(),
        since: (row.since_ms > 0).then(|| time::rfc3339(row.since_ms)),
        by: row.by_uid,
    }
}

/// A user who was an officer at some time.
fn known(api: &Api, text: &str) -> Result<u32, ApiError> {
    let uid = text.trim().parse::<u32>();
    let uid = uid.map_err(|_| ApiError::invalid("uid", text, "the number of a local user"))?;
    match api.engine.state().officers.contains_key(&uid) {
        true => Ok(uid),
        false => Err(ApiError::new(ErrorCode::UnknownOfficer).with("uid", uid)),
    }
}

fn role(name: &str) -> Result<OfficerRole, ApiError> {
    let all = || OfficerRole::ALL.into_iter();
    let found = all().find(|role| role.name().eq_ignore_ascii_case(name.trim()));
    found.ok_or_else(|| names::unknown_name("role", name, all().map(OfficerRole::name)))
}
