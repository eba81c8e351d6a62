//! A member that gives everybody more to judge than an honest one can.

use std::sync::atomic::{AtomicU64, Ordering};

use diwan_core::log::Payload;
use diwan_core::record::{AuthoredChange, ChangeReason, Genesis, change_payloads};
use diwan_core::sync::Incoming;
use diwan_core::verify::{OwnEntry, OwnKind};

use super::*;

/// A machine on which every look at the clock takes 20 ms.
struct Slow(AtomicU64);

impl Machine for Slow {
    fn now_ms(&self) -> u64 {
        ThisMachine.now_ms()
    }

    fn elapsed_ms(&self) -> u64 {
        self.0.fetch_add(20, Ordering::Relaxed)
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), ApiError> {
        ThisMachine.fill(bytes)
    }
}

/// A writer's edits of a record, each on top of the one before.
fn edits(node: &Bench, record: &RecordId, count: usize) -> Vec<Vec<u8>> {
    let reading = node.read();
    let num = reading.record_num(record).unwrap().unwrap();
    let row = reading.record(num).unwrap().unwrap();
    let first = reading.entry(row.log, row.seq).unwrap().unwrap();
    let genesis = Genesis::from_bytes(&first.payload.unwrap().bytes).unwrap();
    let writer = node.state().replica.me().writer();
    let mut changes: Vec<AuthoredChange> = Vec::new();
    for at in 0..count {
        let mut edit = Edit::default();
        let label = format!("label {at}");
        edit.values.insert("country".into(), Some(label));
        let payloads = change_payloads(&genesis, record, &changes, None, &edit, &writer).unwrap();
        for payload in payloads {
            let mut entry = [0; 32];
            entry[..8].copy_from_slice(&(changes.len() as u64).to_be_bytes());
            changes.push(AuthoredChange {
                entry: diwan_core::id::EntryHash(entry),
                writer,
                seq: changes.len() as u64,
                wall_ms: 0,
                payload,
            });
        }
    }
    changes.into_iter().map(|change| change.payload).collect()
}

fn publish(node: &mut Bench, group: &GroupId, record: &RecordId, changes: Vec<Vec<u8>>) {
    let own = |bytes| OwnEntry {
        kind: OwnKind::Change(*record),
        payload: Payload::new([0; 16], bytes),
    };
    let entries: Vec<OwnEntry> = changes.into_iter().map(own).collect();
    node.step(|step| step.write_own(group, entries)).unwrap();
}

/// Case 28.
#[test]
fn of_changes_whose_dependencies_never_come_few_are_looked_at_and_others_are_unharmed() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let mut flood = edits(&nodes[1], &record, 200);
    flood.remove(0);
    publish(&mut nodes[1], &group, &record, flood);
    // One honest edit before the flood, one behind it.
    nodes[2].edit(&record, "Avant.\n\nDeuxième.\n").unwrap();
    assert!(sync(&mut nodes, 2, 0) && sync(&mut nodes, 1, 0) && sync(&mut nodes, 0, 2));
    nodes[2]
        .edit(&record, "Avant.\n\nDeuxième.\n\nAprès.\n")
        .unwrap();
    assert!(sync(&mut nodes, 2, 0) && sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let waiting = [ChangeReason::Waiting as u8; 64];
    let unread = [ChangeReason::Quota as u8; 135];
    let expected = [waiting.as_slice(), &unread].concat();
    for node in &nodes {
        let reasons: Vec<u8> = node.quarantine().iter().map(|(_, why)| *why).collect();
        assert_eq!(reasons, expected);
        let body = node.body(&record).unwrap();
        assert_eq!(body, "Avant.\n\nDeuxième.\n\nAprès.\n");
    }
}

#[test]
fn a_long_line_of_edits_that_arrives_at_once_is_taken_whole() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    assert!(sync(&mut nodes, 0, 1));
    let line = edits(&nodes[1], &record, 300);
    publish(&mut nodes[1], &group, &record, line);
    assert!(sync(&mut nodes, 1, 0));
    assert_eq!(nodes[0].quarantine(), []);
    let country = nodes[0].content(&record).unwrap().values["country"].clone();
    assert_eq!(country, "label 299");
}

