//! Peers that break the protocol, forge, fall silent or are merely behind.

use super::super::message::{GroupState, Hello};
use super::super::{
    CloseReason, Input, Message, MessageError, PROTOCOL_VERSION, RefusedItem, Session, Wish,
};
use super::net::Net;
use super::{federation, net};
use crate::group::{GroupBody, GroupChain, Role};
use crate::id::{GroupId, Incarnation, NodeKey, Writer};
use crate::log::{Frontier, LogHead};
use crate::testing::{Agency, Pen, member, then};
use crate::wire::Signing;
use proptest::prelude::*;

fn frame(message: &Message) -> Vec<u8> {
    message.to_frame().unwrap()
}

fn hello() -> Hello {
    Hello {
        version: PROTOCOL_VERSION,
        own_height: 1,
        your_height: 2,
        groups: Vec::new(),
    }
}

fn state_of(group: GroupId) -> GroupState {
    GroupState {
        group,
        height: 0,
        agencies: Vec::new(),
        frontier: Frontier::default(),
        receipts: Vec::new(),
        heard: true,
        corrects: false,
        head: crate::id::StatementHash([0; 32]),
        proofs: Vec::new(),
    }
}

/// Node 0 with a live session to node 1, both in the group and with nothing under way.
fn settled(seed: u64) -> (Vec<Agency>, GroupChain, Net) {
    let (agencies, group) = federation(2);
    let mut net = net(&agencies, &group, 2, seed);
    net.connect(0, 1);
    net.settle();
    (agencies, group, net)
}

/// What node 0 closes with when node 1 sends these frames and nothing else.
fn closed_by(frames: &[Vec<u8>]) -> Option<CloseReason> {
    let (agencies, group) = federation(2);
    let mut net = net(&agencies, &group, 2, 1);
    let peer = net.nodes[1].replica.me();
    net.nodes[0]
        .sessions
        .insert(1, Session::new(peer.node, peer.agency, net.now_ms));
    net.input(0, 1, Input::Start);
    for frame in frames {
        net.input(0, 1, Input::Frame(frame.clone()));
    }
    net.closed.first().map(|(_, _, reason)| reason.clone())
}

#[test]
fn messages_out_of_order_close_the_session() {
    let hello = frame(&Message::Hello(hello()));
    let first = |message: &Message| closed_by(&[frame(message)]);
    let state = Message::GroupState(state_of(GroupId([1; 32])));
    assert_eq!(first(&state), Some(CloseReason::Order));
    assert_eq!(first(&Message::Ping), Some(CloseReason::Order));
    let receipts = Message::Receipts(Vec::new());
    assert_eq!(first(&receipts), Some(CloseReason::Order));
    assert_eq!(
        closed_by(&[hello.clone(), hello.clone()]),
        Some(CloseReason::Order)
    );
    assert_eq!(closed_by(&[hello, frame(&Message::Ping)]), None);
}

#[test]
fn another_version_is_named_when_the_session_closes() {
    let other = Hello {
        version: PROTOCOL_VERSION + 1,
        ..hello()
    };
    let reason = closed_by(&[frame(&Message::Hello(other))]);
    assert_eq!(reason, Some(CloseReason::Version(PROTOCOL_VERSION + 1)));
}

