//! A federation in memory: replicas, sessions, a store of entries, and links that deliver in a
//! seeded order. It performs wishes as a node's engine does, and keeps every frame for inspection.

use std::collections::{BTreeMap, VecDeque};

use super::super::{
    CloseReason, Incoming, Input, Message, RefusedItem, Session, Suspect, Wish, compare, prove,
};
use crate::group::GroupChain;
use crate::id::{AgencyId, GroupId, Incarnation, Me, Writer};
use crate::log::{Entry, Frontier, LogHead, Range};
use crate::replica::{GroupReplica, LogState, ProofTaken, Replica};
use crate::testing::{Agency, Dice, Pen, key};
use crate::trust::{TrustEntry, Verification};
use crate::verify::{self, Receipt};
use crate::wire::Signing;

/// Entries that one read returns at most, where a signature allows it.
const READ_ENTRIES: usize = 8;
/// Deliveries after which a network that is still busy counts as one that never rests.
const BUSY: usize = 200_000;

/// One node with its store.
pub(super) struct Node {
    seed: u16,
    signing: Signing,
    pub(super) replica: Replica,
    pub(super) store: BTreeMap<(GroupId, Writer), Vec<Entry>>,
    pub(super) sessions: BTreeMap<usize, Session>,
    pens: BTreeMap<GroupId, Pen>,
}

/// The nodes, the links between them, and all that went over these.
pub(super) struct Net {
    pub(super) nodes: Vec<Node>,
    links: BTreeMap<(usize, usize), VecDeque<Vec<u8>>>,
    /// Submissions that wait for a node's ingest, where it is slower than its links.
    ingest: Vec<VecDeque<(usize, Incoming)>>,
    slow_ingest: bool,
    dice: Dice,
    pub(super) now_ms: u64,
    pub(super) frames: Vec<(usize, usize, Vec<u8>)>,
    pub(super) closed: Vec<(usize, usize, CloseReason)>,
}

impl Net {
    /// Nodes without links: node 0 of each agency. All agencies have pinned each other.
    pub(super) fn new(agencies: &[&Agency], seed: u64) -> Self {
        let mut net = Self {
            nodes: Vec::new(),
            links: BTreeMap::new(),
            ingest: Vec::new(),
            slow_ingest: false,
            dice: Dice(seed),
            now_ms: 1_000,
            frames: Vec::new(),
            closed: Vec::new(),
        };
        for agency in agencies {
            net.add(agency, 0);
            let last = net.nodes.len() - 1;
            for other in agencies {
                net.pin(last, other);
            }
        }
        net
    }

    /// Submissions are queued and performed later, in order, while frames go on arriving.
    pub(super) fn with_slow_ingest(mut self) -> Self {
        self.slow_ingest = true;
        self
    }

    /// Adds node `i` of an agency and returns its place.
    pub(super) fn add(&mut self, agency: &Agency, i: u16) -> usize {
        let signing = agency.node(i);
        let seed = agency.seed(i);
        let me = Me {
            agency: agency.id(),
            node: signing.public(),
            incarnation: Incarnation(1),
        };
        self.nodes.push(Node {
            replica: Replica::new(me, &agency.verified()),
            seed,
            signing,
            store: BTreeMap::new(),
            sessions: BTreeMap::new(),
            pens: BTreeMap::new(),
        });
        self.ingest.push(VecDeque::new());
        self.nodes.len() - 1
    }

    /// Node `at` pins an agency.
    pub(super) fn pin(&mut self, at: usize, agency: &Agency) {
        let replica = &mut self.nodes[at].replica;
        if agency.id() != replica.me().agency {
            replica.take_agency(&agency.verified()).unwrap();
            let verification = Verification {
                at_ms: 1,
                by_uid: 0,
            };
            let entry = TrustEntry::pinned(verification);
            replica.trust_mut().set(agency.id(), entry);
        }
    }

