//! What keeps a federation honest: quarantine, purges, nodes, statements that wait for signatures.

use serde::{Deserialize, Serialize};

/// A statement of a group that waits for more owners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingStatement {
    /// Its hash, hexadecimal.
    pub statement: String,
    /// What it does: `add`, `remove`, `set-role`, `set-threshold` or `extend-cuts`.
    pub change: String,
    /// The agency concerned, by short name; empty where none is.
    pub agency: String,
    /// The role that the agency is to have, where it gets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Owners who signed, by short name.
    pub signed_by: Vec<String>,
    /// How many must.
    pub needed: u32,
}

/// `POST /v1/groups/{group}/cosign`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GroupCosign {
    /// Which statement, by its hash; needed where several wait.
    #[serde(default)]
    pub statement: Option<String>,
}

/// `POST /v1/groups/{group}/extend-cuts`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupExtend {
    /// Short name or id of the agency that was removed or demoted.
    pub agency: String,
}

/// An entry that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedEntry {
    /// Whose log: PeerId, `/`, incarnation.
    pub log: String,
    /// Where in it; of a log that forks, the first place that is in doubt.
    pub seq: u64,
    /// The agency that wrote it, by short name.
    pub agency: String,
    /// A stable word.
    pub reason: String,
    /// Name of the group.
    pub group: String,
    /// The record concerned; empty where a whole log is.
    pub record: String,
    /// Whether this agency wrote it.
    pub own: bool,
}

/// `GET /v1/quarantine`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// By group, log and place.
    pub entries: Vec<QuarantinedEntry>,
}

/// `POST /v1/records/{record}/purge`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PurgeRequest {
    /// Why, for the other members' admins. It stays.
    #[serde(default)]
    pub reason: String,
    /// Show the plan, change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a purge does, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgePlan {
    /// The record.
    pub record: String,
    /// Name of its group.
    pub group: String,
    /// Agencies whose nodes erase it, by short name.
    pub recipients: Vec<String>,
    /// Versions that go.
    pub versions: u64,
    /// Whether it was carried out.
    pub done: bool,
}

/// What was issued again under a new incarnation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reissue {
    /// The new incarnation, hexadecimal.
    pub incarnation: String,
    /// Records whose first version was cut off.
    pub records: u64,
    /// Records whose edits were made again.
    pub edits: u64,
    /// Entries that could not be issued again.
    pub left_out: u64,
}

/// A node of this agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// PeerId.
    pub peer_id: String,
    /// What it may do: `sync`, `write`, `govern`.
    pub capabilities: Vec<String>,
    /// `acting` or `revoked`.
    pub state: String,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// Whether it is the node that answers.
    pub this: bool,
}

/// `GET /v1/nodes`, and the answer of every change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeList {
    /// This agency's nodes.
    pub nodes: Vec<NodeInfo>,
}

/// `POST /v1/nodes`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeCertify {
    /// The join request that `diwan-node enroll` wrote.
    pub request: String,
}

/// The answer: what the new node needs to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCertified {
    /// PeerId of the new node.
    pub peer_id: String,
    /// The agency's card, with the new node in it.
    pub card: String,
}
