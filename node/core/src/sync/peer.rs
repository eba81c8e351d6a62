//! What a session knows of its peer.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;

use super::message::GroupState;
use crate::id::{AgencyId, Digest, EntryHash, NodeKey, Writer};
use crate::limits;
use crate::log::{Frontier, LogHead};
use crate::replica::{GroupReplica, LogState, Replica};

/// How long a peer is left to get what somebody else wrote from its author before this node sends it on.
/// In a federation where everybody is linked with everybody, everybody would otherwise get a write from
/// everybody. What a peer lacked when it told its state is not waited with.
const RELAY_AFTER_MS: u64 = 200;

/// Statements and receipts go in frames of about this size, well below `limits::FRAME_BYTES`.
const FRAME_TARGET_BYTES: usize = 256 * 1024;

/// How far each log of a group goes.
pub(super) fn heads_of(group: &GroupReplica) -> BTreeMap<Writer, u64> {
    let logs = group.logs.iter();
    logs.map(|(writer, log)| (*writer, log.head.seq)).collect()
}

/// What the peer has of a group, as far as this node knows.
#[derive(Debug, Default)]
pub(super) struct PeerGroup {
    /// What it said or was sent.
    pub(super) frontier: Frontier,
    pub(super) height: Option<u32>,
    pub(super) agencies: BTreeMap<AgencyId, u32>,
    pub(super) receipts: BTreeMap<NodeKey, Digest>,
    pub(super) proofs: BTreeSet<Digest>,
    /// Payloads that the peer was asked for.
    pub(super) wanted: BTreeSet<(Writer, u64)>,
    /// Statements that wait for signatures, as they were sent.
    pub(super) pending: BTreeSet<Vec<u8>>,
    /// What had been taken away from this node when that was last looked at.
    pub(super) losses: u64,
    /// How far logs go that it knows this node to have.
    pub(super) told_to_have: BTreeMap<Writer, u64>,
    /// Logs of others that it lacks something of, and from when on that is sent.
    relays: BTreeMap<Writer, u64>,
    /// Logs of which the store had nothing more to serve, and how far they went then.
    pub(super) exhausted: BTreeMap<Writer, u64>,
    /// This node told its state.
    pub(super) told: bool,
    /// The peer told its state, so ranges may flow.
    pub(super) heard: bool,
}

impl PeerGroup {
    /// A peer whose digest says that it has what this node has.
    pub(super) fn equal_to(group: &GroupReplica, replica: &Replica) -> Self {
        let receipts = group.receipts.iter();
        Self {
            frontier: group.frontier(),
            height: Some(group.chain.height()),
            agencies: group
                .chain
                .agencies()
                .map(|a| (*a, statements_of(replica, a)))
                .collect(),
            receipts: receipts
                .map(|(node, r)| (*node, r.receipt.frontier.digest()))
                .collect(),
            proofs: replica.proofs_of(group).map(|p| p.digest).collect(),
            losses: group.losses,
            wanted: BTreeSet::new(),
            pending: BTreeSet::new(),
            exhausted: BTreeMap::new(),
            told_to_have: heads_of(group),
            relays: BTreeMap::new(),
            told: true,
            heard: true,
        }
    }

    /// Whether it lacks entries of a log that the store can serve.
    pub(super) fn lacks(&mut self, writer: &Writer, log: &LogState) -> bool {
        let lacks = self.frontier.seq(writer) < log.head.seq;
        if !lacks {
            self.relays.remove(writer);
        }
        lacks && self.exhausted.get(writer) != Some(&log.head.seq)
    }

    /// Whether what it lacks of somebody else's log is sent by now.
    pub(super) fn relays(&mut self, writer: &Writer, now_ms: u64) -> bool {
        let due_ms = now_ms.saturating_add(RELAY_AFTER_MS);
        *self.relays.entry(*writer).or_insert(due_ms) <= now_ms
    }

