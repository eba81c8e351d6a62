//! Several owners, cuts, revocation, leaving.

use super::*;
use diwan_core::identity::Capabilities;
use diwan_core::record::ChangeReason;

fn refused<T: std::fmt::Debug>(outcome: Result<T, EngineError>) -> ErrorCode {
    match outcome {
        Err(EngineError::Refused(error)) => error.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_of_two_owners_changes_when_both_have_signed() {
    let (mut nodes, group) = federation(&[Role::Owner, Role::Contributor]);
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let reader = Member {
        agency: nodes[2].agency(),
        role: Role::Reader,
    };
    let change = MemberChange::SetRole(reader);
    let waiting = nodes[0]
        .step(|step| step.change_member(&group, change))
        .unwrap();
    assert!(matches!(waiting, MemberOutcome::Waiting(w) if (w.found, w.needed) == (1, 2)));
    // Another statement for the same height would fork the group.
    let other = MemberChange::Remove(nodes[2].agency());
    let again = nodes[0].step(|step| step.change_member(&group, other));
    assert_eq!(refused(again), ErrorCode::AlreadySigned);
    sync(&mut nodes, 0, 2);
    assert!(
        nodes[2]
            .state()
            .replica
            .group(&group)
            .unwrap()
            .pending
            .is_empty(),
        "owners only"
    );
    sync(&mut nodes, 0, 1);
    nodes[1].close();
    nodes[1].open();
    assert_eq!(
        nodes[1]
            .state()
            .replica
            .group(&group)
            .unwrap()
            .pending
            .len(),
        1
    );
    let done = nodes[1].step(|step| step.cosign(&group, None)).unwrap();
    assert_eq!(done, MemberOutcome::Done);
    assert!(sync(&mut nodes, 1, 0) && sync(&mut nodes, 0, 2));
    for node in &nodes {
        let state = node.state();
        let found = state.replica.group(&group).unwrap();
        assert_eq!(found.chain.role(&reader.agency), Some(Role::Reader));
        assert!(found.pending.is_empty());
    }
    let nothing = nodes[0].step(|step| step.cosign(&group, None));
    assert_eq!(refused(nothing), ErrorCode::NothingToCosign);
}

/// Case 4.
#[test]
fn what_lies_beyond_a_cut_has_no_effect_on_any_node_and_comes_back_when_it_is_extended() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    assert!(sync(&mut nodes, 0, 1));
    let before = nodes[1].write(&group, "Avant");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    // Written and passed on to the third, while the owner, who has not seen it, removes its writer.
    let beyond = nodes[1].write(&group, "Après");
    assert!(sync(&mut nodes, 1, 2));
    let tn = nodes[1].agency();
    nodes[0]
        .step(|step| step.change_member(&group, MemberChange::Remove(tn)))
        .unwrap();
    assert!(sync(&mut nodes, 0, 2) && sync(&mut nodes, 2, 0));
    for at in [0, 2] {
        assert!(nodes[at].content(&before).is_some());
        assert_eq!(nodes[at].content(&beyond), None, "node {at}");
        assert_eq!(nodes[at].quarantine(), [(2, ChangeReason::Standing as u8)]);
    }
    nodes[0]
        .step(|step| step.change_member(&group, MemberChange::ExtendCuts(tn)))
        .unwrap();
    assert!(sync(&mut nodes, 0, 2));
    for at in [0, 2] {
        assert!(nodes[at].content(&beyond).is_some(), "node {at}");
        assert_eq!(nodes[at].quarantine(), []);
    }
}

/// Case 21.
#[test]
fn a_revoked_node_is_cut_off_everywhere_and_its_agency_goes_on() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    assert!(sync(&mut nodes, 0, 1));
    let before = nodes[1].write(&group, "Avant");
    assert!(sync(&mut nodes, 0, 1));
    // The node is a thief's from here on; the agency still has its root key and another machine.
    let mut stolen = nodes[1].copy();
    let (second, old) = (key(77).public(), nodes[1].node());
    nodes[1]
        .step(|step| step.certify_node(second, Capabilities(3), Vec::new()))
        .unwrap();
    let kept = nodes[1].step(|step| step.revoke_node(old)).unwrap();
    assert_eq!(kept, 1);
    assert_eq!(
        refused(nodes[1].step(|step| step.writable_group(&group).map(drop))),
        ErrorCode::NodeRevoked
    );
    sync(&mut nodes, 0, 1);
    let late = stolen.write(&group, "Écrit par le voleur");
    nodes.push(stolen);
    sync(&mut nodes, 0, 2);
    assert!(!nodes[0].state().replica.may_talk_to(&old));
    assert!(nodes[0].content(&before).is_some());
    assert_eq!(nodes[0].content(&late), None);
}

#[test]
fn a_group_that_was_left_is_not_synced_and_stays_readable() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    let record = nodes[0].write(&group, "Titre");
    assert!(sync(&mut nodes, 0, 1));
    assert_eq!(
        refused(nodes[0].step(|step| step.leave_group(&group, true))),
        ErrorCode::LastOwner
    );
    nodes[1]
        .step(|step| step.leave_group(&group, true))
        .unwrap();
    let second = nodes[0].write(&group, "Deuxième");
    sync(&mut nodes, 0, 1);
    assert!(nodes[1].content(&record).is_some());
    assert_eq!(nodes[1].content(&second), None);
    assert_eq!(refused(nodes[1].edit(&record, "x")), ErrorCode::GroupLeft);
    nodes[1].close();
    nodes[1].open();
    assert!(nodes[1].state().replica.group(&group).unwrap().left);
    nodes[1]
        .step(|step| step.leave_group(&group, false))
        .unwrap();
    assert!(sync(&mut nodes, 0, 1));
    assert!(nodes[1].content(&second).is_some());
}
