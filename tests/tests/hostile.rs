//! Hostile changes at the real gate: the cases of a broken-into member, each with the reason that
//! every node must give, and two thousand mutants of the laboratory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a step that fails is a failed test"
)]

use std::sync::OnceLock;

use diwan_core::record::{AuthoredChange, ChangeReason, Materialised, materialise};
use diwan_tests::kit::Random;
use diwan_tests::mutants::craft::{Craft, chunk, column, deflate_stored};
use diwan_tests::mutants::{self, Scene, Stand, authored, of_kind, payload};

fn scenes() -> &'static [Scene] {
    static SCENES: OnceLock<Vec<Scene>> = OnceLock::new();
    SCENES.get_or_init(Scene::small)
}

/// The last places of the first record: their writers have written before.
fn stands() -> impl Iterator<Item = &'static Stand> {
    let stands = scenes()[0].stands.iter();
    stands.filter(|stand| stand.own_last.is_some())
}

fn among_honest(stand: &Stand, change: &AuthoredChange) -> Materialised {
    let mut all = stand.before.clone();
    all.push(change.clone());
    let made = materialise(&scenes()[0].genesis, &scenes()[0].record, &all);
    all.reverse();
    let turned = materialise(&scenes()[0].genesis, &scenes()[0].record, &all);
    assert_eq!(made, turned, "the order of arrival counts");
    made
}

/// What the gate says of a change at a stand; all honest changes must count all the same.
#[track_caller]
fn refused(stand: &Stand, change: &[u8], reason: ChangeReason) {
    let hostile = authored(stand.writer, payload(&stand.bases, change));
    let made = among_honest(stand, &hostile);
    assert_eq!(made.refused, [(hostile.entry, reason)]);
}

fn spoilt(stand: &Stand, spoil: impl FnOnce(&mut Craft)) -> Vec<u8> {
    let mut craft = stand.craft.clone();
    spoil(&mut craft);
    craft.bytes()
}

#[test]
fn the_laboratory_writes_what_automerge_writes() {
    for stand in &scenes()[0].stands {
        assert_eq!(stand.craft.bytes(), stand.honest);
        let mut random = Random::seeded(1);
        let mutant = of_kind("honest", stand, &mut random).unwrap();
        let made = among_honest(stand, &authored(stand.writer, mutant.payload));
        assert_eq!(made.refused, [], "what is meant as honest must pass");
    }
}

/// Case 10.
#[test]
fn a_change_under_anothers_actor_is_refused_and_the_others_own_still_applies() {
    for stand in stands() {
        let mallory = authored(66, payload(&stand.bases, &stand.honest));
        let alone = among_honest(stand, &mallory);
        assert_eq!(alone.refused, [(mallory.entry, ChangeReason::Actor)]);
        let mut all = stand.before.clone();
        let alice = authored(stand.writer, payload(&stand.bases, &stand.honest));
        all.extend([mallory.clone(), alice.clone()]);
        let made = materialise(&scenes()[0].genesis, &scenes()[0].record, &all);
        assert_eq!(made.refused, [(mallory.entry, ChangeReason::Actor)]);
        assert!(made.steps.iter().any(|step| step.entry == alice.entry));
    }
}

/// Case 11.
#[test]
fn a_gap_in_the_sequence_is_refused() {
    for stand in stands() {
        let gap = spoilt(stand, |craft| craft.seq += 1);
        refused(stand, &gap, ChangeReason::Sequence);
        let again = spoilt(stand, |craft| craft.seq -= 1);
        let zero = stand.craft.seq == 1;
        refused(
            stand,
            &again,
            match zero {
                true => ChangeReason::StartOp,
                false => ChangeReason::Sequence,
            },
        );
    }
}

/// Case 11.
#[test]
fn a_change_that_forgets_its_writers_last_one_is_refused() {
    let (mut tried, mut forgotten) = (0, 0);
    for stand in stands() {
        let own = stand.own_last.unwrap();
        if !stand.craft.deps.contains(&own) {
            continue;
        }
        tried += 1;
        let forgot = spoilt(stand, |craft| craft.deps.retain(|dep| *dep != own));
        // It depends on nothing of its writer's, so it may be judged before the writer's last
        // change is there: then its number is the one that does not fit.
        let hostile = authored(stand.writer, payload(&stand.bases, &forgot));
        let reason = among_honest(stand, &hostile).refused[0];
        assert_eq!(reason.0, hostile.entry);
        forgotten += u32::from(reason.1 == ChangeReason::Predecessor);
        assert!([ChangeReason::Predecessor, ChangeReason::Sequence].contains(&reason.1));
    }
    assert!(tried > 3 && forgotten > 0, "{tried} tried, {forgotten}");
}

/// Case 12.
#[test]
fn a_first_operation_near_the_end_of_the_numbers_is_refused() {
    for stand in stands() {
        for start in [
            u64::from(u32::MAX) - 1,
            u64::from(u32::MAX),
            1 << 31,
            1 << 62,
            u64::MAX,
            0,
            stand.craft.start_op + 1,
            stand.craft.start_op - 1,
        ] {
            let change = spoilt(stand, |craft| craft.start_op = start);
            refused(stand, &change, ChangeReason::StartOp);
        }
    }
}

/// Case 13.
#[test]
fn bombs_are_refused_by_what_they_stand_for() {
    let stand = stands().last().unwrap();
    // Five bytes of one column stand for ten million operations, or for all that there can be.
    for run in [
        vec![0x80, 0xad, 0xe2, 0x04, 1],
        vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1],
    ] {
        let bomb = spoilt(stand, |craft| {
            craft.column(column::ACTION).clone_from(&run);
        });
        refused(stand, &bomb, ChangeReason::TooLarge);
    }
    let preds = spoilt(stand, |craft| {
        *craft.column(column::PRED_COUNT) = vec![0x7f, 0x80, 0xad, 0xe2, 0x04];
    });
    refused(stand, &preds, ChangeReason::TooLarge);
    let insert = spoilt(stand, |craft| {
        *craft.column(column::INSERT) = vec![0, 0x80, 0xad, 0xe2, 0x04];
    });
    refused(stand, &insert, ChangeReason::Malformed);
    let column = spoilt(stand, |craft| {
        craft.columns[0].0 |= 8;
        craft.columns[0].1 = deflate_stored(&craft.columns[0].1);
    });
    refused(stand, &column, ChangeReason::ChunkType);
    let mut random = Random::seeded(3);
    for _ in 0..20 {
        let mutant = of_kind("chunk-bomb", stand, &mut random).unwrap();
        let hostile = authored(stand.writer, mutant.payload);
        let made = among_honest(stand, &hostile);
        assert_eq!(made.refused, [(hostile.entry, ChangeReason::ChunkType)]);
    }
}

/// Case 14.
#[test]
fn other_chunks_than_plain_changes_are_refused() {
    for stand in stands() {
        let data = stand.craft.data();
        for kind in [0, 2, 3, 4, 255] {
            refused(stand, &chunk(kind, &data), ChangeReason::ChunkType);
        }
        refused(
            stand,
            &chunk(2, &deflate_stored(&data)),
            ChangeReason::ChunkType,
        );
        refused(stand, &stand.document, ChangeReason::ChunkType);
    }
}

#[test]
fn mutants_break_no_law() {
    let report = mutants::run(scenes(), 20_261_125, 0, 2_000, |_| {});
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.late, 0, "{report}");
    assert!(report.applied > 20 && report.refused > 1_000, "{report}");
    assert!(report.peak_growth_mb < 64.0, "{report}");
}
