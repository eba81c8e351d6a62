mod merging;

use std::collections::BTreeMap;

use super::*;
use crate::id::{AgencyId, EntryHash, GroupId, Incarnation, NodeKey, RecordId, Writer};
use proptest::prelude::*;

const RECORD: RecordId = RecordId([7; 32]);

fn writer(n: u8) -> Writer {
    Writer {
        node: NodeKey([n; 32]),
        incarnation: Incarnation(u64::from(n)),
    }
}

fn genesis() -> Genesis {
    let mut content = Content::default();
    let texts = |fr: &str, ar: &str| {
        BTreeMap::from([
            ("fr".to_owned(), fr.to_owned()),
            ("ar".to_owned(), ar.to_owned()),
        ])
    };
    content.set_texts("title", &texts("Saisie d’un téléphone", "ضبط هاتف"));
    content.set_texts(
        "body",
        &texts("Premier.\n\nDeuxième.\n\nTroisième.\n", "أولا.\n\nثانيا.\n"),
    );
    content.values.insert("tlp".into(), "GREEN".into());
    content.set_set("themes", &["cybercrime".to_owned()]);
    Genesis {
        group: GroupId([1; 32]),
        origin: AgencyId([2; 32]),
        kind: "guideline".into(),
        editors: Editors::Group,
        content,
    }
}

fn text(key: &str, text: &str) -> Edit {
    Edit {
        texts: BTreeMap::from([(key.to_owned(), Some(text.to_owned()))]),
        ..Edit::default()
    }
}

fn authored(n: u8, at: u8, payload: Vec<u8>) -> AuthoredChange {
    AuthoredChange {
        entry: EntryHash([at; 32]),
        writer: writer(n),
        seq: at.into(),
        wall_ms: 0,
        payload,
    }
}

fn edit(changes: &mut Vec<AuthoredChange>, n: u8, edit: &Edit) {
    let at = u8::try_from(changes.len()).unwrap();
    let payloads = change_payloads(&genesis(), &RECORD, changes, None, edit, &writer(n)).unwrap();
    for (i, payload) in payloads.into_iter().enumerate() {
        changes.push(authored(
            n,
            at * 16 + u8::try_from(i).unwrap() + n * 100,
            payload,
        ));
    }
}

#[test]
fn a_genesis_reads_back() {
    assert_eq!(Genesis::from_bytes(&genesis().to_bytes()), Ok(genesis()));
}

#[test]
fn two_edits_of_different_paragraphs_lose_nothing() {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    edit(
        &mut a,
        1,
        &text("body.fr", "Premier, corrigé.\n\nDeuxième.\n\nTroisième.\n"),
    );
    edit(
        &mut b,
        2,
        &text("body.fr", "Premier.\n\nDeuxième.\n\nTroisième, complété.\n"),
    );
    let both: Vec<_> = a.iter().chain(&b).cloned().collect();
    let turned: Vec<_> = b.iter().chain(&a).cloned().collect();
    let merged = materialise(&genesis(), &RECORD, &both);
    assert_eq!(
        merged.content.texts_of("body")["fr"],
        "Premier, corrigé.\n\nDeuxième.\n\nTroisième, complété.\n"
    );
    assert_eq!(merged, materialise(&genesis(), &RECORD, &turned));
    assert_eq!(merged.content.texts_of("body")["ar"], "أولا.\n\nثانيا.\n");
    assert_eq!(merged.steps.len(), 2);
}

#[test]
fn of_concurrent_labels_the_stricter_wins() {
    let label = |name: &str| Edit {
        values: BTreeMap::from([("tlp".to_owned(), Some(name.to_owned()))]),
        ..Edit::default()
    };
    for (one, two) in [("RED", "CLEAR"), ("CLEAR", "RED")] {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        edit(&mut a, 1, &label(one));
        edit(&mut b, 2, &label(two));
        let both: Vec<_> = a.into_iter().chain(b).collect();
        assert_eq!(
            materialise(&genesis(), &RECORD, &both).content.tlp(),
            Tlp::Red
        );
    }
}

