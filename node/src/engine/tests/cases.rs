//! Cases of the threat model that concern what counts: the same on every node, in every order.

use diwan_core::log::Payload;
use diwan_core::record::{ChangeReason, Genesis, change_payloads};
use diwan_core::verify::{OwnEntry, OwnKind};

use super::*;

/// A machine whose clock goes wrong by so many milliseconds.
struct Clock(i64);

impl Machine for Clock {
    fn now_ms(&self) -> u64 {
        ThisMachine.now_ms().saturating_add_signed(self.0)
    }

    fn elapsed_ms(&self) -> u64 {
        ThisMachine.elapsed_ms()
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), ApiError> {
        ThisMachine.fill(bytes)
    }
}

const TEN_YEARS_MS: i64 = 10 * 365 * 24 * 3_600_000;

/// Cases 7 and 24.
#[test]
fn a_removal_and_an_edit_give_the_same_in_both_orders() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor, Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    for at in 1..4 {
        assert!(sync(&mut nodes, 0, at));
    }
    nodes[1].edit(&record, "Édité avant.\n").unwrap();
    assert!(sync(&mut nodes, 1, 0) && sync(&mut nodes, 0, 2) && sync(&mut nodes, 0, 3));
    // The editor goes on while it is removed: one node hears of the edit first, one of the removal.
    nodes[1].edit(&record, "Édité après.\n").unwrap();
    sync(&mut nodes, 1, 2);
    assert_eq!(nodes[2].body(&record).unwrap(), "Édité après.\n");
    let editor = nodes[1].agency();
    let removal = MemberChange::Remove(editor);
    nodes[0]
        .step(|step| step.change_member(&group, removal))
        .unwrap();
    assert!(sync(&mut nodes, 0, 3));
    assert!(sync(&mut nodes, 2, 3) && sync(&mut nodes, 0, 2) && sync(&mut nodes, 0, 3));
    for at in [0, 2, 3] {
        assert_eq!(
            nodes[at].body(&record).unwrap(),
            "Édité avant.\n",
            "node {at}"
        );
        let expected = [(2, ChangeReason::Standing as u8)];
        assert_eq!(nodes[at].quarantine(), expected, "node {at}");
    }
}

/// Case 22.
#[test]
fn clocks_ten_years_off_change_nothing_that_counts() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    for (at, skew) in [(1, -TEN_YEARS_MS), (2, TEN_YEARS_MS)] {
        nodes[at].close();
        nodes[at].open_on(Arc::new(Clock(skew)));
    }
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let old = nodes[1].write(&group, "D'hier");
    let new = nodes[2].write(&group, "De demain");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2) && sync(&mut nodes, 0, 1));
    nodes[1].edit(&new, "Par qui vit hier.\n").unwrap();
    nodes[2].edit(&old, "Par qui vit demain.\n").unwrap();
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2) && sync(&mut nodes, 0, 1));
    // What it writes after its removal it cannot date back to before it.
    let writer = nodes[1].agency();
    let removal = MemberChange::Remove(writer);
    nodes[0]
        .step(|step| step.change_member(&group, removal))
        .unwrap();
    let late = nodes[1].write(&group, "Antidaté");
    assert!(sync(&mut nodes, 0, 2));
    assert!(sync(&mut nodes, 1, 2) || nodes[2].content(&late).is_none());
    for at in [0, 2] {
        assert_eq!(nodes[at].body(&new).unwrap(), "Par qui vit hier.\n");
        assert_eq!(nodes[at].body(&old).unwrap(), "Par qui vit demain.\n");
        assert_eq!(nodes[at].content(&late), None);
        assert_eq!(nodes[at].quarantine(), []);
    }
}

