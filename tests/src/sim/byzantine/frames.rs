//! Frames of broken nodes: no messages at all, lies, and what was heard before.

use diwan_core::group::{GroupBody, GroupStatement, Member, Role};
use diwan_core::id::{EntryHash, GroupId};
use diwan_core::limits;
use diwan_core::log::LogHead;
use diwan_core::sync::{Hello, Message, PROTOCOL_VERSION};
use diwan_core::verify::Receipt;

use super::{Act, Kind};
use crate::sim::world::World;

/// A zstd frame (RFC 8878) of one run-length block that declares a gigabyte.
const BOMB: &[u8] = &[
    4, 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0x40, 0, 0, 0, 0, 3, 0, 0x10, 0,
];

impl World {
    pub(super) fn evil_frame(&mut self, kind: Kind, act: &Act) -> Option<Vec<u8>> {
        let random = &mut self.mallory.random;
        match kind {
            Kind::Garbage => {
                let mut frame = vec![0; random.index(300)];
                random.fill(&mut frame);
                Some(frame)
            }
            Kind::RandomBody => {
                let mut frame = vec![0; random.index(200) + 1];
                random.fill(&mut frame);
                frame[0] = u8::try_from(random.below(8)).unwrap_or(0);
                Some(frame)
            }
            Kind::Oversize => Some(vec![5; limits::FRAME_BYTES + 1]),
            Kind::Bomb => Some(BOMB.to_vec()),
            Kind::BitFlips => self.flipped(),
            Kind::Replay => self.mallory.any_heard(),
            Kind::SecondHello => hello(),
            Kind::AskForeign => self.ask_foreign(act),
            Kind::LieMore | Kind::LieLess => self.lying_state(kind),
            Kind::FalseReceipt | Kind::ForgedReceipt => self.lying_receipt(kind, act),
            Kind::FalseStatement => self.false_statement(act),
            Kind::Altered | Kind::OtherGroup => self.altered_entries(kind),
            _ => None,
        }
    }

    fn flipped(&mut self) -> Option<Vec<u8>> {
        let mut frame = self.mallory.any_heard()?;
        for _ in 0..self.mallory.random.between(1, 4) {
            let at = self.mallory.random.index(frame.len().max(1));
            let bit = self.mallory.random.below(8);
            *frame.get_mut(at)? ^= 1 << bit;
        }
        Some(frame)
    }

    /// Some state that was heard, as the message that it is.
    fn heard_message(&mut self, of: impl Fn(&Message) -> bool) -> Option<Message> {
        for _ in 0..20 {
            let frame = self.mallory.any_heard()?;
            if let Some(message) = Message::from_frame(&frame).ok().filter(&of) {
                return Some(message);
            }
        }
        None
    }

    /// Somebody talks: it knows the ids of groups that it is not in.
    fn ask_foreign(&mut self, act: &Act) -> Option<Vec<u8>> {
        let agency = self.nodes[act.node].agency;
        let all = self.model.groups.iter();
        let foreign: Vec<GroupId> = all
            .filter(|(_, group)| !group.now().contains_key(&agency))
            .map(|(id, _)| *id)
            .collect();
        let group = *self.mallory.random.pick(&foreign)?;
        let state = self.heard_message(|m| matches!(m, Message::GroupState(_)));
        let Some(Message::GroupState(mut state)) = state else {
            return None;
        };
        state.group = group;
        state.height = 0;
        state.frontier.0.clear();
        state.receipts.clear();
        state.heard = self.mallory.random.percent(50);
        Message::GroupState(state).to_frame().ok()
    }

    fn lying_state(&mut self, kind: Kind) -> Option<Vec<u8>> {
        let state = self.heard_message(|m| matches!(m, Message::GroupState(_)));
        let Some(Message::GroupState(mut state)) = state else {
            return None;
        };
        let random = &mut self.mallory.random;
        state.corrects = random.percent(50);
        state.heard = random.percent(50);
        if kind == Kind::LieLess {
            state.frontier.0.clear();
            state.receipts.clear();
            state.agencies.clear();
            return Message::GroupState(state).to_frame().ok();
        }
        for head in state.frontier.0.values_mut() {
            *head = LogHead {
                seq: head.seq + random.below(u64::MAX >> 1),
                hash: EntryHash([7; 32]),
            };
        }
        state.height = state.height.saturating_add(9);
        Message::GroupState(state).to_frame().ok()
    }

    fn lying_receipt(&mut self, kind: Kind, act: &Act) -> Option<Vec<u8>> {
        let at = &self.nodes[act.node];
        let state = at.state()?;
        let groups: Vec<GroupId> = state.replica.groups().keys().copied().collect();
        let group = *self.mallory.random.pick(&groups)?;
        let mut frontier = state.replica.group(&group)?.frontier();
        for head in frontier.0.values_mut() {
            head.seq += self.mallory.random.below(1_000);
        }
        let others = self.nodes.iter().map(|node| node.me.node);
        let others: Vec<_> = others.filter(|node| *node != at.me.node).collect();
        let node = match kind {
            Kind::ForgedReceipt => *self.mallory.random.pick(&others)?,
            _ => at.me.node,
        };
        let receipt = Receipt {
            group,
            node,
            wall_ms: self.mallory.random.bits(),
            frontier,
        };
        let bytes = receipt.sign(&at.signing());
        Message::Receipts(vec![bytes.into()]).to_frame().ok()
    }

    /// It is no owner, and makes itself one.
    fn false_statement(&mut self, act: &Act) -> Option<Vec<u8>> {
        let at = &self.nodes[act.node];
        let state = at.state()?;
        let shared = state.replica.groups().iter();
        let shared: Vec<_> = shared.filter(|(_, group)| !group.chain.is_own()).collect();
        let (id, group) = *self.mallory.random.pick(&shared)?;
        let member = Member {
            agency: at.agency,
            role: Role::Owner,
        };
        let body = match self.mallory.random.percent(50) {
            true => GroupBody::SetRole(member, Vec::new()),
            false => GroupBody::SetThreshold(1),
        };
        let statement: GroupStatement = group.chain.next(body);
        let from = statement.height;
        let heard = self.heard_message(|m| matches!(m, Message::Group(_)));
        let Some(Message::Group(mut message)) = heard else {
            return None;
        };
        message.group = *id;
        message.from = from;
        let bytes = statement.sign(&self.nodes[act.node].signing());
        message.statements = vec![bytes.into()];
        Message::Group(message).to_frame().ok()
    }

    fn altered_entries(&mut self, kind: Kind) -> Option<Vec<u8>> {
        let heard = self.heard_message(|m| matches!(m, Message::Entries(_)));
        let Some(Message::Entries(mut ranges)) = heard else {
            return None;
        };
        let groups: Vec<GroupId> = self.model.groups.keys().copied().collect();
        let random = &mut self.mallory.random;
        for range in &mut ranges {
            match kind {
                Kind::OtherGroup => range.group = *random.pick(&groups)?,
                _ => {
                    let at = random.index(range.entries.len());
                    let entry = range.entries.get_mut(at)?;
                    let byte = random.index(entry.payload.len().max(1));
                    *entry.payload.get_mut(byte)? ^= 1;
                }
            }
        }
        Message::Entries(ranges).to_frame().ok()
    }
}

fn hello() -> Option<Vec<u8>> {
    let hello = Hello {
        version: PROTOCOL_VERSION,
        own_height: 0,
        your_height: 0,
        groups: Vec::new(),
    };
    Message::Hello(hello).to_frame().ok()
}
