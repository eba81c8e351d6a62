//! What goes into a session and what comes out of it.

use std::collections::BTreeMap;

use super::message::{Message, MessageError, PROTOCOL_VERSION, WantedPayload};
use crate::id::{AgencyId, GroupId, Writer};
use crate::log::{LogHead, Range};
use crate::verify::Branch;

/// What happened.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "handled one by one, never kept in numbers"
)]
pub enum Input {
    /// The link is up.
    Start,
    /// A frame arrived.
    Frame(Vec<u8>),
    /// The replica changed: something was committed here.
    Changed,
    /// Entries asked for with [`Wish::Read`]; none where the store has no more of them.
    Read {
        /// The group.
        group: GroupId,
        /// Whose log.
        writer: Writer,
        /// What was read.
        range: Option<Range>,
    },
    /// What became of [`Wish::Submit`]: entries stored, and refusals by code.
    Submitted {
        /// New entries that are durable now.
        stored: u64,
        /// What was not stored.
        refused: Vec<RefusedItem>,
    },
    /// What was asked for with [`Wish::Compare`] or [`Wish::Serve`]: messages for the peer.
    Answer {
        /// The group that they are about.
        group: GroupId,
        /// To be sent, in order.
        messages: Vec<Message>,
    },
    /// Time passed.
    Tick,
    /// Time passed while frames of the peer were at hand and might not be taken yet.
    Held,
}

/// Something that was submitted and not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedItem {
    /// A stable word.
    pub code: &'static str,
    /// An honest peer can have caused it, by being ahead of this node or racing another relay.
    pub innocent: bool,
    /// The group concerned, if its state should be told again.
    pub group: Option<GroupId>,
    /// What seems to fork: then both sides are to be brought together.
    pub forks: Option<Suspect>,
}

/// What two nodes hold differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suspect {
    /// A log.
    Log(GroupId, Writer),
    /// An agency's chain.
    Agency(AgencyId),
    /// A group's chain.
    Group(GroupId),
}

/// What an incoming frame brought, to be verified and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Statements of an agency chain, from a height on.
    Agency(AgencyId, u32, Vec<Vec<u8>>),
    /// Statements of a group chain, from a height on.
    Group(GroupId, u32, Vec<Vec<u8>>),
    /// Entries.
    Entries(Vec<Range>),
    /// Receipts.
    Receipts(Vec<Vec<u8>>),
    /// Proofs.
    Proofs(Vec<Vec<u8>>),
    /// The peer's side of a log that forks.
    Branch(GroupId, Writer, Branch),
    /// Statements that wait for signatures.
    Pending(GroupId, Vec<Vec<u8>>),
    /// A payload that was wanted.
    Payload(WantedPayload),
}

/// What the session wishes to be done, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    /// Send a frame.
    Send(Vec<u8>),
    /// Read entries of a log from the store, and answer with [`Input::Read`].
    Read {
        /// The group.
        group: GroupId,
        /// Whose log.
        writer: Writer,
        /// The first sequence wanted.
        from: u64,
    },
    /// Verify and store, and answer with [`Input::Submitted`].
    Submit(Incoming),
    /// Compare these places of the peer's copy of a log with the own copy (none: begin to), and
    /// answer with [`Input::Answer`].
    Compare {
        /// The group.
        group: GroupId,
        /// Whose log.
        writer: Writer,
        /// What the peer has.
        points: Vec<LogHead>,
    },
    /// Read payloads that the peer wants, and answer with [`Input::Answer`].
    Serve {
        /// The group.
        group: GroupId,
        /// Whose log, and where in it.
        entries: Vec<(Writer, u64)>,
    },
    /// End the session.
    Close(CloseReason),
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The peer sent what is no message.
    #[error("the peer sent what is no message: {0}")]
    Message(#[from] MessageError),
    /// The peer speaks another version.
    #[error(
        "the peer speaks version {0} of the protocol, this node {PROTOCOL_VERSION}: one of them needs an upgrade"
    )]
    Version(u32),
    /// The peer sent messages out of order.
    #[error("the peer sent messages out of order")]
    Order,
    /// The peer sent forged or malformed content.
    #[error("the peer sent forged or malformed content: {0}")]
    Refused(&'static str),
    /// The peer fell silent.
    #[error("the peer fell silent")]
    Silent,
    /// An agency was pinned, and what the peer told before may be for this node now.
    #[error("the trust list changed: what was not for this node may be now")]
    Trust,
    /// A frame of ours could not be built: a fault of this node.
    #[error("a frame could not be built")]
    Frame,
}

/// Counters of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionStats {
    /// Entries sent.
    pub sent: u64,
    /// New entries received and stored.
    pub received: u64,
    /// Refusals by code.
    pub refused: BTreeMap<&'static str, u64>,
    /// Round trips spent on comparing states.
    pub round_trips: u64,
    /// Milliseconds that the latest catching up took; none while something is lacking.
    pub equal_after_ms: Option<u64>,
}

/// How far a peer is in one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupProgress {
    /// Entries that this node holds.
    pub ours: u64,
    /// How many of them the peer has acknowledged to have stored, by signed receipt.
    pub acknowledged: u64,
    /// Frontiers are equal, as far as both have said.
    pub equal: bool,
}
