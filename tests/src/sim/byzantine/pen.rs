//! A log that a broken node writes beside the one of its honest code: the chain and the signatures
//! hold, and the rest is what it wants.

use diwan_core::id::{EntryHash, GroupId, Incarnation, RecordId, Writer};
use diwan_core::log::{Entry, Header, LogHead, Payload, PayloadKind, Range};
use diwan_core::wire::{Domain, Signing};

use crate::kit::Random;

/// One such log.
#[derive(Debug)]
pub(super) struct Pen {
    pub(super) writer: Writer,
    group: GroupId,
    entries: Vec<Entry>,
}

/// What an entry says.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The record; none for a first version.
    pub(super) record: Option<RecordId>,
    pub(super) payload: Vec<u8>,
    pub(super) height: u32,
}

impl Pen {
    pub(super) fn new(node: &Signing, group: GroupId, incarnation: u64) -> Self {
        Self {
            writer: Writer {
                node: node.public(),
                incarnation: Incarnation(incarnation),
            },
            group,
            entries: Vec::new(),
        }
    }

    /// The height that the last entry cites.
    pub(super) fn last_height(&self) -> u32 {
        self.entries.last().map_or(0, |entry| entry.header.height)
    }

    /// Takes the last entries back, so that others can stand in their place.
    pub(super) fn take_back(&mut self, count: usize) {
        let left = self.entries.len().saturating_sub(count);
        self.entries.truncate(left);
    }

    /// Writes an entry, signed with any key.
    pub(super) fn write(&mut self, key: &Signing, draft: Draft, random: &mut Random) {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let payload = Payload::new(salt, draft.payload);
        let head = self.head();
        let header = Header {
            group: self.group,
            record: draft.record.unwrap_or(RecordId(payload.hash())),
            writer: self.writer,
            seq: head.seq + 1,
            previous: head.hash,
            height: draft.height,
            wall_ms: random.bits() >> 20,
            kind: match draft.record {
                None => PayloadKind::Genesis,
                Some(_) => PayloadKind::Change,
            },
            payload_len: u32::try_from(payload.bytes.len()).unwrap_or(u32::MAX),
            payload_hash: payload.hash(),
        };
        let signature = key.sign(Domain::Entry, &header.to_bytes());
        self.entries.push(Entry {
            header,
            payload: Some(payload),
            signature: Some(signature),
        });
    }

    fn head(&self) -> LogHead {
        self.entries.last().map_or(
            LogHead {
                seq: 0,
                hash: EntryHash([0; 32]),
            },
            |entry| LogHead {
                seq: entry.header.seq,
                hash: entry.header.hash(),
            },
        )
    }

    /// The whole log.
    pub(super) fn range(&self) -> Option<Range> {
        Range::of(&self.entries, None)
    }
}
