//! One entry: a fixed header that is signed and hashed, and a payload beside it, so that a payload
//! can be purged while the chain still verifies.

use super::block::Packed;
use crate::id::{EntryHash, GroupId, Incarnation, NodeKey, RecordId, Writer};
use crate::limits;
use crate::wire::{self, Domain};

/// Bytes of an encoded header: see `docs/protocol/log.md`, "Header".
pub const HEADER_BYTES: usize = 197;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
const TAG: [u8; 4] = *b"DWE\x01";

/// Random bytes that are hashed with the payload, so that a purged payload cannot be guessed from
/// its hash.
pub type Salt = [u8; SALT_BYTES];

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PayloadKind {
    /// The first version of a record: plain content.
    Genesis = 1,
    /// An Automerge change of a record.
    Change = 2,
    /// The record's payloads are to be erased everywhere; headers stay.
    Purge = 3,
}

impl PayloadKind {
    /// The kind of a byte, if it is one of this version.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(PayloadKind::Genesis),
            2 => Some(PayloadKind::Change),
            3 => Some(PayloadKind::Purge),
            _ => None,
        }
    }
}

/// Bytes that are no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not the tag and version of an entry.
    #[error("not an entry of version 1")]
    Tag,
    /// Not a payload kind of this version.
    #[error("payload kind {0} is not known")]
    Kind(u8),
    /// A payload longer than [`limits::PAYLOAD_BYTES`].
    #[error("a payload of {0} bytes")]
    PayloadTooLong(u32),
    /// The header is not [`HEADER_BYTES`] long.
    #[error("the header is cut")]
    Cut,
}

/// The signed part of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The group whose log this is.
    pub group: GroupId,
    /// The record concerned.
    pub record: RecordId,
    /// Who wrote.
    pub writer: Writer,
    /// Position in the log; the first has 1.
    pub seq: u64,
    /// Hash of the header before; zero for the first.
    pub previous: EntryHash,
    /// Height of the group chain that the writer had seen.
    pub height: u32,
    /// The writer's clock, milliseconds since 1970. For display only: validity never depends on it.
    pub wall_ms: u64,
    /// What the payload is.
    pub kind: PayloadKind,
    /// Payload bytes.
    pub payload_len: u32,
    /// Salted hash of the payload.
    pub payload_hash: [u8; 32],
}

impl Header {
    /// The bytes that are signed and hashed.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(TAG);
        bytes.extend(self.group.0);
        bytes.extend(self.record.0);
        bytes.extend(self.writer.node.0);
        bytes.extend(self.writer.incarnation.0.to_be_bytes());
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.previous.0);
        bytes.extend(self.height.to_be_bytes());
        bytes.extend(self.wall_ms.to_be_bytes());
        bytes.push(self.kind as u8);
        bytes.extend(self.payload_len.to_be_bytes());
        bytes.extend(self.payload_hash);
        bytes.try_into().unwrap_or([0; HEADER_BYTES])
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`EntryError`] when the bytes are no header of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut rest = Fields(bytes);
        if rest.take::<4>()? != TAG {
            return Err(EntryError::Tag);
        }
        let header = Self {
            group: GroupId(rest.take()?),
            record: RecordId(rest.take()?),
            writer: Writer {
                node: NodeKey(rest.take()?),
                incarnation: Incarnation(u64::from_be_bytes(rest.take()?)),
            },
            seq: u64::from_be_bytes(rest.take()?),
            previous: EntryHash(rest.take()?),
            height: u32::from_be_bytes(rest.take()?),
            wall_ms: u64::from_be_bytes(rest.take()?),
            kind: {
                let [kind] = rest.take()?;
                PayloadKind::from_byte(kind).ok_or(EntryError::Kind(kind))?
            },
            payload_len: u32::from_be_bytes(rest.take()?),
            payload_hash: rest.take()?,
        };
        if header.payload_len as usize > limits::PAYLOAD_BYTES {
            return Err(EntryError::PayloadTooLong(header.payload_len));
        }
        if rest.0.is_empty() {
            Ok(header)
        } else {
            Err(EntryError::Cut)
        }
    }

    /// The entry's hash, which the next header names.
    #[must_use]
    pub fn hash(&self) -> EntryHash {
        EntryHash(wire::hash(Domain::Entry, &[&self.to_bytes()]))
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(EntryError::Cut)?;
        self.0 = rest;
        Ok(*taken)
    }
}

/// A payload with its salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Random bytes.
    pub salt: Salt,
    /// What the entry carries.
    pub bytes: Vec<u8>,
    /// Where that lies compressed, if it was read from there.
    pub packed: Packed,
}

impl Payload {
    /// A payload that is compressed nowhere yet.
    #[must_use]
    pub fn new(salt: Salt, bytes: Vec<u8>) -> Self {
        Self {
            salt,
            bytes,
            packed: Packed::default(),
        }
    }

    /// The salted hash that the header names.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        wire::hash(Domain::Payload, &[&self.salt, &self.bytes])
    }
}

/// An entry as it is kept: the header, the payload, and the writer's signature where one was made.
/// A signature on a later entry of the log vouches for all before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The signed part.
    pub header: Header,
    /// The payload; none once it was purged.
    pub payload: Option<Payload>,
    /// The writer's signature of the header.
    pub signature: Option<wire::Signature>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header {
            group: GroupId([1; 32]),
            record: RecordId([2; 32]),
            writer: Writer {
                node: NodeKey([3; 32]),
                incarnation: Incarnation(4),
            },
            seq: 5,
            previous: EntryHash([6; 32]),
            height: 7,
            wall_ms: 8,
            kind: PayloadKind::Change,
            payload_len: 9,
            payload_hash: [10; 32],
        }
    }

    #[test]
    fn a_header_reads_back() {
        assert_eq!(Header::from_bytes(&header().to_bytes()), Ok(header()));
    }

    #[test]
    fn other_versions_kinds_and_lengths_are_refused() {
        let bytes = header().to_bytes();
        let changed = |at: usize, to: u8| {
            let mut bytes = bytes;
            bytes[at] = to;
            Header::from_bytes(&bytes)
        };
        assert_eq!(changed(3, 2), Err(EntryError::Tag));
        assert_eq!(changed(160, 9), Err(EntryError::Kind(9)));
        assert!(matches!(
            changed(161, 0xff),
            Err(EntryError::PayloadTooLong(_))
        ));
        assert_eq!(Header::from_bytes(&bytes[..196]), Err(EntryError::Cut));
        let mut long = bytes.to_vec();
        long.push(0);
        assert_eq!(Header::from_bytes(&long), Err(EntryError::Cut));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic_and_written_back_the_same(bytes in prop::collection::vec(any::<u8>(), 0..220)) {
            if let Ok(header) = Header::from_bytes(&bytes) {
                prop_assert_eq!(header.to_bytes().to_vec(), bytes);
            }
        }

        #[test]
        fn every_bit_of_a_header_is_in_its_hash(at in 4..HEADER_BYTES, bit in 0..8u8) {
            let mut bytes = header().to_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = Header::from_bytes(&bytes) {
                prop_assert_ne!(changed.hash(), header().hash());
            }
        }
    }
}
