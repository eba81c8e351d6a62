//! The network between nodes: ordered, reliable links that break, as the real ones are. Loss shows
//! as a broken link and a new dial; what was under way on the old link may still arrive, late and
//! beside what the new one brings. A partition holds bytes back, one way or both, and neither side
//! knows.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::id::{GroupId, Writer};

use super::faults::Fault;
use crate::kit::Random;

/// A node's place in the federation.
pub type NodeId = usize;
/// A link; no two have the same.
pub type LinkId = u64;

/// Something that will happen.
#[derive(Debug)]
pub enum Event {
    /// A frame reaches a node.
    Arrive {
        /// On this link.
        link: LinkId,
        /// The receiver.
        to: NodeId,
        /// Its bytes.
        frame: Vec<u8>,
    },
    /// A node notices that a link is gone.
    Ended {
        /// The link.
        link: LinkId,
        /// The node.
        at: NodeId,
    },
    /// Time passes for every session.
    Tick,
    /// A node's writer takes what waits.
    Commit {
        /// The node.
        node: NodeId,
        /// Its life: nothing of a former one counts.
        life: u64,
    },
    /// A range is read from a node's store.
    Read {
        /// The node.
        node: NodeId,
        /// Its life.
        life: u64,
        /// For this session.
        link: LinkId,
        /// The group.
        group: GroupId,
        /// Whose log.
        writer: Writer,
        /// The first sequence.
        from: u64,
    },
    /// Two nodes try to meet.
    Dial(NodeId, NodeId),
    /// An officer somewhere does something.
    Officer,
    /// A Byzantine node does something.
    Mischief,
    /// Something breaks.
    Break,
    /// A fault ends.
    Mend(Fault),
}

/// Events in order of time, and of their making where the time is the same.
#[derive(Debug, Default)]
pub struct Schedule {
    events: BTreeMap<(u64, u64), Event>,
    made: u64,
}

impl Schedule {
    /// Adds an event.
    pub fn at(&mut self, ms: u64, event: Event) {
        self.made += 1;
        self.events.insert((ms, self.made), event);
    }

    /// The next event and its time.
    pub fn take_next(&mut self) -> Option<(u64, Event)> {
        self.events.pop_first().map(|((ms, _), event)| (ms, event))
    }

    /// The time of the next event.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        self.events.first_key_value().map(|((ms, _), _)| *ms)
    }

    /// Drops what is not wished any more.
    pub fn retain(&mut self, keep: impl Fn(&Event) -> bool) {
        self.events.retain(|_, event| keep(event));
    }

    /// Whether any event is of a kind.
    pub fn any(&self, of: impl Fn(&Event) -> bool) -> bool {
        self.events.values().any(of)
    }
}

/// One direction of a link.
#[derive(Debug, Default)]
pub struct Way {
    /// When the last frame that was sent arrives.
    last_ms: u64,
    /// Frames that a partition holds back.
    held: Vec<Vec<u8>>,
    /// Bytes sent and not yet taken by the receiver.
    pub under_way: usize,
    /// Nothing arrives from this moment on.
    cut_ms: Option<u64>,
}

/// One link.
#[derive(Debug)]
pub struct Link {
    /// Its ends.
    pub ends: [NodeId; 2],
    ways: [Way; 2],
    /// Since when, ms.
    since_ms: u64,
}

/// How two nodes reach each other.
#[derive(Clone, Debug)]
struct Road {
    delay_ms: u64,
    jitter_ms: u64,
    bytes_per_ms: u64,
    backoff_ms: u64,
    link: Option<LinkId>,
}

/// A dial's first pause, and its longest, ms.
const BACKOFF_MS: (u64, u64) = (100, 8_000);

/// All roads and links.
#[derive(Debug, Default)]
pub struct Network {
    roads: BTreeMap<(NodeId, NodeId), Road>,
    links: BTreeMap<LinkId, Link>,
    blocked: BTreeSet<(NodeId, NodeId)>,
    made: LinkId,
    /// Frames sent, without pings.
    pub sent: u64,
}