#[test]
fn of_concurrent_handling_codes_the_stricter_wins() {
    let code = |name: &str| Edit {
        values: BTreeMap::from([("hcode".to_owned(), Some(name.to_owned()))]),
        ..Edit::default()
    };
    for (one, two) in [("H3", "H0"), ("H0", "H3"), ("H1", "H3"), ("H3", "x")] {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        edit(&mut a, 1, &code(one));
        edit(&mut b, 2, &code(two));
        let both: Vec<_> = a.into_iter().chain(b).collect();
        let content = materialise(&genesis(), &RECORD, &both).content;
        assert_eq!(content.value("hcode"), Some("H3"));
    }
}

#[test]
fn an_edit_of_an_older_version_keeps_what_came_since() {
    let mut changes = Vec::new();
    let read = Version::first(&RECORD);
    edit(
        &mut changes,
        1,
        &text("body.fr", "Premier, corrigé.\n\nDeuxième.\n\nTroisième.\n"),
    );
    let late = text("body.fr", "Premier.\n\nDeuxième.\n\nTroisième, complété.\n");
    let payloads = change_payloads(
        &genesis(),
        &RECORD,
        &changes,
        Some(&read),
        &late,
        &writer(1),
    )
    .unwrap();
    changes.extend(payloads.into_iter().map(|payload| authored(1, 90, payload)));
    let merged = materialise(&genesis(), &RECORD, &changes);
    assert_eq!(
        merged.content.texts_of("body")["fr"],
        "Premier, corrigé.\n\nDeuxième.\n\nTroisième, complété.\n"
    );
    assert!(merged.refused.is_empty());
}

#[test]
fn an_edit_of_an_older_version_names_every_base_that_it_builds_on() {
    let mut changes = Vec::new();
    let read = Version::first(&RECORD);
    edit(&mut changes, 1, &text("body.ar", "أولا.\n\nثالثا.\n"));
    // The second text is what the record says already: it is rebased, but nothing is written.
    let mut late = text("body.fr", "Premier.\n\nDeuxième.\n");
    let same = genesis().content.texts["title.fr"].clone();
    late.texts.insert("title.fr".to_owned(), Some(same));
    let (record, writer) = (&RECORD, &writer(2));
    let payloads = change_payloads(&genesis(), record, &changes, Some(&read), &late, writer);
    let payloads = payloads.unwrap().into_iter();
    changes.extend(payloads.map(|payload| authored(2, 90, payload)));
    let merged = materialise(&genesis(), &RECORD, &changes);
    assert_eq!(merged.refused, []);
    let body = merged.content.texts_of("body");
    assert_eq!(body["fr"], "Premier.\n\nDeuxième.\n");
    assert_eq!(body["ar"], "أولا.\n\nثالثا.\n");
}

#[test]
fn every_version_can_be_read_again() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("title.fr", "Saisir un téléphone"));
    edit(&mut changes, 2, &text("title.en", "Seizing a phone"));
    let told = history(&genesis(), &RECORD, &changes);
    assert_eq!(told.steps[0].changed, ["title.fr"]);
    assert_eq!(told.steps[1].changed, ["title.en"]);
    let at = |version: &Version| content_at(&genesis(), &RECORD, &changes, version).unwrap();
    assert_eq!(at(&Version::first(&RECORD)), genesis().content);
    let second = at(&told.steps[0].version);
    assert_eq!(second.texts_of("title")["fr"], "Saisir un téléphone");
    assert!(!second.texts_of("title").contains_key("en"));
    assert_eq!(at(&told.steps[1].version), told.content);
}

