//! What a node knows without looking at its disk: chains, trust, frontiers and receipts. It grows
//! with members and logs, never with entries. Only verified facts enter.

mod standing;

use std::collections::{BTreeMap, BTreeSet};

use crate::breaks::{Break, is_left_out};
use crate::group::{GroupChain, GroupStatement, Role};
use crate::id::{AgencyId, Digest, EntryHash, GroupId, Me, NodeKey, Writer};
use crate::identity::{AgencyChain, Capabilities};
use crate::limits;
use crate::log::{Entry, Frontier, LogHead, Range};
use crate::trust::TrustList;
use crate::verify::{
    self, AgencyStep, Chains, GroupStep, RangeContext, Refusal, SignedProof, SignedReceipt,
    Verified,
};
use crate::wire::{self, Domain, Signed};

/// A log as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogState {
    /// Its newest entry.
    pub head: LogHead,
    /// The group height that this entry cites.
    pub height: u32,
}

/// A group that this node follows.
#[derive(Clone, Debug)]
pub struct GroupReplica {
    /// Its chain.
    pub chain: GroupChain,
    /// Its logs.
    pub logs: BTreeMap<Writer, LogState>,
    /// The newest receipt of each node.
    pub receipts: BTreeMap<NodeKey, SignedReceipt>,
    /// Logs that were found to fork, with the proof.
    pub forks: BTreeMap<Writer, LogFork>,
    /// The proof that the chain itself forks, and at which height.
    pub fork: Option<(u32, SignedProof)>,
    /// Entries whose payload this node lacks, though no purge says that it is no more.
    pub missing: BTreeSet<(Writer, u64)>,
    /// This agency has left: nothing of the group is synced any more.
    pub left: bool,
    /// Statements that wait for more owners' signatures, as this node has them.
    pub pending: Vec<Signed>,
    /// How often something that this node held was taken away since it started: receipts with a
    /// membership, entries with a fork.
    pub losses: u64,
}

/// A log that forks: where, and the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFork {
    /// The last entry that both sides have in common; sequence 0 where they have none.
    pub last: LogHead,
    /// The proof, as it travels.
    pub proof: SignedProof,
}

impl GroupReplica {
    fn new(chain: GroupChain) -> Self {
        Self {
            chain,
            logs: BTreeMap::new(),
            receipts: BTreeMap::new(),
            forks: BTreeMap::new(),
            fork: None,
            missing: BTreeSet::new(),
            left: false,
            pending: Vec::new(),
            losses: 0,
        }
    }

    /// Derives the chain anew from its statements, as far as they are valid now and below a fork.
    /// True where it is shorter than before.
    fn derive(&mut self, agencies: &BTreeMap<AgencyId, AgencyChain>) -> bool {
        let before = self.chain.height();
        let limit = self.fork.as_ref().map_or(u32::MAX, |(height, _)| *height);
        let statements = self.chain.statements_from(0).take(limit as usize);
        let statements: Vec<Vec<u8>> = statements.cloned().collect();
        if let Some(chain) = verify::group_chain(agencies, &statements) {
            self.chain = chain.into_inner();
        }
        self.chain.height() < before
    }

    /// How far each log goes.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        Frontier(
            self.logs
                .iter()
                .map(|(writer, log)| (*writer, log.head))
                .collect(),
        )
    }
}

/// The node's knowledge of the federation.
#[derive(Clone, Debug)]
pub struct Replica {
    me: Me,
    trust: TrustList,
    agencies: BTreeMap<AgencyId, AgencyChain>,
    nodes: BTreeMap<NodeKey, AgencyId>,
    groups: BTreeMap<GroupId, GroupReplica>,
    /// Agencies whose chain was found to fork: at which height, and the proof.
    agency_forks: BTreeMap<AgencyId, (u32, SignedProof)>,
}

/// What a proof that was taken is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofTaken {
    /// A log: what is stored beyond its end goes out of the log.
    Log(GroupId, Writer),
    /// An agency's chain, which is shorter now, and the groups whose chains are with it.
    Agency(AgencyId, Vec<GroupId>),
    /// A group's chain, which is shorter now.
    Group(GroupId),
}

/// A statement that this node did not take, though it verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Room for no more.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// Another agency has this node key already.
    #[error("the node key belongs to another agency")]
    NodeTaken,
    /// The chain was found to fork below: it stands still.
    #[error("the chain has forked")]
    Forked,
}

