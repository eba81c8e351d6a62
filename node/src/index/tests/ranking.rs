//! In which order records come, and why.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Expansions, Thesaurus};
use super::{GroupFilter, Indexable, Query, THEIRS, ask, filled, nums, record, search, texts};

#[test]
fn what_is_spelt_as_asked_ranks_first() {
    let records = [
        record(1, &[("fr", "Saisir un appareil")]),
        record(2, &[("fr", "Saisies un appareil")]),
        record(3, &[("fr", "Saisie un appareil")]),
        record(4, &[("fr", "Une côte")]),
        record(5, &[("fr", "Une cote")]),
    ];
    let (_dir, opened) = filled(&records);
    let first = |text: &str| nums(&opened.index.search(&ask(text)).unwrap())[0];
    assert_eq!(first("saisie"), 3);
    assert_eq!(first("saisies"), 2);
    assert_eq!(first("cote"), 5);
    assert_eq!(first("CÔTE"), 4);
    assert_eq!(opened.index.search(&ask("cote")).unwrap().total, 2);
}

#[test]
fn every_language_has_its_endings() {
    let records = [
        record(1, &[("es", "Investigaciones financieras")]),
        record(2, &[("it", "Le indagini dell'autorità")]),
        record(3, &[("pt", "Operações policiais")]),
        record(4, &[("de", "Beschlagnahmte Häuser")]),
        record(5, &[("el", "Αστυνομία και έρευνες")]),
        record(6, &[("tr", "Siber suçların soruşturması")]),
        record(7, &[("he", "והמשטרה חקרה חשודים")]),
    ];
    let (_dir, opened) = filled(&records);
    for (text, num) in [
        ("investigación", 1),
        ("investigacion", 1),
        ("indagine", 2),
        ("autorita", 2),
        ("operacao", 3),
        ("haus", 4),
        ("ΑΣΤΥΝΟΜΙΑΣ", 5),
        ("suçlar", 6),
        ("suç", 6),
        ("suclarin", 6),
        ("משטרה", 7),
        ("חשוד", 7),
    ] {
        let found = opened.index.search(&ask(text)).unwrap();
        assert_eq!(nums(&found), [num], "{text}");
        let slips = found.expanded;
        assert!(slips.is_empty(), "{text} is no slip: {slips:?}");
    }
}

/// Half of the English texts are a third of all records.
#[test]
fn a_word_is_as_common_as_in_its_language() {
    let mut records: Vec<_> = (0..40)
        .map(|num| record(num, &[("fr", &format!("dossier {num}"))]))
        .collect();
    records.extend((40..70).map(|num| record(num, &[("en", &format!("the file {num}"))])));
    // Of one text little is learned about a language.
    records.push(record(70, &[("it", "cerebrate")]));
    records.push(record(71, &[("fr", "cerebrate")]));
    let (_dir, opened) = filled(&records);
    let weight = |text: &str| {
        let query = Query {
            explain: true,
            ..ask(text)
        };
        let found = opened.index.search(&query).unwrap();
        let mut why = found.why[0].iter();
        why.find(|why| why.part == text).unwrap().score
    };
    assert!(weight("the") < 0.3, "{}", weight("the"));
    assert!(weight("cerebrate") > 3.0, "{}", weight("cerebrate"));
}

#[test]
fn a_title_counts_as_far_as_it_says_the_query() {
    let speaking = |num, title: &str, body: &str| Indexable {
        body: texts(&[("en", body)]),
        ..record(num, &[("en", title)])
    };
    let filler = "some other words that make this text as long as manuals are ".repeat(3);
    let four = "licence plate considered information";
    let (_dir, opened) = filled(&[
        speaking(1, "Private payments", &filler),
        speaking(2, "Sheet one", &format!("{filler} {four}")),
        speaking(
            3,
            "Sheet two",
            &format!("how private payments work {filler}"),
        ),
        speaking(4, "Sheet three", &format!("{filler} licence plate")),
        speaking(5, "Sheet four", &format!("{filler} considered information")),
    ]);
    // One word of five in a title is less than the others in a text, and all of them in a title more.
    assert_eq!(search(&opened, &format!("private {four}"))[0], 2);
    assert_eq!(search(&opened, "private payments"), [1, 3]);
}