    /// A node's own admin founds or changes a group: its statements arrive by the same door.
    pub(super) fn govern(&mut self, at: usize, chain: &GroupChain) {
        let statements = chain.statements_from(0).cloned().collect();
        let outcome = self.nodes[at].take(Incoming::Group(chain.id(), 0, statements));
        assert_eq!(outcome.refused, []);
        self.changed(at);
    }

    /// A node learns a newer chain of an agency, from a card.
    pub(super) fn learn(&mut self, at: usize, agency: &Agency) {
        self.nodes[at]
            .replica
            .take_agency(&agency.verified())
            .unwrap();
        self.changed(at);
    }

    /// An officer of node `at` writes entries into a group.
    pub(super) fn write(&mut self, at: usize, group: GroupId, count: usize) {
        self.write_unannounced(at, group, count);
        self.changed(at);
    }

    /// Writes without telling the sessions yet.
    pub(super) fn write_unannounced(&mut self, at: usize, group: GroupId, count: usize) {
        let node = &mut self.nodes[at];
        let pen = Pen::new(key(node.seed), group);
        let pen = node.pens.entry(group).or_insert(pen);
        pen.height = node.replica.group(&group).unwrap().chain.height();
        let range = pen.range(count);
        let outcome = node.take(Incoming::Entries(vec![range]));
        assert_eq!(outcome.refused, []);
        assert_eq!(outcome.stored, count as u64);
    }

    /// Connects two nodes.
    pub(super) fn connect(&mut self, a: usize, b: usize) {
        for (at, peer) in [(a, b), (b, a)] {
            let me = self.nodes[peer].replica.me();
            let session = Session::new(me.node, me.agency, self.now_ms);
            self.nodes[at].sessions.insert(peer, session);
            self.links.insert((at, peer), VecDeque::new());
        }
        for (at, peer) in [(a, b), (b, a)] {
            self.input(at, peer, Input::Start);
        }
    }

    /// A range that a node is given, by whatever way.
    pub(super) fn feed(&mut self, to: usize, range: Range) {
        let outcome = self.nodes[to].take(Incoming::Entries(vec![range]));
        assert_eq!(outcome.refused, []);
        self.nodes[to].sign_receipts();
    }

    /// Cuts a link: what is under way is lost, what was submitted is not.
    pub(super) fn disconnect(&mut self, a: usize, b: usize) {
        for (at, peer) in [(a, b), (b, a)] {
            self.nodes[at].sessions.remove(&peer);
            self.links.remove(&(at, peer));
        }
    }