impl Chains for Replica {
    fn agency_chain(&self, agency: &AgencyId) -> Option<&AgencyChain> {
        self.agency(agency)
    }

    fn group_chain(&self, group: &GroupId) -> Option<&GroupChain> {
        self.group(group).map(|group| &group.chain)
    }

    fn all_agencies(&self) -> &BTreeMap<AgencyId, AgencyChain> {
        &self.agencies
    }
}

impl Replica {
    /// A node that knows nobody but itself: its own chain and its own group.
    #[must_use]
    pub fn new(me: Me, own: &Verified<AgencyChain>) -> Self {
        let mut replica = Self {
            me,
            trust: TrustList::default(),
            agencies: BTreeMap::new(),
            nodes: BTreeMap::new(),
            groups: BTreeMap::new(),
            agency_forks: BTreeMap::new(),
        };
        replica.insert_agency((**own).clone());
        let group = GroupChain::own(me.agency);
        replica.groups.insert(group.id(), GroupReplica::new(group));
        replica
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> Me {
        self.me
    }

    /// The local admin's list.
    #[must_use]
    pub fn trust(&self) -> &TrustList {
        &self.trust
    }

    /// The local admin's list, to be changed by the local admin only.
    pub fn trust_mut(&mut self) -> &mut TrustList {
        &mut self.trust
    }

    /// Every agency whose chain is known.
    #[must_use]
    pub fn agencies(&self) -> &BTreeMap<AgencyId, AgencyChain> {
        &self.agencies
    }

    /// An agency's chain.
    #[must_use]
    pub fn agency(&self, agency: &AgencyId) -> Option<&AgencyChain> {
        self.agencies.get(agency)
    }

    /// The agency of a node.
    #[must_use]
    pub fn agency_of(&self, node: &NodeKey) -> Option<AgencyId> {
        self.nodes.get(node).copied()
    }

    /// The groups that this node follows.
    #[must_use]
    pub fn groups(&self) -> &BTreeMap<GroupId, GroupReplica> {
        &self.groups
    }

    /// A group that this node follows.
    #[must_use]
    pub fn group(&self, group: &GroupId) -> Option<&GroupReplica> {
        self.groups.get(group)
    }

    /// The agency's own group.
    #[must_use]
    pub fn own_group(&self) -> GroupId {
        GroupChain::own(self.me.agency).id()
    }

    /// The nodes to talk to: those of pinned agencies and the own agency's others.
    pub fn peers(&self) -> impl Iterator<Item = (&NodeKey, &AgencyId)> {
        self.nodes.iter().filter(|(node, _)| self.may_talk_to(node))
    }

    /// Whether a node may be talked to.
    #[must_use]
    pub fn may_talk_to(&self, node: &NodeKey) -> bool {
        let Some(agency) = self.nodes.get(node) else {
            return false;
        };
        let may_sync = self
            .agencies
            .get(agency)
            .and_then(|chain| chain.certificate(node));
        *node != self.me.node
            && (*agency == self.me.agency || self.trust.is_pinned(agency))
            && may_sync.is_some_and(|c| c.may(Capabilities::SYNC))
    }

    /// A group, if both this agency and the other one are members now. "Unknown" and "not a
    /// member" are the same answer.
    #[must_use]
    pub fn shared(&self, group: &GroupId, with: &AgencyId) -> Option<&GroupReplica> {
        let found = self.groups.get(group)?;
        let member = |agency| found.chain.role(agency).is_some();
        let is_served = member(with) || is_left_out(Break::NonMember);
        (is_served && member(&self.me.agency) && !found.left).then_some(found)
    }

    /// The groups that this agency shares with another one.
    pub fn shared_with<'a>(
        &'a self,
        agency: &'a AgencyId,
    ) -> impl Iterator<Item = (&'a GroupId, &'a GroupReplica)> {
        self.groups
            .iter()
            .filter(|(group, _)| self.shared(group, agency).is_some())
    }

    /// A digest over all that is synced of a group: chains, frontier and receipts.
    #[must_use]
    pub fn state_digest(&self, group: &GroupId) -> Digest {
        let Some(group) = self.groups.get(group) else {
            return Digest::EMPTY;
        };
        let mut bytes = group.chain.head().0.to_vec();
        bytes.extend(group.frontier().digest().0);
        for agency in group.chain.agencies() {
            if let Some(chain) = self.agencies.get(agency) {
                bytes.extend(chain.head().0);
            }
        }
        for (node, signed) in &group.receipts {
            bytes.extend(node.0);
            bytes.extend(signed.receipt.frontier.digest().0);
        }
        for proof in self.proofs_of(group) {
            bytes.extend(proof.digest.0);
        }
        Digest(wire::hash(Domain::State, &[&bytes]))
    }

