//! What concurrent edits of two writers come to, by where a field is kept: the table of
//! `docs/protocol/record.md`, each line a property.

use std::collections::BTreeSet;

use super::*;

/// Two edits of the first version, each made without the other.
fn concurrent(one: &Edit, other: &Edit) -> [Vec<AuthoredChange>; 2] {
    let changes = |n: u8, at: u8, edit: &Edit| {
        let made = change_payloads(&genesis(), &RECORD, &[], None, edit, &writer(n));
        let made = made.into_iter().flatten();
        made.zip(at..)
            .map(|(payload, at)| authored(n, at, payload))
            .collect::<Vec<_>>()
    };
    [changes(1, 1, one), changes(2, 100, other)]
}

/// What both edits come to, in whichever order they arrive.
fn merged(one: &Edit, other: &Edit) -> (Content, Materialised, Vec<AuthoredChange>) {
    let [one, other] = concurrent(one, other);
    let all = [&one[..], &other[..]].concat();
    let turned = [&other[..], &one[..]].concat();
    let whole = materialise(&genesis(), &RECORD, &all);
    assert!(whole.refused.is_empty(), "{:?}", whole.refused);
    assert_eq!(whole, materialise(&genesis(), &RECORD, &turned));
    (whole.content.clone(), whole, all)
}

fn value(field: &str, value: &str) -> Edit {
    Edit {
        values: BTreeMap::from([(field.to_owned(), Some(value.to_owned()))]),
        ..Edit::default()
    }
}

fn set(field: &str, items: &BTreeSet<String>) -> Edit {
    Edit {
        sets: BTreeMap::from([(field.to_owned(), items.clone())]),
        ..Edit::default()
    }
}

fn links(to: &BTreeSet<u8>) -> Edit {
    let link = |n: &u8| format!("need.{}", RecordId([*n; 32]));
    Edit {
        links: Some(to.iter().map(link).collect()),
        ..Edit::default()
    }
}

/// Both sides' additions, without what either took away of what was there before.
fn united<T: Ord + Clone>(before: &BTreeSet<T>, sides: [&BTreeSet<T>; 2]) -> BTreeSet<T> {
    let is_kept =
        |item: &&T| !before.contains(item) || sides.iter().all(|side| side.contains(item));
    let all = sides.into_iter().flatten();
    all.filter(is_kept).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn texts_keep_what_both_sides_wrote_in_different_lines(one in "[a-z]{1,9}", other in "[ء-ي]{1,9}") {
        let first = format!("Premier {one}.\n\nDeuxième.\n\nTroisième.\n");
        let third = format!("Premier.\n\nDeuxième.\n\nTroisième {other}.\n");
        let (content, ..) = merged(&text("body.fr", &first), &text("body.fr", &third));
        let both = format!("Premier {one}.\n\nDeuxième.\n\nTroisième {other}.\n");
        prop_assert_eq!(&content.texts["body.fr"], &both);
        prop_assert_eq!(&content.texts["body.ar"], &genesis().content.texts["body.ar"]);
    }

    #[test]
    fn sets_unite(
        one in prop::collection::btree_set("[a-d]|cybercrime", 0..5),
        other in prop::collection::btree_set("[a-d]|cybercrime", 0..5),
    ) {
        let before = BTreeSet::from(["cybercrime".to_owned()]);
        let (content, ..) = merged(&set("themes", &one), &set("themes", &other));
        let found: BTreeSet<String> = content.set_of("themes").into_iter().collect();
        prop_assert_eq!(found, united(&before, [&one, &other]));
    }

    #[test]
    fn links_unite(
        one in prop::collection::btree_set(1..6_u8, 0..5),
        other in prop::collection::btree_set(1..6_u8, 0..5),
    ) {
        let (content, ..) = merged(&links(&one), &links(&other));
        let found: BTreeSet<u8> = content.link_pairs().map(|(_, to)| to.0[0]).collect();
        prop_assert_eq!(found, united(&BTreeSet::new(), [&one, &other]));
    }

    #[test]
    fn the_stricter_label_and_the_stricter_code_win(one in 1..5_usize, other in 1..5_usize) {
        let label = |at: usize| Tlp::ALL[at].name();
        let (content, ..) = merged(&value("tlp", label(one)), &value("tlp", label(other)));
        // The label that the record had before is nobody's edit.
        let strictest = Tlp::ALL[one.max(other)];
        prop_assert_eq!(content.tlp(), strictest);
        let code = |at: usize| format!("H{}", at - 1);
        let (content, ..) = merged(&value("hcode", &code(one)), &value("hcode", &code(other)));
        let strictest = code(one.max(other));
        prop_assert_eq!(content.value("hcode"), Some(strictest.as_str()));
    }

    #[test]
    fn of_two_values_one_counts_everywhere_and_the_other_is_in_the_history(
        one in "[a-z]{1,9}", other in "[a-z]{1,9}",
    ) {
        let (content, whole, changes) = merged(&value("edition", &one), &value("edition", &other));
        let winner = content.value("edition").unwrap();
        prop_assert!(winner == one || winner == other);
        let told: BTreeSet<String> = whole
            .steps
            .iter()
            .filter_map(|step| content_at(&genesis(), &RECORD, &changes, &step.version))
            .filter_map(|content| content.value("edition").map(str::to_owned))
            .collect();
        prop_assert_eq!(told, BTreeSet::from([one, other]));
    }
}