    /// Gives an input to the session of `at` with `peer` and performs its wishes.
    pub(super) fn input(&mut self, at: usize, peer: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let node = &mut self.nodes[at];
            let Some(session) = node.sessions.get_mut(&peer) else {
                return;
            };
            for wish in session.handle(input, &node.replica, self.now_ms) {
                match wish {
                    Wish::Send(frame) => self.send(at, peer, frame),
                    Wish::Read {
                        group,
                        writer,
                        from,
                    } => inputs.push_back(Input::Read {
                        group,
                        writer,
                        range: self.nodes[at].read(&group, &writer, from),
                    }),
                    Wish::Submit(incoming) => self.ingest[at].push_back((peer, incoming)),
                    Wish::Compare {
                        group,
                        writer,
                        points,
                    } => {
                        let message = self.nodes[at].compare(group, writer, &points);
                        let messages = message.into_iter().collect();
                        inputs.push_back(Input::Answer { group, messages });
                    }
                    Wish::Serve { .. } => {}
                    Wish::Close(reason) => {
                        self.closed.push((at, peer, reason));
                        self.disconnect(at, peer);
                        return;
                    }
                }
            }
            if !self.slow_ingest {
                while self.ingest_one(at) {}
            }
        }
    }

    /// Puts a frame on the link, as if `at` had sent it.
    pub(super) fn send(&mut self, at: usize, peer: usize, frame: Vec<u8>) {
        if let Some(link) = self.links.get_mut(&(at, peer)) {
            link.push_back(frame.clone());
            self.frames.push((at, peer, frame));
        }
    }

    fn ingest_one(&mut self, at: usize) -> bool {
        let Some((peer, incoming)) = self.ingest[at].pop_front() else {
            return false;
        };
        let outcome = self.nodes[at].take(incoming);
        let changed = outcome.changed;
        let (stored, refused) = (outcome.stored, outcome.refused);
        self.input(at, peer, Input::Submitted { stored, refused });
        if changed {
            self.changed(at);
        }
        true
    }

    /// Signs receipts for what is new and tells all sessions.
    pub(super) fn changed(&mut self, at: usize) {
        self.nodes[at].sign_receipts();
        let peers: Vec<usize> = self.nodes[at].sessions.keys().copied().collect();
        for peer in peers {
            self.input(at, peer, Input::Changed);
        }
    }

    /// Delivers one frame of some link or performs one submission; false when there is none.
    pub(super) fn step(&mut self) -> bool {
        let busy = |(link, queue): (&(usize, usize), &VecDeque<Vec<u8>>)| {
            (!queue.is_empty()).then_some(*link)
        };
        let links: Vec<_> = self.links.iter().filter_map(busy).collect();
        let waiting: Vec<usize> = (0..self.nodes.len())
            .filter(|at| !self.ingest[*at].is_empty())
            .collect();
        let rolled = self.dice.roll(links.len() + waiting.len());
        if let Some((from, to)) = links.get(rolled) {
            let frame = self.links.get_mut(&(*from, *to)).unwrap().pop_front();
            self.input(*to, *from, Input::Frame(frame.unwrap()));
            return true;
        }
        match waiting.get(rolled.saturating_sub(links.len())) {
            Some(at) => self.ingest_one(*at),
            None => false,
        }
    }

    /// Lets time pass for every session.
    pub(super) fn tick(&mut self, ms: u64) {
        self.now_ms += ms;
        for at in 0..self.nodes.len() {
            let peers: Vec<usize> = self.nodes[at].sessions.keys().copied().collect();
            for peer in peers {
                self.input(at, peer, Input::Tick);
            }
        }
    }

    /// Delivers and ticks until nothing moves any more.
    pub(super) fn settle(&mut self) {
        for _ in 0..BUSY {
            if self.step() {
                continue;
            }
            let before = self.frames.len();
            self.tick(250);
            if self.frames.len() == before {
                return;
            }
        }
        panic!("the network never rests");
    }

    pub(super) fn frontier(&self, at: usize, group: &GroupId) -> Frontier {
        let group = self.nodes[at].replica.group(group);
        group.map(GroupReplica::frontier).unwrap_or_default()
    }

    pub(super) fn session(&self, at: usize, peer: usize) -> &Session {
        &self.nodes[at].sessions[&peer]
    }

    /// Messages that `from` sent to `to`, from a place in the record of frames on.
    pub(super) fn messages(&self, since: usize, from: usize, to: usize) -> Vec<Message> {
        self.frames[since..]
            .iter()
            .filter(|(a, b, _)| (*a, *b) == (from, to))
            .map(|(_, _, frame)| Message::from_frame(frame).unwrap())
            .collect()
    }

    /// Entries that went over all links since a place in the record of frames.
    pub(super) fn entries_sent(&self, since: usize) -> usize {
        let entries = |(_, _, frame): &(usize, usize, Vec<u8>)| match Message::from_frame(frame) {
            Ok(Message::Entries(ranges)) => ranges.iter().map(|r| r.entries.len()).sum(),
            _ => 0,
        };
        self.frames[since..].iter().map(entries).sum()
    }

    /// Every two connected nodes say that they are equal, and are; all is acknowledged.
    pub(super) fn assert_equal(&self, group: &GroupId) {
        assert_eq!(self.closed, []);
        for (at, node) in self.nodes.iter().enumerate() {
            for (peer, session) in &node.sessions {
                let progress = session.progress(&node.replica);
                assert!(
                    session.is_equal(&node.replica),
                    "{at} with {peer}: {progress:?}"
                );
                for (_, group) in progress {
                    assert_eq!(group.acknowledged, group.ours, "{at} with {peer}");
                }
                assert_eq!(
                    self.frontier(at, group),
                    self.frontier(*peer, group),
                    "{at} and {peer}"
                );
                assert_eq!(
                    node.replica.state_digest(group),
                    self.nodes[*peer].replica.state_digest(group),
                    "{at} and {peer}"
                );
            }
        }
    }
}

