//! A writer that signs two entries for one place: all stop at the same place, in any order.

use super::net::Net;
use super::{federation, net};
use crate::group::GroupChain;
use crate::id::Writer;
use crate::replica::GroupReplica;
use crate::testing::{Agency, Pen};

fn in_group<'a>(net: &'a Net, node: usize, group: &GroupChain) -> &'a GroupReplica {
    net.nodes[node].replica.group(&group.id()).unwrap()
}

/// Three honest nodes; the fourth agency's writer gave each another side of its log behind three
/// common entries, and each side is so long.
fn divided(seed: u64, sides: [usize; 3]) -> (Vec<Agency>, GroupChain, Net, Writer) {
    let (agencies, group) = federation(4);
    let mut net = net(&agencies, &group, 3, seed);
    let pen = || Pen::new(agencies[3].node(0), group.id());
    for (node, more) in sides.into_iter().enumerate() {
        let mut pen = pen();
        net.feed(node, pen.range(3));
        pen.ink = node as u64 + 1;
        if more > 0 {
            net.feed(node, pen.range(more));
        }
    }
    let writer = pen().writer();
    (agencies, group, net, writer)
}

/// Case 8.
#[test]
fn a_fork_stops_at_the_last_common_entry_on_every_node() {
    for (seed, sides) in [
        (1, [1, 1, 1]),
        (2, [4, 4, 2]),
        (3, [1, 7, 0]),
        (4, [40, 3, 90]),
        (5, [300, 1, 2]),
        (6, [0, 2, 5]),
    ] {
        let (_, group, mut net, writer) = divided(seed, sides);
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            net.connect(a, b);
            net.settle();
        }
        for node in 0..3 {
            let log = in_group(&net, node, &group).logs.get(&writer).copied();
            assert_eq!(log.unwrap().head.seq, 3, "seed {seed}, node {node}");
            assert_eq!(in_group(&net, node, &group).forks.len(), 1);
        }
        net.assert_equal(&group.id());
    }
}

/// Case 9.
#[test]
fn others_are_not_held_up_by_a_fork() {
    let (_, group, mut net, _) = divided(9, [2, 2, 2]);
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        net.connect(a, b);
    }
    net.write(0, group.id(), 5);
    net.write(2, group.id(), 4);
    net.settle();
    net.assert_equal(&group.id());
    for node in 0..3 {
        assert_eq!(net.frontier(node, &group.id()).entries(), 3 + 5 + 4);
    }
}

#[test]
fn a_node_that_comes_later_stops_there_too() {
    let (_, group, mut net, writer) = divided(11, [3, 5, 4]);
    net.connect(0, 1);
    net.settle();
    net.connect(1, 2);
    net.settle();
    assert_eq!(in_group(&net, 2, &group).logs[&writer].head.seq, 3);
    net.assert_equal(&group.id());
}
