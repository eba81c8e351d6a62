//! Answers judged by a plain scan over the same records.

use proptest::prelude::*;

use super::{OURS, THEIRS, ask, nums, open, record, texts};
use crate::index::{GroupFilter, Query, Sort};

/// What a query of the model asks for, over the words `k0` to `k5`, which no stemmer touches.
#[derive(Debug, Clone)]
struct Asked {
    words: Vec<u8>,
    phrases: Vec<[u8; 2]>,
    without: Vec<u8>,
    without_phrases: Vec<[u8; 2]>,
}

impl Asked {
    fn text(&self) -> String {
        let mut text = String::new();
        for word in &self.words {
            text += &format!(" k{word}");
        }
        for [first, second] in &self.phrases {
            text += &format!(" \"k{first} k{second}\"");
        }
        for word in &self.without {
            text += &format!(" -k{word}");
        }
        for [first, second] in &self.without_phrases {
            text += &format!(" -\"k{first} k{second}\"");
        }
        text
    }

    fn matches(&self, parts: [&[u8]; 2]) -> bool {
        let has = |word: &u8| parts.iter().any(|part| part.contains(word));
        let has_row = |row: &[u8; 2]| {
            parts
                .iter()
                .any(|part| part.windows(2).any(|two| two == row))
        };
        let wanted = if self.phrases.is_empty() {
            self.words.is_empty() || self.words.iter().any(has)
        } else {
            self.phrases.iter().all(has_row)
        };
        wanted && !self.without.iter().any(has) && !self.without_phrases.iter().any(has_row)
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let words = |most| prop::collection::vec(0u8..6, 0..=most);
    let phrases = |most| prop::collection::vec([0u8..6, 0u8..6], 0..=most);
    (words(3), phrases(1), words(1), phrases(2)).prop_map(
        |(words, phrases, without, without_phrases)| Asked {
            words,
            phrases,
            without,
            without_phrases,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The judge is a plain scan over the same records, in several segments.
    #[test]
    fn answers_agree_with_a_plain_scan(
        records in prop::collection::vec(
            (prop::collection::vec(0u8..6, 0..4), prop::collection::vec(0u8..6, 0..9), any::<bool>()),
            1..60,
        ),
        queries in prop::collection::vec(asked(), 20),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open(dir.path());
        let spell = |words: &[u8]| words.iter().map(|w| format!("k{w} ")).collect::<String>();
        for (num, (title, body, ours)) in (0..).zip(&records) {
            let mut indexed = record(num, &[("fr", &spell(title))]);
            indexed.body = texts(&[("en", &spell(body))]);
            indexed.group = if *ours { OURS } else { THEIRS };
            opened.writer.put(&indexed).unwrap();
            if num % 25 == 24 {
                opened.writer.commit(num).unwrap();
            }
        }
        opened.writer.commit(99).unwrap();
        for asked in queries {
            for groups in [GroupFilter::All, GroupFilter::Only(vec![OURS])] {
                let everyone = groups == GroupFilter::All;
                let expected: Vec<u64> = (0..)
                    .zip(&records)
                    .filter(|(_, (title, body, ours))| {
                        (everyone || *ours) && asked.matches([title, body])
                    })
                    .map(|(num, _)| num)
                    .collect();
                for sort in [Sort::Relevance, Sort::Date] {
                    let query = Query { groups: groups.clone(), sort, limit: 60, ..ask(&asked.text()) };
                    let mut found = nums(&opened.index.search(&query).unwrap());
                    found.sort_unstable();
                    prop_assert_eq!(&found, &expected, "{}", query.text);
                }
            }
        }
    }

    /// The first pages are looked at more closely than the others.
    #[test]
    fn pages_show_what_one_page_shows(
        records in prop::collection::vec(prop::collection::vec(0u8..60, 0..30), 40..80),
        words in prop::collection::vec(0u8..60, 3..12),
        limit in 1usize..50,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open(dir.path());
        let spell = |words: &[u8]| words.iter().map(|w| format!("k{w} ")).collect::<String>();
        for (num, body) in (0..).zip(&records) {
            let mut indexed = record(num, &[]);
            indexed.body = texts(&[("en", &spell(body))]);
            opened.writer.put(&indexed).unwrap();
            if num % 25 == 24 {
                opened.writer.commit(num).unwrap();
            }
        }
        opened.writer.commit(99).unwrap();
        let whole = Query { limit: 100, ..ask(&spell(&words)) };
        let whole = opened.index.search(&whole).unwrap();
        prop_assert!(whole.hits.is_sorted_by(|one, other| one.score >= other.score));
        let mut query = Query { limit, ..ask(&spell(&words)) };
        let mut hits = Vec::new();
        loop {
            let found = opened.index.search(&query).unwrap();
            prop_assert_eq!(found.total, whole.total);
            hits.extend(found.hits);
            prop_assert!(hits.len() <= whole.hits.len());
            query.after = found.next;
            if query.after.is_none() {
                break;
            }
        }
        prop_assert_eq!(hits, whole.hits);
    }
}
