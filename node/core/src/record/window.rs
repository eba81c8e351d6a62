//! How many changes of a writer are looked at: what does not count must not cost without end.
//!
//! A writer's changes of a record are taken in the order of its log. Those that do not count, refused
//! or waiting, take a place each of a small number; when all are taken, the writer's further ones
//! stay unread. Places come free when a waiting change counts after all. So what a hostile member can
//! make every node do for a record is bounded, and all nodes agree on what was looked at.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};

use super::gate::{self, ChangePayload, ChangeReason, Parsed};
use super::replay::AuthoredChange;
use crate::breaks::{Break, is_left_out};
use crate::id::{EntryHash, NodeKey, Writer};
use crate::limits;

/// A payload, read when its turn comes.
pub(super) type Opened = OnceCell<Result<ChangePayload, ChangeReason>>;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is part of the record.
    Counts,
    /// It never will be.
    Refused,
    /// What it depends on is not there.
    Waits,
}

/// The changes of one writer that were not looked at, and how many places are taken.
#[derive(Debug, Default)]
struct Queue<'a> {
    unread: VecDeque<(&'a AuthoredChange, &'a Opened)>,
    taken: usize,
}

/// The changes of a record that are being looked at.
#[derive(Debug)]
pub(super) struct Window<'a> {
    queues: BTreeMap<Writer, Queue<'a>>,
    /// Places taken by each node, over its incarnations.
    taken: BTreeMap<NodeKey, usize>,
    /// In an order that every node agrees on.
    pub(super) changes: Vec<(&'a AuthoredChange, Parsed<'a>)>,
}

impl<'a> Window<'a> {
    pub(super) fn over(all: impl Iterator<Item = (&'a AuthoredChange, &'a Opened)>) -> Self {
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(authored, _)| (authored.writer, authored.seq, authored.entry));
        let mut queues: BTreeMap<Writer, Queue<'a>> = BTreeMap::new();
        for (authored, opened) in all {
            let queue = queues.entry(authored.writer).or_default();
            queue.unread.push_back((authored, opened));
        }
        Self {
            queues,
            taken: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// Looks at further changes where places are free.
    pub(super) fn fill(&mut self, refused: &mut Vec<(EntryHash, ChangeReason)>) {
        for (writer, queue) in &mut self.queues {
            let of_node = self.taken.entry(writer.node).or_default();
            while is_left_out(Break::ChangeQuota)
                || (queue.taken < limits::UNCOUNTED_CHANGES
                    && *of_node < limits::UNCOUNTED_CHANGES_PER_NODE)
            {
                let Some((authored, opened)) = queue.unread.pop_front() else {
                    break;
                };
                queue.taken += 1;
                *of_node += 1;
                let payload = opened.get_or_init(|| gate::open(&authored.payload));
                match payload.as_ref().map_err(|r| *r).and_then(gate::parse) {
                    Ok(parsed) => self.changes.push((authored, parsed)),
                    Err(reason) => refused.push((authored.entry, reason)),
                }
            }
        }
        self.changes
            .sort_by_key(|(authored, parsed)| (parsed.change.hash(), authored.entry));
    }

    /// Settles what can be. False where nothing was.
    pub(super) fn settle(
        &mut self,
        mut settle: impl FnMut(&AuthoredChange, &Parsed<'a>) -> Settled,
    ) -> bool {
        let before = self.changes.len();
        let (queues, taken) = (&mut self.queues, &mut self.taken);
        self.changes.retain(|(authored, parsed)| {
            let settled = settle(authored, parsed);
            if settled == Settled::Counts
                && let Some(queue) = queues.get_mut(&authored.writer)
            {
                queue.taken = queue.taken.saturating_sub(1);
                let of_node = taken.entry(authored.writer.node).or_default();
                *of_node = of_node.saturating_sub(1);
            }
            settled == Settled::Waits
        });
        self.changes.len() < before
    }

    /// What is left: those looked at with a reason, and those that never were.
    pub(super) fn rest(&mut self, reason: ChangeReason) -> Vec<(EntryHash, ChangeReason)> {
        let seen = self.changes.drain(..).map(|(a, _)| (a.entry, reason));
        let mut rest: Vec<_> = seen.collect();
        for queue in self.queues.values_mut() {
            let unread = queue.unread.drain(..);
            rest.extend(unread.map(|(a, _)| (a.entry, ChangeReason::Quota)));
        }
        rest
    }
}
