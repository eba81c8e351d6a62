//! What two nodes hold differently at the same place, and how they find out where it began.

use super::super::io::{Suspect, Wish};
use super::super::message::{ForkAsk, GroupState, Want};
use super::super::peer::statements_of;
use super::Session;
use crate::limits;
use crate::replica::Replica;

impl Session {
    /// Looks for what both sides hold differently at the same place.
    pub(super) fn compare(&mut self, state: &GroupState, replica: &Replica) {
        let Some(group) = replica.shared(&state.group, &self.agency) else {
            return;
        };
        let mut suspects = Vec::new();
        let ours = group.chain.hash_at(state.height);
        if ours.is_some_and(|ours| ours != state.head) && group.fork.is_none() {
            suspects.push(Suspect::Group(state.group));
        }
        for theirs in &state.agencies {
            let newest = theirs.statements.checked_sub(1);
            let ours = newest.zip(replica.agency(&theirs.agency));
            let ours = ours.and_then(|(height, chain)| chain.hash_at(height));
            if ours.is_some_and(|ours| ours != theirs.head) {
                suspects.push(Suspect::Agency(theirs.agency));
            }
        }
        for (writer, theirs) in &state.frontier.0 {
            let ours = group.logs.get(writer).map(|log| log.head);
            if ours.is_some_and(|ours| ours.seq == theirs.seq && ours.hash != theirs.hash) {
                suspects.push(Suspect::Log(state.group, *writer));
            }
        }
        for suspect in suspects {
            self.bring_together(suspect, replica);
        }
    }

    /// Begins to find where something forks, once for each length that it has here.
    pub(super) fn bring_together(&mut self, suspect: Suspect, replica: &Replica) {
        let length = match &suspect {
            Suspect::Log(group, writer) => {
                let group = replica.shared(group, &self.agency);
                let log = group.and_then(|group| group.logs.get(writer));
                log.map(|log| log.head.seq)
            }
            Suspect::Agency(agency) => Some(u64::from(statements_of(replica, agency))),
            Suspect::Group(group) => {
                let group = replica.shared(group, &self.agency);
                group.map(|group| u64::from(group.chain.height()))
            }
        };
        let Some(length) = length else { return };
        let is_new = self.compared.insert((suspect, length));
        if !is_new || self.compared.len() > limits::FORK_QUESTIONS {
            return;
        }
        match suspect {
            Suspect::Log(group, writer) => self.wishes.push_back(Wish::Compare {
                group,
                writer,
                points: Vec::new(),
            }),
            // The peer finds its own other statement at one of the heights, and has the proof.
            Suspect::Agency(agency) => self.send_agency(&agency, 0, replica),
            Suspect::Group(group) => self.send_group(&group, 0, replica),
        }
    }

    pub(super) fn fork_ask(&mut self, ask: ForkAsk, replica: &Replica) {
        let ForkAsk {
            group,
            writer,
            points,
        } = ask;
        let known = replica.shared(&group, &self.agency);
        let is_known = known.is_some_and(|group| group.logs.contains_key(&writer));
        let (asked, newest) = (Suspect::Log(group, writer), points.first());
        // Each answer narrows the gap by far; who asks the same again only costs reads.
        let newest = newest.map_or(0, |point| u64::MAX - point.seq);
        let is_new = self.compared.insert((asked, newest));
        if is_known && is_new && self.compared.len() <= 4 * limits::FORK_QUESTIONS {
            self.wishes.push_back(Wish::Compare {
                group,
                writer,
                points,
            });
        }
    }

    pub(super) fn serve(&mut self, want: Want, replica: &Replica) {
        if replica.shared(&want.group, &self.agency).is_some() {
            self.wishes.push_back(Wish::Serve {
                group: want.group,
                entries: want.entries,
            });
        }
    }

    /// A fork or a removal took entries or receipts away, on both sides. What this node has left is
    /// told again, because the peer may have what now counts in their place.
    pub(super) fn keep_to_losses(&mut self, replica: &Replica) {
        let mut shorter = Vec::new();
        for (id, peer) in &mut self.groups {
            let Some(group) = replica.shared(id, &self.agency) else {
                continue;
            };
            if peer.keep_to_losses(group, replica) && std::mem::replace(&mut peer.told, false) {
                shorter.push(*id);
            }
        }
        for id in shorter {
            self.tell_as(id, true, replica);
        }
    }
}
