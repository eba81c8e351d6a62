//! What a peer lacks and is offered: chains, proofs, receipts, statements that wait for signatures;
//! and payloads that this node lacks itself.

use super::super::io::Suspect;
use super::super::message::{
    AgencyStatements, GroupState, GroupStatements, Have, Message, Pending, ReceiptDigest, Want,
};
use super::super::peer::{in_frames, statements_of};
use super::Session;
use crate::group::Role;
use crate::id::{AgencyId, GroupId};
use crate::limits;
use crate::replica::Replica;
use crate::verify::Receipt;
use crate::wire;

/// Whose receipts are offered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Mine,
    Everyones,
}

impl Session {
    /// Offers all that the peer lacks, except entries, which are read one range at a time.
    pub(super) fn offer(&mut self, replica: &Replica) {
        if !self.hello_heard {
            return;
        }
        self.offer_own_chain(replica);
        self.forget_what_is_not_shared(replica);
        let shared: Vec<GroupId> = replica
            .shared_with(&self.agency)
            .map(|(group, _)| *group)
            .collect();
        for id in shared {
            // A peer that named the group has its chains, and is sent those that it says it lacks.
            if self.listed.contains(&id) {
                self.tell(id, replica);
            }
            self.offer_chains(id, replica);
            self.tell(id, replica);
            self.offer_proofs(id, replica);
            self.offer_pending(id, replica);
            self.want(id, replica);
            self.offer_news(id, replica);
        }
        self.offer_receipts(replica, Whose::Mine);
    }

    /// Tells how far logs of others go by now, so that the peer does not send what it has on to here.
    fn offer_news(&mut self, id: GroupId, replica: &Replica) {
        let (Some(group), Some(peer)) = (replica.group(&id), self.groups.get_mut(&id)) else {
            return;
        };
        if !peer.told {
            return;
        }
        let logs = peer.news(group, &replica.me().writer());
        if !logs.is_empty() {
            self.send(&Message::Have(Have { group: id, logs }));
        }
    }

    /// A group that is shared again later starts anew.
    fn forget_what_is_not_shared(&mut self, replica: &Replica) {
        let agency = self.agency;
        let gone = |group: &GroupId| replica.shared(group, &agency).is_none();
        let listed = &mut self.listed;
        let mut ended = Vec::new();
        self.groups.retain(|group, peer| {
            if gone(group) {
                listed.remove(group);
                ended.push((*group, peer.height));
                return false;
            }
            true
        });
        for (group, height) in ended {
            if let Some(height) = height {
                self.tell_removal(&group, height.saturating_add(1), replica);
            }
        }
    }

    /// Tells a former member that it was removed: the group's chain as far as the statement that
    /// names it, and nothing behind that. It knows the group, so this tells it of nothing else.
    pub(super) fn tell_removal(&mut self, id: &GroupId, from: u32, replica: &Replica) {
        let me = replica.me().agency;
        let Some(group) = replica.group(id) else {
            return;
        };
        let Some(removed) = group.chain.removed_at(&self.agency) else {
            return;
        };
        if group.left || group.chain.role(&me).is_none() || removed < from {
            return;
        }
        // What it is told ends its part in the group: it takes no state of it until it is told more.
        self.listed.remove(id);
        let count = removed.saturating_sub(from).saturating_add(1) as usize;
        let statements = group.chain.statements_from(from).take(count);
        self.send_statements(id, from, statements.cloned().collect());
    }

    fn offer_own_chain(&mut self, replica: &Replica) {
        let me = replica.me().agency;
        let ours = statements_of(replica, &me);
        if self.own_chain < ours {
            self.send_agency(&me, self.own_chain, replica);
        }
        self.own_chain = ours;
    }

    pub(super) fn send_agency(&mut self, agency: &AgencyId, from: u32, replica: &Replica) {
        let Some(chain) = replica.agency(agency) else {
            return;
        };
        let statements = chain.statements_from(from).cloned().collect();
        let mut from = from;
        for statements in in_frames(statements) {
            let count = u32::try_from(statements.len()).unwrap_or(u32::MAX);
            self.send(&Message::Agency(AgencyStatements {
                agency: *agency,
                from,
                statements,
            }));
            from = from.saturating_add(count);
        }
    }

    /// Statements of a group's chain and of its members' chains. A peer that has told nothing of the
    /// group is sent all of it: this is how it learns that it is a member.
    fn offer_chains(&mut self, id: GroupId, replica: &Replica) {
        let Some(group) = replica.group(&id) else {
            return;
        };
        let peer = self.groups.entry(id).or_default();
        // What the peer has is under way, unless it was sent the chain and is no member by what it has.
        if peer.told && !peer.heard && peer.height.is_none() {
            return;
        }
        let mut lacking = Vec::new();
        for agency in group.chain.agencies() {
            let ours = statements_of(replica, agency);
            // A peer that has told nothing yet has no chain but its own agency's.
            let untold = match *agency == self.agency {
                true => self.peer_chain,
                false => 0,
            };
            let theirs = peer.agencies.insert(*agency, ours).unwrap_or(untold);
            if theirs < ours && *agency != replica.me().agency {
                lacking.push((*agency, theirs));
            }
        }
        let height = group.chain.height();
        let from = peer.height.map_or(0, |height| height.saturating_add(1));
        peer.height = Some(peer.height.map_or(height, |theirs| theirs.max(height)));
        for (agency, from) in lacking {
            self.send_agency(&agency, from, replica);
        }
        if from <= height && !group.chain.is_own() {
            self.send_group(&id, from, replica);
        }
    }

