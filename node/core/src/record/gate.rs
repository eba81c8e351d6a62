//! The gate before Automerge: what a change must be before its bytes are applied.
//!
//! A change from another node is hostile input. Its verdict is a pure function of its bytes and its
//! ancestors, so that all nodes agree; what fails is kept, shown, and never materialised.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change};
use minicbor::{Decode, Encode};

use super::base;
use super::kinds::{ORIGIN_RELATIONS, ORIGIN_VALUES};
use super::scan::{self, Place, Scan};
use crate::id::{RecordId, Writer};
use crate::limits;
use crate::wire;

/// Which rules the gate and the replay follow. One more whenever a verdict may come out differently:
/// a node that finds another number in its store judges every record again.
pub const GATE_VERSION: u64 = 4;

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
    /// An operation refers to what is not in the change's own past.
    #[n(14)]
    #[error("dangling-reference")]
    Reference,
    /// A purge by an agency that is neither the record's origin nor a curator of its group.
    #[n(15)]
    #[error("not-a-curator")]
    NotCurator,
    /// Too many of its writer's earlier changes of the record do not count: it was not looked at.
    #[n(16)]
    #[error("over-quota")]
    Quota,
    /// What the record's origin alone decides, from another agency.
    #[n(17)]
    #[error("not-the-origin")]
    NotOrigin,
}

impl ChangeReason {
    /// The reason of a code, as a store keeps it.
    #[must_use]
    pub fn of(code: u8) -> Option<Self> {
        minicbor::decode(&[code]).ok()
    }
}

/// The payload of a change entry.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct ChangePayload {
    /// Keys of the base texts that it builds on and that no ancestor named, in order.
    #[n(0)]
    pub(super) bases: Vec<String>,
    /// The change, uncompressed (`Change::raw_bytes`).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(super) change: Vec<u8>,
}

/// A change that was read, with the bases that its payload names.
#[derive(Clone, Debug)]
pub(super) struct Parsed<'a> {
    pub(super) bases: &'a [String],
    pub(super) scan: Scan<'a>,
    pub(super) change: Change,
}

/// Reads a payload's frame; the change in it is bytes still.
pub(super) fn open(payload: &[u8]) -> Result<ChangePayload, ChangeReason> {
    if payload.len() > limits::CHANGE_BYTES {
        return Err(ChangeReason::TooLarge);
    }
    let payload: ChangePayload =
        wire::decode(payload, limits::CHANGE_BYTES).map_err(|_| ChangeReason::Malformed)?;
    let mut bases = payload.bases.windows(2);
    if payload.bases.len() > limits::TEXTS {
        return Err(ChangeReason::TooLarge);
    }
    match bases.all(|pair| pair.first() < pair.last()) {
        true => Ok(payload),
        false => Err(ChangeReason::Malformed),
    }
}

/// Whether a change says what the record's origin alone decides: that it is withdrawn, of which version it
/// was published, which proposals were taken. What cannot be read says nothing: it is refused elsewhere.
#[must_use]
pub fn decides(payload: &[u8]) -> bool {
    let Ok(payload) = open(payload) else {
        return false;
    };
    let Ok(scan) = scan::scan(&payload.change) else {
        return false;
    };
    // Keys of values have no dot, and of the others those of links alone end in an id.
    let is_one = |key: &str| match key.split_once('.') {
        None => ORIGIN_VALUES.contains(&key),
        Some((relation, id)) => {
            ORIGIN_RELATIONS.contains(&relation) && id.parse::<RecordId>().is_ok()
        }
    };
    scan.ops.iter().any(|op| match op.place {
        Place::Key(key) => is_one(key),
        Place::Head | Place::Element(_) => false,
    })
}

/// Reads a change: our own bounded reader first, Automerge behind it, and both must agree.
pub(super) fn parse(payload: &ChangePayload) -> Result<Parsed<'_>, ChangeReason> {
    let scan = scan::scan(&payload.change)?;
    let parsed = guarded(|| Change::try_from(payload.change.as_slice()).ok());
    let change = parsed.ok_or(ChangeReason::Malformed)?;
    let checksum = payload.change.get(CHECKSUM);
    let agree = change.raw_bytes() == payload.change
        && change.hash().0.get(..CHECKSUM.len()) == checksum
        && change.len() == scan.ops.len()
        && change.start_op().get() == scan.start_op
        && change.deps() == scan.deps;
    match agree {
        true => Ok(Parsed {
            bases: &payload.bases,
            scan,
            change,
        }),
        false => Err(ChangeReason::Malformed),
    }
}

/// Where a chunk has the first bytes of its own hash (Automerge's binary format, "chunk").
const CHECKSUM: std::ops::Range<usize> = 4..8;

/// The actor that a writer must use in a record: nobody can write as somebody else.
pub(super) fn actor_of(writer: &Writer, record: &RecordId) -> automerge::ActorId {
    let incarnation = writer.incarnation.0.to_be_bytes();
    base::actor(&[b"writer", &writer.node.0, &incarnation, &record.0])
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