    /// Takes an agency's verified chain, from a card.
    ///
    /// # Errors
    /// [`NotTaken`] where there is no room.
    pub fn take_agency(&mut self, chain: &Verified<AgencyChain>) -> Result<(), NotTaken> {
        self.check_agency(chain)?;
        self.insert_agency((**chain).clone());
        Ok(())
    }

    /// Takes one more verified statement of an agency chain. Returns the groups whose chain is
    /// shorter now, because the statement took away the right to sign it.
    ///
    /// # Errors
    /// [`NotTaken`] where there is no room, or the chain forks below.
    pub fn take_agency_step(
        &mut self,
        step: &Verified<AgencyStep>,
    ) -> Result<Vec<GroupId>, NotTaken> {
        let forked = self.agency_forks.get(&step.chain.id());
        if forked.is_some_and(|(height, _)| step.height >= *height) {
            return Err(NotTaken::Forked);
        }
        self.check_agency(&step.chain)?;
        self.insert_agency(step.chain.clone());
        Ok(self.derive_groups_of(&step.chain.id()))
    }

    /// Derives the chains of an agency's groups anew. Returns those that are shorter now.
    fn derive_groups_of(&mut self, agency: &AgencyId) -> Vec<GroupId> {
        let agencies = &self.agencies;
        let mut shorter = Vec::new();
        for (id, group) in &mut self.groups {
            let concerned = group.chain.agencies().any(|member| member == agency);
            if concerned && !group.chain.is_own() && group.derive(agencies) {
                shorter.push(*id);
            }
        }
        shorter
    }

    fn check_agency(&self, chain: &AgencyChain) -> Result<(), NotTaken> {
        if self.agencies.len() >= limits::AGENCIES && !self.agencies.contains_key(&chain.id()) {
            return Err(NotTaken::TooMany("agencies"));
        }
        let other = |node| {
            self.nodes
                .get(node)
                .is_some_and(|agency| *agency != chain.id())
        };
        match chain.nodes().any(|(node, _)| other(node)) {
            true => Err(NotTaken::NodeTaken),
            false => Ok(()),
        }
    }

    fn insert_agency(&mut self, chain: AgencyChain) {
        for (node, _) in chain.nodes() {
            self.nodes.insert(*node, chain.id());
        }
        self.agencies.insert(chain.id(), chain);
    }

    /// Takes a verified statement of a group chain. Whether a new group is for this node is asked
    /// before, with [`Replica::is_for_us`].
    ///
    /// # Errors
    /// [`NotTaken`] where there is no room.
    pub fn take_group_step(&mut self, step: &Verified<GroupStep>) -> Result<(), NotTaken> {
        let id = step.chain.id();
        if let Some(group) = self.groups.get_mut(&id) {
            if group
                .fork
                .as_ref()
                .is_some_and(|(height, _)| step.height >= *height)
            {
                return Err(NotTaken::Forked);
            }
            group.chain = step.chain.clone();
            group.pending.retain(|signed| {
                GroupStatement::of(signed).is_some_and(|waiting| waiting.height > step.height)
            });
            // Nodes that came later never take a former member's receipt: keeping it would leave
            // the digests of equal nodes different for good.
            let nodes = &self.nodes;
            let is_member = |agency| group.chain.role(agency).is_some();
            let held = group.receipts.len();
            group
                .receipts
                .retain(|node, _| nodes.get(node).is_some_and(is_member));
            group.losses += u64::from(group.receipts.len() < held);
            return Ok(());
        }
        if self.groups.len() >= limits::GROUPS {
            return Err(NotTaken::TooMany("groups"));
        }
        self.groups
            .insert(id, GroupReplica::new(step.chain.clone()));
        Ok(())
    }

    /// Whether this node is to follow a group: an owner that is pinned here, or this agency itself,
    /// owns it, and this agency is a member.
    #[must_use]
    pub fn is_for_us(&self, chain: &GroupChain) -> bool {
        let vouches = |agency: &AgencyId| *agency == self.me.agency || self.trust.is_pinned(agency);
        chain.role(&self.me.agency).is_some()
            && chain
                .members()
                .any(|(agency, role)| role == Role::Owner && vouches(agency))
    }

