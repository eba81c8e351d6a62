//! The whole federation of one seed: nodes, network, time, what is wrong with them, and the judges.

use std::collections::BTreeMap;

use super::byzantine::Mallory;
use super::faults::{Fault, Kind};
use super::judges::Judges;
use super::machine::Time;
use super::model::Model;
use super::network::{Event, Network, NodeId, Schedule};
use super::node::Node;
use super::plan::Plan;
use super::report::Violation;
use super::trace::Trace;
use super::workload::Officers;
use crate::kit::Random;

/// Between two ticks of a session, ms: as in the node itself.
const TICK_MS: u64 = 250;

/// Everything there is.
pub struct World {
    /// What this seed is about.
    pub plan: Plan,
    /// Draws what happens on the network and in the nodes.
    pub random: Random,
    /// The time.
    pub time: Time,
    /// What will happen.
    pub schedule: Schedule,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The roads and links between them.
    pub network: Network,
    /// What the officers do.
    pub officers: Officers,
    /// What the nodes that were broken into do.
    pub mallory: Mallory,
    /// What the judges know.
    pub model: Model,
    /// What they measure.
    pub judges: Judges,
    /// The lines for people.
    pub trace: Trace,
    /// Faults so far, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Misbehaviours so far, by kind.
    pub mischief: BTreeMap<&'static str, u64>,
    /// Laws that were broken.
    pub violations: Vec<Violation>,
    /// No more faults, mischief or jobs: the federation is to come to rest.
    pub calm: bool,
}

impl World {
    /// Founds the agencies, lets their admins pin each other and builds the roads.
    ///
    /// # Errors
    /// What a node's own code answered.
    pub fn found(plan: Plan, seed: u64, trace: bool) -> Result<Self, String> {
        let mut random = Random::seeded(seed ^ 0x6469_7761_6e20_7369);
        let time = Time::default();
        let mut nodes = Vec::new();
        for id in 0..plan.nodes {
            nodes.push(Node::found(id, &time, &mut random)?);
        }
        for id in &plan.byzantine {
            nodes[*id].byzantine = true;
        }
        let mut world = Self {
            officers: Officers::new(random.fork()),
            mallory: Mallory::new(random.fork()),
            model: Model::new(&nodes),
            judges: Judges::default(),
            trace: Trace::new(trace, time.clone()),
            schedule: Schedule::default(),
            network: Network::default(),
            faults: BTreeMap::new(),
            mischief: BTreeMap::new(),
            violations: Vec::new(),
            calm: false,
            plan,
            random,
            time,
            nodes,
        };
        world.pin_each_other()?;
        world.build_roads();
        world.schedule.at(0, Event::Tick);
        Ok(world)
    }

    fn build_roads(&mut self) {
        for (a, b) in self.plan.roads.clone() {
            self.network.build(a, b, &mut self.random);
            let at = self.random.between(0, 200);
            self.schedule.at(at, Event::Dial(a, b));
        }
    }

    /// What people call a node.
    #[must_use]
    pub fn name(&self, node: NodeId) -> String {
        let mark = if self.nodes[node].byzantine { "!" } else { "" };
        format!("n{node}{mark}")
    }

    /// Adds a line to the trace.
    pub fn say(&mut self, node: NodeId, what: std::fmt::Arguments<'_>) {
        if self.trace.is_wanted() {
            let name = self.name(node);
            self.trace.say(&name, what);
        }
    }

    /// A law is broken.
    pub fn broken(&mut self, law: &'static str, detail: String) {
        self.trace
            .say("JUDGE", format_args!("{law} is broken: {detail}"));
        let known = self.violations.iter().any(|known| known.law == law);
        if !known {
            self.violations.push(Violation {
                seed: self.plan.seed,
                law,
                detail,
            });
        }
    }

    /// Lets everything happen until `until_ms`.
    pub fn run_until(&mut self, until_ms: u64) {
        while self.schedule.due().is_some_and(|due| due <= until_ms) {
            let Some((now, event)) = self.schedule.take_next() else {
                return;
            };
            self.time.advance_to(now);
            self.happen(event);
        }
        self.time.advance_to(until_ms);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { link, to, frame } => self.arrive(link, to, frame),
            Event::Ended { link, at } => self.session_ends(link, at, "the link ended"),
            Event::Tick => self.tick(),
            Event::Commit { node, life } => {
                if self.nodes[node].life == life {
                    self.commit(node);
                }
            }
            Event::Read {
                node,
                life,
                link,
                group,
                writer,
                from,
            } => {
                if self.nodes[node].life == life {
                    self.read(node, link, (group, writer, from));
                }
            }
            Event::Dial(a, b) => self.dial(a, b),
            Event::Officer => self.officer_acts(),
            Event::Mischief => self.mischief_happens(),
            Event::Break => self.something_breaks(),
            Event::Mend(fault) => self.mend(fault),
        }
    }

    fn tick(&mut self) {
        let now = self.time.now_ms();
        for node in 0..self.nodes.len() {
            let links: Vec<_> = self.nodes[node].sessions.keys().copied().collect();
            for link in links {
                if let Some(live) = self.nodes[node].sessions.get_mut(&link) {
                    live.ticked = true;
                }
                self.pump(node, link);
            }
        }
        self.schedule.at(now + TICK_MS, Event::Tick);
    }

    /// A fault begins.
    pub fn count_fault(&mut self, kind: Kind) {
        *self.faults.entry(kind.name()).or_default() += 1;
    }

    /// A fault ends at some time between these.
    pub fn mend_between(&mut self, fault: Fault, (low, high): (u64, u64)) {
        let at = self.time.now_ms() + self.random.between(low, high);
        self.schedule.at(at, Event::Mend(fault));
    }
}
