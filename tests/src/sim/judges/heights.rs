//! Frontier heights never fall: no log gets shorter or says something else at its end, no chain
//! gets shorter.

use std::collections::BTreeMap;

use diwan_core::id::{AgencyId, GroupId};
use diwan_core::log::Frontier;
use diwan_core::replica::Replica;

/// What one node was seen to have.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    groups: BTreeMap<GroupId, (u32, Frontier)>,
    agencies: BTreeMap<AgencyId, u32>,
}

impl Heights {
    /// Compares with what was seen before, and remembers. Says what fell.
    pub fn see(&mut self, replica: &Replica) -> Option<String> {
        let mut fell = None;
        let groups = replica.groups().iter().map(|(id, group)| {
            let height = group.chain.height();
            (*id, (height, group.frontier()))
        });
        let groups: BTreeMap<_, _> = groups.collect();
        let chains = replica.agencies().iter();
        let agencies: BTreeMap<_, _> = chains.map(|(id, chain)| (*id, chain.height())).collect();
        for (id, (height, frontier)) in &self.groups {
            let found = replica.group(id);
            let forked = found.is_some_and(|group| replica.proofs_of(group).next().is_some());
            match groups.get(id) {
                // A proof takes everybody back to where all agree; it never goes away.
                Some(_) if forked => {}
                None => fell = Some(format!("group {} is gone", id.short())),
                Some((now, _)) if now < height => {
                    fell = Some(format!("group {} at {now} after {height}", id.short()));
                }
                Some((_, now)) => fell = fell.or(frontier_fell(frontier, now)),
            }
        }
        for (id, height) in &self.agencies {
            if replica.forked_agencies().any(|(forked, _)| forked == id) {
                continue;
            }
            if agencies.get(id).is_none_or(|now| now < height) {
                fell = Some(format!("agency {} fell from {height}", id.short()));
            }
        }
        (self.groups, self.agencies) = (groups, agencies);
        fell
    }
}

fn frontier_fell(before: &Frontier, now: &Frontier) -> Option<String> {
    let fell = before.0.iter().find(|(writer, head)| {
        now.0.get(writer).is_none_or(|found| {
            found.seq < head.seq || (found.seq == head.seq && found.hash != head.hash)
        })
    });
    fell.map(|(writer, head)| format!("log of {} fell from {}", writer.node.short(), head.seq))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diwan_core::id::{EntryHash, Incarnation, NodeKey, Writer};
    use diwan_core::log::LogHead;

    fn frontier(seq: u64, hash: u8) -> Frontier {
        let writer = Writer {
            node: NodeKey([1; 32]),
            incarnation: Incarnation(1),
        };
        let hash = EntryHash([hash; 32]);
        Frontier(BTreeMap::from([(writer, LogHead { seq, hash })]))
    }

    #[test]
    fn a_log_that_falls_vanishes_or_changes_its_mind_is_found() {
        assert_eq!(frontier_fell(&frontier(3, 1), &frontier(4, 9)), None);
        assert_eq!(frontier_fell(&frontier(3, 1), &frontier(3, 1)), None);
        assert!(frontier_fell(&frontier(3, 1), &frontier(2, 1)).is_some());
        assert!(frontier_fell(&frontier(3, 1), &frontier(3, 2)).is_some());
        assert!(frontier_fell(&frontier(3, 1), &Frontier::default()).is_some());
    }
}
