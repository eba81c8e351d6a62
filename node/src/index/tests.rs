mod disk;
mod evaluation;
mod model;
mod ranking;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{Found, GroupFilter, Index, IndexError, Indexable, Opened, Query, Sort};

const MEMORY: usize = super::MIN_WRITER_MEMORY_BYTES;
const OURS: [u8; 32] = [1; 32];
const THEIRS: [u8; 32] = [2; 32];

fn open(dir: &Path) -> Opened {
    Index::open(dir, MEMORY).unwrap()
}

/// An index that holds `records`, committed as sequence 1.
fn filled(records: &[Indexable]) -> (TempDir, Opened) {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    for record in records {
        opened.writer.put(record).unwrap();
    }
    opened.writer.commit(1).unwrap();
    (dir, opened)
}

fn record(num: u64, title: &[(&str, &str)]) -> Indexable {
    Indexable {
        num,
        group: OURS,
        kind: "practice".into(),
        tlp: "GREEN".into(),
        updated_ms: num * 1000,
        title: texts(title),
        ..Indexable::default()
    }
}

fn texts(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts
        .iter()
        .map(|&(tag, text)| (tag.to_owned(), text.to_owned()))
        .collect()
}

fn ask(text: &str) -> Query {
    Query {
        text: text.into(),
        groups: GroupFilter::All,
        limit: 10,
        ..Query::default()
    }
}

fn nums(found: &Found) -> Vec<u64> {
    found.hits.iter().map(|hit| hit.num).collect()
}

fn search(opened: &Opened, text: &str) -> Vec<u64> {
    nums(&opened.index.search(&ask(text)).unwrap())
}

fn manuals() -> Vec<Indexable> {
    let mut multilingual = record(
        3,
        &[
            ("fr", "Saisie de preuves numériques"),
            ("en", "Seizing digital evidence"),
            ("ar", "ضبط الأدلة الرقمية"),
        ],
    );
    multilingual.summary = texts(&[("fr", "Le mandat d’arrêt européen et les perquisitions")]);
    multilingual.body = texts(&[("en", "Officers label every device. Europol helps.")]);
    vec![
        record(1, &[("fr", "L’enquête sur la cybercriminalité, Europol")]),
        record(2, &[("ar", "دليل الشرطة لمكافحة الإرهاب")]),
        multilingual,
    ]
}

#[test]
fn records_are_found_in_three_languages() {
    let (_dir, opened) = filled(&manuals());
    assert_eq!(search(&opened, "enquetes"), [1]);
    assert_eq!(search(&opened, "الشرطه"), [2]);
    assert_eq!(search(&opened, "مكافحة"), [2]);
    assert_eq!(search(&opened, "preuve"), [3]);
    assert_eq!(search(&opened, "seized"), [3]);
    assert_eq!(search(&opened, "أدلة"), [3]);
    assert_eq!(search(&opened, "device"), [3]);
    assert_eq!(search(&opened, "absent"), Vec::<u64>::new());
    assert_eq!(opened.index.count(), 3);
}

#[test]
fn more_matching_words_rank_first_and_titles_before_bodies() {
    let (_dir, opened) = filled(&manuals());
    assert_eq!(search(&opened, "seizing the evidence enquête"), [3, 1]);
    assert_eq!(search(&opened, "europol"), [1, 3]);
}

#[test]
fn a_record_in_more_languages_does_not_score_higher() {
    // The word is in two records of each language, so it weighs the same in all of them.
    let (_dir, opened) = filled(&[
        record(1, &[("fr", "Europol")]),
        record(
            2,
            &[("fr", "Europol"), ("en", "Europol"), ("ar", "Europol")],
        ),
        record(3, &[("en", "Europol")]),
        record(4, &[("ar", "Europol")]),
    ]);
    let found = opened.index.search(&ask("europol")).unwrap();
    assert_eq!(
        nums(&found),
        [1, 2, 3, 4],
        "equal scores come by number: {found:?}"
    );
    assert!(
        found
            .hits
            .windows(2)
            .all(|two| two[0].score.to_bits() == two[1].score.to_bits())
    );
}

