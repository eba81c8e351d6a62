//! Each judge finds a breach that is made by hand on real nodes. What a judge compares without a
//! node is tested beside it.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::id::{EntryHash, GroupId, RecordId};
use diwan_core::log::LogHead;
use diwan_core::record::{Content, Editors};
use diwan_core::sync::Message;
use diwan_core::verify::Receipt;
use diwan_node::engine::{EngineError, RecordDraft};
use diwan_tests::kit::Random;
use diwan_tests::sim::disk::Trouble;
use diwan_tests::sim::judges::{
    Claims, GroupDump, Heights, missing_entry, missing_mark, without_standing,
};
use diwan_tests::sim::machine::Time;
use diwan_tests::sim::model::{Mark, Model, OwnEntry};
use diwan_tests::sim::node::Node;

/// A node with one record in its own group, and the entry that holds it.
fn written(seed: u64) -> (Node, OwnEntry) {
    let mut random = Random::seeded(seed);
    let mut node = Node::found(0, &Time::default(), &mut random).unwrap();
    let group = own_group(&node);
    let record = write(&mut node);
    let state = node.state().unwrap();
    let head = state.replica.own_head(&group);
    let entry = OwnEntry {
        node: 0,
        group,
        writer: node.me.writer(),
        seq: head.seq,
        hash: head.hash,
        height: 0,
        record,
        first: true,
    };
    (node, entry)
}

fn own_group(node: &Node) -> GroupId {
    node.state().unwrap().replica.own_group()
}

fn write(node: &mut Node) -> RecordId {
    let group = own_group(node);
    try_write(node, &group).unwrap()
}

fn try_write(node: &mut Node, group: &GroupId) -> Result<RecordId, EngineError> {
    let texts = BTreeMap::from([("body.fr".to_owned(), "a 丁 b".to_owned())]);
    let draft = RecordDraft {
        kind: "guideline".to_owned(),
        content: Content {
            texts,
            ..Content::default()
        },
        editors: Editors::Group,
        record: None,
        file_name: None,
    };
    let committer = node.committer.as_mut().unwrap();
    Ok(committer.run(|step| step.create_record(group, draft))?.0)
}

#[test]
fn an_entry_that_is_not_there_or_is_another_one_is_lost() {
    let (node, entry) = written(1);
    let lost = |entry: OwnEntry| missing_entry(&node, [entry].iter()).is_some();
    assert!(!lost(entry.clone()));
    assert!(lost(OwnEntry {
        seq: entry.seq + 1,
        ..entry.clone()
    }));
    assert!(lost(OwnEntry {
        hash: EntryHash([0; 32]),
        ..entry
    }));
}

#[test]
fn a_mark_that_is_not_shown_is_lost() {
    let (node, entry) = written(1);
    let mut model = Model::new(std::slice::from_ref(&node));
    let group = entry.group;
    model.entries.push(entry);
    let (dump, places) = GroupDump::of(&node, &group).unwrap();
    let mut judge = |letter, entry| {
        model.marks = vec![Mark { letter, entry }];
        missing_mark(&model, &group, &dump, &places, &BTreeSet::new()).is_some()
    };
    assert!(!judge('丁', 0));
    assert!(judge('丂', 0));
}

#[test]
fn a_mark_of_an_entry_without_standing_is_not_asked_for() {
    let (node, entry) = written(1);
    let mut model = Model::new(std::slice::from_ref(&node));
    let group = entry.group;
    model.entries.push(entry);
    model.marks = vec![Mark {
        letter: '丂',
        entry: 0,
    }];
    let rules = model.groups.get_mut(&group).unwrap();
    rules.endings.push((1, node.agency, BTreeMap::new()));
    let (dump, places) = GroupDump::of(&node, &group).unwrap();
    let lost = missing_mark(&model, &group, &dump, &places, &BTreeSet::new());
    assert_eq!(lost, None);
    // Nor one beside an entry that a node which knows the removal never took.
    let rules = model.groups.get_mut(&group).unwrap();
    rules.endings.clear();
    assert!(missing_mark(&model, &group, &dump, &places, &BTreeSet::new()).is_some());
    let beside = OwnEntry {
        height: 7,
        seq: 9,
        ..model.entries[0].clone()
    };
    model.entries.push(beside);
    let lost = missing_mark(&model, &group, &dump, &places, &BTreeSet::new());
    assert_eq!(lost, None);
    let rules = model.groups.get_mut(&group).unwrap();
    rules.endings.push((1, node.agency, BTreeMap::new()));
    let unheard = without_standing(rules, &dump, &places);
    assert_eq!(unheard, None, "the node does not know that statement");
    let dump = GroupDump { height: 1, ..dump };
    assert!(without_standing(rules, &dump, &places).is_some());
    rules.endings.clear();
    assert_eq!(without_standing(rules, &dump, &places), None);
}

#[test]
fn a_receipt_for_what_is_not_on_the_disk_is_refuted() {
    let (node, entry) = written(1);
    let claim = |seq, hash| {
        let mut frontier = node
            .state()
            .unwrap()
            .replica
            .group(&entry.group)
            .unwrap()
            .frontier();
        frontier.0.insert(entry.writer, LogHead { seq, hash });
        let receipt = Receipt {
            group: entry.group,
            node: node.me.node,
            wall_ms: 1,
            frontier,
        };
        let bytes = receipt.sign(&node.signing());
        let frame = Message::Receipts(vec![bytes.into()]).to_frame().unwrap();
        let mut claims = Claims::default();
        claims.take(&node.me.node, &frame);
        claims.refuted_by(&node)
    };
    assert_eq!(claim(entry.seq, entry.hash), None);
    assert!(claim(entry.seq + 1, entry.hash).is_some());
    assert!(claim(entry.seq, EntryHash([3; 32])).is_some());
}

#[test]
fn a_node_that_comes_back_from_an_older_disk_has_fallen() {
    let mut heights = Heights::default();
    let (mut node, _) = written(1);
    let older = node.state().unwrap();
    write(&mut node);
    assert_eq!(heights.see(&node.state().unwrap().replica), None);
    assert_eq!(heights.see(&node.state().unwrap().replica), None);
    assert!(heights.see(&older.replica).is_some());
}

/// Case 38.
#[test]
fn a_disk_that_fills_up_or_fails_is_said_to_and_loses_nothing_that_was_acknowledged() {
    for trouble in [Trouble::Full, Trouble::Write, Trouble::Sync] {
        let (mut node, entry) = written(1);
        node.disk.set_trouble(trouble);
        let group = own_group(&node);
        // A full disk still has the room that was freed inside the file.
        let failed = (0..200).find_map(|_| try_write(&mut node, &group).err());
        let error = failed.expect("it fails in the end").to_string();
        assert!(
            error.contains("disk") || error.contains("commit"),
            "{error}"
        );
        node.disk.set_trouble(Trouble::None);
        node.stop(false);
        node.start().unwrap();
        assert_eq!(missing_entry(&node, [entry].iter()), None, "{trouble:?}");
        try_write(&mut node, &group).unwrap();
    }
}

#[test]
fn what_was_committed_survives_the_loss_of_power() {
    for seed in 0..20 {
        let (mut node, entry) = written(seed);
        let (_, lost) = node.crash(&mut Random::seeded(seed));
        assert_eq!(lost, 0, "a commit leaves nothing unsynced");
        node.start().unwrap();
        assert_eq!(missing_entry(&node, [entry].iter()), None);
    }
}
