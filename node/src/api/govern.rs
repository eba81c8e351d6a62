//! Quarantine, purges, this agency's nodes, and going on after a fork.

use std::collections::BTreeMap;

use axum::extract;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{
    NodeCertified, NodeCertify, NodeInfo, NodeList, PendingStatement, PurgePlan, PurgeRequest,
    Quarantine, QuarantinedEntry, Reissue,
};
use diwan_core::group::{GroupBody, GroupStatement};
use diwan_core::id::{GroupId, NodeKey, Writer};
use diwan_core::identity::{AgencyChain, Capabilities, Card, JoinRequest};
use diwan_core::record::ChangeReason;
use diwan_core::replica::{GroupReplica, Replica};
use diwan_core::verify;
use diwan_core::wire::{self, Domain};

use super::answer::{Answer, Json, Named, apart};
use super::view::View;
use super::{Api, names};
use crate::engine::{Engine, EngineError, State};
use crate::net::{peer_key, peer_text};
use crate::store::{Reading, StoreError};

/// Entries of one answer; a node with more has worse worries than a short list.
const QUARANTINE_ENTRIES: usize = 10_000;

/// `GET /v1/quarantine`.
pub(super) async fn quarantine(extract::State(api): extract::State<Api>) -> Answer<Quarantine> {
    apart(move || read_quarantine(&api.engine)).await.map(Json)
}

fn read_quarantine(engine: &Engine) -> Result<Quarantine, EngineError> {
    let (state, reading) = (engine.state(), engine.read()?);
    let replica = &state.replica;
    let mut entries = Vec::new();
    let logs: BTreeMap<u32, _> = state.logs.iter().map(|(log, num)| (*num, *log)).collect();
    for (num, seq, reason) in reading.quarantine_behind((0, 0), QUARANTINE_ENTRIES)? {
        let Some((group, writer)) = logs.get(&num) else {
            continue;
        };
        let record = reading.entry(num, seq)?.map(|entry| entry.header.record);
        let reason = ChangeReason::of(reason).map_or_else(String::new, |r| r.to_string());
        let record = record.map(|record| record.to_string());
        let group = names::group_name(replica, group);
        entries.push(line(replica, (group, writer), seq, reason, record));
    }
    for group in replica.groups().values() {
        for (writer, fork) in &group.forks {
            let name = group.chain.name().to_owned();
            let place = fork.last.seq.saturating_add(1);
            let reason = "equivocation".to_owned();
            entries.push(line(replica, (name, writer), place, reason, None));
        }
    }
    entries.sort_by(|a, b| (&a.group, &a.log, a.seq).cmp(&(&b.group, &b.log, b.seq)));
    Ok(Quarantine { entries })
}

fn line(
    replica: &Replica,
    (group, writer): (String, &Writer),
    seq: u64,
    reason: String,
    record: Option<String>,
) -> QuarantinedEntry {
    QuarantinedEntry {
        log: log_name(writer),
        seq,
        agency: names::short_of_node(replica, &writer.node),
        reason,
        group,
        record: record.unwrap_or_default(),
        own: replica.agency_of(&writer.node) == Some(replica.me().agency),
    }
}

fn log_name(writer: &Writer) -> String {
    format!(
        "{}/{}",
        peer_text(writer.node.as_bytes()),
        writer.incarnation
    )
}

/// What the admin must look at, as keys of the catalogue with a detail.
pub(super) fn alarms(replica: &Replica) -> Vec<String> {
    let mut alarms = Vec::new();
    for group in replica.groups().values() {
        let name = group.chain.name();
        if group.chain.removed_at(&replica.me().agency).is_some() && !group.left {
            alarms.push(format!("alarm-removed {name}"));
        }
        for writer in group.forks.keys() {
            let agency = names::short_of_node(replica, &writer.node);
            let own = *writer == replica.me().writer();
            let key = if own {
                "alarm-own-log-forked"
            } else {
                "alarm-log-forked"
            };
            alarms.push(format!("{key} {agency}, {name}"));
        }
        if group.fork.is_some() {
            alarms.push(format!("alarm-group-forked {name}"));
        }
        if !group.pending.is_empty() {
            alarms.push(format!("alarm-pending {name}"));
        }
        if !group.missing.is_empty() {
            alarms.push(format!("alarm-missing {name}, {}", group.missing.len()));
        }
    }
    for (agency, _) in replica.forked_agencies() {
        let short = names::short(replica, agency);
        alarms.push(format!("alarm-agency-forked {short}"));
    }
    let me = replica.me();
    let own = replica
        .agency(&me.agency)
        .and_then(|c| c.certificate(&me.node));
    if own.is_some_and(|own| own.revoked.is_some()) {
        alarms.push("alarm-node-revoked".to_owned());
    }
    alarms
}

/// Entries of this agency that a removal or a revocation made invalid, as alarms, by group.
pub(super) fn lost_standing(state: &State, reading: &Reading) -> Result<Vec<String>, StoreError> {
    let replica = &state.replica;
    let me = replica.me().agency;
    let mut lost: BTreeMap<GroupId, u64> = BTreeMap::new();
    for ((group, writer), log) in &state.logs {
        if replica.agency_of(&writer.node) == Some(me) {
            let count = reading.quarantined_of(*log, ChangeReason::Standing)?;
            *lost.entry(*group).or_default() += count;
        }
    }
    let lost = lost.into_iter().filter(|(_, count)| *count > 0);
    let told = lost.map(|(group, count)| {
        let name = names::group_name(replica, &group);
        format!("alarm-lost-standing {name}, {count}")
    });
    Ok(told.collect())
}