#[test]
fn the_beginnings_of_a_query_share_what_they_stand_for() {
    let records: Vec<_> = ('a'..='z')
        .map(|end| record(u64::from(u32::from(end)), &[("fr", &format!("zq{end}zz"))]))
        .collect();
    let (_dir, opened) = filled(&records);
    let total = |text: &str| opened.index.search(&ask(text)).unwrap().total;
    assert_eq!(total("zq*"), 26);
    assert_eq!(total(&"zq* ".repeat(16)), 26 - 1);
    assert_eq!(total(&"zq* ".repeat(200)), 2);
}

#[test]
fn phrases_must_occur_and_exclusions_must_not() {
    let (_dir, opened) = filled(&manuals());
    assert_eq!(search(&opened, "\"mandat d'arrêt\""), [3]);
    assert_eq!(search(&opened, "\"arrêt mandat\""), Vec::<u64>::new());
    assert_eq!(search(&opened, "\"دليل الشرطة\""), [2]);
    assert_eq!(search(&opened, "\"digital evidence\" enquête"), [3]);
    // Alternatives without a word ask for nothing.
    assert_eq!(search(&opened, "enquête \"--\" OR \"??\""), [1]);
    assert_eq!(search(&opened, "europol -enquête"), [3]);
    assert_eq!(search(&opened, "-europol"), [2]);
    assert_eq!(search(&opened, "europol -\"digital evidence\""), [1]);
}

#[test]
fn without_words_everything_comes_newest_first() {
    let (_dir, opened) = filled(&manuals());
    for text in ["", " \u{0} ", "!", "\"", "- !"] {
        assert_eq!(search(&opened, text), [3, 2, 1], "{text:?}");
    }
}

#[test]
fn every_filter_filters() {
    let mut chosen = record(7, &[("pt-BR", "Guia")]);
    chosen.kind = "guideline".into();
    chosen.tlp = "AMBER".into();
    chosen.themes = vec!["drugs".into(), "firearms".into()];
    chosen.tags = vec!["port de Tanger".into()];
    chosen.origin = [9; 32];
    let mut records = manuals();
    records.push(chosen);
    let (_dir, opened) = filled(&records);
    let some = |value: &str| Some(value.to_owned());
    for query in [
        Query {
            kind: some("guideline"),
            ..ask("")
        },
        Query {
            tlp: some("AMBER"),
            ..ask("")
        },
        Query {
            themes: vec!["firearms".to_owned()],
            ..ask("guia")
        },
        Query {
            tag: some("port de Tanger"),
            ..ask("")
        },
        Query {
            lang: some("pt"),
            ..ask("")
        },
        Query {
            origins: Some(vec![[8; 32], [9; 32]]),
            ..ask("")
        },
        Query {
            since_ms: Some(7000),
            ..ask("")
        },
    ] {
        let found = opened.index.search(&query).unwrap();
        assert_eq!((nums(&found), found.total), (vec![7], 1), "{query:?}");
    }
    for query in [
        Query {
            themes: vec!["fire".to_owned()],
            ..ask("")
        },
        Query {
            origins: Some(Vec::new()),
            ..ask("")
        },
    ] {
        assert_eq!(opened.index.search(&query).unwrap().total, 0, "{query:?}");
    }
}

#[test]
fn what_the_asker_may_not_see_is_not_counted() {
    let mut secret = record(4, &[("fr", "Enquête secrète")]);
    secret.group = THEIRS;
    secret.kind = "need".into();
    secret.themes = vec!["hidden-theme".into()];
    let mut records = manuals();
    records.push(secret);
    let (_dir, opened) = filled(&records);
    let seen_by = |groups: &[[u8; 32]], text: &str| {
        let groups = GroupFilter::Only(groups.to_vec());
        let query = Query {
            groups,
            facets: true,
            ..ask(text)
        };
        opened.index.search(&query).unwrap()
    };
    for text in ["enquête", "", "secrète", "-europol"] {
        let found = seen_by(&[OURS], text);
        assert_eq!(found.total, u64::try_from(found.hits.len()).unwrap());
        assert!(!nums(&found).contains(&4));
        let named = format!("{:?}", found.facets);
        assert!(
            !named.contains("hidden-theme") && !named.contains("need"),
            "{named}"
        );
        assert!(!named.contains(&HEXLOWER.encode(&THEIRS)), "{named}");
    }
    assert_eq!(seen_by(&[], "").total, 0);
    assert_eq!(seen_by(&[[3; 32]], "").total, 0);
    assert_eq!(nums(&seen_by(&[THEIRS], "enquête")), [4]);
    assert_eq!(seen_by(&[OURS, THEIRS], "").total, 4);
    assert_eq!(opened.index.search(&Query::default()).unwrap().total, 0);
}

