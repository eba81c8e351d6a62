//! One session: this node and one peer, from hello to live.
//!
//! Both sides say what they have; each sends what the other lacks. Statements go before the entries
//! that cite them, because frames are handled in order. What the peer holds is known from what it
//! said, from what it was sent, and from its signed receipts; only receipts count as stored.

mod forks;
mod offers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::offers::Whose;
use super::io::{
    CloseReason, GroupProgress, Incoming, Input, RefusedItem, SessionStats, Suspect, Wish,
};
use super::message::{
    AgencyHeight, GroupDigest, GroupState, Have, Hello, Message, PROTOCOL_VERSION, ReceiptDigest,
};
use super::peer::{PeerGroup, heads_of, statements_of};
use crate::id::{AgencyId, GroupId, NodeKey, StatementHash, Writer};
use crate::identity::AgencyChain;
use crate::limits;
use crate::log::Range;
use crate::replica::{GroupReplica, Replica};

/// Silence after which the peer is asked whether it is there.
const PING_AFTER_MS: u64 = 20_000;
/// Silence after which the session ends: several pings on a poor line.
const SILENCE_MS: u64 = 75_000;
/// Receipts of others are passed on at this pace, so that one write in a large group is not
/// followed by a storm of receipts.
const RECEIPTS_EVERY_MS: u64 = 200;
/// How often a session tells a group's state again after something did not fit: a peer that never
/// fits is left alone until the next session. What does fit earns one of them back.
const RETELLS: u32 = 16;

/// A session with one peer.
#[derive(Debug)]
pub struct Session {
    peer: NodeKey,
    agency: AgencyId,
    hello_heard: bool,
    groups: BTreeMap<GroupId, PeerGroup>,
    /// Groups that the peer's hello named: it surely takes their state.
    listed: BTreeSet<GroupId>,
    /// Groups that the peer named and this node does not follow, and whether their statements came:
    /// until they have been judged there may be more in common than this node knows.
    unknown: BTreeMap<GroupId, bool>,
    /// Statements of this agency's own chain that the peer has.
    own_chain: u32,
    /// Statements of its own agency's chain that the peer had when it said hello.
    peer_chain: u32,
    reading: bool,
    /// Groups whose state the peer told when they were not shared.
    dropped: BTreeSet<GroupId>,
    /// Agencies that were pinned when such a state came last.
    vouching: BTreeSet<AgencyId>,
    /// What was compared with the peer, and how far it went then.
    compared: BTreeSet<(Suspect, u64)>,
    retold: u32,
    wishes: VecDeque<Wish>,
    unequal_since_ms: u64,
    heard_ms: u64,
    pinged: bool,
    /// When the peer was last told that this side is there though it takes no frames.
    held_ping_ms: u64,
    receipts_ms: u64,
    stats: SessionStats,
}

