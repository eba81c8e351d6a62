//! What nodes do that were broken into: they have their agency's keys, know what the other broken
//! nodes heard, run the honest code beside it, and send what they want.

mod changes;
mod frames;
mod logs;
mod pen;

use std::collections::BTreeMap;

use diwan_core::id::GroupId;

use super::network::{LinkId, NodeId};
use super::world::World;
use crate::kit::Random;
use pen::Pen;

/// Frames that are remembered, to be sent again.
const HEARD: usize = 300;

/// A misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Bytes that are no message.
    Garbage,
    /// A message type with random bytes behind it.
    RandomBody,
    /// More bytes than a frame may have.
    Oversize,
    /// A batch whose declared size is a gigabyte.
    Bomb,
    /// A frame that was heard, with some bits turned.
    BitFlips,
    /// A frame that was heard, at another time or from somebody else.
    Replay,
    /// A second hello.
    SecondHello,
    /// Asks for a group that it is not in.
    AskForeign,
    /// Says that it has more than anybody has.
    LieMore,
    /// Says that it has nothing.
    LieLess,
    /// A receipt of its own for what it has not.
    FalseReceipt,
    /// A receipt in somebody else's name.
    ForgedReceipt,
    /// A statement of a group that it does not own.
    FalseStatement,
    /// An entry in somebody else's name.
    ForgedEntry,
    /// Somebody's entry with another payload.
    Altered,
    /// Entries of one group, offered in another.
    OtherGroup,
    /// A first version that is none.
    BadGenesis,
    /// A first version of another group or origin.
    ForeignGenesis,
    /// A change that is none.
    BadChange,
    /// A change with another one's actor.
    ForeignActor,
    /// A change as Automerge would make it, but with a wrong number, dependency or first operation.
    CraftedChange,
    /// Many changes whose dependencies never come.
    Orphans,
    /// Changes of a record that does not exist.
    NoRecord,
    /// A valid change that erases a text.
    Erase,
    /// A height of the chain that nobody has.
    HeightAhead,
    /// An old height, from before a removal.
    BackDated,
    /// A height that falls within a log.
    HeightFalls,
    /// Keeps back what it should pass on, for a while.
    Withhold,
    /// Two entries at one place, each for another peer.
    Equivocate,
    /// Two statements of its agency at one height, each for another peer.
    ForkAgency,
}

/// What honest nodes must withstand already.
const KINDS: &[Kind] = &[
    Kind::Garbage,
    Kind::RandomBody,
    Kind::Oversize,
    Kind::Bomb,
    Kind::BitFlips,
    Kind::Replay,
    Kind::Replay,
    Kind::SecondHello,
    Kind::AskForeign,
    Kind::LieMore,
    Kind::LieLess,
    Kind::ForgedReceipt,
    Kind::FalseStatement,
    Kind::ForgedEntry,
    Kind::Altered,
    Kind::OtherGroup,
    Kind::BadGenesis,
    Kind::ForeignGenesis,
    Kind::BadChange,
    Kind::ForeignActor,
    Kind::CraftedChange,
    Kind::CraftedChange,
    Kind::Orphans,
    Kind::NoRecord,
    Kind::Erase,
    Kind::HeightAhead,
    Kind::BackDated,
    Kind::BackDated,
    Kind::HeightFalls,
    Kind::Withhold,
    Kind::FalseReceipt,
    Kind::Equivocate,
    Kind::Equivocate,
    Kind::ForkAgency,
];

impl Kind {
    /// Its word in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Garbage => "garbage-frame",
            Kind::RandomBody => "random-body",
            Kind::Oversize => "oversize-frame",
            Kind::Bomb => "zstd-bomb",
            Kind::BitFlips => "bit-flips",
            Kind::Replay => "replayed-frame",
            Kind::SecondHello => "second-hello",
            Kind::AskForeign => "foreign-group-asked",
            Kind::LieMore => "frontier-too-far",
            Kind::LieLess => "frontier-too-short",
            Kind::FalseReceipt => "false-receipt",
            Kind::ForgedReceipt => "forged-receipt",
            Kind::FalseStatement => "false-statement",
            Kind::ForgedEntry => "forged-entry",
            Kind::Altered => "altered-payload",
            Kind::OtherGroup => "replay-into-group",
            Kind::BadGenesis => "bad-genesis",
            Kind::ForeignGenesis => "foreign-genesis",
            Kind::BadChange => "bad-change",
            Kind::ForeignActor => "foreign-actor",
            Kind::CraftedChange => "crafted-change",
            Kind::Orphans => "orphan-flood",
            Kind::NoRecord => "change-of-no-record",
            Kind::Erase => "erased-text",
            Kind::HeightAhead => "height-ahead",
            Kind::BackDated => "back-dated",
            Kind::HeightFalls => "height-falls",
            Kind::Withhold => "withheld",
            Kind::Equivocate => "equivocation",
            Kind::ForkAgency => "agency-fork",
        }
    }
}