/// Case 23.
#[test]
fn an_edit_of_anothers_record_stays_out_and_an_annotation_of_it_is_taken() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let mut content = Content::default();
    content.texts.insert("title.fr".into(), "Saisie".into());
    content.texts.insert("body.fr".into(), "Premier.\n".into());
    let draft = |kind: &str, content: Content, editors: Editors| RecordDraft {
        kind: kind.into(),
        content,
        editors,
        record: None,
        file_name: None,
    };
    let own = draft("guideline", content, Editors::Listed(Vec::new()));
    let record = nodes[0]
        .step(|step| step.create_record(&group, own))
        .unwrap()
        .0;
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    assert!(nodes[1].edit(&record, "Par un autre.\n").is_err());
    // As a program would that does not ask.
    let genesis = {
        let reading = nodes[1].read();
        let num = reading.record_num(&record).unwrap().unwrap();
        let row = reading.record(num).unwrap().unwrap();
        let first = reading.entry(row.log, row.seq).unwrap().unwrap();
        Genesis::from_bytes(&first.payload.unwrap().bytes).unwrap()
    };
    let mut edit = Edit::default();
    edit.texts
        .insert("body.fr".into(), Some("Par un autre.\n".into()));
    let writer = nodes[1].state().replica.me().writer();
    let payloads = change_payloads(&genesis, &record, &[], None, &edit, &writer).unwrap();
    let entries = payloads.into_iter().map(|bytes| OwnEntry {
        kind: OwnKind::Change(record),
        payload: Payload::new([0; 16], bytes),
    });
    let entries: Vec<OwnEntry> = entries.collect();
    nodes[1]
        .step(|step| step.write_own(&group, entries))
        .unwrap();
    let mut comment = Content::default();
    comment.texts.insert("body.fr".into(), "À revoir.".into());
    comment.links.insert(format!("about.{record}"));
    let comment = draft("comment", comment, Editors::Listed(Vec::new()));
    let comment = nodes[1]
        .step(|step| step.create_record(&group, comment))
        .unwrap()
        .0;
    assert!(sync(&mut nodes, 1, 0) && sync(&mut nodes, 0, 2));
    for node in &nodes {
        assert_eq!(node.body(&record).unwrap(), "Premier.\n");
        assert_eq!(node.quarantine(), [(1, ChangeReason::NotEditor as u8)]);
        assert!(node.content(&comment).is_some());
    }
}

/// An editor may write, and not say what the origin alone decides.
#[test]
fn only_the_origin_withdraws_a_record_or_takes_a_proposal() {
    let (mut nodes, group) = federation(&[Role::Contributor, Role::Contributor]);
    let record = nodes[0].write(&group, "Saisie");
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    let mut withdrawal = Edit::default();
    withdrawal
        .values
        .insert("withdrawn".into(), Some("2026-11-28".into()));
    let acceptance = Edit {
        links: Some([format!("accepted.{record}")].into()),
        ..Edit::default()
    };
    for edit in [withdrawal.clone(), acceptance] {
        // As a program would that does not ask.
        nodes[1]
            .step(|step| step.edit_record(&record, None, &edit).map(drop))
            .unwrap();
    }
    assert!(sync(&mut nodes, 1, 0) && sync(&mut nodes, 0, 2));
    nodes[2].edit(&record, "Par une autre éditrice.\n").unwrap();
    assert!(sync(&mut nodes, 2, 0) && sync(&mut nodes, 0, 1));
    for node in &nodes {
        let content = node.content(&record).unwrap();
        assert!(content.value("withdrawn").is_none() && content.links.is_empty());
        assert_eq!(node.body(&record).unwrap(), "Par une autre éditrice.\n");
        let refused = ChangeReason::NotOrigin as u8;
        assert_eq!(node.quarantine(), [(1, refused), (2, refused)]);
    }
    nodes[0]
        .step(|step| step.edit_record(&record, None, &withdrawal).map(drop))
        .unwrap();
    assert!(sync(&mut nodes, 0, 1) && sync(&mut nodes, 0, 2));
    for node in &nodes {
        let content = node.content(&record).unwrap();
        assert_eq!(content.value("withdrawn"), Some("2026-11-28"));
    }
}
