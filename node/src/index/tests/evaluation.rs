//! Scores by columns are those that one record by itself comes to.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tantivy::query::{EnableScoring, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, SegmentReader, TERMINATED, Term};

use super::{Opened, TempDir, open, record};
use crate::index::analysis::Language;
use crate::index::evaluate::Evaluation;
use crate::index::score::{Part, Score};
use crate::index::statistics::Statistics;

/// Words of the records: the first is in each second, the next in each fourth, and so on.
const WORDS: u8 = 9;
/// Records of each segment: several windows, blocks of postings and words of bits, none of them full.
const RECORDS: u64 = 1_300;

/// The sum that covers all.
const COVERED: f32 = 6.0;

/// An expression over the words.
#[derive(Debug, Clone)]
enum Tree {
    Term(u8),
    Flat(u8, u8),
    Phrase(u8, u8),
    Sum(Vec<Tree>),
    Best(Vec<Tree>),
    All(Vec<Tree>),
    Whole(Vec<Tree>),
    Covering(Vec<Tree>),
    Also(Box<Tree>, Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        (0..=WORDS).prop_map(Tree::Term),
        (0..=WORDS, 1u8..9).prop_map(|(word, value)| Tree::Flat(word, value)),
        (0u8..4, 0u8..4).prop_map(|(one, other)| Tree::Phrase(one, other)),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(Tree::Sum),
            several.clone().prop_map(Tree::Best),
            several.clone().prop_map(Tree::All),
            several.clone().prop_map(Tree::Whole),
            several.prop_map(Tree::Covering),
            (inner.clone(), inner).prop_map(|(a, b)| Tree::Also(Box::new(a), Box::new(b))),
        ]
    })
}

/// What is known of a segment by the engine's own means: what each word and each pair scores, by record.
struct Known {
    terms: BTreeMap<u8, BTreeMap<DocId, f32>>,
    phrases: BTreeMap<(u8, u8), BTreeMap<DocId, f32>>,
}

struct Tried<'t> {
    statistics: &'t Statistics<'t>,
    field: tantivy::schema::Field,
}

impl Tried<'_> {
    fn term(&self, word: u8) -> Term {
        Term::from_field_text(self.field, &format!("k{word}"))
    }

    fn phrase(&self, one: u8, other: u8) -> tantivy::query::PhraseQuery {
        tantivy::query::PhraseQuery::new(vec![self.term(one), self.term(other)])
    }

    fn score(&self, tree: &Tree) -> Score {
        let each = |trees: &[Tree]| trees.iter().map(|tree| self.score(tree)).collect();
        match tree {
            // In one field it is the engine's BM25.
            Tree::Term(word) => Score::Text {
                weight: self
                    .statistics
                    .idf(self.statistics.common(&self.term(*word)).unwrap()),
                parts: vec![Part {
                    term: self.term(*word),
                    lengths: self.statistics.lengths(self.field).unwrap(),
                }],
            },
            Tree::Flat(word, value) => Score::Flat {
                term: self.term(*word),
                value: f32::from(*value),
            },
            Tree::Phrase(one, other) => Score::Engine {
                query: Box::new(self.phrase(*one, *other)),
                weight: 1.0,
            },
            Tree::Sum(trees) => Score::Sum(each(trees)),
            Tree::Best(trees) => Score::Best(each(trees)),
            Tree::All(trees) => Score::All(each(trees)),
            Tree::Whole(trees) => Score::Whole(each(trees), 0.5),
            Tree::Covering(trees) => Score::Covering(each(trees), COVERED),
            Tree::Also(must, may) => {
                Score::Also(Box::new(self.score(must)), Box::new(self.score(may)))
            }
        }
    }
}

impl Known {
    fn of(tried: &Tried<'_>, searcher: &tantivy::Searcher, segment: &SegmentReader) -> Self {
        let scored = |query: &dyn tantivy::query::Query| {
            let scoring =
                EnableScoring::enabled_from_statistics_provider(tried.statistics, searcher);
            let mut scorer = query.weight(scoring).unwrap().scorer(segment, 1.0).unwrap();
            let mut scores = BTreeMap::new();
            while scorer.doc() != TERMINATED {
                scores.insert(scorer.doc(), scorer.score());
                scorer.advance();
            }
            scores
        };
        let term = |word| TermQuery::new(tried.term(word), IndexRecordOption::WithFreqs);
        let pairs = (0u8..4).flat_map(|one| (0u8..4).map(move |other| (one, other)));
        Self {
            terms: (0..=WORDS)
                .map(|word| (word, scored(&term(word))))
                .collect(),
            phrases: pairs
                .map(|(one, other)| ((one, other), scored(&tried.phrase(one, other))))
                .collect(),
        }
    }