/// What the nodes that were broken into know together.
#[derive(Debug)]
pub struct Mallory {
    random: Random,
    heard: Vec<Vec<u8>>,
    pens: BTreeMap<(NodeId, GroupId), Vec<Pen>>,
    /// Until when they keep back what honest code wants to send, ms.
    withheld_until: BTreeMap<NodeId, u64>,
}

impl Mallory {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            heard: Vec::new(),
            pens: BTreeMap::new(),
            withheld_until: BTreeMap::new(),
        }
    }

    /// A frame reached one of them or left it.
    pub fn overhear(&mut self, frame: &[u8]) {
        if self.heard.len() < HEARD {
            self.heard.push(frame.to_vec());
        } else {
            let at = self.random.index(HEARD);
            self.heard[at] = frame.to_vec();
        }
    }

    fn any_heard(&mut self) -> Option<Vec<u8>> {
        self.random.pick(&self.heard).cloned()
    }
}

/// What a misbehaviour sends, and to whom.
struct Act {
    node: NodeId,
    link: LinkId,
}

impl World {
    /// A frame that the honest code of a broken node wants to send.
    pub(super) fn send_tampered(&mut self, node: NodeId, link: LinkId, frame: Vec<u8>) {
        self.mallory.overhear(&frame);
        let until = self.mallory.withheld_until.get(&node).copied().unwrap_or(0);
        // Entries and receipts; the rest keeps the link alive.
        let withheld = matches!(frame.first(), Some(4 | 5));
        if withheld && !self.calm && self.time.now_ms() < until {
            return;
        }
        self.send(node, link, frame);
    }

    /// One of them does something.
    pub(super) fn mischief_happens(&mut self) {
        let bad = self.plan.byzantine.clone();
        let Some(node) = self.mallory.random.pick(&bad).copied() else {
            return;
        };
        let Some(kind) = self.mallory.random.pick(KINDS).copied() else {
            return;
        };
        let links: Vec<LinkId> = self.nodes[node].sessions.keys().copied().collect();
        let Some(link) = self.mallory.random.pick(&links).copied() else {
            return;
        };
        if self.do_mischief(kind, &Act { node, link }).is_some() {
            self.say(node, format_args!("MISCHIEF {} on {link}", kind.name()));
            *self.mischief.entry(kind.name()).or_default() += 1;
        }
    }

    /// Does it; none where there is no occasion for it.
    fn do_mischief(&mut self, kind: Kind, act: &Act) -> Option<()> {
        match kind {
            Kind::Garbage
            | Kind::RandomBody
            | Kind::Oversize
            | Kind::Bomb
            | Kind::BitFlips
            | Kind::Replay
            | Kind::SecondHello
            | Kind::AskForeign
            | Kind::LieMore
            | Kind::LieLess
            | Kind::FalseReceipt
            | Kind::ForgedReceipt
            | Kind::FalseStatement
            | Kind::Altered
            | Kind::OtherGroup => {
                let frame = self.evil_frame(kind, act)?;
                self.send(act.node, act.link, frame);
                Some(())
            }
            Kind::ForgedEntry
            | Kind::BadGenesis
            | Kind::ForeignGenesis
            | Kind::BadChange
            | Kind::ForeignActor
            | Kind::CraftedChange
            | Kind::Orphans
            | Kind::NoRecord
            | Kind::Erase
            | Kind::HeightAhead
            | Kind::BackDated
            | Kind::HeightFalls => self.evil_entries(kind, act),
            Kind::Withhold => {
                let until = self.time.now_ms() + self.mallory.random.between(500, 8_000);
                self.mallory.withheld_until.insert(act.node, until);
                Some(())
            }
            Kind::Equivocate => self.equivocate(act),
            Kind::ForkAgency => self.fork_agency(act),
        }
    }
}
