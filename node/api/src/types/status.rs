//! The node's state.

use serde::{Deserialize, Serialize};

/// A node that this one talks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Agency id.
    pub agency: String,
    /// Short name.
    pub short: String,
    /// PeerId.
    pub peer_id: String,
    /// `connected`, `dialing`, `offline` or `suspended`.
    pub state: String,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// Why it is offline, as the transport said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far the index is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexStatus {
    /// Store sequence that searches see.
    pub seq: u64,
    /// Changes that they do not see yet: of records that are shown, and of those that wait to be
    /// judged.
    pub lag: u64,
    /// The store sequence up to which vocabularies and multilingual records widen searches.
    #[serde(default)]
    pub learned: u64,
}

/// `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Agency id.
    pub agency: String,
    /// Short name.
    pub short: String,
    /// Full name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// PeerId of this node.
    pub peer_id: String,
    /// Incarnation, hexadecimal.
    pub incarnation: String,
    /// Bound addresses.
    pub listen: Vec<String>,
    /// Records held.
    pub records: u64,
    /// Entries held.
    pub entries: u64,
    /// Attachments held.
    pub attachments: u64,
    /// Nodes of trusted agencies.
    pub peers: Vec<PeerStatus>,
    /// Groups followed, `own` among them.
    pub groups: u64,
    /// The index.
    pub index: IndexStatus,
    /// Sequence of the last durable commit's newest change.
    pub store_seq: u64,
    /// Quarantined entries.
    pub quarantined: u64,
    /// What the admin must look at, as catalogue keys with a detail.
    pub alarms: Vec<String>,
    /// Version of the program.
    pub version: String,
}
