//! The rules for one peer: single steps, and the law that two nodes always end with one link.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn peering(decides: bool, now: Instant) -> Peering {
    let backoff = Backoff::new(SECOND, 60 * SECOND, u64::from(decides));
    let mut peering = Peering::new(decides, backoff);
    peering.addresses_changed(true, now);
    peering
}

fn id(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

fn wishes(peering: &mut Peering) -> Vec<Wish> {
    std::iter::from_fn(|| peering.next_wish()).collect()
}

/// A peering whose link stands on connection 1, dialled by the peer.
fn linked(decides: bool, now: Instant) -> Peering {
    let mut peering = peering(decides, now);
    peering.connection_established(id(1), false, now);
    if decides {
        peering.stream_opened(id(1), now);
    } else {
        peering.stream_accepted(id(1), now);
    }
    assert!(wishes(&mut peering).contains(&Wish::StartLink {
        connection: id(1),
        dialer: false
    }));
    peering
}

#[test]
fn a_new_peer_with_addresses_is_dialled_at_once() {
    let now = Instant::now();
    let mut peering = peering(true, now);
    peering.tick(now);
    assert_eq!(wishes(&mut peering), [Wish::Dial]);
    peering.tick(now + 100 * SECOND);
    assert_eq!(wishes(&mut peering), []);
}

#[test]
fn a_failed_dial_is_reported_and_repeated_after_the_backoff() {
    let now = Instant::now();
    let mut peering = peering(true, now);
    peering.tick(now);
    peering.dial_started(id(1));
    peering.dial_failed(id(1), "refused".to_owned(), now);
    assert_eq!(
        wishes(&mut peering),
        [Wish::Dial, Wish::ReportOffline("refused".to_owned())]
    );
    let at = peering.dial_at().unwrap();
    assert!(at >= now + SECOND && at <= now + 2 * SECOND);
    peering.tick(at - Duration::from_millis(1));
    assert_eq!(wishes(&mut peering), []);
    peering.tick(at);
    assert_eq!(wishes(&mut peering), [Wish::Dial]);
}

#[test]
fn a_peer_without_addresses_is_never_dialled() {
    let now = Instant::now();
    let mut peering = linked(true, now);
    peering.addresses_changed(false, now);
    peering.connection_closed(id(1), "gone".to_owned(), now);
    peering.dial_now(now);
    assert_eq!(peering.dial_at(), None);
}

#[test]
fn a_short_link_does_not_reset_the_backoff_and_a_long_one_does() {
    for (lasted, longest) in [(SECOND, 16 * SECOND), (11 * SECOND, 2 * SECOND)] {
        let now = Instant::now();
        let mut peering = peering(false, now);
        for number in 1..=3 {
            peering.dial_started(id(number));
            peering.dial_failed(id(number), "refused".to_owned(), now);
        }
        peering.connection_established(id(9), false, now);
        peering.stream_accepted(id(9), now);
        let end = now + lasted;
        peering.connection_closed(id(9), "gone".to_owned(), end);
        let wait = peering.dial_at().unwrap() - end;
        assert!(wait > longest / 2 - SECOND && wait <= longest, "{wait:?}");
    }
}

#[test]
fn the_deciding_side_closes_what_it_does_not_need() {
    let now = Instant::now();
    let mut peering = peering(true, now);
    peering.connection_established(id(1), true, now);
    peering.connection_established(id(2), false, now);
    assert_eq!(wishes(&mut peering), [Wish::OpenStream(id(1))]);
    peering.stream_opened(id(1), now);
    assert_eq!(
        wishes(&mut peering),
        [
            Wish::StartLink {
                connection: id(1),
                dialer: true
            },
            Wish::CloseConnection(id(2))
        ]
    );
    peering.connection_established(id(3), false, now);
    assert_eq!(wishes(&mut peering), [Wish::CloseConnection(id(3))]);
}

#[test]
fn a_refused_stream_is_tried_on_the_next_connection() {
    let now = Instant::now();
    let mut peering = peering(true, now);
    peering.connection_established(id(1), true, now);
    peering.connection_established(id(2), false, now);
    wishes(&mut peering);
    peering.stream_refused(id(1), "late".to_owned(), now);
    assert_eq!(
        wishes(&mut peering),
        [Wish::CloseConnection(id(1)), Wish::OpenStream(id(2))]
    );
    peering.connection_closed(id(2), "reset".to_owned(), now);
    assert_eq!(
        wishes(&mut peering),
        [Wish::ReportOffline("reset".to_owned())]
    );
}

#[test]
fn a_peer_that_comes_back_replaces_a_link_that_seems_alive() {
    let now = Instant::now();
    let mut peering = linked(true, now);
    peering.connection_established(id(2), false, now + CROSSING_DIALS);
    let seen = wishes(&mut peering);
    assert!(matches!(
        seen.as_slice(),
        [
            Wish::CloseConnection(_),
            Wish::EndLink,
            Wish::ReportOffline(_),
            Wish::OpenStream(_)
        ]
    ));
    assert!(seen.contains(&Wish::OpenStream(id(2))));
    assert!(seen.contains(&Wish::CloseConnection(id(1))));
}

#[test]
fn a_new_stream_replaces_a_link_that_seems_alive() {
    let now = Instant::now();
    let mut peering = linked(false, now);
    peering.connection_established(id(2), false, now);
    assert_eq!(wishes(&mut peering), []);
    peering.stream_accepted(id(2), now);
    let seen = wishes(&mut peering);
    assert!(seen.contains(&Wish::EndLink));
    assert!(seen.contains(&Wish::CloseConnection(id(1))));
    assert_eq!(
        seen.last(),
        Some(&Wish::StartLink {
            connection: id(2),
            dialer: false
        })
    );
}

#[test]
fn a_stream_from_the_side_that_must_not_open_ends_its_connection() {
    let now = Instant::now();
    let mut peering = linked(true, now);
    peering.stream_accepted(id(1), now);
    let seen = wishes(&mut peering);
    assert!(seen.contains(&Wish::EndLink));
    assert!(seen.contains(&Wish::CloseConnection(id(1))));
}

#[test]
fn a_forgotten_peer_loses_everything_and_is_not_dialled() {
    let now = Instant::now();
    let mut peering = linked(false, now);
    peering.connection_established(id(2), true, now);
    peering.forget(now);
    let seen = wishes(&mut peering);
    for wanted in [
        Wish::EndLink,
        Wish::CloseConnection(id(1)),
        Wish::CloseConnection(id(2)),
    ] {
        assert!(seen.contains(&wanted), "{wanted:?}");
    }
    assert!(matches!(seen.last(), Some(Wish::ReportOffline(_))));
    peering.tick(now + 1000 * SECOND);
    assert_eq!(wishes(&mut peering), []);
}

/// What travels to one side about one connection, in order.
#[derive(Debug, Clone, Copy)]
enum News {
    Established { dialer: bool },
    Accepted,
    Opened,
    Closed,
}

/// Two nodes and the connections between them. Side 0 decides.
struct World {
    now: Instant,
    sides: [Peering; 2],
    /// Per side the connection that its link is on, as its wishes tell.
    links: [Option<ConnectionId>; 2],
    dials: Vec<(usize, ConnectionId)>,
    /// Connections that stand, and per side what it has not heard of them yet.
    standing: Vec<ConnectionId>,
    news: BTreeMap<(usize, usize), VecDeque<News>>,
    made: usize,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            sides: [peering(true, now), peering(false, now)],
            links: [None, None],
            dials: Vec::new(),
            standing: Vec::new(),
            news: BTreeMap::new(),
            made: 0,
        }
    }

    fn tell(&mut self, side: usize, connection: ConnectionId, news: News) {
        let number = connection.to_string().parse().unwrap();
        self.news.entry((number, side)).or_default().push_back(news);
    }

    /// Carries out what a side wishes, and checks that links begin and end in turn.
    fn carry_out(&mut self, side: usize) {
        while let Some(wish) = self.sides[side].next_wish() {
            match wish {
                Wish::Dial => {
                    self.made += 1;
                    self.dials.push((side, id(self.made)));
                    self.sides[side].dial_started(id(self.made));
                }
                Wish::OpenStream(connection) => {
                    assert_eq!(side, 0, "only one side opens");
                    if self.standing.contains(&connection) {
                        self.tell(1, connection, News::Accepted);
                    }
                }
                Wish::CloseConnection(connection) => self.cut(connection),
                Wish::StartLink { connection, .. } => {
                    assert_eq!(self.links[side], None, "two links at once");
                    self.links[side] = Some(connection);
                }
                Wish::EndLink => {
                    assert!(self.links[side].take().is_some(), "no link to end");
                }
                Wish::ReportOffline(_) => assert_eq!(self.links[side], None),
            }
        }
    }

    fn cut(&mut self, connection: ConnectionId) {
        if self.standing.contains(&connection) {
            self.standing.retain(|standing| *standing != connection);
            self.tell(0, connection, News::Closed);
            self.tell(1, connection, News::Closed);
        }
    }

    fn finish_dial(&mut self, choice: usize, succeeds: bool) {
        if self.dials.is_empty() {
            return;
        }
        let (side, connection) = self.dials.remove(choice % self.dials.len());
        if succeeds {
            self.standing.push(connection);
            self.tell(side, connection, News::Established { dialer: true });
            self.tell(1 - side, connection, News::Established { dialer: false });
        } else {
            self.sides[side].dial_failed(connection, "refused".to_owned(), self.now);
            self.carry_out(side);
        }
    }

    /// Delivers the next news of some connection to one side; `false` if there are none.
    fn deliver(&mut self, choice: usize) -> bool {
        self.news.retain(|_, queue| !queue.is_empty());
        let Some((number, side)) = self
            .news
            .keys()
            .nth(choice % self.news.len().max(1))
            .copied()
        else {
            return false;
        };
        let queue = self.news.get_mut(&(number, side)).unwrap();
        let news = queue.pop_front().unwrap();
        let (connection, now) = (id(number), self.now);
        let peering = &mut self.sides[side];
        match news {
            News::Established { dialer } => peering.connection_established(connection, dialer, now),
            News::Opened => peering.stream_opened(connection, now),
            News::Closed => peering.connection_closed(connection, "gone".to_owned(), now),
            News::Accepted => {
                peering.stream_accepted(connection, now);
                if self.standing.contains(&connection) {
                    self.tell(0, connection, News::Opened);
                }
            }
        }
        self.carry_out(side);
        true
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for side in 0..2 {
            self.sides[side].tick(self.now);
            self.carry_out(side);
        }
    }

    /// Loses one side's memory, as a power cut does: the other side hears nothing of it.
    fn restart(&mut self, side: usize) {
        self.sides[side] = peering(side == 0, self.now);
        self.links[side] = None;
        self.dials.retain(|(dialer, _)| *dialer != side);
        self.news.retain(|(_, to), _| *to != side);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    FinishDial(usize, bool),
    Deliver(usize),
    Cut(usize),
    Restart(usize),
    LinkDone(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u64..20_000).prop_map(Step::Pass),
        4 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(n, ok)| Step::FinishDial(n, ok)),
        10 => any::<usize>().prop_map(Step::Deliver),
        1 => any::<usize>().prop_map(Step::Cut),
        1 => (0_usize..2).prop_map(Step::Restart),
        1 => (0_usize..2).prop_map(Step::LinkDone),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever happened, once the path is good both sides have one link, on the same connection.
    #[test]
    fn two_nodes_end_with_one_link(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Pass(ms) => world.pass(Duration::from_millis(ms)),
                Step::FinishDial(choice, succeeds) => world.finish_dial(choice, succeeds),
                Step::Deliver(choice) => { world.deliver(choice); }
                Step::Cut(choice) => {
                    if let Some(connection) =
                        world.standing.get(choice % world.standing.len().max(1)).copied()
                    {
                        world.cut(connection);
                    }
                }
                Step::Restart(side) => world.restart(side),
                Step::LinkDone(side) => if let Some(connection) = world.links[side] {
                    let now = world.now;
                    world.sides[side].link_done(connection, now);
                    world.carry_out(side);
                },
            }
        }
        // What nobody remembers falls to the connection's own idle limit.
        let forgotten: Vec<_> = world.standing.iter().copied()
            .filter(|connection| world.links != [Some(*connection); 2])
            .collect();
        for connection in forgotten {
            if world.links.iter().all(|link| *link != Some(connection)) {
                world.cut(connection);
            }
        }
        for _ in 0..200 {
            while !world.dials.is_empty() || world.deliver(0) {
                world.finish_dial(0, true);
            }
            world.pass(SECOND);
        }
        prop_assert!(world.links[0].is_some(), "no link: {:?}", world.sides);
        prop_assert_eq!(world.links[0], world.links[1]);
        prop_assert_eq!(world.standing.len(), 1);
    }
}
