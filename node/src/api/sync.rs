//! `sync`: dials peers now, and tells how far they are.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{PeerSync, Refused, SyncAnswer, SyncRequest};
use diwan_core::id::{AgencyId, NodeKey};
use diwan_core::replica::Replica;
use tokio::time::Instant;

use super::answer::{Answer, Json};
use super::{Api, names};
use crate::engine::PeerView;
use crate::net::peer_text;

/// How long a waiting request waits where nothing is said, in seconds.
const TIMEOUT_S: u64 = 60;
/// The longest that one may wait, in seconds: then the caller asks again.
const TIMEOUT_MAX_S: u64 = 3_600;
/// How long a request that does not wait for equality waits to learn who answers at all.
const DIAL: Duration = Duration::from_secs(5);

/// `POST /v1/sync`.
pub(super) async fn sync(
    State(api): State<Api>,
    Json(request): Json<SyncRequest>,
) -> Answer<SyncAnswer> {
    let asked = {
        let state = api.engine.state();
        let one = request.peer.as_deref();
        one.map(|name| one_agency(&state.replica, name))
            .transpose()?
    };
    let dialled = dial(&api, asked).await;
    if !request.wait {
        let _ = tokio::time::timeout(DIAL, until_answered(&api, dialled)).await;
    }
    let timeout = request.timeout_s.unwrap_or(TIMEOUT_S).min(TIMEOUT_MAX_S);
    let deadline = Instant::now() + Duration::from_secs(timeout);
    let (mut views, mut commits) = (api.peers.watch(), api.engine.watch());
    loop {
        // Marked as seen before they are read, so that no change in between is missed.
        views.borrow_and_update();
        commits.borrow_and_update();
        let answer = told(&api, asked);
        if answer.equal || !request.wait || answer.peers.is_empty() {
            return Ok(Json(answer));
        }
        let changed = async {
            tokio::select! {
                changed = views.changed() => changed,
                changed = commits.changed() => changed,
            }
        };
        match tokio::time::timeout_at(deadline, changed).await {
            Ok(Ok(())) => {}
            // The time is over, or the node is stopping: what is true now is the answer.
            Ok(Err(_)) | Err(_) => return Ok(Json(told(&api, asked))),
        }
    }
}

/// An agency that this node talks to.
fn one_agency(replica: &Replica, name: &str) -> Result<AgencyId, ApiError> {
    let agency = names::agency(replica, name)?;
    if agency == replica.me().agency || replica.trust().is_pinned(&agency) {
        return Ok(agency);
    }
    let entry = replica.trust().get(&agency);
    Err(ApiError::new(ErrorCode::NotPinned)
        .with("agency", names::short(replica, &agency))
        .with("state", entry.map_or("unknown", |entry| entry.state.name())))
}

/// The nodes of one agency, or of all that this node talks to.
fn nodes(replica: &Replica, asked: Option<AgencyId>) -> Vec<(NodeKey, AgencyId)> {
    let wanted = |(_, agency): &(&NodeKey, &AgencyId)| asked.is_none_or(|asked| asked == **agency);
    let nodes = replica.peers().filter(wanted);
    nodes.map(|(node, agency)| (*node, *agency)).collect()
}

/// Dials whoever is offline, without waiting for the time at which it would be dialled anyway; says
/// whom, and since when each was offline.
async fn dial(api: &Api, asked: Option<AgencyId>) -> BTreeMap<NodeKey, Option<u64>> {
    let views = api.peers.views();
    let nodes = nodes(&api.engine.state().replica, asked);
    let mut dialled = BTreeMap::new();
    for (node, _) in nodes {
        let view = views.get(&node);
        if view.is_none_or(|view| view.state == "offline") {
            api.peers.dial_now(&node).await;
        }
        if view.is_none_or(|view| view.state != "connected") {
            dialled.insert(node, view.map(|view| view.since_ms));
        }
    }
    dialled
}

/// Returns when it is known of every node that was dialled whether it answers.
async fn until_answered(api: &Api, dialled: BTreeMap<NodeKey, Option<u64>>) {
    let mut changed = api.peers.watch();
    loop {
        changed.borrow_and_update();
        let views = api.peers.views();
        let is_known = |(node, since): (&NodeKey, &Option<u64>)| {
            views.get(node).is_some_and(|view| match view.state {
                "connected" => true,
                "offline" => Some(view.since_ms) != *since,
                _ => false,
            })
        };
        if dialled.iter().all(is_known) || changed.changed().await.is_err() {
            return;
        }
    }
}

/// How far the peers are, by the state of the last commit.
fn told(api: &Api, asked: Option<AgencyId>) -> SyncAnswer {
    let views = api.peers.views();
    let state = api.engine.state();
    let mut peers: Vec<PeerSync> = nodes(&state.replica, asked)
        .iter()
        .map(|(node, agency)| peer(&state.replica, &views, node, agency))
        .collect();
    peers.sort_by(|a, b| (&a.short, &a.peer_id).cmp(&(&b.short, &b.peer_id)));
    SyncAnswer {
        equal: !peers.is_empty() && peers.iter().all(|peer| peer.state == "equal"),
        peers,
    }
}

fn peer(
    replica: &Replica,
    views: &BTreeMap<NodeKey, PeerView>,
    node: &NodeKey,
    agency: &AgencyId,
) -> PeerSync {
    let (stored_by_peer, of) = acknowledged(replica, node, agency);
    let view = views.get(node).cloned();
    let state = match &view {
        // The session may not have seen the last commit yet; the receipts tell whether it matters.
        Some(view)
            if view.state == "connected"
                && view.equal
                && stored_by_peer == of
                && has_seen_all_groups(view, replica, agency) =>
        {
            "equal"
        }
        Some(view) if view.state == "connected" => "syncing",
        _ => "offline",
    };
    let (bytes_received, bytes_sent) = view.as_ref().map_or((0, 0), |view| view.bytes);
    let stats = view.map(|view| view.stats).unwrap_or_default();
    let refused = stats.refused.iter().map(|(reason, count)| Refused {
        reason: (*reason).to_owned(),
        count: *count,
    });
    PeerSync {
        short: names::short(replica, agency),
        peer_id: peer_text(node.as_bytes()),
        state: state.to_owned(),
        sent: stats.sent,
        received: stats.received,
        stored_by_peer,
        of,
        refused: refused.collect(),
        bytes_sent,
        bytes_received,
        round_trips: stats.round_trips,
        took_ms: stats.equal_after_ms.filter(|_| state == "equal"),
    }
}

/// Whether the session knew, at its last step, every group that is in common now: an empty one that
/// was just made has no receipts by which it could be missed. Both lists are in order.
fn has_seen_all_groups(view: &PeerView, replica: &Replica, agency: &AgencyId) -> bool {
    let mut seen = view.progress.iter().map(|(group, _)| group);
    let mut common = replica.shared_with(agency).map(|(group, _)| group);
    common.all(|group| seen.any(|known| known == group))
}

/// Of the entries in the groups in common, how many a node has signed to hold, and how many there
/// are here. True of a node that is offline, too: what it has signed it has stored.
fn acknowledged(replica: &Replica, node: &NodeKey, agency: &AgencyId) -> (u64, u64) {
    let mut sums = (0, 0);
    for (_, group) in replica.shared_with(agency) {
        let ours = group.frontier();
        let receipt = group.receipts.get(node);
        sums.0 += receipt.map_or(0, |signed| ours.entries_in_common(&signed.receipt.frontier));
        sums.1 += ours.entries();
    }
    sums
}