#[test]
fn words_that_stand_together_count_more() {
    let filler = |words: usize| "mot de plus ".repeat(words / 3);
    let with = |num, said: [&str; 3], between: usize| Indexable {
        body: texts(&[(
            "fr",
            &format!(
                "{}{}",
                said.join(&filler(between)),
                filler(200 - 2 * between)
            ),
        )]),
        ..record(num, &[("fr", "Fiche")])
    };
    let apart = ["scellés ", "faraday ", "avion "];
    // More of the words, or in a shorter passage: what counts is that they stand together.
    let mut records = vec![with(1, apart, 90), with(2, apart, 6)];
    records.extend((10..60).map(|num| with(num, ["divers ", "autre ", "chose "], 90)));
    let (_dir, opened) = filled(&records);
    let query = Query {
        explain: true,
        ..ask("avion faraday scellé")
    };
    let found = opened.index.search(&query).unwrap();
    assert_eq!(nums(&found), [2, 1]);
    let passage = |hit: usize| {
        let mut why = found.why[hit].iter();
        why.find(|why| why.part == "+passage").unwrap().score
    };
    assert!(
        (passage(0) / passage(1) - 3.0).abs() < 1e-3,
        "{:?}",
        found.why
    );
    // What a word is called in the language of the text stands for it.
    let mut thesaurus = Thesaurus::default();
    thesaurus.add(
        [("fr", "avion", true), ("en", "plane", true)].into_iter(),
        None,
    );
    let expansions = Arc::new(Expansions {
        thesaurus,
        ..Expansions::default()
    });
    let found = opened
        .index
        .search_expanded(
            &Query {
                explain: true,
                ..ask("faraday plane")
            },
            Some(expansions),
        )
        .unwrap();
    assert_eq!(nums(&found), [2, 1]);
}

#[test]
fn phrases_and_beginnings_count_more_in_titles() {
    let body = |num, text: &str| Indexable {
        body: texts(&[("fr", text)]),
        ..record(num, &[("fr", "Fiche")])
    };
    let (_dir, opened) = filled(&[
        body(1, "saisie mobile"),
        record(
            2,
            &[("fr", "La saisie mobile et les autres gestes de la police")],
        ),
        body(3, "rien de tel ne se trouve dans ce texte"),
    ]);
    for text in ["\"saisie mobile\"", "sais*"] {
        assert_eq!(search(&opened, text), [2, 1], "{text}");
    }
}

/// English takes the `l` of l'enquête for a word that a French title lacks.
#[test]
fn a_particle_is_not_missing_in_a_title() {
    let (_dir, opened) = filled(&[
        record(1, &[("fr", "L'enquête judiciaire")]),
        record(2, &[("en", "Letters k, l and m")]),
    ]);
    let title = |text: &str| {
        let query = Query {
            explain: true,
            ..ask(text)
        };
        let found = opened.index.search(&query).unwrap();
        assert_eq!(found.hits[0].num, 1);
        let mut why = found.why[0].iter();
        why.find(|why| why.part == "+title").unwrap().score
    };
    let (with, without) = (title("l'enquête judiciaire"), title("enquête judiciaire"));
    assert!((with - without).abs() < 1e-3, "{with} {without}");
}

/// No record says anything in any language: words find none, and only a query without words finds all.
#[test]
fn words_find_nothing_where_no_record_has_a_text() {
    let (_dir, opened) = filled(&[record(1, &[])]);
    for text in ["saisie", "\"saisie mobile\"", "sais*", "a OR b"] {
        assert!(search(&opened, text).is_empty(), "{text}");
    }
    assert_eq!(search(&opened, "\"…\""), [1]);
}

#[test]
fn new_and_endorsed_records_rank_before_equal_ones() {
    let now = 1_800_000_000_000;
    let titled = |num, updated_ms, endorsed| Indexable {
        updated_ms,
        endorsed,
        ..record(num, &[("fr", "Saisie mobile")])
    };
    let old = now - 10 * 31_557_600_000;
    let mut records = vec![titled(1, old, 0), titled(2, now, 0), titled(3, old, 9)];
    records.extend((10..30).map(|num| record(num, &[("fr", "Divers")])));
    let (_dir, opened) = filled(&records);
    let query = Query {
        now_ms: now,
        explain: true,
        ..ask("saisie mobile")
    };
    let found = opened.index.search(&query).unwrap();
    assert_eq!(nums(&found), [3, 2, 1]);
    for (hit, why) in found.hits.iter().zip(&found.why) {
        assert!(why.iter().any(|why| why.part == "+passage"), "{why:?}");
        let sum = |factor: bool| {
            let parts = why.iter().filter(move |why| {
                factor == ["recency", "endorsements"].contains(&why.part.as_str())
            });
            parts.map(|why| why.score)
        };
        let score = sum(false).sum::<f32>() * sum(true).map(|more| 1.0 + more).product::<f32>();
        assert!(
            (score - hit.score).abs() < 1e-3,
            "{score} {why:?} {}",
            hit.score
        );
    }
}

