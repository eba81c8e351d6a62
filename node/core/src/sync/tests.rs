//! Whole sessions between nodes in memory: what travels, to whom, how often, and that it ends equal.

mod forks;
mod hostile;
mod membership;
mod net;
mod vectors;

use super::{Input, Message, Wish};
use crate::group::{GroupBody, GroupChain, Role};
use crate::id::GroupId;
use crate::identity::{AgencyBody, Capabilities};
use crate::testing::{Agency, Dice, group_of, member, then, writer};
use net::Net;
use proptest::prelude::*;

/// Agencies 1 to `count`, and a group that the first one owns and the others contribute to.
fn federation(count: u16) -> (Vec<Agency>, GroupChain) {
    let agencies: Vec<Agency> = (1..=count).map(Agency::new).collect();
    let others: Vec<_> = agencies[1..]
        .iter()
        .map(|agency| (agency, Role::Contributor))
        .collect();
    let group = group_of(&agencies[0], &others);
    (agencies, group)
}

/// Their nodes, of which the first ones know the group already.
fn net(agencies: &[Agency], group: &GroupChain, knowing: usize, seed: u64) -> Net {
    let mut net = Net::new(&agencies.iter().collect::<Vec<_>>(), seed);
    for at in 0..knowing {
        net.govern(at, group);
    }
    net
}

/// A group's name and id as bytes, and whether a frame has one of them, compressed or not.
fn betrays(frame: &[u8], group: &GroupChain) -> bool {
    let mut plain = frame.to_vec();
    if let Ok(Message::Entries(ranges)) = Message::from_frame(frame) {
        plain.extend(crate::wire::encode(&ranges));
    }
    let has = |needle: &[u8]| plain.windows(needle.len()).any(|w| w == needle);
    has(group.id().as_bytes()) || has(group.name().as_bytes())
}

#[test]
fn two_equal_nodes_exchange_one_hello_each_whatever_they_hold() {
    let sizes = [10, 1_000].map(|entries| {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 2, 1);
        net.write(0, group.id(), entries);
        net.connect(0, 1);
        net.settle();
        net.assert_equal(&group.id());
        net.disconnect(0, 1);
        let since = net.frames.len();
        net.connect(0, 1);
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.frames[since..].len(), 2);
        for (from, to) in [(0, 1), (1, 0)] {
            assert!(matches!(
                net.messages(since, from, to)[..],
                [Message::Hello(_)]
            ));
        }
        assert_eq!(net.session(0, 1).stats().round_trips, 1);
        net.frames[since..]
            .iter()
            .map(|(_, _, frame)| frame.len())
            .collect::<Vec<_>>()
    });
    assert_eq!(sizes[0], sizes[1]);
    assert!(sizes[0].iter().all(|bytes| *bytes < 300), "{sizes:?}");
}

/// Forty nodes, each linked with each. A write goes from its author to everybody; who has it from there
/// is not sent it by the others.
#[test]
fn in_a_full_mesh_a_write_arrives_about_once() {
    let (agencies, group) = federation(40);
    let mut net = net(&agencies, &group, 40, 1).with_slow_ingest();
    for a in 0..40 {
        (0..a).for_each(|b| net.connect(a, b));
    }
    net.settle();
    let since = net.frames.len();
    net.write(7, group.id(), 1);
    net.settle();
    net.assert_equal(&group.id());
    let times = net.entries_sent(since) as f64 / 39.0;
    assert!(times <= 1.2, "received {times} times on average");
}

/// Along a chain of nodes nobody but the neighbour has it: there it is sent on after a moment.
#[test]
fn a_write_reaches_who_is_not_linked_with_its_author() {
    let (agencies, group) = federation(5);
    let mut net = net(&agencies, &group, 5, 1);
    (1..5).for_each(|at| net.connect(at - 1, at));
    net.settle();
    let since = net.frames.len();
    net.write(0, group.id(), 1);
    net.settle();
    net.assert_equal(&group.id());
    assert_eq!(net.entries_sent(since), 4);
}

#[test]
fn a_new_member_learns_of_its_group_and_gets_everything() {
    for slow in [false, true] {
        for seed in 0..20 {
            let (agencies, group) = federation(3);
            let mut net = net(&agencies, &group, 1, seed);
            if slow {
                net = net.with_slow_ingest();
            }
            net.write(0, group.id(), 30);
            net.connect(0, 1);
            net.settle();
            net.assert_equal(&group.id());
            assert_eq!(net.frontier(1, &group.id()).entries(), 30);
            // And it can answer at once.
            net.write(1, group.id(), 3);
            net.settle();
            net.assert_equal(&group.id());
        }
    }
}

