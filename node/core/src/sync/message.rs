//! The messages of the sync protocol, one a frame: a type byte, then CBOR.

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use super::batch::{self, BatchError};
use crate::id::{AgencyId, Digest, GroupId, NodeKey, StatementHash, Writer};
use crate::limits;
use crate::log::{Frontier, LogHead, Range, SALT_BYTES};
use crate::verify::Branch;
use crate::wire::{self, WireError};

/// The version that this code speaks.
pub const PROTOCOL_VERSION: u32 = 2;

/// The type of a frame of entries.
const ENTRIES: u8 = 4;

/// The first message of each side.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Hello {
    /// Protocol version.
    #[n(0)]
    pub version: u32,
    /// Height of the sender's own agency chain.
    #[n(1)]
    pub own_height: u32,
    /// Height of the receiver's agency chain, as the sender knows it.
    #[n(2)]
    pub your_height: u32,
    /// The groups that the receiver's agency is a member of, with a digest of their state.
    #[n(3)]
    pub groups: Vec<GroupDigest>,
}

/// A group and the digest of its state at the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GroupDigest {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Digest of chains, frontier and receipts.
    #[n(1)]
    pub digest: Digest,
}

/// What a node has of a group: sent where digests differ.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GroupState {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Height of its chain.
    #[n(1)]
    pub height: u32,
    /// Heights of its agencies' chains.
    #[n(2)]
    pub agencies: Vec<AgencyHeight>,
    /// How far each log goes.
    #[n(3)]
    pub frontier: Frontier,
    /// The newest receipts, by digest.
    #[n(4)]
    pub receipts: Vec<ReceiptDigest>,
    /// The sender has had the receiver's state of this group. Where it has not, the receiver tells
    /// its own again: the sender may not have known the group when it was told first.
    #[n(5)]
    pub heard: bool,
    /// Something that was sent did not fit, so the receiver knows too much of the sender: this
    /// replaces what it knows. Any other state only adds to it, as entries may be under way.
    #[n(6)]
    pub corrects: bool,
    /// Hash of the chain's newest statement: equal heights are not yet equal chains.
    #[n(7)]
    pub head: StatementHash,
    /// The proofs that the sender has, by digest.
    #[n(8)]
    pub proofs: Vec<Digest>,
}

/// How much of an agency's chain a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AgencyHeight {
    /// The agency.
    #[n(0)]
    pub agency: AgencyId,
    /// Statements known: its height and one more; 0 where none is.
    #[n(1)]
    pub statements: u32,
    /// Hash of the newest; zeros where none is known.
    #[n(2)]
    pub head: StatementHash,
}

/// Which receipt of a node the sender has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReceiptDigest {
    /// The node that signed it.
    #[n(0)]
    pub node: NodeKey,
    /// Digest of the frontier in it.
    #[n(1)]
    pub frontier: Digest,
}

/// Consecutive statements of one agency's chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AgencyStatements {
    /// The agency.
    #[n(0)]
    pub agency: AgencyId,
    /// Height of the first.
    #[n(1)]
    pub from: u32,
    /// The signed statements.
    #[n(2)]
    pub statements: Vec<ByteVec>,
}

/// Consecutive statements of one group's chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GroupStatements {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Height of the first.
    #[n(1)]
    pub from: u32,
    /// The signed statements.
    #[n(2)]
    pub statements: Vec<ByteVec>,
}

/// Places of a log, newest first: two nodes compare them to find where it forks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ForkAsk {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Whose log.
    #[n(1)]
    pub writer: Writer,
    /// What the sender has at these places.
    #[n(2)]
    pub points: Vec<LogHead>,
}

/// The sender's side of a log that forks, from where both agree for the last time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ForkTell {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Whose log.
    #[n(1)]
    pub writer: Writer,
    /// Its headers.
    #[n(2)]
    pub branch: Branch,
}

/// Statements of a group that wait for more owners' signatures. Sent to owners only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Pending {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// The envelopes.
    #[n(1)]
    pub statements: Vec<ByteVec>,
}

/// Payloads that the sender has only the headers of, though no purge says that they are no more.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Want {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Whose log, and where in it.
    #[n(1)]
    pub entries: Vec<(Writer, u64)>,
}

/// A payload that was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct WantedPayload {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Whose log.
    #[n(1)]
    pub writer: Writer,
    /// Where in it.
    #[n(2)]
    pub seq: u64,
    /// Its salt.
    #[n(3)]
    pub salt: ByteArray<SALT_BYTES>,
    /// Its bytes.
    #[n(4)]
    pub payload: ByteVec,
}

/// How far logs go that went on at the sender. A peer need not send it what it has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Have {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// Whose log, and the sequence of its newest entry.
    #[n(1)]
    pub logs: Vec<(Writer, u64)>,
}

/// One frame's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who I am and what we have in common.
    Hello(Hello),
    /// What I have of a group.
    GroupState(GroupState),
    /// Statements that you lack.
    Agency(AgencyStatements),
    /// Statements that you lack.
    Group(GroupStatements),
    /// Entries that you lack, zstd-compressed on the wire.
    Entries(Vec<Range>),
    /// Receipts that you lack, each signed by its node.
    Receipts(Vec<ByteVec>),
    /// Are you there?
    Ping,
    /// I am.
    Pong,
    /// Proofs that you lack.
    Proofs(Vec<ByteVec>),
    /// Where do our copies of this log part?
    ForkAsk(ForkAsk),
    /// Here they part, and this is mine.
    ForkTell(ForkTell),
    /// Statements that you may want to sign.
    Pending(Pending),
    /// Payloads that I lack.
    Want(Want),
    /// One that you wanted.
    Payload(WantedPayload),
    /// What I have by now.
    Have(Have),
}

