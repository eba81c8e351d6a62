//! What is made up for: records that wait to be judged, and what an older store lacks.

use std::time::Duration;

use super::writer::Judging;
use super::*;
use crate::limits::JUDGED_TOGETHER;

/// How many records still wait, when as many as are judged together and one more were called up and
/// there was time for all.
fn left_waiting(is_awaited: bool) -> u64 {
    let mut node = Bench::new(1, "FR");
    let group = node.step(|step| step.create_group("cyber", &[], 1, Tlp::Green));
    let group = group.unwrap();
    for at in 0..=JUDGED_TOGETHER {
        let record = node.write(&group, &format!("Fiche {at}"));
        node.edit(&record, "Une autre suite.\n").unwrap();
    }
    let judging = Judging {
        time: Duration::from_secs(600),
        is_awaited: &|| is_awaited,
    };
    let committer = node.committer.as_mut().unwrap();
    let called = committer.commit(judging, |step| {
        step.tables.set_meta_u64("gate", 0);
        step.call_up_for_new_gate()
    });
    assert_eq!(called.unwrap(), JUDGED_TOGETHER as u64 + 1);
    node.state().due.values().sum()
}

#[test]
fn judging_ends_where_somebody_waits_for_the_writer() {
    assert_eq!(left_waiting(false), 0);
    assert_eq!(left_waiting(true), 1);
}

#[test]
fn a_store_of_before_links_were_remembered_is_completed_once() {
    let mut node = Bench::new(1, "FR");
    let group = node.step(|step| step.create_group("cyber", &[], 1, Tlp::Green));
    let group = group.unwrap();
    let (need, edited) = (node.write(&group, "Besoin"), node.write(&group, "Action"));
    let edit = Edit {
        links: Some([format!("need.{need}")].into()),
        ..Edit::default()
    };
    node.step(|step| step.edit_record(&edited, None, &edit))
        .unwrap();
    let linking = |node: &Bench| node.read().linking(&need, 9).unwrap();
    let before = linking(&node);
    assert_eq!(before.len(), 1);
    node.step(|step| Ok(step.tables.forget_links()?)).unwrap();
    assert!(linking(&node).is_empty());
    let mut complete = || {
        node.committer
            .as_mut()
            .unwrap()
            .keep_up_with_links()
            .unwrap()
    };
    assert_eq!((complete(), complete()), (2, 0));
    assert_eq!(linking(&node), before);
}