    pub(super) fn send_group(&mut self, id: &GroupId, from: u32, replica: &Replica) {
        let Some(group) = replica.shared(id, &self.agency) else {
            return;
        };
        let statements = group.chain.statements_from(from).cloned().collect();
        self.send_statements(id, from, statements);
    }

    fn send_statements(&mut self, id: &GroupId, mut from: u32, statements: Vec<Vec<u8>>) {
        for statements in in_frames(statements) {
            let count = u32::try_from(statements.len()).unwrap_or(u32::MAX);
            self.send(&Message::Group(GroupStatements {
                group: *id,
                from,
                statements,
            }));
            from = from.saturating_add(count);
        }
    }

    /// Proofs that the peer lacks. They go before entries and receipts, which depend on them.
    fn offer_proofs(&mut self, id: GroupId, replica: &Replica) {
        let Some(group) = replica.shared(&id, &self.agency) else {
            return;
        };
        let Some(peer) = self.groups.get_mut(&id).filter(|peer| peer.heard) else {
            return;
        };
        let lacking: Vec<Vec<u8>> = replica
            .proofs_of(group)
            .filter(|proof| peer.proofs.insert(proof.digest))
            .map(|proof| proof.bytes.clone())
            .collect();
        for proofs in in_frames(lacking) {
            self.send(&Message::Proofs(proofs));
        }
    }

    /// Statements that wait for signatures, to owners only.
    fn offer_pending(&mut self, id: GroupId, replica: &Replica) {
        let Some(group) = replica.shared(&id, &self.agency) else {
            return;
        };
        if group.chain.role(&self.agency) != Some(Role::Owner) {
            return;
        }
        let Some(peer) = self.groups.get_mut(&id).filter(|peer| peer.heard) else {
            return;
        };
        let waiting = group.pending.iter().map(wire::encode);
        let lacking: Vec<_> = waiting
            .filter(|bytes| peer.pending.insert(bytes.clone()))
            .collect();
        for statements in in_frames(lacking) {
            self.send(&Message::Pending(Pending {
                group: id,
                statements,
            }));
        }
    }

    /// Asks for payloads that are missing here, once a session.
    fn want(&mut self, id: GroupId, replica: &Replica) {
        let Some(group) = replica.shared(&id, &self.agency) else {
            return;
        };
        let Some(peer) = self.groups.get_mut(&id).filter(|peer| peer.heard) else {
            return;
        };
        let missing = group.missing.iter();
        let wanted = missing.filter(|place| peer.wanted.insert(**place)).copied();
        let wanted: Vec<_> = wanted.take(limits::WANTS).collect();
        if !wanted.is_empty() {
            self.send(&Message::Want(Want {
                group: id,
                entries: wanted,
            }));
        }
    }

    pub(super) fn offer_receipts(&mut self, replica: &Replica, whose: Whose) {
        let me = replica.me().node;
        let mut lacking = Vec::new();
        for (id, group) in replica.shared_with(&self.agency) {
            let Some(peer) = self.groups.get_mut(id).filter(|peer| peer.heard) else {
                continue;
            };
            for (node, signed) in &group.receipts {
                let wanted = whose == Whose::Everyones || *node == me;
                if !wanted || *node == self.peer {
                    continue;
                }
                let digest = signed.receipt.frontier.digest();
                if peer.receipts.insert(*node, digest) != Some(digest) {
                    lacking.push(signed.bytes.clone());
                }
            }
        }
        for receipts in in_frames(lacking) {
            self.send(&Message::Receipts(receipts));
        }
    }

    /// Gives a peer its own receipt back where it tells of another one: it lost it with its membership,
    /// or is a copy that was put back. Receipts that it sends in the session are never returned.
    pub(super) fn remind(&mut self, state: &GroupState, replica: &Replica) {
        let shared = replica.shared(&state.group, &self.agency);
        let Some(signed) = shared.and_then(|group| group.receipts.get(&self.peer)) else {
            return;
        };
        let digest = signed.receipt.frontier.digest();
        let is_known = |told: &ReceiptDigest| told.node == self.peer && told.frontier == digest;
        if !state.receipts.iter().any(is_known) {
            self.send(&Message::Receipts(vec![signed.bytes.clone().into()]));
        }
    }

    /// The peer has what it sends, so it is not sent back. Its own receipt says what it has at the
    /// end of each log.
    pub(super) fn note_receipts(&mut self, receipts: &[Vec<u8>], replica: &Replica) {
        let mut suspects = Vec::new();
        for claimed in receipts.iter().filter_map(|bytes| Receipt::claimed(bytes)) {
            let is_known = replica.agency_of(&claimed.node).is_some();
            let Some(peer) = self.groups.get_mut(&claimed.group).filter(|_| is_known) else {
                continue;
            };
            peer.receipts
                .insert(claimed.node, claimed.frontier.digest());
            let Some(group) = replica.shared(&claimed.group, &self.agency) else {
                continue;
            };
            if claimed.node != self.peer {
                continue;
            }
            for (writer, theirs) in &claimed.frontier.0 {
                let ours = group.logs.get(writer).map(|log| log.head);
                if ours.is_some_and(|ours| ours.seq == theirs.seq && ours.hash != theirs.hash) {
                    suspects.push(Suspect::Log(claimed.group, *writer));
                }
            }
        }
        for suspect in suspects {
            self.bring_together(suspect, replica);
        }
    }
}
