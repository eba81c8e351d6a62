//! Ranges: consecutive entries of one log as they travel, without what the receiver can derive.
//!
//! The writer, the sequence and the hash before follow from the receiver's own head; the record id
//! of a first version is the hash of its payload. The receiver builds the headers again, hashes
//! them into a chain, and verifies the one signature at the end.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::entry::{Entry, Header, Payload, PayloadKind, SALT_BYTES};
use super::frontier::LogHead;
use crate::id::{EntryHash, GroupId, RecordId, Writer};
use crate::limits;
use crate::wire::Signature;

/// A range that cannot be built into entries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It does not begin right behind the head that the receiver has.
    #[error("the range begins at {found} where {expected} follows")]
    Gap {
        /// Found.
        found: u64,
        /// Expected.
        expected: u64,
    },
    /// Empty, or more entries than [`limits::BATCH_ENTRIES`].
    #[error("a range of {0} entries")]
    Count(usize),
    /// A payload kind that this version does not know.
    #[error("payload kind {0} is not known")]
    Kind(u8),
    /// A payload longer than its limit.
    #[error("a payload of {0} bytes")]
    PayloadTooLong(usize),
    /// A change names no record, or a first version does.
    #[error("the record id is missing or does not belong there")]
    Record,
}

/// One entry of a range.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RangeEntry {
    /// Payload kind.
    #[n(0)]
    pub kind: u8,
    /// The record; none for a first version, whose payload hash it is.
    #[n(1)]
    pub record: Option<RecordId>,
    /// Height of the group chain cited.
    #[n(2)]
    pub height: u32,
    /// The writer's clock.
    #[n(3)]
    pub wall_ms: u64,
    /// Salt.
    #[n(4)]
    pub salt: ByteArray<SALT_BYTES>,
    /// Payload.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub payload: Vec<u8>,
}

/// Consecutive entries of one log, with the signature of the last.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Range {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Whose log.
    #[n(1)]
    pub writer: Writer,
    /// Sequence of the first entry.
    #[n(2)]
    pub first: u64,
    /// The entries.
    #[n(3)]
    pub entries: Vec<RangeEntry>,
    /// The writer's signature of the last header: it vouches for the whole range.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: Signature,
}

impl Range {
    /// A range of stored entries. They must be consecutive, the last must be signed and none purged;
    /// otherwise there is nothing to send.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let first = entries.first()?;
        Some(Self {
            group: first.header.group,
            writer: first.header.writer,
            first: first.header.seq,
            entries: entries.iter().map(RangeEntry::of).collect::<Option<_>>()?,
            signature: entries.last()?.signature?,
        })
    }

    /// Builds the entries again, behind the head that the receiver has (none: the log is new).
    /// Hash chain and payload hashes hold by construction; the signature is not verified here.
    ///
    /// # Errors
    /// [`RangeError`] says what is wrong.
    pub fn into_entries(self, head: Option<&LogHead>) -> Result<Vec<Entry>, RangeError> {
        if self.entries.is_empty() || self.entries.len() > limits::BATCH_ENTRIES {
            return Err(RangeError::Count(self.entries.len()));
        }
        let expected = head.map_or(0, |head| head.seq).saturating_add(1);
        if self.first != expected {
            return Err(RangeError::Gap {
                found: self.first,
                expected,
            });
        }
        let mut previous = head.map_or(EntryHash([0; 32]), |head| head.hash);
        let mut seq = self.first;
        let mut entries = Vec::with_capacity(self.entries.len());
        for wire in self.entries {
            let header = wire.header(self.group, self.writer, seq, previous)?;
            previous = header.hash();
            seq = seq.saturating_add(1);
            let payload = Payload {
                salt: *wire.salt,
                bytes: wire.payload,
            };
            entries.push(Entry {
                header,
                payload: Some(payload),
                signature: None,
            });
        }
        if let Some(last) = entries.last_mut() {
            last.signature = Some(self.signature);
        }
        Ok(entries)
    }
}

impl RangeEntry {
    fn of(entry: &Entry) -> Option<Self> {
        let payload = entry.payload.as_ref()?;
        Some(Self {
            kind: entry.header.kind as u8,
            record: match entry.header.kind {
                PayloadKind::Genesis => None,
                PayloadKind::Change => Some(entry.header.record),
            },
            height: entry.header.height,
            wall_ms: entry.header.wall_ms,
            salt: payload.salt.into(),
            payload: payload.bytes.clone(),
        })
    }

    fn header(
        &self,
        group: GroupId,
        writer: Writer,
        seq: u64,
        previous: EntryHash,
    ) -> Result<Header, RangeError> {
        let kind = PayloadKind::from_byte(self.kind).ok_or(RangeError::Kind(self.kind))?;
        let bytes = self.payload.len();
        let payload_len = u32::try_from(bytes)
            .ok()
            .filter(|_| bytes <= limits::PAYLOAD_BYTES);
        let payload_len = payload_len.ok_or(RangeError::PayloadTooLong(bytes))?;
        let payload_hash = crate::wire::hash(
            crate::wire::Domain::Payload,
            &[self.salt.as_slice(), &self.payload],
        );
        let record = match (kind, self.record) {
            (PayloadKind::Genesis, None) => RecordId(payload_hash),
            (PayloadKind::Change, Some(record)) => record,
            _ => return Err(RangeError::Record),
        };
        Ok(Header {
            group,
            record,
            writer,
            seq,
            previous,
            height: self.height,
            wall_ms: self.wall_ms,
            kind,
            payload_len,
            payload_hash,
        })
    }
}
