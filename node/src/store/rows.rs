//! Rows, as CBOR.

use diwan_core::id::{AgencyId, EntryHash, GroupId, RecordId, Writer};
use diwan_core::record::Version;
use diwan_core::wire;
use minicbor::{Decode, Encode};

use super::StoreError;

/// Bytes of a row: all are small.
const ROW_BYTES: usize = 4 * 1024;

/// A group that this node follows.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GroupRow {
    /// Its small number.
    #[n(0)]
    pub num: u32,
    /// Visible records in it.
    #[n(1)]
    pub records: u64,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogRow {
    /// Its group.
    #[n(0)]
    pub group: GroupId,
    /// Whose it is.
    #[n(1)]
    pub writer: Writer,
    /// Sequence of the newest entry.
    #[n(2)]
    pub seq: u64,
    /// Hash of the newest entry.
    #[n(3)]
    pub head: EntryHash,
    /// Group height that the newest entry cites.
    #[n(4)]
    pub height: u32,
}

/// What an officer may do at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum OfficerRole {
    /// Reads.
    #[n(0)]
    Reader,
    /// Reads, the list of officers too.
    #[n(1)]
    Auditor,
    /// Writes drafts in the agency's own group, and proposes.
    #[n(2)]
    Contributor,
    /// Writes and publishes in shared groups.
    #[n(3)]
    ContactPoint,
    /// Decides on trust, groups, nodes and officers.
    #[n(4)]
    Admin,
}

impl OfficerRole {
    /// Every role, those that may least first.
    pub const ALL: [OfficerRole; 5] = [
        OfficerRole::Reader,
        OfficerRole::Auditor,
        OfficerRole::Contributor,
        OfficerRole::ContactPoint,
        OfficerRole::Admin,
    ];

    /// Its word in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OfficerRole::Reader => "reader",
            OfficerRole::Auditor => "auditor",
            OfficerRole::Contributor => "contributor",
            OfficerRole::ContactPoint => "contact-point",
            OfficerRole::Admin => "admin",
        }
    }

    /// Whether it may do what another role is needed for.
    #[must_use]
    pub fn may(self, needed: OfficerRole) -> bool {
        let rank = |role| match role {
            OfficerRole::Reader | OfficerRole::Auditor => 0,
            OfficerRole::Contributor => 1,
            OfficerRole::ContactPoint => 2,
            OfficerRole::Admin => 3,
        };
        match needed {
            OfficerRole::Auditor => matches!(self, OfficerRole::Auditor | OfficerRole::Admin),
            needed => rank(self) >= rank(needed),
        }
    }
}

/// An officer of this node: a local user. Nothing of it leaves the node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OfficerRow {
    /// None once it was revoked: the user stays known, and stays out.
    #[n(0)]
    pub role: Option<OfficerRole>,
    /// Name, for the admin's eyes.
    #[n(1)]
    pub name: String,
    /// When the role was given, ms.
    #[n(2)]
    pub since_ms: u64,
    /// The uid of the admin who gave it.
    #[n(3)]
    pub by_uid: u32,
}

/// A search that an officer saved. Nothing of it leaves the node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct WatchRow {
    /// The query, as it is typed.
    #[n(0)]
    pub query: String,
    /// When its matches were last seen, ms.
    #[n(1)]
    pub seen_ms: u64,
    /// The store sequence up to which they were.
    #[n(2)]
    pub seq: u64,
}

/// Whether a record is shown, and where its content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RecordState {
    /// Never edited: the first version is its view.
    #[n(0)]
    Plain,
    /// Edited: the view has a row of its own.
    #[n(1)]
    Edited,
    /// The first version is in quarantine: nothing is shown.
    #[n(2)]
    Hidden,
    /// Erased: only headers are left.
    #[n(3)]
    Purged,
}

impl RecordState {
    /// Whether officers see the record.
    #[must_use]
    pub fn is_shown(self) -> bool {
        matches!(self, RecordState::Plain | RecordState::Edited)
    }
}

/// A record's version, as a row keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct VersionRow {
    /// See [`Version::count`].
    #[n(0)]
    pub count: u64,
    /// See [`Version::digest`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 4],
}

impl From<Version> for VersionRow {
    fn from(version: Version) -> Self {
        Self {
            count: version.count,
            digest: version.digest,
        }
    }
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self {
            count: row.count,
            digest: row.digest,
        }
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RecordRow {
    /// Its id.
    #[n(0)]
    pub id: RecordId,
    /// Its group.
    #[n(1)]
    pub group: GroupId,
    /// The agency that made it.
    #[n(2)]
    pub origin: AgencyId,
    /// Its kind.
    #[n(3)]
    pub kind: String,
    /// The log that holds its first version.
    #[n(4)]
    pub log: u32,
    /// Where in that log.
    #[n(5)]
    pub seq: u64,
    /// The clock of the first version, ms.
    #[n(6)]
    pub created_ms: u64,
    /// The latest clock of an applied change, ms.
    #[n(7)]
    pub updated_ms: u64,
    /// Current version.
    #[n(8)]
    pub version: VersionRow,
    /// Whether and where it is shown.
    #[n(9)]
    pub state: RecordState,
}

/// A row's bytes.
pub(super) fn to_bytes<T: Encode<()>>(row: &T) -> Vec<u8> {
    wire::encode(row)
}

/// Reads a row back.
pub(super) fn from_bytes<'b, T: Decode<'b, ()>>(
    table: &str,
    bytes: &'b [u8],
) -> Result<T, StoreError> {
    wire::decode(bytes, ROW_BYTES).map_err(|_| StoreError::row(table))
}
