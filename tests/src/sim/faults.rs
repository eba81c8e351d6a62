//! What breaks: links, roads, power, processes, disks, clocks. Every fault of a round has an end
//! before the judges look.

use super::disk::Trouble;
use super::network::{Event, NodeId};
use super::world::World;

/// A kind of fault, as the report counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A link breaks.
    Cut,
    /// Two halves of the federation do not reach each other.
    Partition,
    /// What one node sends to another is held back; the other way is open.
    OneWay,
    /// The power goes, in the middle of a commit if there is one.
    Power,
    /// The process dies; the machine goes on.
    Kill,
    /// The process ends in order.
    Stop,
    /// The disk does not sync.
    SyncFails,
    /// The disk does not write.
    WriteFails,
    /// The disk is full.
    DiskFull,
    /// The clock is wrong.
    Skew,
    /// The disk is slow.
    SlowDisk,
}

/// How often each kind happens.
const KINDS: &[Kind] = &[
    Kind::Cut,
    Kind::Cut,
    Kind::Cut,
    Kind::Partition,
    Kind::Partition,
    Kind::OneWay,
    Kind::OneWay,
    Kind::Power,
    Kind::Power,
    Kind::Power,
    Kind::Kill,
    Kind::Stop,
    Kind::SyncFails,
    Kind::WriteFails,
    Kind::DiskFull,
    Kind::Skew,
    Kind::SlowDisk,
];

impl Kind {
    /// Its word in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Cut => "link-cut",
            Kind::Partition => "partition",
            Kind::OneWay => "one-way-partition",
            Kind::Power => "power-loss",
            Kind::Kill => "kill",
            Kind::Stop => "restart",
            Kind::SyncFails => "sync-fails",
            Kind::WriteFails => "write-fails",
            Kind::DiskFull => "disk-full",
            Kind::Skew => "clock-skew",
            Kind::SlowDisk => "slow-disk",
        }
    }
}

/// A fault that will end.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Bytes are held back on these ways.
    Blocked(Vec<(NodeId, NodeId)>),
    /// A node is down.
    Down(NodeId),
    /// A node waits for the moment to lose its power.
    Doomed(NodeId),
    /// A disk is in trouble.
    Disk(NodeId),
    /// A disk is slow.
    Slow(NodeId),
    /// A node's store takes nothing any more, until somebody starts the node again.
    Sick(NodeId),
}

/// Ten years.
const SKEW_MS: i64 = 10 * 365 * 86_400_000;

impl World {
    /// Something breaks, somewhere.
    pub(super) fn something_breaks(&mut self) {
        let Some(kind) = self.random.pick(KINDS).copied() else {
            return;
        };
        let node = self.random.index(self.nodes.len());
        let done = match kind {
            Kind::Cut => self.break_link(),
            Kind::Partition => self.part(),
            Kind::OneWay => self.hold_back(),
            Kind::Skew => self.skew(node),
            _ if !self.nodes[node].is_up() => false,
            Kind::Power => self.doom(node),
            Kind::Kill | Kind::Stop => {
                self.stop(node, kind == Kind::Stop);
                true
            }
            Kind::SyncFails => self.trouble(node, Trouble::Sync),
            Kind::WriteFails => self.trouble(node, Trouble::Write),
            Kind::DiskFull => self.trouble(node, Trouble::Full),
            Kind::SlowDisk => {
                self.nodes[node].commit_ms = (50, 800);
                self.mend_between(Fault::Slow(node), (1_000, 10_000));
                true
            }
        };
        if done {
            self.count_fault(kind);
        }
    }

    fn break_link(&mut self) -> bool {
        let links = self.network.links();
        let Some((link, [a, b])) = self.random.pick(&links).copied() else {
            return false;
        };
        self.say(a, format_args!("FAULT link {link} with n{b} breaks"));
        let now = self.time.now_ms();
        self.network
            .cut(link, (now, &mut self.random), &mut self.schedule);
        true
    }

    fn part(&mut self) -> bool {
        let side: Vec<bool> = (0..self.nodes.len())
            .map(|_| self.random.percent(50))
            .collect();
        let roads = self.network.roads().into_iter();
        let across: Vec<_> = roads
            .filter(|(a, b)| side[*a] != side[*b])
            .flat_map(|(a, b)| [(a, b), (b, a)])
            .collect();
        self.hold(across)
    }

    fn hold_back(&mut self) -> bool {
        let roads = self.network.roads();
        let Some((a, b)) = self.random.pick(&roads).copied() else {
            return false;
        };
        let way = if self.random.percent(50) {
            (a, b)
        } else {
            (b, a)
        };
        self.hold(vec![way])
    }

    fn hold(&mut self, ways: Vec<(NodeId, NodeId)>) -> bool {
        if ways.is_empty() {
            return false;
        }
        self.trace
            .say("network", format_args!("FAULT holds back {ways:?}"));
        for (from, to) in &ways {
            self.network.block(*from, *to);
        }
        // Some last longer than the silence after which a session ends.
        let longest = if self.random.percent(20) {
            100_000
        } else {
            8_000
        };
        self.mend_between(Fault::Blocked(ways), (200, longest));
        true
    }

