//! The gate before Automerge: what a change must be before its bytes are applied.
//!
//! A change from another node is hostile input. Its verdict is a pure function of its bytes and its
//! ancestors, so that all nodes agree; what fails is kept, shown, and never materialised.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change, ChangeHash};
use minicbor::{Decode, Encode};

use super::base;
use crate::id::{RecordId, Writer};
use crate::limits;
use crate::wire;

/// Why a change stays out of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
pub enum ChangeReason {
    /// The payload is not the bytes of a change.
    #[n(0)]
    #[error("malformed")]
    Malformed,
    /// More bytes or operations than allowed.
    #[n(1)]
    #[error("too-large")]
    TooLarge,
    /// Compressed, or no change at all.
    #[n(2)]
    #[error("chunk-type")]
    ChunkType,
    /// The actor is not the writer's.
    #[n(3)]
    #[error("foreign-actor")]
    Actor,
    /// Its number does not follow the actor's last change.
    #[n(4)]
    #[error("sequence-gap")]
    Sequence,
    /// It does not depend on its author's own last change.
    #[n(5)]
    #[error("missing-predecessor")]
    Predecessor,
    /// Its operations do not count from where its dependencies end.
    #[n(6)]
    #[error("start-op")]
    StartOp,
    /// Automerge refused it, or the document would not load again.
    #[n(7)]
    #[error("does-not-apply")]
    Apply,
    /// The document would have what no record may have.
    #[n(8)]
    #[error("schema")]
    Schema,
    /// It cites a base text that the first version does not have.
    #[n(9)]
    #[error("unknown-base")]
    Base,
    /// The agency is no editor of the record.
    #[n(10)]
    #[error("not-an-editor")]
    NotEditor,
    /// The group does not let the writer write, or no longer.
    #[n(11)]
    #[error("no-standing")]
    Standing,
    /// The changes that it depends on are not there (yet).
    #[n(12)]
    #[error("waiting")]
    Waiting,
    /// A first version that is malformed or breaks a bound.
    #[n(13)]
    #[error("bad-genesis")]
    Genesis,
}

/// The payload of a change entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct ChangePayload {
    /// Keys of the base texts that it builds on and that no ancestor named.
    #[n(0)]
    pub(super) bases: Vec<String>,
    /// The change, uncompressed (`Change::raw_bytes`).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(super) change: Vec<u8>,
}

/// A change that was parsed, with the bases that its payload names.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    pub(super) bases: Vec<String>,
    pub(super) change: Change,
}

/// Automerge's magic bytes, before checksum and chunk type (automerge binary format, "chunk").
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_TYPE_AT: usize = 8;
const UNCOMPRESSED_CHANGE: u8 = 1;

/// Reads a payload and parses the change in it.
pub(super) fn parse(payload: &[u8]) -> Result<Parsed, ChangeReason> {
    if payload.len() > limits::CHANGE_BYTES {
        return Err(ChangeReason::TooLarge);
    }
    let payload: ChangePayload =
        wire::decode(payload, limits::CHANGE_BYTES).map_err(|_| ChangeReason::Malformed)?;
    if payload.bases.len() > limits::TEXTS {
        return Err(ChangeReason::TooLarge);
    }
    if !payload.change.starts_with(&MAGIC) {
        return Err(ChangeReason::Malformed);
    }
    if payload.change.get(CHUNK_TYPE_AT) != Some(&UNCOMPRESSED_CHANGE) {
        return Err(ChangeReason::ChunkType);
    }
    let parsed = guarded(|| Change::try_from(payload.change.as_slice()).ok());
    let change = parsed.ok_or(ChangeReason::Malformed)?;
    if change.raw_bytes() != payload.change {
        return Err(ChangeReason::Malformed);
    }
    if change.len() > limits::CHANGE_OPS {
        return Err(ChangeReason::TooLarge);
    }
    Ok(Parsed {
        bases: payload.bases,
        change,
    })
}

/// The actor that a writer must use in a record: nobody can write as somebody else.
pub(super) fn actor_of(writer: &Writer, record: &RecordId) -> automerge::ActorId {
    let incarnation = writer.incarnation.0.to_be_bytes();
    base::actor(&[b"writer", &writer.node.0, &incarnation, &record.0])
}

/// What is known of the changes of a document so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Ancestors {
    max_ops: BTreeMap<ChangeHash, u64>,
    actors: BTreeMap<automerge::ActorId, (u64, ChangeHash)>,
}

impl Ancestors {
    /// Adds a base change or an accepted one.
    pub(super) fn add(&mut self, change: &Change) {
        self.max_ops.insert(change.hash(), change.max_op());
        self.actors
            .insert(change.actor_id().clone(), (change.seq(), change.hash()));
    }

    /// Whether all that a change depends on is there.
    pub(super) fn has_deps_of(&self, change: &Change) -> bool {
        change
            .deps()
            .iter()
            .all(|dep| self.max_ops.contains_key(dep))
    }

    /// Checks a change against its ancestors, which must all be there.
    pub(super) fn check(
        &self,
        change: &Change,
        writer: &Writer,
        record: &RecordId,
    ) -> Result<(), ChangeReason> {
        if *change.actor_id() != actor_of(writer, record) {
            return Err(ChangeReason::Actor);
        }
        match self.actors.get(change.actor_id()) {
            Some((seq, _)) if change.seq() != seq + 1 => return Err(ChangeReason::Sequence),
            Some((_, own)) if !change.deps().contains(own) => {
                return Err(ChangeReason::Predecessor);
            }
            None if change.seq() != 1 => return Err(ChangeReason::Sequence),
            _ => {}
        }
        let end = change
            .deps()
            .iter()
            .filter_map(|dep| self.max_ops.get(dep))
            .max();
        let start = end.copied().unwrap_or(0).saturating_add(1);
        if change.start_op().get() != start || change.max_op() > u64::from(u32::MAX / 2) {
            return Err(ChangeReason::StartOp);
        }
        Ok(())
    }
}

/// Applies changes to a copy, saves it, loads it, and compares. The copy that was loaded is what
/// counts from then on.
pub(super) fn apply(doc: &Automerge, changes: Vec<Change>) -> Result<Automerge, ChangeReason> {
    guarded(|| {
        let mut copy = doc.clone();
        copy.apply_changes(changes).ok()?;
        let loaded = Automerge::load(&copy.save()).ok()?;
        (loaded.get_heads() == copy.get_heads()).then_some(loaded)
    })
    .ok_or(ChangeReason::Apply)
}

/// Runs Automerge on foreign bytes: a panic inside is a refusal.
fn guarded<T>(run: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok().flatten()
}