/// A frame that is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Nothing in it.
    #[error("an empty frame")]
    Empty,
    /// A type that this version does not know.
    #[error("message type {0} is not known")]
    Type(u8),
    /// Not its CBOR, or too long.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Not a batch of entries.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A list longer than its limit.
    #[error("too many {0}")]
    TooMany(&'static str),
}

impl Message {
    /// The frame.
    ///
    /// # Errors
    /// [`BatchError`] where entries do not compress into one.
    pub fn to_frame(&self) -> Result<Vec<u8>, BatchError> {
        let (kind, body) = match self {
            Message::Hello(body) => (0, wire::encode(body)),
            Message::GroupState(body) => (1, wire::encode(body)),
            Message::Agency(body) => (2, wire::encode(body)),
            Message::Group(body) => (3, wire::encode(body)),
            Message::Entries(ranges) => (ENTRIES, batch::pack(ranges)?),
            Message::Receipts(receipts) => (5, wire::encode(receipts)),
            Message::Ping => (6, Vec::new()),
            Message::Pong => (7, Vec::new()),
            Message::Proofs(proofs) => (8, wire::encode(proofs)),
            Message::ForkAsk(body) => (9, wire::encode(body)),
            Message::ForkTell(body) => (10, wire::encode(body)),
            Message::Pending(body) => (11, wire::encode(body)),
            Message::Want(body) => (12, wire::encode(body)),
            Message::Payload(body) => (13, wire::encode(body)),
            Message::Have(body) => (14, wire::encode(body)),
        };
        let mut frame = Vec::with_capacity(body.len() + 1);
        frame.push(kind);
        frame.extend(body);
        Ok(frame)
    }

    /// Whether a frame claims to bring entries.
    #[must_use]
    pub fn brings_entries(frame: &[u8]) -> bool {
        frame.first() == Some(&ENTRIES)
    }

    /// Reads a frame, in bounds.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong.
    pub fn from_frame(frame: &[u8]) -> Result<Self, MessageError> {
        let (kind, body) = frame.split_first().ok_or(MessageError::Empty)?;
        if frame.len() > limits::FRAME_BYTES {
            let (bytes, limit) = (frame.len(), limits::FRAME_BYTES);
            return Err(WireError::TooLong { bytes, limit }.into());
        }
        let message = match kind {
            0 => Message::Hello(wire::decode(body, limits::FRAME_BYTES)?),
            1 => Message::GroupState(wire::decode(body, limits::FRAME_BYTES)?),
            2 => Message::Agency(wire::decode(body, limits::FRAME_BYTES)?),
            3 => Message::Group(wire::decode(body, limits::FRAME_BYTES)?),
            &ENTRIES => Message::Entries(batch::unpack(body)?),
            5 => Message::Receipts(wire::decode(body, limits::FRAME_BYTES)?),
            8 => Message::Proofs(wire::decode(body, limits::FRAME_BYTES)?),
            9 => Message::ForkAsk(wire::decode(body, limits::FRAME_BYTES)?),
            10 => Message::ForkTell(wire::decode(body, limits::FRAME_BYTES)?),
            11 => Message::Pending(wire::decode(body, limits::FRAME_BYTES)?),
            12 => Message::Want(wire::decode(body, limits::FRAME_BYTES)?),
            13 => Message::Payload(wire::decode(body, limits::FRAME_BYTES)?),
            14 => Message::Have(wire::decode(body, limits::FRAME_BYTES)?),
            6 if body.is_empty() => Message::Ping,
            7 if body.is_empty() => Message::Pong,
            6 | 7 => return Err(WireError::Trailing(body.len()).into()),
            other => return Err(MessageError::Type(*other)),
        };
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), MessageError> {
        let within = |name, count: usize, limit| match count > limit {
            true => Err(MessageError::TooMany(name)),
            false => Ok(()),
        };
        match self {
            Message::Hello(hello) => within("groups", hello.groups.len(), limits::GROUPS),
            Message::GroupState(state) => {
                within("agencies", state.agencies.len(), limits::AGENCIES)?;
                within("logs", state.frontier.0.len(), limits::LOGS_PER_GROUP)?;
                within("proofs", state.proofs.len(), limits::PROOFS)?;
                within(
                    "receipts",
                    state.receipts.len(),
                    limits::MEMBERS * limits::NODES_PER_AGENCY,
                )
            }
            Message::Agency(chain) => within(
                "statements",
                chain.statements.len(),
                limits::AGENCY_STATEMENTS,
            ),
            Message::Group(chain) => within(
                "statements",
                chain.statements.len(),
                limits::GROUP_STATEMENTS,
            ),
            Message::Receipts(receipts) => within(
                "receipts",
                receipts.len(),
                limits::MEMBERS * limits::NODES_PER_AGENCY,
            ),
            Message::Proofs(proofs) => within("proofs", proofs.len(), limits::PROOFS),
            Message::ForkAsk(ask) => within("points", ask.points.len(), limits::FORK_POINTS),
            Message::Pending(pending) => within(
                "statements",
                pending.statements.len(),
                limits::PENDING_STATEMENTS,
            ),
            Message::Want(want) => within("wanted payloads", want.entries.len(), limits::WANTS),
            Message::Have(have) => within("logs", have.logs.len(), limits::LOGS_PER_GROUP),
            Message::Entries(_)
            | Message::Ping
            | Message::Pong
            | Message::ForkTell(_)
            | Message::Payload(_) => Ok(()),
        }
    }
}
