//! Hostile changes: what the gate before Automerge has to keep out.

use std::num::NonZeroU64;

use automerge::{Change, ChangeHash, ExpandedChange};
use diwan_core::id::{GroupId, RecordId, Writer};
use diwan_core::limits;
use diwan_core::log::PayloadKind;
use diwan_core::record::{AuthoredChange, Edit, Genesis, change_payloads};
use diwan_core::wire;
use minicbor::{Decode, Encode};

use crate::kit::Random;
use crate::sim::node::Node;

/// The payload of a change: docs/protocol/record.md.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(array)]
struct ChangePayload {
    #[n(0)]
    bases: Vec<String>,
    #[cbor(n(1), with = "minicbor::bytes")]
    change: Vec<u8>,
}

/// A record of somebody, with all that was written into it.
#[derive(Debug)]
pub(super) struct Victim {
    pub(super) record: RecordId,
    genesis: Genesis,
    changes: Vec<AuthoredChange>,
}

impl Victim {
    /// Some record of a group that a node holds.
    pub(super) fn find(node: &Node, group: &GroupId, random: &mut Random) -> Option<Self> {
        let reading = node.committer.as_ref()?.store().read().ok()?;
        let all = reading.records_by_id().ok()?;
        let (record, num) = *random.pick(&all)?;
        let row = reading.record(num).ok()??;
        if row.group != *group {
            return None;
        }
        let first = reading.entry(row.log, row.seq).ok()??.payload?;
        let genesis = Genesis::from_bytes(&first.bytes).ok()?;
        let mut changes = Vec::new();
        for (log, seq) in reading.changes(num).ok()? {
            let entry = reading.entry(log, seq).ok()??;
            if entry.header.kind == PayloadKind::Change {
                changes.push(AuthoredChange::of(entry)?);
            }
        }
        Some(Self {
            record,
            genesis,
            changes,
        })
    }

    fn payload(&self, edit: &Edit, writer: &Writer) -> Option<Vec<u8>> {
        let (genesis, record) = (&self.genesis, &self.record);
        let made = change_payloads(genesis, record, &self.changes, None, edit, writer);
        made.ok()?.into_iter().next()
    }

    /// A valid change by a writer.
    pub(super) fn edit(&self, writer: &Writer, random: &mut Random) -> Option<Vec<u8>> {
        let mut edit = Edit::default();
        let text = format!("m {:x}", random.bits());
        edit.texts.insert("summary.en".to_owned(), Some(text));
        self.payload(&edit, writer)
    }

    /// A valid change that erases the text.
    pub(super) fn erase(&self, writer: &Writer) -> Option<Vec<u8>> {
        let mut edit = Edit::default();
        edit.texts.insert("body.fr".to_owned(), None);
        self.payload(&edit, writer)
    }

    /// Somebody's change as it is: its actor is not the one who offers it.
    pub(super) fn somebodys_change(&self, random: &mut Random) -> Option<Vec<u8>> {
        random
            .pick(&self.changes)
            .map(|change| change.payload.clone())
    }
}

/// Bytes that begin like a change.
pub(super) fn garbage(random: &mut Random) -> Vec<u8> {
    let mut change = vec![0; random.index(200) + 12];
    random.fill(&mut change);
    if random.percent(70) {
        change[..4].copy_from_slice(&[0x85, 0x6f, 0x4a, 0x83]);
        change[8] = u8::try_from(random.below(4)).unwrap_or(1);
    }
    pack(Vec::new(), change)
}

fn pack(bases: Vec<String>, change: Vec<u8>) -> Vec<u8> {
    wire::encode(&ChangePayload { bases, change })
}

fn unpack(payload: &[u8]) -> Option<(Vec<String>, ExpandedChange)> {
    let payload: ChangePayload = wire::decode(payload, limits::PAYLOAD_BYTES).ok()?;
    let change = Change::try_from(payload.change.as_slice()).ok()?;
    Some((payload.bases, change.decode()))
}

/// A valid change with one thing wrong; its checksum is right.
pub(super) fn crafted(payload: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let (mut bases, mut change) = unpack(payload)?;
    match random.below(7) {
        0 => change.seq += random.between(1, 5),
        1 => change.start_op = NonZeroU64::new(u64::from(u32::MAX) - 2)?,
        2 => change.start_op = change.start_op.checked_add(random.between(1, 50))?,
        3 => change.deps.clear(),
        4 => bases.push("body.xx".to_owned()),
        5 => bases.clear(),
        _ => {
            let operation = change.operations.first()?.clone();
            let count = random.between(2, 30);
            change
                .operations
                .extend((0..count).map(|_| operation.clone()));
        }
    }
    change.hash = None;
    let bytes = Change::from(change).raw_bytes().to_vec();
    Some(pack(bases, bytes))
}

/// A change that depends on one that never comes.
pub(super) fn orphan(payload: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let (bases, mut change) = unpack(payload)?;
    let mut missing = [0; 32];
    random.fill(&mut missing);
    change.deps.push(ChangeHash(missing));
    change.deps.sort_unstable();
    change.hash = None;
    Some(pack(bases, Change::from(change).raw_bytes().to_vec()))
}