#[test]
fn pages_come_from_one_state_while_the_index_changes() {
    let records: Vec<_> = (1..=30)
        .map(|num| record(num, &[("fr", "Saisie mobile")]))
        .collect();
    let (_dir, mut opened) = filled(&records);
    let mut query = ask("saisie");
    let mut seen = BTreeSet::new();
    for page in 0..3 {
        let found = opened.index.search(&query).unwrap();
        assert_eq!(found.total, 30);
        assert!(
            nums(&found).into_iter().all(|num| seen.insert(num)),
            "page {page}"
        );
        query.after = found.next;
        // Everything changes its score, and its place.
        for num in (1..=30).rev() {
            let title = "Saisie mobile ".repeat(usize::try_from(num % 7).unwrap() + 1);
            opened.writer.put(&record(num, &[("fr", &title)])).unwrap();
        }
        opened
            .writer
            .put(&record(100 + page, &[("fr", "Saisie")]))
            .unwrap();
        opened.writer.commit(2 + page).unwrap();
    }
    assert_eq!(seen.len(), 30);
}

#[test]
fn alike_is_what_shares_rare_words_themes_and_tags() {
    let with = |num, title: &str, body: &str, theme: &str| Indexable {
        body: texts(&[("fr", body)]),
        themes: vec![theme.to_owned()],
        ..record(num, &[("fr", title)])
    };
    let mut records: Vec<_> = (10..60)
        .map(|num| {
            with(
                num,
                "Réunion de service",
                "La police et la formation des agents.",
                "x",
            )
        })
        .collect();
    let phone = with(
        1,
        "Saisir un téléphone",
        "Mettre le téléphone en mode avion, sac de Faraday.",
        "y",
    );
    records.push(phone.clone());
    records.push(with(2, "Sac de Faraday", "Isoler un appareil saisi.", "x"));
    records.push(with(3, "Formation", "La police.", "y"));
    let (_dir, opened) = filled(&records);
    let found = opened
        .index
        .similar(&phone, &ask("is not looked at"), None)
        .unwrap();
    assert_eq!(nums(&found)[..2], [2, 3]);
    assert!(!nums(&found).contains(&1), "not itself");
    let hidden = Query {
        groups: GroupFilter::Only(vec![THEIRS]),
        ..ask("")
    };
    assert_eq!(
        opened.index.similar(&phone, &hidden, None).unwrap().total,
        0
    );
}

#[test]
fn a_theme_is_found_by_its_name() {
    let mut thesaurus = Thesaurus::default();
    let labels = [
        ("fr", "Preuve numérique", true),
        ("ar", "الأدلة الرقمية", true),
    ];
    thesaurus.add(labels.into_iter(), Some("digital-evidence"));
    let expansions = Arc::new(Expansions {
        thesaurus,
        ..Expansions::default()
    });
    let themed = Indexable {
        themes: vec!["digital-evidence".into()],
        ..record(1, &[("en", "Seizing phones")])
    };
    let (_dir, opened) = filled(&[themed, record(2, &[("en", "Border control")])]);
    for name in ["preuve numerique", "الادلة الرقمية"] {
        let found = opened
            .index
            .search_expanded(&ask(name), Some(expansions.clone()));
        assert_eq!(nums(&found.unwrap()), [1], "{name}");
    }
}

#[test]
fn only_what_is_of_some_numbers() {
    let (_dir, opened) = filled(&[
        record(1, &[("fr", "Saisie")]),
        record(2, &[("fr", "Saisie")]),
    ]);
    let query = Query {
        only: Some(Arc::new(BTreeSet::from([2, 9]))),
        facets: true,
        ..ask("saisie")
    };
    let found = opened.index.search(&query).unwrap();
    assert_eq!((nums(&found), found.total), (vec![2], 1));
    assert_eq!(found.facets["year"], [("1970".to_owned(), 1)]);
}

#[test]
fn what_a_heading_says_counts_more_than_the_text_below_it() {
    let long = |heading: &str, text: &str| {
        format!("# Fiche\n\n## {heading}\n\n{} {text}", "mot ".repeat(40))
    };
    let with = |num, body: String| Indexable {
        body: texts(&[("fr", &body)]),
        ..record(num, &[])
    };
    let records = [
        with(1, long("Divers", "scellés")),
        with(2, long("Scellés", "divers")),
        with(3, "# Fiche\n\n```\n# scellés\n```\n\nmot".to_owned()),
    ];
    let (_dir, opened) = filled(&records);
    let found = opened.index.search(&ask("scellés")).unwrap();
    assert_eq!(nums(&found)[0], 2);
    assert_eq!(found.total, 3);
}
