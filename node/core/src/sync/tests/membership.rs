//! Members that leave, return, or could not take a group at first.

use super::*;
use crate::sync::CloseReason;

/// Case 18.
#[test]
fn a_removed_member_gets_nothing_new() {
    let (agencies, group) = federation(3);
    let mut net = net(&agencies, &group, 1, 9);
    net.connect(0, 1);
    net.connect(0, 2);
    net.write(0, group.id(), 4);
    net.settle();
    let without = then(
        &group,
        &agencies[0],
        GroupBody::Remove(agencies[2].id(), vec![]),
    );
    let since = net.frames.len();
    net.govern(0, &without);
    net.write(0, group.id(), 4);
    net.write(2, group.id(), 1);
    net.settle();
    assert_eq!(net.frontier(1, &group.id()).entries(), 8);
    assert_eq!(net.frontier(2, &group.id()).entries(), 5);
    // It is told that it was removed, and nothing else of the group.
    let betrayed = |frame: &&(usize, usize, Vec<u8>)| frame.1 == 2 && betrays(&frame.2, &group);
    let told: Vec<_> = net.frames[since..].iter().filter(betrayed).collect();
    assert_eq!(told.len(), 1);
    let Ok(Message::Group(removal)) = Message::from_frame(&told[0].2) else {
        panic!("something else was told");
    };
    assert_eq!((removal.from, removal.statements.len()), (1, 1));
    let me = agencies[2].id();
    assert_eq!(
        net.nodes[2].replica.groups()[&group.id()].chain.role(&me),
        None
    );
    assert_eq!(net.closed, []);
}

#[test]
fn entries_read_for_a_member_are_not_sent_once_it_was_removed() {
    let (agencies, group) = federation(2);
    let mut net = net(&agencies, &group, 2, 10);
    net.connect(0, 1);
    net.settle();
    net.write_unannounced(0, group.id(), 1);
    let without = then(
        &group,
        &agencies[0],
        GroupBody::Remove(agencies[1].id(), vec![]),
    );
    let mut session = crate::sync::Session::new(agencies[1].node(0).public(), agencies[1].id(), 0);
    let mut peer = crate::sync::Session::new(agencies[0].node(0).public(), agencies[0].id(), 0);
    let before = net.nodes[0].replica.clone();
    session.handle(Input::Start, &before, 0);
    for wish in peer.handle(Input::Start, &net.nodes[1].replica, 0) {
        let Wish::Send(frame) = wish else { continue };
        session.handle(Input::Frame(frame), &before, 0);
    }
    let state = crate::sync::message::GroupState {
        group: group.id(),
        height: 0,
        agencies: Vec::new(),
        frontier: crate::log::Frontier::default(),
        receipts: Vec::new(),
        heard: true,
        corrects: false,
        head: crate::id::StatementHash([0; 32]),
        proofs: Vec::new(),
    };
    let state = Message::GroupState(state).to_frame().unwrap();
    let wishes = session.handle(Input::Frame(state), &before, 0);
    let Some(Wish::Read {
        group: asked,
        writer,
        from,
    }) = wishes.into_iter().last()
    else {
        panic!("a read was due");
    };
    let range = net.nodes[0].read(&asked, &writer, from);
    assert!(range.is_some());
    net.govern(0, &without);
    let read = Input::Read {
        group: asked,
        writer,
        range,
    };
    assert_eq!(session.handle(read, &net.nodes[0].replica, 0), []);
}

#[test]
fn a_member_that_returns_gets_what_it_missed() {
    for seed in 0..20 {
        let (agencies, group) = federation(3);
        let mut net = net(&agencies, &group, 1, seed);
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            net.connect(a, b);
        }
        net.write(0, group.id(), 4);
        net.settle();
        let id = agencies[2].id();
        let without = then(&group, &agencies[0], GroupBody::Remove(id, vec![]));
        net.govern(0, &without);
        net.write(0, group.id(), 4);
        net.settle();
        let back = GroupBody::Add(member(&agencies[2], Role::Contributor));
        let again = then(&without, &agencies[0], back);
        net.govern(0, &again);
        net.settle();
        net.write(2, group.id(), 2);
        net.settle();
        net.assert_equal(&group.id());
        assert_eq!(net.frontier(1, &group.id()).entries(), 10);
    }
}

#[test]
fn equal_nodes_stay_silent_after_a_removal_too() {
    let (agencies, group) = federation(4);
    let mut net = net(&agencies, &group, 1, 11);
    for (a, b) in [(0, 1), (0, 2)] {
        net.connect(a, b);
    }
    net.write(0, group.id(), 4);
    net.settle();
    let id = agencies[2].id();
    let without = then(&group, &agencies[0], GroupBody::Remove(id, vec![]));
    net.govern(0, &without);
    net.settle();
    // The fourth has never seen the receipt of the one that was removed.
    net.connect(0, 3);
    net.settle();
    net.disconnect(0, 2);
    net.assert_equal(&group.id());
}

#[test]
fn a_group_that_was_not_for_this_node_comes_once_its_owner_is_pinned() {
    // The second node pins the owner only later, and hears of the group from a third.
    let (agencies, group) = federation(3);
    let mut net = Net::new(&[], 12);
    for agency in &agencies {
        net.add(agency, 0);
    }
    for (at, other) in [(0, 1), (0, 2), (1, 2), (2, 0), (2, 1)] {
        net.pin(at, &agencies[other]);
    }
    net.govern(0, &group);
    net.connect(0, 2);
    net.settle();
    net.connect(1, 2);
    net.settle();
    assert!(net.nodes[1].replica.group(&group.id()).is_none());
    net.changed(1);
    assert_eq!(net.closed, [], "nobody was pinned");
    net.pin(1, &agencies[0]);
    net.changed(1);
    assert_eq!(net.closed, [(1, 2, CloseReason::Trust)]);
    net.closed.clear();
    net.connect(1, 2);
    net.settle();
    net.write(1, group.id(), 2);
    net.settle();
    net.write(1, group.id(), 2);
    net.write(2, group.id(), 2);
    net.settle();
    net.assert_equal(&group.id());
    assert_eq!(net.frontier(0, &group.id()).entries(), 6);
}

#[test]
fn receipts_that_a_removal_took_away_come_back_with_the_member() {
    // Removal and return reach the second node at once, after it told its state.
    for seed in 0..20 {
        let (agencies, group) = federation(3);
        let mut net = net(&agencies, &group, 1, seed);
        for (a, b) in [(0, 1), (0, 2)] {
            net.connect(a, b);
        }
        net.write(0, group.id(), 3);
        net.settle();
        net.disconnect(0, 1);
        let id = agencies[2].id();
        let without = then(&group, &agencies[0], GroupBody::Remove(id, vec![]));
        net.govern(0, &without);
        net.settle();
        let back = GroupBody::Add(member(&agencies[2], Role::Contributor));
        net.govern(0, &then(&without, &agencies[0], back));
        net.settle();
        net.connect(0, 1);
        net.settle();
        net.assert_equal(&group.id());
        let third = net.nodes[2].replica.me().node;
        for node in &net.nodes[..2] {
            let held = node.replica.group(&group.id()).unwrap();
            assert!(held.receipts.contains_key(&third), "seed {seed}");
        }
    }
}