/// Statements of a group that wait for signatures.
pub(super) fn pending(replica: &Replica, group: &GroupReplica) -> Vec<PendingStatement> {
    let shown = |signed: &wire::Signed| {
        let statement = GroupStatement::of(signed)?;
        let (change, agency, role) = match &statement.body {
            GroupBody::Add(member) => ("add", Some(member.agency), Some(member.role)),
            GroupBody::SetRole(member, _) => ("set-role", Some(member.agency), Some(member.role)),
            GroupBody::Remove(agency, _) => ("remove", Some(*agency), None),
            GroupBody::ExtendCuts(agency, _) => ("extend-cuts", Some(*agency), None),
            GroupBody::SetThreshold(_) => ("set-threshold", None, None),
            GroupBody::Genesis(_) => return None,
        };
        let hash = wire::hash(Domain::GroupStatement, &[&signed.body]);
        let signers = signed.signatures.iter();
        Some(PendingStatement {
            statement: diwan_core::id::StatementHash(hash).to_string(),
            change: change.to_owned(),
            agency: agency.map_or_else(String::new, |a| names::short(replica, &a)),
            role: role.map(|role| role.name().to_owned()),
            signed_by: signers
                .map(|by| names::short_of_node(replica, &by.key))
                .collect(),
            needed: group.chain.threshold(),
        })
    };
    group.pending.iter().filter_map(shown).collect()
}

/// `POST /v1/records/{record}/purge`.
pub(super) async fn purge(
    extract::State(api): extract::State<Api>,
    Named(record): Named<String>,
    Json(request): Json<PurgeRequest>,
) -> Answer<PurgePlan> {
    let engine = api.engine.clone();
    let (id, _) = apart(move || {
        let view = View::open(&engine)?;
        let (_, row) = view.find(&record)?;
        Ok((row.id, ()))
    })
    .await?;
    let done = !request.dry_run;
    let plan = api
        .engine
        .submit(move |step| match request.dry_run {
            true => step.plan_purge(&id),
            false => step.purge(&id, request.reason.trim()),
        })
        .await?;
    let state = api.engine.state();
    let replica = &state.replica;
    let members = replica.group(&plan.group).map(|g| g.chain.members());
    let mut recipients: Vec<String> = members
        .into_iter()
        .flatten()
        .map(|(agency, _)| names::short(replica, agency))
        .collect();
    recipients.sort();
    Ok(Json(PurgePlan {
        record: plan.record.to_string(),
        group: names::group_name(replica, &plan.group),
        recipients,
        versions: plan.versions,
        done,
    }))
}

/// `POST /v1/reissue`.
pub(super) async fn reissue(extract::State(api): extract::State<Api>) -> Answer<Reissue> {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough in its lifetimes"
    )]
    let done = api.engine.submit(|step| step.reissue()).await?;
    Ok(Json(Reissue {
        incarnation: api.engine.state().replica.me().incarnation.to_string(),
        records: done.records,
        edits: done.edits,
        left_out: done.left_out,
    }))
}

/// `GET /v1/nodes`.
pub(super) async fn nodes(extract::State(api): extract::State<Api>) -> Answer<NodeList> {
    Ok(Json(node_list(&api.engine.state().replica)))
}

fn node_list(replica: &Replica) -> NodeList {
    let me = replica.me();
    let chain = replica.agency(&me.agency);
    let nodes = chain.into_iter().flat_map(AgencyChain::nodes);
    let shown = nodes.map(|(node, certificate)| {
        let words = [
            (Capabilities::SYNC, "sync"),
            (Capabilities::WRITE, "write"),
            (Capabilities::GOVERN, "govern"),
        ];
        let may = words
            .iter()
            .filter(|(what, _)| certificate.capabilities.include(*what));
        let acting = certificate.revoked.is_none();
        NodeInfo {
            peer_id: peer_text(node.as_bytes()),
            capabilities: may.map(|(_, word)| (*word).to_owned()).collect(),
            state: if acting { "acting" } else { "revoked" }.to_owned(),
            addresses: certificate.addresses.clone(),
            this: *node == me.node,
        }
    });
    NodeList {
        nodes: shown.collect(),
    }
}

/// `POST /v1/nodes`: certifies the node of a join request.
pub(super) async fn certify(
    extract::State(api): extract::State<Api>,
    Json(request): Json<NodeCertify>,
) -> Answer<NodeCertified> {
    let damaged = |detail: String| ApiError::new(ErrorCode::DamagedRequest).with("detail", detail);
    let request =
        JoinRequest::read(&request.request).map_err(|error| damaged(error.to_string()))?;
    let node = verify::join_request(&request).ok_or_else(|| damaged("the signature".to_owned()))?;
    let me = api.engine.me().agency;
    if request.agency != me {
        return Err(damaged("it is for another agency".to_owned()).into());
    }
    let capabilities = Capabilities(Capabilities::SYNC.0 | Capabilities::WRITE.0);
    let addresses = request.addresses.clone();
    api.engine
        .submit(move |step| step.certify_node(node, capabilities, addresses))
        .await?;
    let state = api.engine.state();
    let chain = state.replica.agency(&me).cloned();
    let chain = chain.ok_or_else(|| ApiError::new(ErrorCode::RootKeyAway))?;
    Ok(Json(NodeCertified {
        peer_id: peer_text(node.as_bytes()),
        card: Card { chain }.render(),
    }))
}

/// `POST /v1/nodes/{node}/revoke`.
pub(super) async fn revoke(
    extract::State(api): extract::State<Api>,
    Named(node): Named<String>,
) -> Answer<NodeList> {
    let unknown = || ApiError::new(ErrorCode::UnknownNode).with("node", &node);
    let key = NodeKey(peer_key(&node).ok_or_else(unknown)?);
    api.engine.submit(move |step| step.revoke_node(key)).await?;
    Ok(Json(node_list(&api.engine.state().replica)))
}
