//! Sharing groups: what they are, and changes of their members.
//!
//! A request with several agencies is checked as a whole before the first change, so that it is
//! refused as a whole.

use std::collections::BTreeSet;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{
    GroupCosign, GroupCreate, GroupExtend, GroupInfo, GroupList, GroupMember, GroupMembers,
    GroupRemove, MemberRole, RemovalPlan,
};
use diwan_core::group::{GroupChain, Member, Role};
use diwan_core::id::{AgencyId, GroupId, StatementHash};
use diwan_core::record::Tlp;
use diwan_core::replica::Replica;
use unicode_normalization::UnicodeNormalization;

use super::answer::{Answer, Json, Named, apart};
use super::{Api, govern, names};
use crate::engine::{Engine, EngineError, MemberChange};
use crate::store::Reading;

/// `GET /v1/groups`.
pub(super) async fn list(State(api): State<Api>) -> Answer<GroupList> {
    apart(move || read_list(&api.engine)).await.map(Json)
}

fn read_list(engine: &Engine) -> Result<GroupList, EngineError> {
    let (state, reading) = (engine.state(), engine.read()?);
    let mut chains: Vec<&GroupChain> = names::groups(&state.replica).collect();
    chains.sort_by_key(|chain| (!chain.is_own(), chain.name(), chain.id()));
    let groups = chains
        .into_iter()
        .map(|chain| info(&state.replica, &reading, chain))
        .collect::<Result<_, _>>()?;
    Ok(GroupList { groups })
}

/// `GET /v1/groups/{group}`.
pub(super) async fn show(State(api): State<Api>, Named(group): Named<String>) -> Answer<GroupList> {
    let id = names::group(&api.engine.state().replica, &group)?.id();
    answer(&api, id).await
}

/// `POST /v1/groups`.
pub(super) async fn create(
    State(api): State<Api>,
    Json(request): Json<GroupCreate>,
) -> Answer<GroupList> {
    let name: String = request.name.trim().nfc().collect();
    let tlp = request.tlp.as_deref().map_or(Ok(Tlp::Green), names::tlp)?;
    let members = {
        let state = api.engine.state();
        if names::groups(&state.replica).any(|chain| chain.name() == name) {
            let expected = "a name that no group of this agency has";
            return Err(ApiError::invalid("name", name, expected).into());
        }
        first_members(&state.replica, &name, &request.members)?
    };
    let owners = 1 + members.iter().filter(|m| m.role == Role::Owner).count();
    let majority = u32::try_from(owners / 2 + 1).unwrap_or(u32::MAX);
    let threshold = request.threshold.unwrap_or(majority);
    let group = api
        .engine
        .submit(move |step| step.create_group(&name, &members, threshold, tlp))
        .await?;
    answer(&api, group).await
}

fn first_members(
    replica: &Replica,
    group: &str,
    asked: &[MemberRole],
) -> Result<Vec<Member>, ApiError> {
    let members = read_members(replica, group, asked)?;
    let me = replica.me().agency;
    for member in &members {
        if member.agency == me {
            return Err(about(replica, ErrorCode::OwnAgency, &me));
        }
        check_pinned(replica, &member.agency)?;
    }
    Ok(members)
}

/// `POST /v1/groups/{group}/add`.
pub(super) async fn add(
    State(api): State<Api>,
    Named(group): Named<String>,
    Json(request): Json<GroupMembers>,
) -> Answer<GroupList> {
    let (id, changes) = {
        let state = api.engine.state();
        let chain = governed(&state.replica, &group)?;
        let members = read_members(&state.replica, chain.name(), &request.members)?;
        for Member { agency, .. } in &members {
            if chain.role(agency).is_some() {
                let error = about(&state.replica, ErrorCode::AlreadyMember, agency);
                return Err(error.with("group", chain.name()).into());
            }
            check_pinned(&state.replica, agency)?;
        }
        let changes: Vec<_> = members.into_iter().map(MemberChange::Add).collect();
        (chain.id(), changes)
    };
    change(&api, id, changes).await?;
    answer(&api, id).await
}