    fn skew(&mut self, node: NodeId) -> bool {
        let far = self.random.percent(50);
        let bound = if far { SKEW_MS } else { 120_000 };
        let skew = i64::try_from(self.random.below(bound.unsigned_abs())).unwrap_or(0);
        let skew = if self.random.percent(50) { skew } else { -skew };
        self.say(node, format_args!("FAULT clock is {skew} ms ahead"));
        self.nodes[node].machine.set_skew(skew);
        true
    }

    fn doom(&mut self, node: NodeId) -> bool {
        let syncs = self.random.below(4);
        self.say(
            node,
            format_args!("FAULT power will go at sync {syncs} of the next commit"),
        );
        self.nodes[node].disk.set_trouble(Trouble::PowerAt(syncs));
        self.mend_between(Fault::Doomed(node), (100, 2_000));
        true
    }

    /// The power goes now.
    pub(super) fn power_goes(&mut self, node: NodeId) {
        self.links_die(node);
        let (changed, lost) = self.nodes[node].crash(&mut self.random);
        self.say(
            node,
            format_args!("FAULT power gone: {lost} of {changed} unsynced sectors lost"),
        );
        self.mend_between(Fault::Down(node), (200, 6_000));
    }

    fn stop(&mut self, node: NodeId, clean: bool) {
        self.say(node, format_args!("FAULT stops, clean: {clean}"));
        self.links_die(node);
        self.nodes[node].stop(clean);
        self.mend_between(Fault::Down(node), (100, 4_000));
    }

    /// A node that is gone tells nobody: the others notice, sooner or later.
    fn links_die(&mut self, node: NodeId) {
        let links: Vec<_> = self.nodes[node].sessions.keys().copied().collect();
        for link in links {
            self.session_ends(link, node, "the node is down");
        }
    }

    fn trouble(&mut self, node: NodeId, trouble: Trouble) -> bool {
        self.say(node, format_args!("FAULT disk: {trouble:?}"));
        self.nodes[node].disk.set_trouble(trouble);
        self.mend_between(Fault::Disk(node), (300, 5_000));
        true
    }

    /// A store that failed takes nothing until it is opened again: somebody starts the node anew
    /// once its disk is well, as systemd or the admin would.
    pub(super) fn supervise(&mut self, node: NodeId) {
        let waits = |event: &Event| matches!(event, Event::Mend(Fault::Sick(at)) if *at == node);
        if !self.schedule.any(waits) {
            self.mend_between(Fault::Sick(node), (500, 3_000));
        }
    }

    /// A fault ends.
    pub(super) fn mend(&mut self, fault: Fault) {
        match fault {
            Fault::Blocked(ways) => {
                self.trace
                    .say("network", format_args!("lets through {ways:?}"));
                let now = self.time.now_ms();
                for way in ways {
                    self.network
                        .unblock(way, (now, &mut self.random), &mut self.schedule);
                }
            }
            Fault::Down(node) => self.start(node),
            Fault::Doomed(node) => {
                if matches!(self.nodes[node].disk.trouble(), Trouble::PowerAt(_)) {
                    self.power_goes(node);
                }
            }
            Fault::Disk(node) => self.nodes[node].disk.set_trouble(Trouble::None),
            Fault::Slow(node) => self.nodes[node].commit_ms = (1, 5),
            Fault::Sick(node) => self.cure(node),
        }
    }

    fn cure(&mut self, node: NodeId) {
        if !self.nodes[node].sick || !self.nodes[node].is_up() {
            return;
        }
        if self.nodes[node].disk.trouble() != Trouble::None {
            return self.supervise(node);
        }
        self.judges.restarts_after_disk_errors += 1;
        self.stop(node, false);
    }

    /// A node comes up again, if it can.
    fn start(&mut self, node: NodeId) {
        if self.nodes[node].is_up() {
            return;
        }
        if self.nodes[node].disk.trouble() != Trouble::None {
            return self.mend_between(Fault::Down(node), (500, 1_000));
        }
        match self.nodes[node].start() {
            Ok(()) => {
                self.say(node, format_args!("is up again"));
                self.judge_start(node);
            }
            Err(why) => {
                self.broken(
                    "durable",
                    format!("{} does not start: {why}", self.name(node)),
                );
            }
        }
    }

    /// Every fault ends now, and nothing new begins.
    pub(super) fn heal(&mut self) {
        self.calm = true;
        self.trace.say("network", format_args!("all is mended"));
        self.schedule.retain(|event| {
            !matches!(
                event,
                Event::Officer | Event::Mischief | Event::Break | Event::Mend(_)
            )
        });
        self.mend(Fault::Blocked(self.network.blocks()));
        for node in 0..self.nodes.len() {
            self.nodes[node].disk.set_trouble(Trouble::None);
            self.nodes[node].commit_ms = (1, 5);
            if self.nodes[node].is_up() && self.nodes[node].sick {
                self.cure(node);
            }
            self.start(node);
        }
        self.schedule
            .retain(|event| !matches!(event, Event::Mend(_)));
    }
}