#[test]
fn what_takes_long_to_judge_is_stored_first_and_judged_behind() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    let records: Vec<RecordId> = (0..300).map(|_| nodes[0].write(&group, "Saisie")).collect();
    assert!(sync(&mut nodes, 0, 1));
    for record in &records {
        nodes[0].edit(record, "Modifié.\n").unwrap();
    }
    nodes[1].close();
    nodes[1].open_on(Arc::new(Slow(AtomicU64::new(0))));
    let state = nodes[0].state();
    let writer = state.replica.me().writer();
    let log = state.logs[&(group, writer)];
    let range = nodes[0].read().range(log, 301, usize::MAX, None).unwrap();
    let (from, range) = (nodes[0].agency(), range.unwrap());
    let incoming = Incoming::Entries(vec![range]);
    let taken = nodes[1].step(|step| Ok(step.take_incoming(&from, incoming)?));
    assert_eq!(taken.unwrap().stored, 300, "durable at once");
    let due = |node: &Bench| node.state().due.values().sum::<u64>();
    assert!(due(&nodes[1]) > 50, "{}", due(&nodes[1]));
    // Who edits one of them builds on all that is here.
    let last = records.last().unwrap();
    assert_eq!(nodes[1].body(last).unwrap(), "Premier.\n\nDeuxième.\n");
    let mut tag = Edit::default();
    tag.values.insert("country".into(), Some("FR".into()));
    nodes[1]
        .step(|step| step.edit_record(last, None, &tag))
        .unwrap();
    assert_eq!(nodes[1].body(last).unwrap(), "Modifié.\n");
    // A stop does not lose it.
    nodes[1].close();
    nodes[1].open_on(Arc::new(Slow(AtomicU64::new(0))));
    let before = due(&nodes[1]);
    assert!(before > 50);
    let mut commits = 0;
    while due(&nodes[1]) > 0 {
        nodes[1].step(|_| Ok(())).unwrap();
        commits += 1;
    }
    assert!(commits > 1, "{commits}: each commit does a little");
    for record in &records {
        assert_eq!(nodes[1].body(record).unwrap(), "Modifié.\n");
    }
}

/// How many records are judged again because the gate's rules are others.
fn judged_again(node: &mut Bench) -> u64 {
    let committer = node.committer.as_mut().unwrap();
    committer.keep_up_with_gate().unwrap()
}

#[test]
fn a_store_that_an_older_gate_judged_is_judged_again() {
    let (mut nodes, group) = federation(&[Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    nodes[0].edit(&record, "Modifié.\n").unwrap();
    assert_eq!(judged_again(&mut nodes[0]), 1);
    // As if the gate of yesterday had refused the edit, and the first version of another record.
    let other = nodes[0].write(&group, "Fouille");
    let log = nodes[0].state().logs[&(group, nodes[0].state().replica.me().writer())];
    let store = nodes[0].committer.as_ref().unwrap().store().clone();
    store
        .write(|tables| {
            let num = tables.record_num(&record)?.unwrap();
            let mut row = tables.record(num)?.unwrap();
            row.state = RecordState::Plain;
            tables.put_record(num, &row)?;
            tables.set_quarantine(log, 2, Some(ChangeReason::Schema))?;
            let num = tables.record_num(&other)?.unwrap();
            tables.forget_record(num)?;
            tables.set_quarantine(log, 3, Some(ChangeReason::Genesis))?;
            tables.set_meta_u64("gate", 1);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    drop(store);
    nodes[0].close();
    nodes[0].open();
    assert_eq!(nodes[0].content(&other), None);
    assert_eq!(judged_again(&mut nodes[0]), 1);
    assert_eq!(nodes[0].quarantine(), []);
    assert_eq!(nodes[0].body(&record).unwrap(), "Modifié.\n");
    assert!(nodes[0].content(&other).is_some());
    assert_eq!(judged_again(&mut nodes[0]), 0);
}

#[test]
fn an_editor_whose_changes_lost_their_ground_can_edit_on() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    nodes[2].edit(&record, "Sol.\n").unwrap();
    assert!(sync(&mut nodes, 2, 1));
    for at in 0..70 {
        nodes[1].edit(&record, &format!("Sol. {at}\n")).unwrap();
    }
    // The owner has not seen what all of it builds on.
    let gone = nodes[2].agency();
    let removal = MemberChange::Remove(gone);
    nodes[0]
        .step(|step| step.change_member(&group, removal))
        .unwrap();
    assert!(sync(&mut nodes, 0, 1));
    assert_eq!(nodes[1].body(&record).unwrap(), "Premier.\n\nDeuxième.\n");
    nodes[1].edit(&record, "De nouveau.\n").unwrap();
    nodes[1].edit(&record, "Encore.\n").unwrap();
    assert!(sync(&mut nodes, 0, 1));
    for at in [0, 1] {
        assert_eq!(nodes[at].body(&record).unwrap(), "Encore.\n", "node {at}");
    }
}

#[test]
fn judging_what_does_not_count_is_its_authors_and_the_rest_is_free() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    publish(
        &mut nodes[1],
        &group,
        &record,
        vec![b"no change".to_vec(); 20],
    );
    nodes[2].edit(&record, "Modifié.\n").unwrap();
    assert!(sync(&mut nodes, 1, 0) && sync(&mut nodes, 2, 0));
    let in_vain = nodes[0].state().in_vain.clone();
    let charged: Vec<AgencyId> = in_vain.into_keys().collect();
    assert_eq!(charged, [nodes[1].agency()]);
    // What a removal takes away is nobody's fault.
    assert!(sync(&mut nodes, 0, 1));
    nodes[2].edit(&record, "Encore.\n").unwrap();
    assert!(sync(&mut nodes, 2, 1));
    let before = nodes[1].quarantine().len();
    let removal = MemberChange::Remove(nodes[2].agency());
    nodes[0]
        .step(|step| step.change_member(&group, removal))
        .unwrap();
    assert!(sync(&mut nodes, 0, 1));
    assert_eq!(nodes[1].quarantine().len(), before + 1);
    assert_eq!(nodes[1].state().in_vain.get(&nodes[0].agency()), None);
}