    /// What a record scores, worked out alone; none where it does not match.
    fn alone(&self, tree: &Tree, record: DocId) -> Option<f32> {
        let all = |trees: &[Tree]| -> Vec<Option<f32>> {
            trees.iter().map(|tree| self.alone(tree, record)).collect()
        };
        let sum = |scores: &[Option<f32>]| -> Option<f32> {
            let found = scores.iter().flatten();
            scores.iter().any(Option::is_some).then(|| found.sum())
        };
        match tree {
            Tree::Term(word) => self.terms[word].get(&record).copied(),
            Tree::Flat(word, value) => self.terms[word].get(&record).map(|_| f32::from(*value)),
            Tree::Phrase(one, other) => self.phrases[&(*one, *other)].get(&record).copied(),
            Tree::Sum(trees) => sum(&all(trees)),
            Tree::Best(trees) => all(trees).into_iter().flatten().reduce(f32::max),
            Tree::All(trees) => {
                let scores = all(trees);
                sum(&scores).filter(|_| scores.iter().all(Option::is_some))
            }
            Tree::Whole(trees) => {
                let scores = all(trees);
                let more = match scores.iter().all(Option::is_some) {
                    true => 1.5,
                    false => 1.0,
                };
                sum(&scores).map(|sum| sum * more)
            }
            Tree::Covering(trees) => sum(&all(trees)).map(|sum| sum * (sum / COVERED).min(1.0)),
            Tree::Also(must, may) => {
                let may = self.alone(may, record).unwrap_or(0.0);
                self.alone(must, record).map(|must| must + may)
            }
        }
    }
}

/// Two segments; which records have a word is drawn, but the same every time.
fn drawn() -> (TempDir, Opened) {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = open(dir.path());
    let mut draw = 7u64;
    for num in 0..2 * RECORDS {
        let mut title = String::new();
        for word in 0..WORDS {
            for _ in 0..2 {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                if (draw >> 33).is_multiple_of(2 << word) {
                    title += &format!("k{word} ");
                }
            }
        }
        opened.writer.put(&record(num, &[("fr", &title)])).unwrap();
        if num + 1 == RECORDS {
            opened.writer.commit(1).unwrap();
        }
    }
    opened.writer.commit(2).unwrap();
    (dir, opened)
}

#[test]
fn columns_give_each_record_what_it_comes_to_alone() {
    let (_dir, opened) = drawn();
    let shared = opened.index.shared();
    let searcher = shared.reader.searcher();
    let statistics = Statistics::new(&searcher, &shared.segments, &shared.fields, false).unwrap();
    let tried = Tried {
        statistics: &statistics,
        field: shared.fields.text(Language::French).unwrap().title,
    };
    let segments: Vec<_> = searcher.segment_readers().iter().collect();
    assert!(segments.len() >= 2);
    let known: Vec<_> = segments
        .iter()
        .map(|segment| Known::of(&tried, &searcher, segment))
        .collect();
    proptest!(ProptestConfig::with_cases(200), |(tree in tree())| {
        let score = tried.score(&tree);
        for (number, (segment, known)) in segments.iter().zip(&known).enumerate() {
            let open = || Evaluation::open(&score, number, &statistics).unwrap();
            let mut scores = vec![0.0; segment.max_doc() as usize];
            open().each_window(|word, column, _| {
                let from = word as usize * 64;
                for (to, score) in scores[from..].iter_mut().zip(column) {
                    untouched(*to);
                    *to = *score;
                }
            });
            let found = open().matches(segment.max_doc());
            for (record, score) in (0..).zip(&scores) {
                let alone = known.alone(&tree, record).unwrap_or(0.0);
                prop_assert!((score - alone).abs() <= alone * 1e-4, "{} {} {}", record, score, alone);
                prop_assert_eq!(score.to_bits() == 0, alone == 0.0);
                prop_assert_eq!(found.word(record / 64) >> (record % 64) & 1 == 1, alone > 0.0);
            }
            let last = segment.max_doc() - 1;
            let at = open().at(last);
            prop_assert!((at - scores[last as usize]).abs() <= at * 1e-4);
        }
    });
}

/// No window is given twice.
fn untouched(before: f32) {
    assert!(before.to_bits() == 0, "a window came twice");
}
