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
