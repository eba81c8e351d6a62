//! Sharing groups.

use serde::{Deserialize, Serialize};

use super::PendingStatement;

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Agency id, hexadecimal.
    pub agency: String,
    /// Short name.
    pub short: String,
    /// `reader`, `contributor`, `curator` or `owner`.
    pub role: String,
}

/// A sharing group as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInfo {
    /// Group id, hexadecimal.
    pub group: String,
    /// Name; `own` for the agency's own group.
    pub name: String,
    /// Members, by short name.
    pub members: Vec<GroupMember>,
    /// How many of them are owners.
    pub owners: u32,
    /// How many owners must sign a change.
    pub threshold: u32,
    /// Height of the group chain.
    pub height: u32,
    /// Records that this node holds in it.
    pub records: u64,
    /// Default TLP label of new records.
    pub tlp: String,
    /// Statements that wait for more owners' signatures.
    #[serde(default)]
    pub pending: Vec<PendingStatement>,
    /// The chain was found to fork: the group stands still.
    #[serde(default)]
    pub frozen: bool,
    /// This agency has left: nothing is synced any more.
    #[serde(default)]
    pub left: bool,
}

/// `GET /v1/groups`, and the answer of every change (the group concerned).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupList {
    /// The groups, `own` first, then by name.
    pub groups: Vec<GroupInfo>,
}

/// An agency and the role it is to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRole {
    /// Short name or id.
    pub agency: String,
    /// Role; `contributor` where none is said.
    #[serde(default)]
    pub role: Option<String>,
}

/// `POST /v1/groups`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupCreate {
    /// Name.
    pub name: String,
    /// First members, besides this agency, which becomes owner.
    #[serde(default)]
    pub members: Vec<MemberRole>,
    /// Owners who must sign a change; a majority of the owners where none is said.
    #[serde(default)]
    pub threshold: Option<u32>,
    /// Default TLP label of new records; `GREEN` where none is said.
    #[serde(default)]
    pub tlp: Option<String>,
}

/// `POST /v1/groups/{group}/add` and `…/set-role`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupMembers {
    /// The agencies, with the role that each is to have.
    pub members: Vec<MemberRole>,
}

/// `POST /v1/groups/{group}/remove`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupRemove {
    /// Short names or ids.
    pub agencies: Vec<String>,
    /// Show the plan, change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a removal does, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovalPlan {
    /// The group after the removal (or as it is, with `dry_run`).
    pub group: GroupInfo,
    /// Who leaves.
    pub removed: Vec<GroupMember>,
    /// Entries of the removed agencies that this node holds and that stay valid.
    pub entries_kept: u64,
    /// Whether it was carried out.
    pub done: bool,
}
