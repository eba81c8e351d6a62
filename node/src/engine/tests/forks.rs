//! Two lives of one home: what is signed twice stops everybody at the same place, and there is a way
//! out; a copy that notices in time never signs anything twice.

use super::*;

#[test]
fn a_copy_that_wrote_stops_its_log_everywhere_and_reissuing_brings_all_back() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    assert!(sync(&mut nodes, 0, 1));
    let first = nodes[1].write(&group, "Premier");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let mut copy = nodes[1].copy();
    let here = nodes[1].write(&group, "Écrit ici");
    nodes[1].edit(&first, "Corrigé ici.\n").unwrap();
    let there = copy.write(&group, "Écrit dans la copie");
    assert!(sync(&mut nodes, 0, 1));
    // The copy's side reaches the third node before anybody notices.
    let original = std::mem::replace(&mut nodes[1], copy);
    sync(&mut nodes, 1, 2);
    nodes[1] = original;
    assert!(nodes[2].content(&there).is_some() && nodes[0].content(&here).is_some());
    for (a, b) in [(0, 2), (0, 1), (1, 2), (0, 2)] {
        sync(&mut nodes, a, b);
    }
    for node in &nodes {
        let state = node.state();
        let found = state.replica.group(&group).unwrap();
        let fork = found.forks.values().next().expect("the fork is known");
        assert_eq!((found.forks.len(), fork.last.seq), (1, 1));
        assert_eq!(found.frontier().entries(), 1);
        assert!(node.content(&first).is_some());
        assert_eq!(node.content(&here), None);
        assert_eq!(node.content(&there), None);
        assert_eq!(
            node.body(&first).as_deref(),
            Some("Premier.\n\nDeuxième.\n")
        );
    }
    // All of it is so after a restart, and the frozen log takes nothing more.
    nodes[1].close();
    nodes[1].open();
    let frozen = nodes[1].edit(&first, "x\n");
    assert!(matches!(frozen, Err(EngineError::Refused(e)) if e.code == ErrorCode::LogFrozen));

    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method alone is not general enough in its lifetimes"
    )]
    let done = nodes[1].step(|step| step.reissue()).unwrap();
    assert_eq!((done.records, done.edits), (1, 1));
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        assert!(sync(&mut nodes, a, b), "{a} and {b}");
    }
    for node in &nodes {
        assert!(node.content(&here).is_some(), "what was cut off is back");
        assert_eq!(node.body(&first).as_deref(), Some("Corrigé ici.\n"));
        assert_eq!(node.content(&there), None, "the other side is not");
    }
}

/// Case 27.
#[test]
fn a_store_that_was_copied_goes_on_under_a_new_incarnation_before_it_meets_anybody() {
    let mut node = Bench::new(1, "FR");
    let incarnation = |node: &Bench| node.state().replica.me().incarnation;
    let settle = |node: &mut Bench, place| {
        let settled = node.committer.as_mut().unwrap().settle_in(place);
        settled.unwrap()
    };
    let first = incarnation(&node);
    assert!(!settle(&mut node, 7) && !settle(&mut node, 7));
    let group = node.state().replica.own_group();
    node.write(&group, "Premier");
    let mut copy = node.copy();
    assert!(!settle(&mut node, 7));
    assert_eq!(incarnation(&node), first);
    assert!(settle(&mut copy, 9));
    assert_ne!(incarnation(&copy), first);
    assert!(!settle(&mut copy, 9), "once a copy");
    copy.write(&group, "Dans la copie");
    let logs = copy.state().logs.len();
    assert_eq!(logs, 2, "it never continues the log of its original");
}

/// Case 27.
#[test]
fn a_restored_home_learns_from_its_peers_that_its_log_went_further() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    assert!(sync(&mut nodes, 0, 1));
    let yesterday = nodes[1].copy();
    let lost = nodes[1].write(&group, "Écrit après la sauvegarde");
    assert!(sync(&mut nodes, 0, 1));
    let before = yesterday.state().replica.me().incarnation;
    nodes[1] = yesterday;
    assert!(sync(&mut nodes, 0, 1));
    assert_ne!(nodes[1].state().replica.me().incarnation, before);
    assert!(nodes[1].content(&lost).is_some(), "the peers had it");
    let new = nodes[1].write(&group, "Écrit après la restauration");
    assert!(sync(&mut nodes, 0, 1));
    for node in &nodes {
        assert!(node.content(&new).is_some());
        assert!(node.state().replica.group(&group).unwrap().forks.is_empty());
    }
}

/// Case 20.
#[test]
fn an_owner_who_signs_two_statements_for_one_height_stops_the_group_below_it() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(sync(&mut nodes, a, b));
    }
    let mut copy = nodes[0].copy();
    let (tn, ma) = (nodes[1].agency(), nodes[2].agency());
    let role = |agency, role| MemberChange::SetRole(Member { agency, role });
    nodes[0]
        .step(|step| step.change_member(&group, role(tn, Role::Reader)))
        .unwrap();
    copy.step(|step| step.change_member(&group, role(ma, Role::Curator)))
        .unwrap();
    sync(&mut nodes, 0, 1);
    let original = std::mem::replace(&mut nodes[0], copy);
    sync(&mut nodes, 0, 2);
    nodes[0] = original;
    for (a, b) in [(1, 2), (0, 2), (0, 1), (1, 2)] {
        sync(&mut nodes, a, b);
    }
    for node in &nodes {
        let state = node.state();
        let found = state.replica.group(&group).unwrap();
        assert_eq!(found.fork.as_ref().map(|(height, _)| *height), Some(1));
        assert_eq!(found.chain.height(), 0);
        assert_eq!(found.chain.role(&tn), Some(Role::Contributor));
        assert_eq!(found.chain.role(&ma), Some(Role::Contributor));
    }
    let frozen = nodes[0].step(|step| step.change_member(&group, MemberChange::Remove(tn)));
    assert!(matches!(frozen, Err(EngineError::Refused(e)) if e.code == ErrorCode::GroupFrozen));
}
