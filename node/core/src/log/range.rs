//! Ranges: consecutive entries of one log as they travel, without what the receiver can derive.
//!
//! The writer, the sequence and the hash before follow from the receiver's own head; the record id
//! of a first version is the hash of its payload. The receiver builds the headers again, hashes
//! them into a chain, and verifies the one signature at the end.

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use super::block::Packed;
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
    /// What it begins behind is another entry than the head here: the log forks, or the sender lies.
    #[error("the range begins behind another entry than the head here")]
    OtherHead,
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
    /// What the header says of a payload that the sender no longer has: the record was purged. Salt
    /// and payload are empty then.
    #[n(6)]
    pub erased: Option<Erased>,
    /// Where the payload lies compressed; not part of what travels.
    #[cbor(skip)]
    pub packed: Packed,
}

/// A payload that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Erased {
    /// Its bytes.
    #[n(0)]
    pub len: u32,
    /// Its salted hash.
    #[n(1)]
    pub hash: ByteArray<32>,
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
    /// The writer's signature of the last header: it vouches for the whole range. Zeros where the
    /// range ends at the last valid entry of a log that was cut or has forked: the cut or the proof
    /// vouches for it.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: Signature,
    /// Hash of the entry that the first one follows; zeros for the first of a log.
    #[n(5)]
    pub previous: EntryHash,
}

impl Range {
    /// A range of stored entries. They must be consecutive, and the last must be signed, or be the
    /// last valid one of its log; otherwise there is nothing to send.
    #[must_use]
    pub fn of(entries: &[Entry], last_valid: Option<u64>) -> Option<Self> {
        let (first, last) = (entries.first()?, entries.last()?);
        let signature = match last_valid == Some(last.header.seq) {
            true => last.signature.unwrap_or([0; 64]),
            false => last.signature?,
        };
        Some(Self {
            group: first.header.group,
            writer: first.header.writer,
            first: first.header.seq,
            entries: entries.iter().map(RangeEntry::of).collect(),
            signature,
            previous: first.header.previous,
        })
    }

    /// The range without its payloads' bytes, which travel beside it.
    pub(crate) fn without_payloads(&self) -> Self {
        let entries = self.entries.iter().map(|entry| RangeEntry {
            payload: Vec::new(),
            packed: Packed::default(),
            ..*entry
        });
        Self {
            entries: entries.collect(),
            ..*self
        }
    }

    /// The range without its first entries; it then begins behind the last of them.
    ///
    /// # Errors
    /// [`RangeError`] where one of them has no header.
    pub fn skip(mut self, count: usize) -> Result<Self, RangeError> {
        for wire in self.entries.drain(..count.min(self.entries.len())) {
            let header = wire.header(self.group, self.writer, self.first, self.previous)?;
            self.previous = header.hash();
            self.first = self.first.saturating_add(1);
        }
        Ok(self)
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
        if self.previous != previous {
            return Err(RangeError::OtherHead);
        }
        let mut seq = self.first;
        let mut entries = Vec::with_capacity(self.entries.len());
        for wire in self.entries {
            let header = wire.header(self.group, self.writer, seq, previous)?;
            previous = header.hash();
            seq = seq.saturating_add(1);
            let payload = wire.erased.is_none().then(|| Payload {
                salt: *wire.salt,
                bytes: wire.payload,
                packed: wire.packed,
            });
            entries.push(Entry {
                header,
                payload,
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
    fn of(entry: &Entry) -> Self {
        let header = &entry.header;
        let (salt, payload, packed) = match &entry.payload {
            Some(payload) => (payload.salt, payload.bytes.clone(), payload.packed.clone()),
            None => ([0; SALT_BYTES], Vec::new(), Packed::default()),
        };
        let erased = entry.payload.is_none().then(|| Erased {
            len: header.payload_len,
            hash: header.payload_hash.into(),
        });
        Self {
            kind: header.kind as u8,
            record: match header.kind {
                PayloadKind::Genesis => None,
                PayloadKind::Change | PayloadKind::Purge => Some(header.record),
            },
            height: header.height,
            wall_ms: header.wall_ms,
            salt: salt.into(),
            payload,
            erased,
            packed,
        }
    }

    fn header(
        &self,
        group: GroupId,
        writer: Writer,
        seq: u64,
        previous: EntryHash,
    ) -> Result<Header, RangeError> {
        let kind = PayloadKind::from_byte(self.kind).ok_or(RangeError::Kind(self.kind))?;
        let bytes = match &self.erased {
            Some(erased) => erased.len as usize,
            None => self.payload.len(),
        };
        let payload_len = u32::try_from(bytes)
            .ok()
            .filter(|_| bytes <= limits::PAYLOAD_BYTES);
        let payload_len = payload_len.ok_or(RangeError::PayloadTooLong(bytes))?;
        let payload_hash = match &self.erased {
            Some(erased) => *erased.hash,
            None => crate::wire::hash(
                crate::wire::Domain::Payload,
                &[self.salt.as_slice(), &self.payload],
            ),
        };
        let record = match (kind, self.record) {
            (PayloadKind::Genesis, None) => RecordId(payload_hash),
            (PayloadKind::Change | PayloadKind::Purge, Some(record)) => record,
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
