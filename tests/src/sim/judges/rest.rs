//! When all faults are mended the federation comes to rest, and then the judges compare.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::id::{AgencyId, GroupId};
use diwan_core::trust::TrustState;

use super::convergence::{GroupDump, difference};
use super::durable::missing_mark;
use super::standing::without_standing;
use crate::sim::model::GroupModel;
use crate::sim::network::NodeId;
use crate::sim::world::World;

/// How long the federation may take to come to rest, ms: the silence after which a session ends,
/// the longest pause between dials, and time for the rest of the work.
const REST_MS: u64 = 240_000;
/// Silence on all links that counts as rest, ms: receipts are passed on every 200 ms.
const QUIET_MS: u64 = 2_000;

/// A law, and what breaks it.
type Found = (&'static str, String);

impl World {
    /// Mends everything and waits until nothing moves any more.
    pub(in crate::sim) fn come_to_rest(&mut self) {
        self.heal();
        let mut now = self.time.now_ms();
        let deadline = now + REST_MS;
        let (mut sent, mut quiet_since) = (self.network.sent, now);
        while now < deadline {
            now += 250;
            self.run_until(now);
            if self.network.sent != sent || !self.is_linked() {
                (sent, quiet_since) = (self.network.sent, now);
            }
            if now - quiet_since >= QUIET_MS {
                return;
            }
        }
        let linked = self.is_linked();
        let detail = format!("frames still move after {REST_MS} ms (all linked: {linked})");
        self.broken("rest", detail);
    }

    /// Whether everybody who can talk does, and no job waits.
    fn is_linked(&self) -> bool {
        let idle = |node: &super::super::node::Node| !node.committing && node.queue.is_empty();
        let met = |(a, b): &(NodeId, NodeId)| {
            let wanted = self.talks_to(*a, *b) && self.talks_to(*b, *a);
            let link = self.network.link_between(*a, *b);
            let live = |at: NodeId, link| self.nodes[at].sessions.contains_key(&link);
            !wanted || link.is_some_and(|link| live(*a, link) && live(*b, link))
        };
        self.nodes.iter().all(idle) && self.network.roads().iter().all(met)
    }

    /// Rest, and the laws.
    pub(in crate::sim) fn rest_and_judge(&mut self) {
        self.come_to_rest();
        self.judge_bounds();
        let honest: Vec<NodeId> = (0..self.nodes.len())
            .filter(|id| !self.nodes[*id].byzantine)
            .collect();
        for node in honest {
            self.judge_start(node);
        }
        for (law, detail) in self.differences() {
            self.broken(law, detail);
        }
    }

    /// What the honest members of each group do not have in common and should.
    fn differences(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for group in self.model.groups.keys() {
            for part in self.parts(group) {
                self.judge_part(group, &part, &mut found);
            }
        }
        found
    }

    /// The honest members of a group, in parts that reach each other.
    fn parts(&self, group: &GroupId) -> Vec<Vec<NodeId>> {
        let members = self.model.groups.get(group).map(GroupModel::now);
        let members = members.unwrap_or_default();
        let is_member = |id: &NodeId| {
            let node = &self.nodes[*id];
            !node.byzantine && node.is_up() && members.contains_key(&node.agency)
        };
        let mut left: BTreeSet<NodeId> = (0..self.nodes.len()).filter(is_member).collect();
        let mut parts = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut part = vec![first];
            let mut at = 0;
            while let Some(node) = part.get(at).copied() {
                at += 1;
                let met: Vec<NodeId> = left
                    .iter()
                    .copied()
                    .filter(|other| self.should_share(group, node, *other))
                    .collect();
                for other in met {
                    left.remove(&other);
                    part.push(other);
                }
            }
            parts.push(part);
        }
        parts
    }

    /// Whether two nodes are linked and the one with the newer chain counts both as members: then
    /// it can bring the other up to it.
    fn should_share(&self, group: &GroupId, a: NodeId, b: NodeId) -> bool {
        let height = |node: NodeId| {
            let state = self.nodes[node].state()?;
            Some(state.replica.group(group)?.chain.height())
        };
        let newer = height(a).max(height(b));
        let (Some(newer), Some(rules)) = (newer, self.model.groups.get(group)) else {
            return false;
        };
        let member = |node: NodeId| rules.role(&self.nodes[node].agency, newer).is_some();
        self.network.link_between(a, b).is_some() && member(a) && member(b)
    }

    fn judge_part(&self, group: &GroupId, part: &[NodeId], found: &mut Vec<Found>) {
        let mut dumps = BTreeMap::new();
        for node in part.iter().filter(|node| self.follows(**node, group)) {
            match GroupDump::of(&self.nodes[*node], group) {
                Ok(dump) => {
                    dumps.insert(*node, dump);
                }
                Err(error) => found.push(("durable", format!("{}: {error}", self.name(*node)))),
            }
        }
        let Some((first, (reference, _))) = dumps.first_key_value() else {
            return;
        };
        for node in part {
            if !dumps.contains_key(node) && self.would_follow(*node, group) {
                let detail = format!(
                    "{} does not follow {} though its peers do",
                    self.name(*node),
                    group.short()
                );
                found.push(("membership", detail));
            }
        }
        let dishonest = self.nodes.iter().filter(|node| node.byzantine);
        let dishonest: BTreeSet<AgencyId> = dishonest.map(|node| node.agency).collect();
        for (node, (dump, places)) in &dumps {
            let name = self.name(*node);
            if let Some(detail) = dump.contradiction() {
                found.push(("convergence", format!("{name}: {detail}")));
            }
            let rules = self.model.groups.get(group);
            if let Some(entry) = rules.and_then(|rules| without_standing(rules, dump, places)) {
                found.push(("standing", format!("{name}: {entry}")));
            }
            if let Some(lost) = missing_mark(&self.model, group, dump, places, &dishonest) {
                found.push(("durable", format!("{name} does not show {lost}")));
            }
            if let Some(detail) = difference(reference, dump) {
                let (other, group) = (self.name(*first), group.short());
                let detail = format!("{other} and {name} in {group}: {detail}");
                found.push(("convergence", detail));
            }
        }
        self.told_wrong(group, part, found);
    }

    fn follows(&self, node: NodeId, group: &GroupId) -> bool {
        let state = self.nodes[node].state();
        state.is_some_and(|state| state.replica.group(group).is_some())
    }

    /// Whether a node's admin pins the owner of a group.
    fn would_follow(&self, node: NodeId, group: &GroupId) -> bool {
        let owner = self
            .model
            .owner(group)
            .map(|owner| self.nodes[owner].agency);
        let (Some(owner), Some(state)) = (owner, self.nodes[node].state()) else {
            return false;
        };
        let entry = state.replica.trust().get(&owner);
        owner == self.nodes[node].agency
            || entry.is_some_and(|entry| entry.state == TrustState::Pinned)
    }

    /// At rest, every session that both of these have says that they have the same. A side that the
    /// other one left, and could not tell so, waits for its silence to end it.
    fn told_wrong(&self, group: &GroupId, part: &[NodeId], found: &mut Vec<Found>) {
        for node in part {
            let Some(state) = self.nodes[*node].state() else {
                continue;
            };
            for (link, live) in &self.nodes[*node].sessions {
                let is_both = self.nodes[live.peer].sessions.contains_key(link);
                if !is_both || !part.contains(&live.peer) || !self.follows(live.peer, group) {
                    continue;
                }
                let progress = live.session.progress(&state.replica);
                let of_group = progress.iter().find(|(id, _)| id == group);
                if of_group.is_some_and(|(_, progress)| !progress.equal) {
                    let detail = format!(
                        "{} does not know that {} has all of {}",
                        self.name(*node),
                        self.name(live.peer),
                        group.short()
                    );
                    found.push(("told", detail));
                }
            }
        }
    }
}