    /// Logs of others that go further here than it knows; it is about to.
    pub(super) fn news(&mut self, group: &GroupReplica, own: &Writer) -> Vec<(Writer, u64)> {
        let mut news = Vec::new();
        for (writer, log) in group.logs.iter().filter(|(writer, _)| *writer != own) {
            let known = self.told_to_have.entry(*writer).or_default();
            if std::mem::replace(known, log.head.seq) < log.head.seq {
                news.push((*writer, log.head.seq));
            }
        }
        news
    }

    /// What it lacks now, by its own word, is sent at once.
    pub(super) fn relays_at_once(&mut self, group: &GroupReplica) {
        for (writer, log) in &group.logs {
            if self.frontier.seq(writer) < log.head.seq {
                self.relays.insert(*writer, 0);
            }
        }
    }

    /// The peer has what it says and nothing else.
    pub(super) fn replace(&mut self, state: &GroupState) {
        self.height = Some(state.height);
        let agencies = state.agencies.iter();
        self.agencies = agencies.map(|a| (a.agency, a.statements)).collect();
        let receipts = state.receipts.iter();
        self.receipts = receipts.map(|r| (r.node, r.frontier)).collect();
        self.proofs = state.proofs.iter().copied().collect();
        self.frontier.clone_from(&state.frontier);
    }

    /// Of a log that forks, nothing counts beyond its end; and what took receipts away here does so
    /// there. True where something was taken away since this was asked last.
    pub(super) fn keep_to_losses(&mut self, group: &GroupReplica, replica: &Replica) -> bool {
        for writer in group.forks.keys() {
            let end = replica.end_of_log(group, writer).map(|end| end.last);
            if let (Some(end), Some(known)) = (end, self.frontier.0.get_mut(writer)) {
                if known.seq > end.seq {
                    *known = end;
                }
                if end.seq == 0 {
                    self.frontier.0.remove(writer);
                }
            }
        }
        let is_new = std::mem::replace(&mut self.losses, group.losses) != group.losses;
        if is_new {
            self.receipts.clear();
            self.exhausted.clear();
        }
        is_new
    }

    /// The peer has what it says besides what is under way.
    pub(super) fn add(&mut self, state: &GroupState) {
        self.height = self.height.max(Some(state.height));
        for theirs in &state.agencies {
            let known = self.agencies.entry(theirs.agency).or_default();
            *known = theirs.statements.max(*known);
        }
        self.proofs.extend(&state.proofs);
        self.frontier.advance(&state.frontier);
    }

    /// Whether the peer has just what is here. Only sequences count: of what was sent, the hash
    /// was not kept.
    pub(super) fn has_all_of(&self, ours: &Frontier) -> bool {
        self.frontier.covers(ours) && ours.covers(&self.frontier)
    }

    /// The peer has a log up to here. The hash is not needed: it is compared by the receipt.
    /// It says that it has a log up to here. False where it names more logs than a group may have.
    pub(super) fn hears(&mut self, writer: Writer, seq: u64) -> bool {
        let known = self.frontier.0.contains_key(&writer);
        let fits = known || self.frontier.0.len() < limits::LOGS_PER_GROUP;
        if fits {
            self.saw(writer, seq);
        }
        fits
    }

    pub(super) fn saw(&mut self, writer: Writer, seq: u64) {
        self.frontier.advance_log(
            writer,
            LogHead {
                seq,
                hash: EntryHash([0; 32]),
            },
        );
    }
}

/// Splits statements or receipts so that each part fits a frame.
pub(super) fn in_frames(items: Vec<Vec<u8>>) -> Vec<Vec<ByteVec>> {
    let mut frames: Vec<Vec<ByteVec>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        bytes += item.len();
        match frames.last_mut().filter(|_| bytes <= FRAME_TARGET_BYTES) {
            Some(frame) => frame.push(item.into()),
            None => {
                bytes = item.len();
                frames.push(vec![item.into()]);
            }
        }
    }
    frames
}

/// Statements of an agency's chain that are known here: its height and one more.
pub(super) fn statements_of(replica: &Replica, agency: &AgencyId) -> u32 {
    replica
        .agency(agency)
        .map_or(0, |chain| chain.height().saturating_add(1))
}