fn pair(a: NodeId, b: NodeId) -> (NodeId, NodeId) {
    (a.min(b), a.max(b))
}

impl Network {
    /// Builds a road: some are fast, some are slow, some are very slow.
    pub fn build(&mut self, a: NodeId, b: NodeId, random: &mut Random) {
        let delay_ms = *random.pick(&[1, 5, 20, 60, 150, 300]).unwrap_or(&1);
        let road = Road {
            delay_ms,
            jitter_ms: random.between(0, delay_ms),
            bytes_per_ms: *random.pick(&[16, 128, 1_024, 8_192]).unwrap_or(&128),
            backoff_ms: BACKOFF_MS.0,
            link: None,
        };
        self.roads.insert(pair(a, b), road);
    }

    /// Every road.
    #[must_use]
    pub fn roads(&self) -> Vec<(NodeId, NodeId)> {
        self.roads.keys().copied().collect()
    }

    /// Whether there is a road.
    #[must_use]
    pub fn has_road(&self, a: NodeId, b: NodeId) -> bool {
        self.roads.contains_key(&pair(a, b))
    }

    /// Whether nothing holds bytes back, neither way.
    #[must_use]
    pub fn is_clear(&self, a: NodeId, b: NodeId) -> bool {
        !self.blocked.contains(&(a, b)) && !self.blocked.contains(&(b, a))
    }

    /// A new link.
    pub fn connect(&mut self, a: NodeId, b: NodeId, now_ms: u64) -> Option<LinkId> {
        let road = self.roads.get_mut(&pair(a, b))?;
        self.made += 1;
        road.link = Some(self.made);
        let link = Link {
            ends: [a, b],
            ways: [Way::default(), Way::default()],
            since_ms: now_ms,
        };
        self.links.insert(self.made, link);
        Some(self.made)
    }

    /// The link between two nodes, as far as the newest of both knows.
    #[must_use]
    pub fn link_between(&self, a: NodeId, b: NodeId) -> Option<LinkId> {
        self.roads.get(&pair(a, b))?.link
    }

    /// The other end.
    #[must_use]
    pub fn other(&self, link: LinkId, at: NodeId) -> Option<NodeId> {
        let [a, b] = self.links.get(&link)?.ends;
        Some(if a == at { b } else { a })
    }

    /// All links that are known to one end at least.
    #[must_use]
    pub fn links(&self) -> Vec<(LinkId, [NodeId; 2])> {
        let ends = |(id, link): (&LinkId, &Link)| (*id, link.ends);
        self.links.iter().map(ends).collect()
    }

    /// Bytes sent by a node on a link and not yet taken.
    #[must_use]
    pub fn under_way(&self, link: LinkId, from: NodeId) -> usize {
        self.links
            .get(&link)
            .map_or(0, |l| l.ways[usize::from(l.ends[0] != from)].under_way)
    }

    /// Sends a frame.
    pub fn send(
        &mut self,
        (link, from): (LinkId, NodeId),
        frame: Vec<u8>,
        (now_ms, random): (u64, &mut Random),
        schedule: &mut Schedule,
    ) {
        let Some(open) = self.links.get_mut(&link) else {
            return;
        };
        let to = open.ends[usize::from(open.ends[0] == from)];
        let way = &mut open.ways[usize::from(open.ends[0] != from)];
        way.under_way += frame.len();
        if self.blocked.contains(&(from, to)) {
            way.held.push(frame);
            return;
        }
        let Some(road) = self.roads.get(&pair(from, to)) else {
            return;
        };
        let travel = road.delay_ms
            + random.between(0, road.jitter_ms)
            + frame.len() as u64 / road.bytes_per_ms;
        let arrives = way.last_ms.max(now_ms + travel);
        way.last_ms = arrives;
        if way.cut_ms.is_none_or(|cut| arrives < cut) {
            schedule.at(arrives, Event::Arrive { link, to, frame });
        }
    }