#[test]
fn a_version_that_was_read_stays_a_version_when_other_sides_come() {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    edit(&mut a, 1, &text("body.fr", "Premier, corrigé.\n"));
    let one = materialise(&genesis(), &RECORD, &a).version;
    edit(&mut a, 1, &text("title.fr", "Autre"));
    let two = materialise(&genesis(), &RECORD, &a).version;
    edit(&mut b, 2, &text("title.en", "Other"));
    let mut all: Vec<_> = a.iter().chain(&b).cloned().collect();
    let merged = materialise(&genesis(), &RECORD, &all).version;
    assert_eq!((one.count, two.count, merged.count), (2, 3, 4));
    let mut late = a.clone();
    edit(&mut late, 1, &text("title.ar", "آخر"));
    all.extend(late.into_iter().skip(a.len()));
    for version in [one, two, merged, Version::first(&RECORD)] {
        let then = content_at(&genesis(), &RECORD, &all, &version);
        assert!(then.is_some(), "{version}");
    }
    let then = content_at(&genesis(), &RECORD, &all, &one).unwrap();
    assert_eq!(
        then.texts_of("title")["fr"],
        genesis().content.texts_of("title")["fr"]
    );
    let missing = "2-00000000".parse().unwrap();
    assert_eq!(content_at(&genesis(), &RECORD, &all, &missing), None);
}

#[test]
fn a_long_new_text_travels_in_several_changes_within_the_bounds() {
    let mut changes = Vec::new();
    let long = "جملة طويلة.\n".repeat(9_000);
    edit(&mut changes, 1, &text("body.he", &long));
    assert!(changes.len() > 2);
    assert!(
        changes
            .iter()
            .all(|c| c.payload.len() < crate::limits::CHANGE_BYTES)
    );
    let merged = materialise(&genesis(), &RECORD, &changes);
    assert_eq!(merged.content.texts_of("body")["he"], long);
    assert!(merged.refused.is_empty());
}

#[test]
fn a_change_under_another_writers_name_stays_out_and_the_writers_own_still_applies() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("title.fr", "Un"));
    let forged = authored(2, 50, changes[0].payload.clone());
    let merged = materialise(&genesis(), &RECORD, std::slice::from_ref(&forged));
    assert_eq!(merged.refused, [(forged.entry, ChangeReason::Actor)]);
    let merged = materialise(&genesis(), &RECORD, &[forged, changes[0].clone()]);
    assert_eq!(merged.content.texts_of("title")["fr"], "Un");
}

#[test]
fn the_gate_judges_one_more_change_as_the_whole_record_does() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("title.fr", "Saisie d’un ordinateur"));
    edit(
        &mut changes,
        2,
        &text("title.fr", "Saisie de deux ordinateurs"),
    );
    let last = changes.pop().unwrap();
    let under_another_name = authored(3, 250, last.payload.clone());
    let broken = authored(3, 251, last.payload[1..].to_vec());
    for (before, change) in [
        (&changes[..], &last),
        (&changes[..], &under_another_name),
        (&changes[..], &broken),
        (&[][..], &last),
    ] {
        let with = [before, std::slice::from_ref(change)].concat();
        let made = materialise(&genesis(), &RECORD, &with);
        let refused = made.refused.first().map(|(_, reason)| *reason);
        let genesis = genesis();
        let mut gate = Gate::behind(&genesis, &RECORD, before);
        assert_eq!(gate.refuses(change), refused);
    }
}

#[test]
fn the_gate_step_by_step_makes_what_the_whole_makes() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("title.fr", "Saisie d’un ordinateur"));
    let genesis = genesis();
    let mut gate = Gate::behind(&genesis, &RECORD, &[]);
    assert_eq!(gate.refuses(&changes[0]), None);
    gate.apply().unwrap();
    let whole = materialise(&genesis, &RECORD, &changes).content;
    assert_ne!(whole, genesis.content);
    assert_eq!(gate.read().unwrap(), whole);
}