#[test]
fn a_new_member_is_not_equal_before_it_has_what_the_hello_promised() {
    for seed in 0..20 {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 1, seed);
        net.write(0, group.id(), 30);
        net.connect(0, 1);
        loop {
            let equal = net.session(1, 0).is_equal(&net.nodes[1].replica);
            let entries = net.nodes[1]
                .replica
                .group(&group.id())
                .map(|g| g.frontier().entries());
            assert!(
                !equal || entries == Some(30),
                "equal with {entries:?} of 30 entries"
            );
            if !net.step() {
                break;
            }
        }
        assert!(net.session(1, 0).is_equal(&net.nodes[1].replica));
    }
}

/// An owner that this node has not pinned names it a member: that is no reason to wait for ever.
#[test]
fn a_group_that_is_not_followed_does_not_hold_up_equality() {
    let (agencies, group) = federation(3);
    let mut net = Net::new(&[&agencies[0]], 1);
    let (one, two) = (net.add(&agencies[1], 0), net.add(&agencies[2], 0));
    net.pin(one, &agencies[0]);
    net.pin(one, &agencies[2]);
    net.pin(two, &agencies[1]);
    net.govern(one, &group);
    net.write(one, group.id(), 3);
    net.connect(one, two);
    net.settle();
    assert!(net.nodes[two].replica.group(&group.id()).is_none());
    assert!(net.session(two, one).is_equal(&net.nodes[two].replica));
}

#[test]
fn a_group_founded_during_a_session_reaches_the_other_member() {
    for (seed, slow) in (0..20).flat_map(|seed| [(seed, false), (seed, true)]) {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 0, seed);
        if slow {
            net = net.with_slow_ingest();
        }
        net.connect(0, 1);
        net.settle();
        net.govern(0, &group);
        net.write(0, group.id(), 50);
        while net.nodes[1].replica.group(&group.id()).is_none() {
            assert!(net.step());
        }
        for _ in 0..10 {
            net.write(1, group.id(), 5);
            net.step();
        }
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.frontier(0, &group.id()).entries(), 100);
        // Both tell their state again, while entries are under way; these are not sent again.
        assert_eq!(net.entries_sent(0), 100);
    }
}

#[test]
fn a_node_learns_of_its_own_agencys_governing_node_before_the_group_that_this_one_founded() {
    let (mut agencies, _) = federation(2);
    agencies[1] = Agency::bare(2);
    agencies[1].certify(0, Capabilities(3));
    let mut net = Net::new(&[&agencies[0], &agencies[1]], 16);
    agencies[1].certify(1, Capabilities::ALL);
    let members = [
        member(&agencies[1], Role::Owner),
        member(&agencies[0], Role::Contributor),
    ];
    let genesis = crate::testing::group_genesis("n", 1, &members).sign(&agencies[1].node(1));
    let chains = crate::testing::chains(&[&agencies[1]]);
    let step = crate::verify::group_genesis(&chains, &genesis).unwrap();
    net.learn(0, &agencies[1]);
    net.govern(0, &step.chain);
    net.connect(0, 1);
    net.settle();
    net.write(0, step.chain.id(), 3);
    net.settle();
    net.assert_equal(&step.chain.id());
}

#[test]
fn a_relay_passes_on_entries_whose_origin_it_cannot_forge() {
    let (agencies, group) = federation(3);
    let mut net = net(&agencies, &group, 1, 4);
    net.connect(0, 1);
    net.write(0, group.id(), 20);
    net.settle();
    net.disconnect(0, 1);
    net.connect(1, 2);
    net.settle();
    net.assert_equal(&group.id());
    let log = &net.nodes[2].store[&(group.id(), writer(&agencies[0], 0))];
    assert_eq!(log.len(), 20);
    assert_eq!(
        *log,
        net.nodes[0].store[&(group.id(), writer(&agencies[0], 0))]
    );
    // The way back: the third's entries and its receipt reach the first one through the relay.
    net.write(2, group.id(), 4);
    net.settle();
    net.connect(0, 1);
    net.settle();
    net.assert_equal(&group.id());
    let receipts = &net.nodes[0].replica.group(&group.id()).unwrap().receipts;
    let third = &receipts[&agencies[2].node(0).public()].receipt.frontier;
    assert_eq!(third.entries(), 24);
}

#[test]
fn new_entries_are_pushed_as_they_are_committed() {
    let (agencies, group) = federation(2);
    let mut net = net(&agencies, &group, 2, 5);
    net.connect(0, 1);
    net.settle();
    for round in 1..=5 {
        let since = net.frames.len();
        net.write(0, group.id(), 1);
        while net.step() {}
        assert_eq!(net.frontier(1, &group.id()).entries(), round);
        assert_eq!(net.entries_sent(since), 1);
        let told = |messages: Vec<Message>| {
            let state = |m: &Message| matches!(m, Message::GroupState(_));
            messages.iter().any(state)
        };
        assert!(!told(net.messages(since, 0, 1)) && !told(net.messages(since, 1, 0)));
        net.assert_equal(&group.id());
    }
}

