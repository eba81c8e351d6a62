//! What a seed is about: how many nodes, which of them are broken into, who reaches whom, and how
//! much happens. All of it is drawn from the seed before anything runs.

use super::network::NodeId;
use crate::kit::Random;

/// The fewest and the most nodes of one seed.
pub const NODES: (usize, usize) = (3, 12);

/// One seed's circumstances.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How many nodes.
    pub nodes: usize,
    /// Which of them do what they want.
    pub byzantine: Vec<NodeId>,
    /// Who can reach whom; the honest nodes reach each other without the others.
    pub roads: Vec<(NodeId, NodeId)>,
    /// Sharing groups that are founded at the start.
    pub groups: usize,
    /// How often trouble and rest take turns.
    pub rounds: u64,
    /// Jobs of officers in one round.
    pub jobs: u64,
    /// Faults in one round.
    pub faults: u64,
    /// Misbehaviours in one round.
    pub mischief: u64,
    /// How long the trouble of one round lasts, ms.
    pub trouble_ms: u64,
}

impl Plan {
    /// The plan of a seed; with this many nodes where that is said.
    #[must_use]
    pub fn of(seed: u64, nodes: Option<usize>) -> Self {
        let mut random = Random::seeded(seed ^ 0x706c_616e);
        let usual = *random
            .pick(&[3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 9, 12])
            .unwrap_or(&3);
        let nodes = nodes.unwrap_or(usual).clamp(NODES.0, NODES.1);
        let bad = match random.below(4) {
            0 => 0,
            1 | 2 => 1,
            _ => nodes / 4,
        };
        let byzantine: Vec<NodeId> = (nodes - bad.min(nodes - 2)..nodes).collect();
        let roads = roads(nodes, &byzantine, &mut random);
        // What one job costs grows with the nodes that take it.
        let jobs = match nodes {
            0..=4 => random.between(25, 50),
            5..=7 => random.between(15, 30),
            _ => random.between(8, 14),
        };
        let calm = random.percent(10);
        Self {
            seed,
            nodes,
            roads,
            groups: random.index(3) + 1,
            rounds: random.between(1, 3),
            jobs,
            faults: if calm { 0 } else { random.between(2, 12) },
            mischief: if byzantine.is_empty() {
                0
            } else {
                random.between(5, 25)
            },
            trouble_ms: random.between(5_000, 30_000),
            byzantine,
        }
    }
}

/// A tree among the honest nodes, some more roads, and a few roads to each of the others.
fn roads(nodes: usize, byzantine: &[NodeId], random: &mut Random) -> Vec<(NodeId, NodeId)> {
    let honest: Vec<NodeId> = (0..nodes).filter(|id| !byzantine.contains(id)).collect();
    let dense = nodes <= 4 && random.percent(70);
    let mut roads = Vec::new();
    for (at, node) in honest.iter().enumerate().skip(1) {
        let tree = random.index(at);
        for (other_at, other) in honest.iter().enumerate().take(at) {
            if other_at == tree || dense || random.percent(15) {
                roads.push((*other, *node));
            }
        }
    }
    for bad in byzantine {
        let sure = random.index(honest.len());
        for (at, other) in honest.iter().enumerate() {
            if at == sure || random.percent(40) {
                roads.push((*other, *bad));
            }
        }
    }
    roads
}