/// Case 34.
#[test]
fn what_is_no_message_closes_the_session() {
    let because = |bytes: &[u8]| match closed_by(&[bytes.to_vec()]) {
        Some(CloseReason::Message(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(because(&[]), MessageError::Empty);
    assert_eq!(because(&[99]), MessageError::Type(99));
    assert!(matches!(because(&[6, 0]), MessageError::Wire(_)));
    assert!(matches!(because(&[0, 0x84]), MessageError::Wire(_)));
    let long = vec![0; crate::limits::FRAME_BYTES + 1];
    assert!(matches!(because(&long), MessageError::Wire(_)));
    let groups = vec![
        super::super::message::GroupDigest {
            group: GroupId([1; 32]),
            digest: crate::id::Digest::EMPTY,
        };
        crate::limits::GROUPS + 1
    ];
    let many = Message::Hello(Hello { groups, ..hello() });
    assert_eq!(because(&frame(&many)), MessageError::TooMany("groups"));
}

/// Entries of node 1 as it would send them, damaged by `damage`.
fn closed_by_range(damage: impl Fn(&mut crate::log::Range)) -> (Option<CloseReason>, u64) {
    let (agencies, group, mut net) = settled(2);
    let mut pen = Pen::new(agencies[1].node(0), group.id());
    let mut range = pen.range(5);
    damage(&mut range);
    net.input(0, 1, Input::Frame(frame(&Message::Entries(vec![range]))));
    let reason = net.closed.first().map(|(_, _, reason)| reason.clone());
    (reason, net.frontier(0, &group.id()).entries())
}

/// Case 15.
#[test]
fn a_forged_range_is_refused_and_closes_the_session() {
    assert_eq!(closed_by_range(|_| {}), (None, 5));
    let forged = (Some(CloseReason::Refused("bad-signature")), 0);
    assert_eq!(closed_by_range(|range| range.signature[3] ^= 1), forged);
    assert_eq!(
        closed_by_range(|range| range.entries[2].payload[0] ^= 1),
        forged
    );
    assert_eq!(
        closed_by_range(|range| range.writer.incarnation = Incarnation(2)),
        forged
    );
    let shape = (Some(CloseReason::Refused("bad-range")), 0);
    assert_eq!(closed_by_range(|range| range.entries[0].kind = 77), shape);
    assert_eq!(closed_by_range(|range| range.entries.clear()), shape);
}

#[test]
fn a_forged_receipt_closes_the_session() {
    let (agencies, group, mut net) = settled(3);
    let receipt = crate::verify::Receipt {
        group: group.id(),
        node: agencies[0].node(0).public(),
        wall_ms: 1,
        frontier: Frontier::default(),
    };
    let bytes = receipt.sign(&agencies[1].node(0));
    let message = Message::Receipts(vec![bytes.into()]);
    net.input(0, 1, Input::Frame(frame(&message)));
    assert_eq!(net.closed[0].2, CloseReason::Refused("bad-receipt"));
}

#[test]
fn entries_of_a_group_that_is_not_shared_are_not_even_verified() {
    let (agencies, _, mut net) = settled(4);
    let foreign = crate::testing::group_of(&agencies[0], &[]);
    net.govern(0, &foreign);
    let mut pen = Pen::new(agencies[1].node(0), foreign.id());
    let message = Message::Entries(vec![pen.range(1)]);
    net.input(0, 1, Input::Frame(frame(&message)));
    assert_eq!(net.closed, []);
    assert_eq!(net.session(0, 1).stats().refused["not-a-member"], 1);
    assert_eq!(net.frontier(0, &foreign.id()).entries(), 0);
}

#[test]
fn a_peer_that_falls_silent_is_asked_and_then_closed() {
    let (_, _, mut net) = settled(5);
    let since = net.frames.len();
    net.tick(15_000);
    assert_eq!(net.frames.len(), since);
    net.tick(10_000);
    net.tick(10_000);
    assert_eq!(net.messages(since, 0, 1), [Message::Ping]);
    net.settle();
    assert_eq!(net.messages(since, 0, 1), [Message::Ping, Message::Pong]);
    // Answered: the silence is counted from here.
    net.tick(70_000);
    assert_eq!(net.closed, []);
    net.tick(10_000);
    assert_eq!(net.closed[0], (0, 1, CloseReason::Silent));
}

#[test]
fn a_peer_whose_frames_are_held_is_there_and_hears_that_this_side_is() {
    let (_, _, net) = settled(6);
    let replica = &net.nodes[0].replica;
    let peer = net.nodes[1].replica.me();
    let mut session = Session::new(peer.node, peer.agency, 0);
    session.handle(Input::Start, replica, 0);
    let mut pings = 0;
    for now_ms in (0..300_000).step_by(250) {
        for wish in session.handle(Input::Held, replica, now_ms) {
            assert_eq!(wish, Wish::Send(Message::Ping.to_frame().unwrap()));
            pings += 1;
        }
    }
    assert!((10..=15).contains(&pings), "{pings}");
    let silent = session.handle(Input::Tick, replica, 376_000);
    assert_eq!(silent, [Wish::Close(CloseReason::Silent)]);
}

#[test]
fn a_peer_that_never_says_hello_is_closed() {
    let (_, _, net) = settled(6);
    let replica = &net.nodes[0].replica;
    let peer = net.nodes[1].replica.me();
    let mut session = Session::new(peer.node, peer.agency, 0);
    session.handle(Input::Start, replica, 0);
    assert_eq!(
        session.handle(Input::Tick, replica, 76_000),
        [Wish::Close(CloseReason::Silent)]
    );
}

#[test]
fn after_a_gap_the_state_is_told_again_and_all_arrives() {
    for seed in 0..20 {
        let (agencies, group, mut net) = settled(seed);
        net.write_unannounced(0, group.id(), 10);
        // The second node is told of entries 6 to 10 only; the first believes that all arrived.
        let pen = crate::testing::writer(&agencies[0], 0);
        let late = net.nodes[0].store[&(group.id(), pen)][5..].to_vec();
        let late = crate::log::Range::of(&late, None).unwrap();
        let read = Input::Read {
            group: group.id(),
            writer: pen,
            range: Some(late),
        };
        let replica = net.nodes[0].replica.clone();
        let session = net.nodes[0].sessions.get_mut(&1).unwrap();
        let wishes = session.handle(read, &replica, 1_000);
        for wish in wishes {
            if let Wish::Send(frame) = wish {
                net.send(0, 1, frame);
            }
        }
        net.changed(0);
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.session(1, 0).stats().refused["gap"], 1);
        assert_eq!(net.frontier(1, &group.id()).entries(), 10);
    }
}

#[test]
fn telling_again_has_an_end_until_there_is_progress() {
    let (_, group, net) = settled(7);
    let peer = net.nodes[1].replica.me();
    let replica = &net.nodes[0].replica;
    let mut session = Session::new(peer.node, peer.agency, 0);
    session.handle(Input::Start, replica, 0);
    session.handle(Input::Frame(frame(&Message::Hello(hello()))), replica, 0);
    let gap = || RefusedItem {
        code: "gap",
        innocent: true,
        group: Some(group.id()),
        forks: None,
    };
    let mut told = |stored| {
        let refused = if stored == 0 { vec![gap()] } else { vec![] };
        let submitted = Input::Submitted { stored, refused };
        session.handle(submitted, replica, 0).len()
    };
    let first: usize = (0..1_000).map(|_| told(0)).sum();
    assert_eq!(first, 16);
    assert_eq!(told(1), 0);
    assert_eq!(told(0), 1);
}

#[test]
fn a_log_that_the_store_could_not_serve_is_tried_again_when_it_grows() {
    let (_, group, mut net) = settled(8);
    net.write_unannounced(0, group.id(), 1);
    let peer = net.nodes[1].replica.me();
    let mut session = Session::new(peer.node, peer.agency, 0);
    let replica = net.nodes[0].replica.clone();
    session.handle(Input::Start, &replica, 0);
    session.handle(Input::Frame(frame(&Message::Hello(hello()))), &replica, 0);
    let state = frame(&Message::GroupState(state_of(group.id())));
    let wishes = session.handle(Input::Frame(state), &replica, 0);
    let Some(Wish::Read { writer, .. }) = wishes.into_iter().last() else {
        panic!("a read was due");
    };
    let nothing = Input::Read {
        group: group.id(),
        writer,
        range: None,
    };
    let reads = |wishes: Vec<Wish>| {
        let read = |wish: &&Wish| matches!(wish, Wish::Read { .. });
        wishes.iter().filter(read).count()
    };
    assert_eq!(reads(session.handle(nothing, &replica, 0)), 0);
    assert_eq!(reads(session.handle(Input::Changed, &replica, 0)), 0);
    net.write_unannounced(0, group.id(), 1);
    let replica = &net.nodes[0].replica;
    assert_eq!(reads(session.handle(Input::Changed, replica, 0)), 1);
}

#[test]
fn ranges_of_invented_writers_do_not_fill_memory() {
    let (agencies, group, mut net) = settled(9);
    let mut pen = Pen::new(agencies[1].node(0), group.id());
    let real = pen.range(1);
    for batch in 0..20u64 {
        let invented = |i: u64| {
            let mut range = real.clone();
            range.writer = Writer {
                node: NodeKey([0xee; 32]),
                incarnation: Incarnation(batch * 1_000 + i),
            };
            range
        };
        let ranges = (0..1_000).map(invented).collect();
        net.input(0, 1, Input::Frame(frame(&Message::Entries(ranges))));
    }
    let remembered = format!("{:?}", net.session(0, 1));
    let writers = remembered.matches("Writer {").count();
    assert!(writers <= crate::limits::LOGS_PER_GROUP + 10, "{writers}");
}

#[test]
fn a_receipt_signed_twice_for_one_height_does_not_keep_honest_nodes_busy() {
    let (agencies, group, mut net) = {
        let (agencies, group) = federation(3);
        let mut net = net(&agencies, &group, 3, 10);
        net.connect(0, 1);
        net.settle();
        (agencies, group, net)
    };
    let liar: Signing = agencies[2].node(0);
    for (at, hash) in [(0, 1), (1, 2)] {
        let mut frontier = Frontier::default();
        let head = LogHead {
            seq: 3,
            hash: crate::id::EntryHash([hash; 32]),
        };
        frontier.advance_log(crate::testing::writer(&agencies[2], 0), head);
        let receipt = crate::verify::Receipt {
            group: group.id(),
            node: liar.public(),
            wall_ms: 1,
            frontier,
        };
        let receipt = crate::verify::receipt(&receipt.sign(&liar)).unwrap();
        assert!(net.nodes[at].replica.take_receipt(&receipt));
        net.changed(at);
    }
    net.settle();
    net.assert_equal(&group.id());
}

#[test]
fn a_later_statement_of_the_group_does_not_disturb_a_session() {
    let (agencies, group, mut net) = settled(11);
    let third = Agency::new(3);
    let wider = GroupBody::Add(member(&third, Role::Reader));
    net.pin(0, &third);
    net.govern(0, &then(&group, &agencies[0], wider));
    net.settle();
    net.assert_equal(&group.id());
    let there = net.nodes[1].replica.group(&group.id()).unwrap();
    assert_eq!(there.chain.height(), 1);
    assert!(net.nodes[1].replica.agency(&third.id()).is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_frame_is_judged_without_panic(
        kind in 0..9u8,
        body in prop::collection::vec(any::<u8>(), 0..200),
        after_hello: bool,
    ) {
        let mut bytes = vec![kind];
        bytes.extend(&body);
        let mut frames = vec![bytes];
        if after_hello {
            frames.insert(0, frame(&Message::Hello(hello())));
        }
        closed_by(&frames);
    }

    #[test]
    fn honest_frames_with_a_changed_byte_never_panic_and_never_store_what_was_not_written(
        seed in 0..50u64, which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(), by in 1..=255u8,
    ) {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 2, seed);
        net.write(1, group.id(), 12);
        net.connect(0, 1);
        net.settle();
        let sent: Vec<_> = net.frames.iter().filter(|f| f.0 == 1).map(|f| f.2.clone()).collect();
        let truth = net.nodes[1].store.clone();
        let (agencies, group) = federation(2);
        let mut fresh = super::net(&agencies, &group, 2, seed);
        let peer = fresh.nodes[1].replica.me();
        fresh.nodes[0].sessions.insert(1, Session::new(peer.node, peer.agency, fresh.now_ms));
        fresh.input(0, 1, Input::Start);
        let which = which.index(sent.len());
        for (i, mut frame) in sent.into_iter().enumerate() {
            if i == which {
                let at = at.index(frame.len());
                frame[at] ^= by;
            }
            fresh.input(0, 1, Input::Frame(frame));
        }
        for (log, entries) in &fresh.nodes[0].store {
            let whole = truth.get(log).map_or(&[][..], |log| log);
            prop_assert!(whole.starts_with(entries) || entries.iter().zip(whole).all(|(a, b)| a.header == b.header));
        }
    }
}