struct Outcome {
    stored: u64,
    refused: Vec<RefusedItem>,
    changed: bool,
}

impl Node {
    /// Verifies and stores, as the engine's ingest does.
    fn take(&mut self, incoming: Incoming) -> Outcome {
        let mut outcome = Outcome {
            stored: 0,
            refused: Vec::new(),
            changed: false,
        };
        match incoming {
            Incoming::Agency(id, from, statements) => {
                self.take_agency(id, from, &statements, &mut outcome);
            }
            Incoming::Group(id, from, statements) => {
                self.take_group(id, from, &statements, &mut outcome);
            }
            Incoming::Entries(ranges) => {
                for range in ranges {
                    self.take_range(range, &mut outcome);
                }
            }
            Incoming::Receipts(receipts) => {
                for bytes in receipts {
                    match verify::receipt(&bytes) {
                        Ok(receipt) => outcome.changed |= self.replica.take_receipt(&receipt),
                        Err(_) => outcome.refuse("bad-receipt", false, None),
                    }
                }
            }
            Incoming::Proofs(proofs) => {
                for bytes in proofs {
                    self.take_proof(&bytes, &mut outcome);
                }
            }
            Incoming::Branch(group, writer, branch) => {
                let log = self
                    .store
                    .get(&(group, writer))
                    .cloned()
                    .unwrap_or_default();
                let proof = prove(&branch, |seq| Ok::<_, ()>(at(&log, seq))).unwrap();
                if let Some(proof) = proof {
                    self.take_proof(&proof.to_bytes(), &mut outcome);
                }
            }
            Incoming::Pending(..) | Incoming::Payload(_) => {}
        }
        outcome
    }

    fn take_agency(&mut self, id: AgencyId, from: u32, all: &[Vec<u8>], outcome: &mut Outcome) {
        let known = self
            .replica
            .agency(&id)
            .map_or(0, |chain| chain.height() + 1);
        for bytes in all.iter().skip(known.saturating_sub(from) as usize) {
            let step = verify::agency_statement(self.replica.agency(&id), bytes);
            match step {
                Ok(step) if step.chain.id() == id => {
                    self.replica.take_agency_step(&step).unwrap();
                    outcome.changed = true;
                }
                _ => return outcome.refuse("bad-statement", false, None),
            }
        }
    }

    fn take_group(&mut self, id: GroupId, from: u32, all: &[Vec<u8>], outcome: &mut Outcome) {
        let mut chain = self.replica.group(&id).map(|group| group.chain.clone());
        let known = chain.as_ref().map_or(0, |chain| chain.height() + 1);
        let mut steps = Vec::new();
        for bytes in all.iter().skip(known.saturating_sub(from) as usize) {
            let step = match &chain {
                None => verify::group_genesis(self.replica.agencies(), bytes),
                Some(chain) => verify::group_statement(chain, self.replica.agencies(), bytes),
            };
            match step {
                Ok(step) if step.chain.id() == id => {
                    chain = Some(step.chain.clone());
                    steps.push(step);
                }
                _ => return outcome.refuse("bad-statement", false, None),
            }
        }
        let Some(chain) = chain.filter(|_| !steps.is_empty()) else {
            return;
        };
        if known == 0 && !self.replica.is_for_us(&chain) {
            return outcome.refuse("not-for-us", true, None);
        }
        for step in &steps {
            self.replica.take_group_step(step).unwrap();
        }
        outcome.changed = true;
    }

