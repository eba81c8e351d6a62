//! `status`: the node at a glance.

use axum::extract::State;
use diwan_api::types::{IndexStatus, PeerStatus, Status};
use diwan_core::id::{AgencyId, NodeKey};
use diwan_core::identity::{AgencyChain, Genesis};
use diwan_core::replica::Replica;
use diwan_core::trust::TrustState;

use super::answer::{Answer, Json, apart};
use super::{Api, govern, names, time};
use crate::engine::{EngineError, PeerView};
use crate::net::peer_text;

/// `GET /v1/status`.
pub(super) async fn status(State(api): State<Api>) -> Answer<Status> {
    apart(move || read(&api)).await.map(Json)
}

fn read(api: &Api) -> Result<Status, EngineError> {
    let state = api.engine.state();
    let replica = &state.replica;
    let me = replica.me();
    let reading = api.engine.read()?;
    let mut records = 0;
    for chain in names::groups(replica) {
        records += reading.group(&chain.id())?.map_or(0, |row| row.records);
    }
    let genesis = replica.agency(&me.agency).map(AgencyChain::genesis);
    let text = |of: fn(&Genesis) -> &String| {
        genesis
            .map(|genesis| of(genesis).clone())
            .unwrap_or_default()
    };
    let store_seq = reading.store_seq()?;
    let mut alarms = govern::alarms(replica);
    alarms.extend(govern::lost_standing(&state, &reading)?);
    let indexed = api.indexer.seq();
    Ok(Status {
        agency: me.agency.to_string(),
        short: text(|genesis| &genesis.short),
        name: text(|genesis| &genesis.name),
        country: text(|genesis| &genesis.country),
        peer_id: peer_text(me.node.as_bytes()),
        incarnation: me.incarnation.to_string(),
        listen: api.peers.listening(),
        records,
        entries: reading.entry_count()?,
        attachments: 0,
        peers: peers(api, replica),
        groups: names::groups(replica).count() as u64,
        index: IndexStatus {
            seq: indexed,
            learned: api.expander.seq(),
            lag: store_seq.saturating_sub(indexed) + state.due.values().sum::<u64>(),
        },
        store_seq,
        quarantined: reading.quarantined()?,
        alarms,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The nodes that this one talks to, and those that it would if their agency were not suspended.
fn peers(api: &Api, replica: &Replica) -> Vec<PeerStatus> {
    let views = api.peers.views();
    let talked = replica
        .peers()
        .map(|(node, agency)| peer(replica, (node, agency), views.get(node)));
    let suspended = replica
        .trust()
        .iter()
        .filter(|(_, entry)| entry.state == TrustState::Suspended)
        .filter_map(|(agency, _)| replica.agency(agency))
        .flat_map(|chain| chain.nodes().map(move |(node, _)| (node, chain.id())))
        .map(|(node, agency)| PeerStatus {
            state: TrustState::Suspended.name().to_owned(),
            ..peer(replica, (node, &agency), None)
        });
    let mut peers: Vec<PeerStatus> = talked.chain(suspended).collect();
    peers.sort_by(|a, b| (&a.short, &a.peer_id).cmp(&(&b.short, &b.peer_id)));
    peers
}

fn peer(
    replica: &Replica,
    (node, agency): (&NodeKey, &AgencyId),
    view: Option<&PeerView>,
) -> PeerStatus {
    PeerStatus {
        agency: agency.to_string(),
        short: names::short(replica, agency),
        peer_id: peer_text(node.as_bytes()),
        state: view.map_or("offline", |view| view.state).to_owned(),
        since: view.map(|view| time::rfc3339(view.since_ms)),
        reason: view.and_then(|view| view.reason.clone()),
    }
}
