//! Entries of this node itself: signing them is what verifies them.

use super::Verified;
use crate::id::{GroupId, Me, RecordId};
use crate::log::{Entry, Header, LogHead, Payload, PayloadKind};
use crate::wire::{Domain, Signing};

/// Entries after which one is signed at the latest, so that ranges can end there.
const SIGN_EVERY_ENTRIES: usize = 64;
/// Payload bytes after which an entry is signed at the latest. Compressed, so much passes a line of
/// 64 kbit/s in some 2 s: what a cut of the line makes to be sent again.
const SIGN_EVERY_BYTES: usize = 32 * 1024;

/// What an entry of this node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnKind {
    /// A first version: its payload's hash is the record's id.
    Genesis,
    /// A change of a record.
    Change(RecordId),
    /// The erasure of a record.
    Purge(RecordId),
}

/// What this node is about to write.
#[derive(Clone, Debug)]
pub struct OwnEntry {
    /// What it is.
    pub kind: OwnKind,
    /// The payload, with its salt.
    pub payload: Payload,
}

/// Chains and signs this node's next entries in a group. The last one is signed, and one in every
/// stretch that a range can carry.
#[must_use]
pub fn own_entries(
    (key, me): (&Signing, &Me),
    group: GroupId,
    mut head: LogHead,
    (height, wall_ms): (u32, u64),
    drafts: Vec<OwnEntry>,
) -> Verified<Vec<Entry>> {
    let count = drafts.len();
    let (mut unsigned, mut bytes) = (0, 0);
    let mut entries = Vec::with_capacity(count);
    for (at, draft) in drafts.into_iter().enumerate() {
        let payload_hash = draft.payload.hash();
        let (kind, record) = match draft.kind {
            OwnKind::Genesis => (PayloadKind::Genesis, RecordId(payload_hash)),
            OwnKind::Change(record) => (PayloadKind::Change, record),
            OwnKind::Purge(record) => (PayloadKind::Purge, record),
        };
        let header = Header {
            group,
            record,
            writer: me.writer(),
            seq: head.seq.saturating_add(1),
            previous: head.hash,
            height,
            wall_ms,
            kind,
            payload_len: u32::try_from(draft.payload.bytes.len()).unwrap_or(u32::MAX),
            payload_hash,
        };
        unsigned += 1;
        bytes += draft.payload.bytes.len();
        let due = at + 1 == count || unsigned >= SIGN_EVERY_ENTRIES || bytes >= SIGN_EVERY_BYTES;
        let signature = due.then(|| key.sign(Domain::Entry, &header.to_bytes()));
        if due {
            (unsigned, bytes) = (0, 0);
        }
        head = LogHead {
            seq: header.seq,
            hash: header.hash(),
        };
        entries.push(Entry {
            header,
            payload: Some(draft.payload),
            signature,
        });
    }
    Verified(entries)
}