#[test]
fn nothing_is_sent_twice_between_two_nodes() {
    for seed in 0..20 {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 2, seed);
        net.write(0, group.id(), 37);
        net.write(1, group.id(), 21);
        net.connect(0, 1);
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.entries_sent(0), 37 + 21);
        let stats = [(0, 1), (1, 0)].map(|(at, peer)| net.session(at, peer).stats().clone());
        assert_eq!([stats[0].sent, stats[0].received], [37, 21]);
        assert_eq!([stats[1].sent, stats[1].received], [21, 37]);
        assert!(stats.iter().all(|s| s.refused.is_empty()));
        // One write more costs one entry more.
        net.write(1, group.id(), 1);
        net.settle();
        assert_eq!(net.entries_sent(0), 37 + 21 + 1);
    }
}

#[test]
fn a_session_after_a_cut_sends_only_what_was_not_stored() {
    for seed in 0..20 {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 2, seed);
        net.write(0, group.id(), 3);
        for _ in 0..20 {
            net.write(0, group.id(), 10);
        }
        net.connect(0, 1);
        while net.frontier(1, &group.id()).entries() < 60 {
            assert!(net.step());
        }
        net.disconnect(0, 1);
        let missing = 203 - net.frontier(1, &group.id()).entries();
        assert!(missing > 0);
        let since = net.frames.len();
        net.connect(0, 1);
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.entries_sent(since) as u64, missing);
    }
}

#[test]
fn an_entry_committed_between_the_two_hellos_still_arrives() {
    for late in [0, 1] {
        let (agencies, group) = federation(2);
        let mut net = net(&agencies, &group, 2, 6);
        net.write(0, group.id(), 2);
        net.connect(0, 1);
        net.settle();
        net.disconnect(0, 1);
        net.connect(0, 1);
        net.write(late, group.id(), 1);
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.frontier(1 - late, &group.id()).entries(), 3);
    }
}

#[test]
fn nobody_outside_a_group_gets_a_byte_of_it() {
    let agencies: Vec<Agency> = (1..=3).map(Agency::new).collect();
    let all = group_of(
        &agencies[0],
        &[
            (&agencies[1], Role::Reader),
            (&agencies[2], Role::Contributor),
        ],
    );
    let members = [
        member(&agencies[0], Role::Owner),
        member(&agencies[1], Role::Contributor),
    ];
    let secret = crate::testing::group_genesis("Opération Tramontane", 1, &members);
    let bytes = secret.sign(&agencies[0].node(0));
    let chains = crate::testing::chains(&[&agencies[0]]);
    let secret = crate::verify::group_genesis(&chains, &bytes).unwrap();
    let secret = secret.into_inner().chain;
    let mut net = net(&agencies, &all, 1, 7);
    net.govern(0, &secret);
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        net.connect(a, b);
    }
    for _ in 0..5 {
        net.write(0, secret.id(), 3);
        net.write(0, all.id(), 1);
        net.settle();
    }
    assert_eq!(net.frontier(1, &secret.id()).entries(), 15);
    assert!(net.nodes[2].replica.group(&secret.id()).is_none());
    let to_third = |frame: &&(usize, usize, Vec<u8>)| frame.1 == 2;
    let sent: Vec<_> = net.frames.iter().filter(to_third).collect();
    assert!(sent.iter().any(|(_, _, frame)| betrays(frame, &all)));
    assert!(!sent.iter().any(|(_, _, frame)| betrays(frame, &secret)));
}

/// Case 17.
#[test]
fn asking_for_a_foreign_group_gets_the_same_answer_as_for_none() {
    let agencies: Vec<Agency> = (1..=3).map(Agency::new).collect();
    let secret = group_of(&agencies[0], &[(&agencies[1], Role::Reader)]);
    let mut net = net(&agencies, &secret, 1, 8);
    net.write(0, secret.id(), 3);
    let mut answers = Vec::new();
    for group in [secret.id(), GroupId([0x77; 32])] {
        net.connect(0, 2);
        net.settle();
        let since = net.frames.len();
        let state = super::message::GroupState {
            group,
            height: 0,
            agencies: Vec::new(),
            frontier: crate::log::Frontier::default(),
            receipts: Vec::new(),
            heard: true,
            corrects: false,
            head: crate::id::StatementHash([0; 32]),
            proofs: Vec::new(),
        };
        let frame = Message::GroupState(state).to_frame().unwrap();
        net.input(0, 2, Input::Frame(frame));
        net.settle();
        answers.push(net.frames[since..].to_vec());
        net.disconnect(0, 2);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].is_empty());
}