    fn take_range(&mut self, range: Range, outcome: &mut Outcome) {
        let (group, writer) = (range.group, range.writer);
        match self.replica.verify_range(range) {
            Ok(entries) => {
                self.replica.take_entries(&entries);
                for entry in entries.into_inner() {
                    let log = (group, entry.header.writer);
                    let log = self.store.entry(log).or_default();
                    assert_eq!(entry.header.seq, log.len() as u64 + 1);
                    log.push(entry);
                    outcome.stored += 1;
                    outcome.changed = true;
                }
            }
            Err(refusal) => {
                outcome.refuse(refusal.code(), refusal.is_innocent(), Some(group));
                if refusal.code() == "other-branch" {
                    outcome.refused.last_mut().unwrap().forks = Some(Suspect::Log(group, writer));
                }
            }
        }
    }

    fn compare(&self, group: GroupId, writer: Writer, points: &[LogHead]) -> Option<Message> {
        let log = self.store.get(&(group, writer))?;
        let entry = |seq| Ok::<_, ()>(at(log, seq));
        compare((group, writer), log.len() as u64, points, entry).unwrap()
    }

    fn take_proof(&mut self, bytes: &[u8], outcome: &mut Outcome) {
        let Ok(proof) = verify::proof(&self.replica, bytes) else {
            return outcome.refuse("bad-proof", false, None);
        };
        let Some(ProofTaken::Log(group, writer)) = self.replica.take_proof(&proof) else {
            return;
        };
        outcome.changed = true;
        let end = self
            .replica
            .end_of_log(self.replica.group(&group).unwrap(), &writer);
        let end = usize::try_from(end.unwrap().last.seq).unwrap();
        let log = self.store.entry((group, writer)).or_default();
        log.truncate(end);
        let to = log.last().map(|last| LogState {
            head: LogHead {
                seq: last.header.seq,
                hash: last.header.hash(),
            },
            height: last.header.height,
        });
        self.replica.cut_back(&group, &writer, to);
    }

    /// At most [`READ_ENTRIES`] entries that end on a signature, or as many as it takes to one.
    pub(super) fn read(&self, group: &GroupId, writer: &Writer, from: u64) -> Option<Range> {
        let log = self.store.get(&(*group, *writer))?;
        let log = log.get(usize::try_from(from).ok()?.checked_sub(1)?..)?;
        let signed = |entry: &&Entry| entry.signature.is_some();
        let early = log.iter().take(READ_ENTRIES).rev().position(|e| signed(&e));
        let early = early.map(|back| log.len().min(READ_ENTRIES) - back);
        let to_signature = || Some(log.iter().position(|e| signed(&e))? + 1);
        let end = early
            .or_else(to_signature)
            .unwrap_or(log.len().min(READ_ENTRIES));
        let end_of_log = self.replica.end_of_log(self.replica.group(group)?, writer);
        Range::of(&log[..end], end_of_log.map(|end| end.last.seq))
    }

    /// Signs a receipt for each group whose frontier moved.
    fn sign_receipts(&mut self) {
        let me = self.replica.me().node;
        let mut new = Vec::new();
        for (id, group) in self.replica.groups() {
            let frontier = group.frontier();
            let old = group.receipts.get(&me).map(|old| &old.receipt.frontier);
            if !frontier.0.is_empty() && old != Some(&frontier) {
                let receipt = Receipt {
                    group: *id,
                    node: me,
                    wall_ms: 5,
                    frontier,
                };
                new.push(receipt.sign(&self.signing));
            }
        }
        for bytes in new {
            self.replica.take_receipt(&verify::receipt(&bytes).unwrap());
        }
    }
}

impl Outcome {
    fn refuse(&mut self, code: &'static str, innocent: bool, group: Option<GroupId>) {
        self.refused.push(RefusedItem {
            code,
            innocent,
            group,
            forks: None,
        });
    }
}

fn at(log: &[Entry], seq: u64) -> Option<Entry> {
    log.get(usize::try_from(seq).ok()?.checked_sub(1)?).cloned()
}