    /// Verifies a range against what is known here.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing of it may be stored.
    pub fn verify_range(&self, range: Range) -> Result<Verified<Vec<Entry>>, Refusal> {
        let group = self.groups.get(&range.group).ok_or(Refusal::NotMember)?;
        let agency = self
            .agency_of(&range.writer.node)
            .ok_or(Refusal::NotMember)?;
        if !group.chain.agencies().any(|member| *member == agency) {
            return Err(Refusal::NotMember);
        }
        let agency = self.agencies.get(&agency).ok_or(Refusal::NotMember)?;
        let log = group.logs.get(&range.writer);
        if log.is_none() && !self.has_room_for_log(group, &range.writer.node) {
            return Err(Refusal::NotCertified);
        }
        let head = log.map(|log| (&log.head, log.height));
        let end = self.end_of_log(group, &range.writer);
        verify::range(
            RangeContext {
                group: &group.chain,
                agency,
                head,
                end,
            },
            range,
        )
    }

    fn has_room_for_log(&self, group: &GroupReplica, node: &NodeKey) -> bool {
        let of_node = group
            .logs
            .keys()
            .filter(|writer| writer.node == *node)
            .count();
        of_node < limits::INCARNATIONS_PER_NODE && group.logs.len() < limits::LOGS_PER_GROUP
    }

    /// Moves a log's head to the last of these entries.
    pub fn take_entries(&mut self, entries: &Verified<Vec<Entry>>) {
        if let Some(last) = entries.last() {
            self.advance(
                &last.header.group,
                last.header.writer,
                LogState {
                    head: LogHead {
                        seq: last.header.seq,
                        hash: last.header.hash(),
                    },
                    height: last.header.height,
                },
            );
        }
    }

    /// Moves a log of this node forward, or sets one as it is read back from the store.
    pub fn advance(&mut self, group: &GroupId, writer: Writer, log: LogState) {
        if let Some(group) = self.groups.get_mut(group) {
            let known = group.logs.get(&writer).map_or(0, |known| known.head.seq);
            if known < log.head.seq {
                group.logs.insert(writer, log);
            }
        }
    }

    /// The head that this node's next entry in a group follows.
    #[must_use]
    pub fn own_head(&self, group: &GroupId) -> LogHead {
        let log = self
            .groups
            .get(group)
            .and_then(|g| g.logs.get(&self.me.writer()));
        log.map_or(
            LogHead {
                seq: 0,
                hash: EntryHash([0; 32]),
            },
            |log| log.head,
        )
    }

    /// Whether a node may have a receipt in a group: it belongs to a member.
    #[must_use]
    pub fn receipt_fits(&self, group: &GroupId, node: &NodeKey) -> bool {
        let agency = self.agency_of(node);
        let group = self.groups.get(group);
        agency
            .zip(group)
            .is_some_and(|(agency, group)| group.chain.role(&agency).is_some())
    }

    /// Takes a verified receipt, if its node belongs to a member and it says more than the one that
    /// is known: more entries, and of as many the greater digest. What covers another says more, and
    /// of two that no honest node signs both of, every node keeps the same one. True where it was
    /// taken.
    pub fn take_receipt(&mut self, signed: &Verified<SignedReceipt>) -> bool {
        let node = signed.receipt.node;
        let Some(agency) = self.agency_of(&node) else {
            return false;
        };
        if node != self.me.node && is_left_out(Break::DropReceipt) {
            return false;
        }
        let Some(group) = self.groups.get(&signed.receipt.group) else {
            return false;
        };
        let claimed = &signed.receipt.frontier;
        let beyond_fork = |writer: &Writer| {
            let end = self.end_of_log(group, writer);
            end.is_some_and(|end| end.is_fork && claimed.seq(writer) > end.last.seq)
        };
        if group.chain.role(&agency).is_none() || group.forks.keys().any(beyond_fork) {
            return false;
        }
        let order = |frontier: &Frontier| (frontier.entries(), frontier.digest());
        let newer = group
            .receipts
            .get(&node)
            .is_none_or(|known| order(claimed) > order(&known.receipt.frontier));
        if newer && let Some(group) = self.groups.get_mut(&signed.receipt.group) {
            group.receipts.insert(node, (**signed).clone());
        }
        newer
    }
}
