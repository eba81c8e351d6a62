//! Syncing on demand.

use serde::{Deserialize, Serialize};

/// `POST /v1/sync`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncRequest {
    /// Short name or id of one agency; all trusted ones where none is said.
    pub peer: Option<String>,
    /// Answer when the frontiers of all groups in common are equal, or the time is over.
    pub wait: bool,
    /// Seconds; 60 where none is said.
    pub timeout_s: Option<u64>,
}

/// Entries that a peer's data was refused for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Typed reason.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// One peer, since the link to it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerSync {
    /// Short name of its agency.
    pub short: String,
    /// PeerId.
    pub peer_id: String,
    /// `equal`, `syncing` or `offline`.
    pub state: String,
    /// Entries sent to it.
    pub sent: u64,
    /// Entries received from it.
    pub received: u64,
    /// Entries of this node's frontier that the peer has acknowledged, by signed receipt, to hold
    /// durably in the groups in common.
    pub stored_by_peer: u64,
    /// Entries of this node's frontier in the groups in common.
    pub of: u64,
    /// Refusals, by reason.
    pub refused: Vec<Refused>,
    /// Bytes on the link, both kinds without the transport's own.
    pub bytes_sent: u64,
    /// See `bytes_sent`.
    pub bytes_received: u64,
    /// Round trips until the frontiers were equal.
    pub round_trips: u64,
    /// Milliseconds until the frontiers were equal; none while they are not.
    pub took_ms: Option<u64>,
}

/// Answer of `sync`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncAnswer {
    /// The peers asked for.
    pub peers: Vec<PeerSync>,
    /// All frontiers were equal when this was answered.
    pub equal: bool,
}