#[test]
fn facets_count_matching_records() {
    let mut records = manuals();
    records[0].themes = vec!["cyber".into(), "drugs".into(), "cyber".into()];
    records[2].themes = vec!["cyber".into()];
    let (_dir, opened) = filled(&records);
    let query = Query {
        facets: true,
        limit: 0,
        ..ask("europol")
    };
    let found = opened.index.search(&query).unwrap();
    assert_eq!(found.total, 2);
    assert!(found.hits.is_empty() && found.next.is_none());
    let counts = |name: &str| found.facets[name].clone();
    assert_eq!(
        counts("theme"),
        [("cyber".to_owned(), 2), ("drugs".to_owned(), 1)]
    );
    assert_eq!(
        counts("lang"),
        [
            ("fr".to_owned(), 2),
            ("ar".to_owned(), 1),
            ("en".to_owned(), 1)
        ]
    );
    assert_eq!(counts("group"), [(HEXLOWER.encode(&OURS), 2)]);
    assert_eq!(counts("kind"), [("practice".to_owned(), 2)]);
}

#[test]
fn a_second_put_replaces_and_remove_removes() {
    let (_dir, mut opened) = filled(&manuals());
    let writer = &mut opened.writer;
    writer.put(&record(1, &[("fr", "Brouillon")])).unwrap();
    writer.put(&record(1, &[("fr", "Douane")])).unwrap();
    writer.remove(2).unwrap();
    writer.remove(99).unwrap();
    assert_eq!(opened.index.count(), 3, "nothing shows before the commit");
    opened.writer.commit(2).unwrap();
    assert_eq!(opened.index.count(), 2);
    assert_eq!(
        search(&opened, "cybercriminalité brouillon الشرطة"),
        Vec::<u64>::new()
    );
    assert_eq!(search(&opened, "douanes"), [1]);
}

#[test]
fn rollback_forgets_what_was_not_committed() {
    let (_dir, mut opened) = filled(&manuals());
    opened.writer.remove(1).unwrap();
    opened.writer.rollback().unwrap();
    opened.writer.put(&record(8, &[("en", "Later")])).unwrap();
    opened.writer.commit(2).unwrap();
    assert_eq!(search(&opened, "europol later"), [8, 1, 3]);
}

#[test]
fn pages_cover_all_hits_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    for num in 0..57 {
        // Several segments, many equal scores and times.
        let words = "saisie ".repeat(usize::try_from(num % 4).unwrap() + 1);
        let mut record = record(num, &[("fr", &words)]);
        record.updated_ms = num % 5;
        opened.writer.put(&record).unwrap();
        if num % 20 == 0 {
            opened.writer.commit(num).unwrap();
        }
    }
    opened.writer.commit(57).unwrap();
    for (text, sort) in [
        ("saisie", Sort::Relevance),
        ("saisie", Sort::Date),
        ("", Sort::Date),
    ] {
        let mut query = Query {
            sort,
            limit: 7,
            ..ask(text)
        };
        let mut seen = Vec::new();
        let mut scores = Vec::new();
        loop {
            let found = opened.index.search(&query).unwrap();
            assert_eq!(found.total, 57);
            seen.extend(nums(&found));
            scores.extend(found.hits.iter().map(|hit| hit.score));
            let Some(next) = found.next else { break };
            query.after = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(seen.len(), 57);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 57);
        assert!(scores.is_sorted_by(|left, right| left >= right));
    }
}