    /// The receiver took a frame of this length.
    pub fn taken(&mut self, link: LinkId, to: NodeId, bytes: usize) {
        if let Some(open) = self.links.get_mut(&link) {
            let way = &mut open.ways[usize::from(open.ends[0] == to)];
            way.under_way = way.under_way.saturating_sub(bytes);
        }
    }

    /// Breaks a link in the middle: each end notices in its own time, and until then still gets
    /// what was under way.
    pub fn cut(
        &mut self,
        link: LinkId,
        (now_ms, random): (u64, &mut Random),
        schedule: &mut Schedule,
    ) {
        let Some(open) = self.links.get_mut(&link) else {
            return;
        };
        for at in [0, 1] {
            let notices = now_ms + random.between(0, 1_500);
            open.ways[1 - at].cut_ms = Some(notices);
            schedule.at(
                notices,
                Event::Ended {
                    link,
                    at: open.ends[at],
                },
            );
        }
    }

    /// One end closed: the other notices when the bytes before have arrived, or never where they
    /// are held back. Returns when the two may dial again.
    pub fn close(
        &mut self,
        (link, at): (LinkId, NodeId),
        now_ms: u64,
        schedule: &mut Schedule,
    ) -> Option<u64> {
        let open = self.links.get_mut(&link)?;
        let other = open.ends[usize::from(open.ends[0] == at)];
        let since_ms = open.since_ms;
        let way = &open.ways[usize::from(open.ends[0] != at)];
        let road = self.roads.get_mut(&pair(at, other))?;
        if !self.blocked.contains(&(at, other)) {
            let arrives = way.last_ms.max(now_ms + road.delay_ms);
            schedule.at(arrives, Event::Ended { link, at: other });
        }
        if road.link != Some(link) {
            return None;
        }
        road.link = None;
        if now_ms.saturating_sub(since_ms) > 1_000 {
            road.backoff_ms = BACKOFF_MS.0;
        }
        Some(self.pause(at, other))
    }

    /// The pause before the next dial, ms; longer each time.
    pub fn pause(&mut self, a: NodeId, b: NodeId) -> u64 {
        let Some(road) = self.roads.get_mut(&pair(a, b)) else {
            return BACKOFF_MS.1;
        };
        let pause = road.backoff_ms;
        road.backoff_ms = (pause * 2).min(BACKOFF_MS.1);
        pause
    }

    /// Forgets a link that neither end has any more.
    pub fn forget(&mut self, link: LinkId) {
        if let Some(gone) = self.links.remove(&link)
            && let Some(road) = self.roads.get_mut(&pair(gone.ends[0], gone.ends[1]))
            && road.link == Some(link)
        {
            road.link = None;
        }
    }

    /// Holds back what goes from one node to another.
    pub fn block(&mut self, from: NodeId, to: NodeId) {
        self.blocked.insert((from, to));
    }

    /// Lets it through again, and with it what was held.
    pub fn unblock(
        &mut self,
        (from, to): (NodeId, NodeId),
        (now_ms, random): (u64, &mut Random),
        schedule: &mut Schedule,
    ) {
        if !self.blocked.remove(&(from, to)) {
            return;
        }
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for link in ids {
            let Some(open) = self.links.get_mut(&link) else {
                continue;
            };
            if pair(open.ends[0], open.ends[1]) != pair(from, to) {
                continue;
            }
            let way = &mut open.ways[usize::from(open.ends[0] != from)];
            let held = std::mem::take(&mut way.held);
            let bytes: usize = held.iter().map(Vec::len).sum();
            way.under_way = way.under_way.saturating_sub(bytes);
            for frame in held {
                self.send((link, from), frame, (now_ms, random), schedule);
            }
        }
    }

    /// Everything that is held back.
    #[must_use]
    pub fn blocks(&self) -> Vec<(NodeId, NodeId)> {
        self.blocked.iter().copied().collect()
    }

    /// Whether bytes are under way on any link.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.links
            .values()
            .any(|link| link.ways.iter().any(|way| !way.held.is_empty()))
    }
}
