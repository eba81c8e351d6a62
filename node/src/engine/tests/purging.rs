//! Purges: erased everywhere, for good, by whom it may.

use super::*;
use diwan_core::record::ChangeReason;

fn text_is_stored(node: &Bench, text: &str) -> bool {
    let state = node.state();
    let reading = node.read();
    state.logs.iter().any(|((group, writer), log)| {
        let head = state.replica.group(group).and_then(|g| g.logs.get(writer));
        let head = head.map_or(0, |log| log.head.seq);
        (1..=head).any(|seq| {
            let entry = reading.entry(*log, seq).unwrap().unwrap();
            let bytes = entry
                .payload
                .map(|payload| payload.bytes)
                .unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        })
    })
}

/// Case 25.
#[test]
fn a_purged_record_is_erased_on_every_node_and_never_comes_back() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let record = nodes[0].write(&group, "Secret titre");
    let other = nodes[0].write(&group, "Autre");
    assert!(sync(&mut nodes, 0, 1));
    nodes[1].edit(&record, "Secret corps.\n").unwrap();
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 1, 2));
    // The third has a copy of all of it from before the purge.
    assert_eq!(nodes[2].body(&record).as_deref(), Some("Secret corps.\n"));

    let plan = nodes[0]
        .step(|step| step.purge(&record, "personne nommée"))
        .unwrap();
    assert_eq!((plan.record, plan.versions), (record, 2));
    assert!(sync(&mut nodes, 0, 1));
    // The one with the old copy meets one that has purged, and the other way round.
    assert!(sync(&mut nodes, 2, 1) && sync(&mut nodes, 0, 2) && sync(&mut nodes, 0, 1));
    for node in &nodes {
        assert_eq!(node.state_of(&record), Some(RecordState::Purged));
        assert_eq!(node.content(&record), None);
        assert!(!text_is_stored(node, "Secret"));
        assert!(node.content(&other).is_some(), "the others stay");
        assert_eq!(node.quarantine(), []);
    }
    // And one that joins afterwards gets the headers only.
    let mut late = Bench::new(40, "DZ");
    late.trust(&nodes[0]);
    nodes[0].trust(&late);
    let joins = Member {
        agency: late.agency(),
        role: Role::Reader,
    };
    nodes[0]
        .step(|step| step.change_member(&group, MemberChange::Add(joins)))
        .unwrap();
    nodes.push(late);
    assert!(sync(&mut nodes, 0, 3));
    assert_eq!(nodes[3].state_of(&record), Some(RecordState::Purged));
    assert!(nodes[3].content(&other).is_some());
    assert!(
        nodes[3]
            .state()
            .replica
            .group(&group)
            .unwrap()
            .missing
            .is_empty()
    );
    // All of it is so after a restart.
    nodes[3].close();
    nodes[3].open();
    assert_eq!(nodes[3].state_of(&record), Some(RecordState::Purged));
    assert!(sync(&mut nodes, 0, 3));
}

/// Case 26.
#[test]
fn only_the_origin_and_curators_purge() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Curator]);
    let record = nodes[0].write(&group, "Titre");
    let second = nodes[0].write(&group, "Deuxième titre");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let refused = nodes[1].step(|step| step.purge(&record, ""));
    assert!(matches!(refused, Err(EngineError::Refused(e)) if e.code == ErrorCode::NotCurator));
    // A node that does it all the same is not followed: the entry is kept, and has no effect.
    nodes[1]
        .step(|step| {
            let payload = diwan_core::log::Payload::new([1; 16], Vec::new());
            let kind = verify::OwnKind::Purge(record);
            step.write_own(&group, vec![verify::OwnEntry { kind, payload }])
        })
        .unwrap();
    nodes[2]
        .step(|step| step.purge(&second, "curateur"))
        .unwrap();
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2) && sync(&mut nodes, 1, 2));
    for node in &nodes {
        assert!(node.content(&record).is_some());
        assert_eq!(node.state_of(&second), Some(RecordState::Purged));
        assert_eq!(node.quarantine(), [(1, ChangeReason::NotCurator as u8)]);
    }
}

#[test]
fn a_purge_that_comes_before_its_record_waits_for_it() {
    let (mut nodes, group) = federation(&[Role::Curator, Role::Contributor]);
    let record = nodes[0].write(&group, "Secret");
    assert!(sync(&mut nodes, 0, 1));
    nodes[1].step(|step| step.purge(&record, "")).unwrap();
    // The third hears of the purge from one that no longer has the text.
    assert!(sync(&mut nodes, 1, 2));
    assert_eq!(nodes[2].state_of(&record), Some(RecordState::Purged));
    assert!(sync(&mut nodes, 0, 2) && sync(&mut nodes, 0, 1));
    for node in &nodes {
        assert!(!text_is_stored(node, "Secret"));
    }
}

#[test]
fn what_a_purged_record_linked_to_is_forgotten_with_it() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    let need = nodes[0].write(&group, "Besoin");
    let record = nodes[0].write(&group, "Secret");
    let edit = Edit {
        links: Some([format!("need.{need}")].into()),
        ..Edit::default()
    };
    nodes[0]
        .step(|step| step.edit_record(&record, None, &edit))
        .unwrap();
    assert!(sync(&mut nodes, 0, 1));
    let linking = |node: &Bench| node.read().linking(&need, 9).unwrap().len();
    assert_eq!((linking(&nodes[0]), linking(&nodes[1])), (1, 1));
    nodes[0].step(|step| step.purge(&record, "")).unwrap();
    assert!(sync(&mut nodes, 0, 1));
    assert_eq!((linking(&nodes[0]), linking(&nodes[1])), (0, 0));
}