/// `POST /v1/groups/{group}/set-role`.
pub(super) async fn set_role(
    State(api): State<Api>,
    Named(group): Named<String>,
    Json(request): Json<GroupMembers>,
) -> Answer<GroupList> {
    let (id, changes) = {
        let state = api.engine.state();
        let chain = governed(&state.replica, &group)?;
        let mut changes = Vec::new();
        for member in read_members(&state.replica, chain.name(), &request.members)? {
            let now = member_role(&state.replica, chain, &member.agency)?;
            match (now, member.role) {
                (now, role) if now == role => continue,
                (Role::Owner, _) if chain.owners() == 1 => return Err(last_owner(chain).into()),
                _ => {}
            }
            changes.push(MemberChange::SetRole(member));
        }
        (chain.id(), changes)
    };
    change(&api, id, changes).await?;
    answer(&api, id).await
}

/// `POST /v1/groups/{group}/remove`.
pub(super) async fn remove(
    State(api): State<Api>,
    Named(group): Named<String>,
    Json(request): Json<GroupRemove>,
) -> Answer<RemovalPlan> {
    let (id, leaving, removed) = {
        let state = api.engine.state();
        let chain = governed(&state.replica, &group)?;
        let mut leaving = BTreeSet::new();
        let mut removed = Vec::new();
        for name in &request.agencies {
            let agency = names::agency(&state.replica, name)?;
            let role = member_role(&state.replica, chain, &agency)?;
            if role == Role::Owner && chain.owners() == 1 {
                return Err(last_owner(chain).into());
            }
            if leaving.insert(agency) {
                removed.push(shown(&state.replica, &agency, role));
            }
        }
        check_any(leaving.len())?;
        (chain.id(), leaving, removed)
    };
    let done = !request.dry_run;
    let entries_kept = api
        .engine
        .submit(move |step| {
            let mut kept = 0;
            for agency in leaving {
                kept += step.plan_removal(&id, &agency)?.entries_kept;
                if done {
                    step.change_member(&id, MemberChange::Remove(agency))?;
                }
            }
            Ok(kept)
        })
        .await?;
    let engine = api.engine.clone();
    let group = apart(move || info_of(&engine, &id)).await?;
    Ok(Json(RemovalPlan {
        group,
        removed,
        entries_kept,
        done,
    }))
}

/// `POST /v1/groups/{group}/cosign`.
pub(super) async fn cosign(
    State(api): State<Api>,
    Named(group): Named<String>,
    Json(request): Json<GroupCosign>,
) -> Answer<GroupList> {
    let (id, named) = {
        let state = api.engine.state();
        let chain = governed(&state.replica, &group)?;
        let named = request.statement.as_deref();
        let named = named.map(|text| waiting_statement(&state.replica, chain, text));
        (chain.id(), named.transpose()?)
    };
    api.engine
        .submit(move |step| step.cosign(&id, named.as_ref()))
        .await?;
    answer(&api, id).await
}

/// The statement that waits and whose hash begins so.
fn waiting_statement(
    replica: &Replica,
    chain: &GroupChain,
    text: &str,
) -> Result<StatementHash, ApiError> {
    let unknown = || ApiError::new(ErrorCode::NothingToCosign).with("group", chain.name());
    let prefix = names::id_prefix(text).ok_or_else(unknown)?;
    let found = replica.group(&chain.id()).ok_or_else(unknown)?;
    let waiting = govern::pending(replica, found);
    let named = waiting.iter().find(|w| w.statement.starts_with(&prefix));
    let hash = named.ok_or_else(unknown)?.statement.parse();
    hash.map_err(|_| unknown())
}

/// `POST /v1/groups/{group}/extend-cuts`.
pub(super) async fn extend_cuts(
    State(api): State<Api>,
    Named(group): Named<String>,
    Json(request): Json<GroupExtend>,
) -> Answer<GroupList> {
    let (id, agency) = {
        let state = api.engine.state();
        let chain = governed(&state.replica, &group)?;
        (chain.id(), names::agency(&state.replica, &request.agency)?)
    };
    change(&api, id, vec![MemberChange::ExtendCuts(agency)]).await?;
    answer(&api, id).await
}

/// `POST /v1/groups/{group}/leave`.
pub(super) async fn leave(
    State(api): State<Api>,
    Named(group): Named<String>,
) -> Answer<GroupList> {
    set_left(&api, &group, true).await
}

/// `POST /v1/groups/{group}/join`: takes leaving back.
pub(super) async fn join(State(api): State<Api>, Named(group): Named<String>) -> Answer<GroupList> {
    set_left(&api, &group, false).await
}