#[test]
fn cursors_of_another_order_are_refused() {
    let (_dir, opened) = filled(&manuals());
    let found = opened
        .index
        .search(&Query {
            limit: 1,
            ..ask("europol")
        })
        .unwrap();
    let query = Query {
        after: found.next,
        sort: Sort::Date,
        ..ask("europol")
    };
    assert!(matches!(
        opened.index.search(&query),
        Err(IndexError::BadCursor)
    ));
    for text in ["", "r", "x1-2", "r1-", "r1-2", "d1-zz", "r\u{e9}"] {
        assert!(text.parse::<super::Cursor>().is_err(), "{text:?}");
    }
}

#[test]
fn any_query_text_is_answered() {
    let (_dir, opened) = filled(&manuals());
    proptest!(|(text in r#"([-"' aeéل]|europol|enquête|\PC){0,30}"#)| {
        let found = opened.index.search(&ask(&text));
        let is_mistaken = matches!(found, Err(IndexError::WildcardAlone)) && text.contains('*');
        prop_assert!(found.is_ok() || is_mistaken, "{:?}", found);
    });
}

#[test]
fn many_threads_search_beside_the_writer() {
    let (_dir, mut opened) = filled(&manuals());
    let index = opened.index.clone();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while index.committed_seq() < 30 {
                    // What the sequence promises, a search that starts later shows.
                    let promised = index.committed_seq();
                    let total = index.search(&ask("")).unwrap().total;
                    assert!(total + 1 >= promised, "{total} {promised}");
                }
            });
        }
        for seq in 4..=30 {
            opened.writer.put(&record(seq, &[("en", "more")])).unwrap();
            opened.writer.commit(seq).unwrap();
        }
    });
    assert_eq!(opened.index.count(), 30);
}

/// A text of words that mean nothing, so long.
fn filler(words: usize, lang: &str) -> BTreeMap<String, String> {
    let text: Vec<String> = (0..words).map(|n| format!("mot{}", n % 89)).collect();
    texts(&[(lang, &text.join(" "))])
}

/// How records score stays the same, however many concepts there are, and whatever other languages are written.
#[test]
fn neither_concepts_nor_other_languages_change_how_records_compare() {
    let mut manuals = vec![
        record(1, &[("fr", "Le réseau de la police")]),
        record(2, &[("fr", "Le réseau et la saisie")]),
        record(3, &[("fr", "Une note de la police")]),
    ];
    for (manual, words) in manuals.iter_mut().zip([400, 300, 20]) {
        manual.body = filler(words, "fr");
    }
    let scores = |records: &[Indexable]| -> Vec<(u64, f32)> {
        let (_dir, opened) = filled(records);
        let found = opened.index.search(&ask("le réseau de la police")).unwrap();
        found.hits.iter().map(|hit| (hit.num, hit.score)).collect()
    };
    let alone = scores(&manuals);
    assert_eq!(alone.first().map(|(num, _)| *num), Some(1));
    let concepts = (100..400).map(|num| Indexable {
        is_word: true,
        kind: "concept".to_owned(),
        ..record(num, &[("fr", "Le réseau"), ("en", "police")])
    });
    let with_concepts: Vec<Indexable> = manuals.iter().cloned().chain(concepts).collect();
    let among_concepts = scores(&with_concepts);
    let of_manuals = among_concepts.iter().filter(|(num, _)| *num < 100);
    assert_eq!(of_manuals.copied().collect::<Vec<_>>(), alone);
    assert_eq!(among_concepts.len(), 3, "concepts are found among concepts");
    let asked = Query {
        words: true,
        kind: Some("concept".to_owned()),
        ..ask("réseau")
    };
    let (_dir, opened) = filled(&with_concepts);
    assert_eq!(opened.index.search(&asked).unwrap().total, 300);
    // Records in Arabic are records, but no short French ones.
    let arabic = (100..400).map(|num| Indexable {
        body: filler(300, "ar"),
        ..record(num, &[("ar", "دليل")])
    });
    let with_arabic: Vec<Indexable> = manuals.iter().cloned().chain(arabic).collect();
    let order: Vec<u64> = scores(&with_arabic).iter().map(|(num, _)| *num).collect();
    assert_eq!(
        order.first(),
        Some(&1),
        "a long text is not held against it"
    );
}