impl Session {
    /// A session with a peer of a trusted agency.
    #[must_use]
    pub fn new(peer: NodeKey, agency: AgencyId, now_ms: u64) -> Self {
        Self {
            peer,
            agency,
            hello_heard: false,
            groups: BTreeMap::new(),
            listed: BTreeSet::new(),
            unknown: BTreeMap::new(),
            own_chain: u32::MAX,
            peer_chain: u32::MAX,
            reading: false,
            dropped: BTreeSet::new(),
            vouching: BTreeSet::new(),
            compared: BTreeSet::new(),
            retold: 0,
            wishes: VecDeque::new(),
            unequal_since_ms: now_ms,
            heard_ms: now_ms,
            pinged: false,
            held_ping_ms: now_ms,
            receipts_ms: 0,
            stats: SessionStats::default(),
        }
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &SessionStats {
        &self.stats
    }

    /// How far the peer is, by group in common.
    #[must_use]
    pub fn progress(&self, replica: &Replica) -> Vec<(GroupId, GroupProgress)> {
        let of = |(id, group): (&GroupId, &GroupReplica)| {
            let ours = group.frontier();
            let receipt = group
                .receipts
                .get(&self.peer)
                .map(|signed| &signed.receipt.frontier);
            let told = self
                .groups
                .get(id)
                .is_some_and(|peer| peer.heard && peer.has_all_of(&ours));
            (
                *id,
                GroupProgress {
                    ours: ours.entries(),
                    acknowledged: receipt.map_or(0, |receipt| ours.entries_in_common(receipt)),
                    equal: told
                        && group.missing.is_empty()
                        && (ours.0.is_empty() || receipt.is_some_and(|r| r.covers(&ours))),
                },
            )
        };
        replica.shared_with(&self.agency).map(of).collect()
    }

    /// Whether all that is in common is equal, and the peer has said so.
    #[must_use]
    pub fn is_equal(&self, replica: &Replica) -> bool {
        self.hello_heard
            && self.unknown.is_empty()
            && self
                .progress(replica)
                .iter()
                .all(|(_, progress)| progress.equal)
    }

    /// Takes what happened and returns what is wished, in order.
    pub fn handle(&mut self, input: Input, replica: &Replica, now_ms: u64) -> Vec<Wish> {
        self.keep_to_losses(replica);
        match input {
            Input::Start => self.start(replica),
            Input::Frame(frame) => self.frame(&frame, replica, now_ms),
            Input::Changed => self.changed(replica),
            Input::Read {
                group,
                writer,
                range,
            } => self.read(group, writer, range, replica),
            Input::Submitted { stored, refused } => self.submitted(stored, &refused, replica),
            Input::Answer { group, messages } => {
                // The peer may have lost its membership while the store was read.
                if replica.shared(&group, &self.agency).is_some() {
                    messages.iter().for_each(|message| self.send(message));
                }
            }
            Input::Tick => self.tick(replica, now_ms),
            Input::Held => self.held(replica, now_ms),
        }
        self.next_read(replica, now_ms);
        self.time_catching_up(replica, now_ms);
        self.wishes.drain(..).collect()
    }

    /// Measures from the moment when something was lacking to the moment when all was equal.
    fn time_catching_up(&mut self, replica: &Replica, now_ms: u64) {
        match (self.stats.equal_after_ms, self.is_equal(replica)) {
            (None, true) => {
                self.stats.equal_after_ms = Some(now_ms.saturating_sub(self.unequal_since_ms));
            }
            (Some(_), false) => {
                self.stats.equal_after_ms = None;
                self.unequal_since_ms = now_ms;
            }
            _ => {}
        }
    }

    pub(super) fn send(&mut self, message: &Message) {
        match message.to_frame() {
            Ok(frame) => self.wishes.push_back(Wish::Send(frame)),
            Err(_) => self.wishes.push_back(Wish::Close(CloseReason::Frame)),
        }
    }

    fn close(&mut self, reason: CloseReason) {
        self.wishes.push_back(Wish::Close(reason));
    }

    fn start(&mut self, replica: &Replica) {
        let groups = replica
            .shared_with(&self.agency)
            .map(|(group, _)| GroupDigest {
                group: *group,
                digest: replica.state_digest(group),
            });
        let hello = Hello {
            version: PROTOCOL_VERSION,
            own_height: statements_of(replica, &replica.me().agency),
            your_height: statements_of(replica, &self.agency),
            groups: groups.collect(),
        };
        self.send(&Message::Hello(hello));
        self.stats.round_trips = 1;
    }

    fn frame(&mut self, frame: &[u8], replica: &Replica, now_ms: u64) {
        self.heard_ms = now_ms;
        self.pinged = false;
        let message = match Message::from_frame(frame) {
            Ok(message) => message,
            Err(error) => return self.close(error.into()),
        };
        if !self.hello_heard && !matches!(message, Message::Hello(_)) {
            return self.close(CloseReason::Order);
        }
        match message {
            Message::Hello(_) if self.hello_heard => self.close(CloseReason::Order),
            Message::Hello(hello) => self.hello(&hello, replica),
            Message::GroupState(state) => self.group_state(&state, replica),
            Message::Agency(chain) => {
                let statements = chain.statements.into_iter().map(Into::into).collect();
                self.submit(Incoming::Agency(chain.agency, chain.from, statements));
            }
            Message::Group(chain) => {
                if let Some(came) = self.unknown.get_mut(&chain.group) {
                    *came = true;
                }
                let statements = chain.statements.into_iter().map(Into::into).collect();
                self.submit(Incoming::Group(chain.group, chain.from, statements));
            }
            Message::Entries(ranges) => self.entries(ranges, replica),
            Message::Receipts(receipts) => {
                let receipts: Vec<Vec<u8>> = receipts.into_iter().map(Into::into).collect();
                self.note_receipts(&receipts, replica);
                self.submit(Incoming::Receipts(receipts));
            }
            Message::Proofs(proofs) => {
                let proofs = proofs.into_iter().map(Into::into).collect();
                self.submit(Incoming::Proofs(proofs));
            }
            Message::ForkAsk(ask) => self.fork_ask(ask, replica),
            Message::ForkTell(tell) => {
                self.submit(Incoming::Branch(tell.group, tell.writer, tell.branch));
            }
            Message::Pending(pending) => {
                let statements = pending.statements.into_iter().map(Into::into).collect();
                self.submit(Incoming::Pending(pending.group, statements));
            }
            Message::Want(want) => self.serve(want, replica),
            Message::Payload(payload) => self.submit(Incoming::Payload(payload)),
            Message::Have(have) => self.has(have, replica),
            Message::Ping => self.send(&Message::Pong),
            Message::Pong => {}
        }
    }

    fn submit(&mut self, incoming: Incoming) {
        self.wishes.push_back(Wish::Submit(incoming));
    }

    fn hello(&mut self, hello: &Hello, replica: &Replica) {
        if hello.version != PROTOCOL_VERSION {
            return self.close(CloseReason::Version(hello.version));
        }
        self.hello_heard = true;
        self.own_chain = hello.your_height;
        self.peer_chain = hello.own_height;
        self.listed = hello.groups.iter().map(|theirs| theirs.group).collect();
        for theirs in &hello.groups {
            let Some(group) = replica.shared(&theirs.group, &self.agency) else {
                self.unknown.insert(theirs.group, false);
                // Whoever lists a group has its first statement.
                self.tell_removal(&theirs.group, 1, replica);
                continue;
            };
            let peer = self.groups.entry(theirs.group).or_default();
            if theirs.digest == replica.state_digest(&theirs.group) {
                *peer = PeerGroup::equal_to(group, replica);
            } else {
                self.tell(theirs.group, replica);
            }
        }
        self.offer(replica);
    }

    /// Sends what this node has of a group, once.
    pub(super) fn tell(&mut self, id: GroupId, replica: &Replica) {
        // A state that came before the group was shared was lost: the peer must tell it again.
        let lost = self.dropped.remove(&id);
        if lost {
            // Nor may it share the group before it knows the chain that this node has.
            let peer = self.groups.entry(id).or_default();
            peer.height.get_or_insert(0);
        }
        self.tell_as(id, lost, replica);
    }

    fn tell_as(&mut self, id: GroupId, corrects: bool, replica: &Replica) {
        let Some(group) = replica.shared(&id, &self.agency) else {
            return;
        };
        let peer = self.groups.entry(id).or_default();
        if std::mem::replace(&mut peer.told, true) {
            return;
        }
        let agencies = group.chain.agencies().map(|agency| AgencyHeight {
            agency: *agency,
            statements: statements_of(replica, agency),
            head: replica
                .agency(agency)
                .map_or(StatementHash([0; 32]), AgencyChain::head),
        });
        let receipts = group.receipts.iter().map(|(node, signed)| ReceiptDigest {
            node: *node,
            frontier: signed.receipt.frontier.digest(),
        });
        peer.told_to_have = heads_of(group);
        let state = GroupState {
            group: id,
            height: group.chain.height(),
            agencies: agencies.collect(),
            frontier: group.frontier(),
            receipts: receipts.collect(),
            heard: peer.heard,
            corrects,
            head: group.chain.head(),
            proofs: replica.proofs_of(group).map(|proof| proof.digest).collect(),
        };
        self.send(&Message::GroupState(state));
    }

    /// Something of a group that is not shared was dropped. Should it be shared later in this
    /// session, the peer has to tell its state again.
    fn drops(&mut self, group: GroupId, replica: &Replica) {
        if self.dropped.len() < limits::GROUPS {
            self.dropped.insert(group);
        }
        self.vouching = pinned(replica).collect();
    }

    /// Offers what is new. A group that was not for this node may be since an agency was pinned; the
    /// peer, which believes that it arrived, tells it again in a new session.
    fn changed(&mut self, replica: &Replica) {
        let lacks = |group| replica.shared(group, &self.agency).is_none();
        let is_new = |agency| !self.vouching.contains(&agency);
        if self.dropped.iter().any(lacks) && pinned(replica).any(is_new) {
            return self.close(CloseReason::Trust);
        }
        self.offer(replica);
    }

    fn group_state(&mut self, state: &GroupState, replica: &Replica) {
        if replica.shared(&state.group, &self.agency).is_none() {
            self.drops(state.group, replica);
            return;
        }
        if self.stats.equal_after_ms.is_none() {
            self.stats.round_trips += 1;
        }
        let peer = self.groups.entry(state.group).or_default();
        // After the hellos both tell at once, and the state that the peer lacks is under way.
        let crossing = !peer.heard && self.listed.contains(&state.group) && !state.corrects;
        if peer.told && !state.heard && !crossing && self.retold < RETELLS {
            self.retold += 1;
            peer.told = false;
        }
        if std::mem::replace(&mut peer.heard, true) && !state.corrects {
            peer.add(state);
        } else {
            peer.replace(state);
        }
        if let Some(group) = replica.group(&state.group) {
            peer.relays_at_once(group);
        }
        self.tell(state.group, replica);
        self.remind(state, replica);
        self.compare(state, replica);
        self.offer(replica);
    }

    fn entries(&mut self, ranges: Vec<Range>, replica: &Replica) {
        let mut shared = Vec::with_capacity(ranges.len());
        for range in ranges {
            let group = replica.shared(&range.group, &self.agency);
            let (Some(group), Some(peer)) = (group, self.groups.get_mut(&range.group)) else {
                *self.stats.refused.entry("not-a-member").or_default() += 1;
                self.drops(range.group, replica);
                continue;
            };
            let last = range
                .first
                .saturating_add(range.entries.len() as u64)
                .saturating_sub(1);
            // It counts on this node to have what it sends.
            if peer.hears(range.writer, last) && group.logs.contains_key(&range.writer) {
                peer.told_to_have.insert(range.writer, last);
            }
            shared.push(range);
        }
        if !shared.is_empty() {
            self.submit(Incoming::Entries(shared));
        }
    }

    /// The peer has more by now.
    fn has(&mut self, have: Have, replica: &Replica) {
        if replica.shared(&have.group, &self.agency).is_none() {
            return self.drops(have.group, replica);
        }
        if let Some(peer) = self.groups.get_mut(&have.group) {
            for (writer, seq) in have.logs {
                peer.hears(writer, seq);
            }
        }
    }

    fn submitted(&mut self, stored: u64, refused: &[RefusedItem], replica: &Replica) {
        self.stats.received = self.stats.received.saturating_add(stored);
        // Followed now, or not for this node to follow: either way the peer's word is taken in.
        self.unknown.retain(|_, came| !*came);
        if stored > 0 {
            self.retold = self.retold.saturating_sub(1);
        }
        for item in refused {
            *self.stats.refused.entry(item.code).or_default() += 1;
            if !item.innocent {
                self.close(CloseReason::Refused(item.code));
            }
            if let Some(suspect) = item.forks {
                self.bring_together(suspect, replica);
            }
            // The peer believes that this arrived. Telling the state again corrects it.
            if let Some(group) = item.group
                && replica.shared(&group, &self.agency).is_none()
            {
                self.drops(group, replica);
                continue;
            }
            if let Some(group) = item.group.filter(|_| self.retold < RETELLS) {
                self.retold += 1;
                if let Some(peer) = self.groups.get_mut(&group) {
                    peer.told = false;
                }
                self.tell_as(group, true, replica);
            }
        }
    }

    /// Wishes the next range that the peer lacks, of the log of which it lacks least, so that a bulk does
    /// not hold up what is small; one at a time.
    fn next_read(&mut self, replica: &Replica, now_ms: u64) {
        if self.reading {
            return;
        }
        let own = replica.me().writer();
        let mut least: Option<(u64, Wish)> = None;
        for (id, group) in replica.shared_with(&self.agency) {
            let Some(peer) = self.groups.get_mut(id).filter(|peer| peer.heard) else {
                continue;
            };
            for (writer, log) in &group.logs {
                if peer.lacks(writer, log) && (*writer == own || peer.relays(writer, now_ms)) {
                    let held = peer.frontier.seq(writer);
                    let lacking = log.head.seq.saturating_sub(held);
                    let from = held.saturating_add(1);
                    if least.as_ref().is_none_or(|(least, _)| lacking < *least) {
                        let (group, writer) = (*id, *writer);
                        least = Some((
                            lacking,
                            Wish::Read {
                                group,
                                writer,
                                from,
                            },
                        ));
                    }
                }
            }
        }
        if let Some((_, read)) = least {
            self.wishes.push_back(read);
            self.reading = true;
        }
    }

    fn read(&mut self, group: GroupId, writer: Writer, range: Option<Range>, replica: &Replica) {
        self.reading = false;
        // The peer may have lost its membership while the store was read.
        let shared = replica.shared(&group, &self.agency);
        let (Some(shared), Some(peer)) = (shared, self.groups.get_mut(&group)) else {
            return;
        };
        let Some(range) = range else {
            let head = shared.logs.get(&writer).map_or(0, |log| log.head.seq);
            peer.exhausted.insert(writer, head);
            return;
        };
        let last = range
            .first
            .saturating_add(range.entries.len() as u64)
            .saturating_sub(1);
        peer.saw(writer, last);
        self.stats.sent = self.stats.sent.saturating_add(range.entries.len() as u64);
        self.send(&Message::Entries(vec![range]));
    }

    /// The peer is there, and is to know that this side is: it may wait for long.
    fn held(&mut self, replica: &Replica, now_ms: u64) {
        self.heard_ms = now_ms;
        if now_ms.saturating_sub(self.held_ping_ms) > PING_AFTER_MS {
            self.held_ping_ms = now_ms;
            self.send(&Message::Ping);
        }
        self.tick(replica, now_ms);
    }

    fn tick(&mut self, replica: &Replica, now_ms: u64) {
        let silence = now_ms.saturating_sub(self.heard_ms);
        if silence > SILENCE_MS {
            return self.close(CloseReason::Silent);
        }
        if silence > PING_AFTER_MS && !std::mem::replace(&mut self.pinged, true) {
            self.send(&Message::Ping);
        }
        if self.hello_heard && now_ms.saturating_sub(self.receipts_ms) >= RECEIPTS_EVERY_MS {
            self.receipts_ms = now_ms;
            self.offer_receipts(replica, Whose::Everyones);
        }
    }
}

fn pinned(replica: &Replica) -> impl Iterator<Item = AgencyId> {
    let agencies = replica.trust().iter();
    agencies.filter_map(|(agency, _)| replica.trust().is_pinned(agency).then_some(*agency))
}