async fn set_left(api: &Api, group: &str, left: bool) -> Answer<GroupList> {
    let id = names::group(&api.engine.state().replica, group)?.id();
    api.engine
        .submit(move |step| step.leave_group(&id, left))
        .await?;
    answer(api, id).await
}

async fn change(api: &Api, group: GroupId, changes: Vec<MemberChange>) -> Result<(), EngineError> {
    api.engine
        .submit(move |step| {
            for change in changes {
                step.change_member(&group, change)?;
            }
            Ok(())
        })
        .await
}

async fn answer(api: &Api, group: GroupId) -> Answer<GroupList> {
    let engine = api.engine.clone();
    let info = apart(move || info_of(&engine, &group)).await?;
    Ok(Json(GroupList { groups: vec![info] }))
}

fn info_of(engine: &Engine, group: &GroupId) -> Result<GroupInfo, EngineError> {
    let (state, reading) = (engine.state(), engine.read()?);
    let chain = names::group(&state.replica, &group.to_string())?;
    info(&state.replica, &reading, chain)
}

fn info(
    replica: &Replica,
    reading: &Reading,
    chain: &GroupChain,
) -> Result<GroupInfo, EngineError> {
    let mut members: Vec<GroupMember> = chain
        .members()
        .map(|(agency, role)| shown(replica, agency, role))
        .collect();
    members.sort_by(|a, b| (&a.short, &a.agency).cmp(&(&b.short, &b.agency)));
    let found = replica.group(&chain.id());
    Ok(GroupInfo {
        group: chain.id().to_string(),
        name: chain.name().to_owned(),
        members,
        owners: chain.owners(),
        threshold: chain.threshold(),
        height: chain.height(),
        records: reading.group(&chain.id())?.map_or(0, |row| row.records),
        tlp: chain.tlp().name().to_owned(),
        pending: found
            .map(|g| govern::pending(replica, g))
            .unwrap_or_default(),
        frozen: found.is_some_and(|g| g.fork.is_some()),
        left: found.is_some_and(|g| g.left),
    })
}

fn shown(replica: &Replica, agency: &AgencyId, role: Role) -> GroupMember {
    GroupMember {
        agency: agency.to_string(),
        short: names::short(replica, agency),
        role: role.name().to_owned(),
    }
}

/// A group that this agency may change.
fn governed<'a>(replica: &'a Replica, name: &str) -> Result<&'a GroupChain, ApiError> {
    let chain = names::group(replica, name)?;
    if chain.is_own() || chain.role(&replica.me().agency) != Some(Role::Owner) {
        return Err(ApiError::new(ErrorCode::NotOwner).with("group", chain.name()));
    }
    Ok(chain)
}

/// The agencies and roles of a request, each agency once.
fn read_members(
    replica: &Replica,
    group: &str,
    asked: &[MemberRole],
) -> Result<Vec<Member>, ApiError> {
    let mut members: Vec<Member> = Vec::new();
    for MemberRole { agency, role } in asked {
        let agency = names::agency(replica, agency)?;
        if members.iter().any(|member| member.agency == agency) {
            let error = about(replica, ErrorCode::AlreadyMember, &agency);
            return Err(error.with("group", group));
        }
        let role = names::role(role.as_deref())?;
        members.push(Member { agency, role });
    }
    Ok(members)
}

fn check_any(agencies: usize) -> Result<(), ApiError> {
    match agencies {
        0 => Err(ApiError::invalid("agencies", "", "one agency at least")),
        _ => Ok(()),
    }
}

fn check_pinned(replica: &Replica, agency: &AgencyId) -> Result<(), ApiError> {
    if replica.trust().is_pinned(agency) {
        return Ok(());
    }
    let entry = replica.trust().get(agency);
    let state = entry.map_or("unknown", |entry| entry.state.name());
    Err(about(replica, ErrorCode::NotPinned, agency).with("state", state))
}

fn member_role(replica: &Replica, chain: &GroupChain, agency: &AgencyId) -> Result<Role, ApiError> {
    let outside = || about(replica, ErrorCode::NotAMember, agency).with("group", chain.name());
    chain.role(agency).ok_or_else(outside)
}

fn last_owner(chain: &GroupChain) -> ApiError {
    ApiError::new(ErrorCode::LastOwner).with("group", chain.name())
}

fn about(replica: &Replica, code: ErrorCode, agency: &AgencyId) -> ApiError {
    ApiError::new(code).with("agency", names::short(replica, agency))
}