#[test]
fn a_peers_second_node_learns_of_its_own_agencys_statements_by_a_relay() {
    // Nodes 0 and 1 of the second agency are not connected; the first agency stands between.
    let (mut agencies, group) = federation(2);
    agencies[1].certify(1, Capabilities(3));
    let mut net = net(&agencies, &group, 1, 13);
    let second = net.add(&agencies[1], 1);
    net.pin(second, &agencies[0]);
    net.connect(0, 1);
    net.connect(0, second);
    net.write(0, group.id(), 1);
    net.settle();
    net.assert_equal(&group.id());
    let node = agencies[1].node(1).public();
    agencies[1].say(AgencyBody::Addresses(
        node,
        vec!["/ip4/10.0.0.1/tcp/4".into()],
    ));
    net.learn(1, &agencies[1]);
    net.settle();
    net.write(1, group.id(), 1);
    net.settle();
    net.assert_equal(&group.id());
}

#[test]
fn members_chains_and_group_statements_go_before_entries_that_cite_them() {
    for seed in 0..20 {
        let (agencies, group) = federation(2);
        let third = Agency::new(3);
        let mut net = net(&agencies, &group, 2, seed).with_slow_ingest();
        let new = net.add(&third, 0);
        for at in [0, 1] {
            net.pin(new, &agencies[at]);
        }
        net.pin(0, &third);
        net.connect(0, 1);
        net.connect(0, new);
        net.settle();
        let wider = GroupBody::Add(member(&third, Role::Contributor));
        net.govern(0, &then(&group, &agencies[0], wider));
        net.write(0, group.id(), 2);
        net.settle();
        net.write(new, group.id(), 2);
        net.settle();
        net.assert_equal(&group.id());
        // The second agency has never pinned the third, and still takes its entries.
        assert_eq!(net.frontier(1, &group.id()).entries(), 4);
        assert!(!net.nodes[1].replica.may_talk_to(&third.node(0).public()));
        let refused = &net.session(1, 0).stats().refused;
        assert!(refused.is_empty(), "{refused:?}");
    }
}

#[test]
fn a_long_agency_chain_travels_in_frames_that_the_peer_accepts() {
    let (mut agencies, group) = federation(2);
    let node = agencies[0].node(0).public();
    let address = |i: usize| format!("/dns/{}.{i}/tcp/4001", "n".repeat(200));
    let mut net = net(&agencies, &group, 2, 14);
    for _ in 0..700 {
        let addresses = (0..crate::limits::ADDRESSES).map(address).collect();
        agencies[0].say(AgencyBody::Addresses(node, addresses));
    }
    let bytes: usize = agencies[0].statements().iter().map(Vec::len).sum();
    assert!(bytes > crate::limits::FRAME_BYTES);
    net.learn(0, &agencies[0]);
    net.connect(0, 1);
    net.settle();
    net.assert_equal(&group.id());
}

#[test]
fn a_receipt_is_not_sent_back_to_where_it_came_from() {
    let (agencies, group) = federation(3);
    let mut net = net(&agencies, &group, 3, 15);
    net.connect(0, 1);
    net.connect(1, 2);
    net.settle();
    net.write(2, group.id(), 1);
    net.settle();
    net.assert_equal(&group.id());
    let thirds = |from, to| {
        let receipts = |m: Message| match m {
            Message::Receipts(receipts) => receipts,
            _ => Vec::new(),
        };
        let all = net.messages(0, from, to).into_iter().flat_map(receipts);
        let third = agencies[2].node(0).public();
        all.filter(|bytes| crate::verify::receipt(bytes).unwrap().receipt.node == third)
            .count()
    };
    assert_eq!((thirds(2, 1), thirds(1, 0)), (1, 1));
    assert_eq!((thirds(0, 1), thirds(1, 2)), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_triangle_with_random_writes_and_cuts_ends_equal(
        seed: u64,
        slow: bool,
        knowing in 1..=3usize,
        steps in prop::collection::vec((0..3usize, 0..8usize, 0..30usize), 1..25),
    ) {
        let (agencies, group) = federation(3);
        let mut net = net(&agencies, &group, knowing, seed);
        if slow {
            net = net.with_slow_ingest();
        }
        let mut dice = Dice(seed);
        let mut written = 0;
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            net.connect(a, b);
        }
        for (at, count, deliveries) in steps {
            if net.nodes[at].replica.group(&group.id()).is_some() && count > 0 {
                net.write(at, group.id(), count);
                written += count as u64;
            }
            if dice.roll(6) == 0 {
                net.disconnect(at, (at + 1) % 3);
                net.connect(at, (at + 1) % 3);
            }
            for _ in 0..deliveries {
                net.step();
            }
        }
        net.settle();
        net.assert_equal(&group.id());
        prop_assert_eq!(net.frontier(2, &group.id()).entries(), written);
        // Equality is silence.
        let since = net.frames.len();
        net.tick(1_000);
        net.tick(1_000);
        prop_assert_eq!(net.frames.len(), since);
    }
}