#[test]
fn a_change_waits_for_what_it_depends_on() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("title.fr", "Un"));
    edit(&mut changes, 2, &text("title.fr", "Un deux"));
    let late = materialise(&genesis(), &RECORD, &changes[1..]);
    assert_eq!(late.refused, [(changes[1].entry, ChangeReason::Waiting)]);
    assert_eq!(late.content, genesis().content);
    assert!(
        materialise(&genesis(), &RECORD, &changes)
            .refused
            .is_empty()
    );
}

#[test]
fn one_change_has_one_spelling() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("title.en", "Seizing a phone"));
    let honest = gate::open(&changes[0].payload).unwrap().change;
    assert!(scan::scan(&honest).is_ok());
    // The keys of the operations: one key, then fifteen nulls, which must all be there.
    let keys = [
        0x7f, 8, b't', b'i', b't', b'l', b'e', b'.', b'e', b'n', 0, 15,
    ];
    let at = honest
        .windows(keys.len())
        .position(|at| at == keys)
        .unwrap();
    for (place, byte) in [(0, 1), (11, 14), (11, 16)] {
        let mut other = honest.clone();
        other[at + place] = byte;
        assert_eq!(scan::scan(&other).unwrap_err(), ChangeReason::Malformed);
    }
}

#[test]
fn the_derivation_of_the_base_is_pinned() {
    let mut changes = Vec::new();
    edit(&mut changes, 1, &text("body.fr", "Premier.\n"));
    let payload = gate::open(&changes[0].payload).unwrap();
    let parsed = gate::parse(&payload).unwrap();
    let deps: Vec<String> = parsed
        .change
        .deps()
        .iter()
        .map(ToString::to_string)
        .collect();
    // A new value here means that nodes of this and of earlier versions no longer understand each
    // other's edits: do not change it, change the version of the format.
    assert_eq!(
        deps,
        ["4905c2196ebe552d52136ee1dc56d34f44032a259b4f7823a1aac1537c61b917"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_order_of_arrival_gives_the_same_record(
        texts in prop::collection::vec(("[a-c\n]{0,12}", 1..4u8, any::<bool>()), 1..7),
        order in any::<u64>(),
    ) {
        let mut changes = Vec::new();
        let mut branch: Vec<AuthoredChange> = Vec::new();
        for (body, n, on_branch) in texts {
            let seen = if on_branch { &mut branch } else { &mut changes };
            let own = if on_branch { n + 10 } else { n };
            let at = u8::try_from(seen.len()).unwrap() + if on_branch { 100 } else { 0 };
            if let Ok(payloads) = change_payloads(&genesis(), &RECORD, seen, None, &text("body.fr", &body), &writer(own)) {
                for payload in payloads { seen.push(authored(own, at, payload)); }
            }
        }
        let mut all: Vec<_> = changes.into_iter().chain(branch).collect();
        let expected = materialise(&genesis(), &RECORD, &all);
        prop_assert!(expected.refused.is_empty());
        let len = all.len().max(1) as u64;
        all.rotate_left(usize::try_from(order % len).unwrap());
        if order % 2 == 0 { all.reverse(); }
        prop_assert_eq!(materialise(&genesis(), &RECORD, &all), expected);
    }

    #[test]
    fn any_payload_is_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let merged = materialise(&genesis(), &RECORD, &[authored(1, 1, bytes)]);
        prop_assert_eq!(merged.refused.len(), 1);
        prop_assert_eq!(merged.content, genesis().content);
    }
}

/// Case 36.
#[test]
fn a_title_of_ten_megabytes_is_refused() {
    let long = "م".repeat(5_000_000);
    let mut genesis = genesis();
    genesis
        .content
        .texts
        .insert("title.ar".into(), long.clone());
    assert!(Genesis::from_bytes(&genesis.to_bytes()).is_err());
    let edit = text("title.ar", &long);
    let refused = change_payloads(&self::genesis(), &RECORD, &[], None, &edit, &writer(1));
    assert!(refused.is_err());
}
