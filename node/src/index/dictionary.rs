//! Words of the index: those that are spelt nearly as one that no record has, and those that begin so.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::Searcher;
use tantivy::schema::Field;
use tantivy_fst::Automaton;

use super::error::IndexError;

/// Letters of a word that may be a slip; of a shorter one another word is made too easily.
const LETTERS_MIN: usize = 4;
/// Letters up to which a slip is one letter; above it may be two.
const ONE_SLIP_LETTERS: usize = 7;
/// Words that are looked at.
const LOOKED_AT: usize = 2_000;
/// Words of a field that are gone through for those that contain another.
const SCANNED: usize = 200_000;
/// Words that are taken of those that begin so.
const BEGINNINGS: usize = 50;
/// Words that are taken.
const TAKEN: usize = 6;

/// A word of the index, and how many letters it is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Similar {
    pub(super) term: String,
    pub(super) distance: u8,
}

/// The words of fields that are nearest to a word that has no exact match, in any of its forms: one letter away
/// up to seven letters, two above, letters that changed places counting once; of equally near ones those that
/// most records have.
pub(super) fn similar(
    searcher: &Searcher,
    fields: &[Field],
    words: &[&str],
) -> Result<Vec<Similar>, IndexError> {
    let mut found: BTreeMap<String, (u8, u64)> = BTreeMap::new();
    for (at, word) in words.iter().enumerate() {
        if !words.iter().take(at).any(|before| before == word) {
            look(searcher, fields, word, &mut found)?;
        }
    }
    let mut found: Vec<(String, (u8, u64))> = found.into_iter().collect();
    found.sort_by_key(|(_, (distance, count))| (*distance, std::cmp::Reverse(*count)));
    // Two letters away are others where one letter away is somebody.
    let nearest = found.first().map_or(0, |(_, (distance, _))| *distance);
    let nearest = found
        .into_iter()
        .filter(|(_, (distance, _))| *distance == nearest);
    let similar = nearest
        .take(TAKEN)
        .map(|(term, (distance, _))| Similar { term, distance });
    Ok(similar.collect())
}

fn look(
    searcher: &Searcher,
    fields: &[Field],
    word: &str,
    found: &mut BTreeMap<String, (u8, u64)>,
) -> Result<(), IndexError> {
    let letters = word.chars().count();
    if letters < LETTERS_MIN || word.chars().any(char::is_numeric) {
        return Ok(());
    }
    let slips = if letters <= ONE_SLIP_LETTERS { 1 } else { 2 };
    let automaton = Near(builder(slips).build_dfa(word));
    for segment in searcher.segment_readers() {
        for field in fields {
            let index = segment.inverted_index(*field)?;
            let mut stream = index.terms().search(&automaton).into_stream()?;
            let mut looked_at = 0;
            while stream.advance() && looked_at < LOOKED_AT {
                looked_at += 1;
                let Ok(term) = std::str::from_utf8(stream.key()) else {
                    continue;
                };
                let distance = automaton.0.eval(term).to_u8();
                // A slip in the first letter is rare, and words that begin otherwise are many.
                if distance > 1 && term.chars().next() != word.chars().next() {
                    continue;
                }
                let known = found.entry(term.to_owned()).or_insert((distance, 0));
                known.1 += u64::from(stream.value().doc_freq);
                known.0 = known.0.min(distance);
            }
        }
    }
    Ok(())
}

/// Letters that a word has at least to be looked for within others.
const WITHIN_LETTERS: usize = 3;

/// Words of fields that contain a word: those that most records have, where they are many.
pub(super) fn within(
    searcher: &Searcher,
    fields: &[Field],
    word: &str,
) -> Result<Vec<String>, IndexError> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    if word.chars().count() < WITHIN_LETTERS {
        return Ok(Vec::new());
    }
    for segment in searcher.segment_readers() {
        for field in fields {
            let index = segment.inverted_index(*field)?;
            let mut stream = index.terms().stream()?;
            let mut looked_at = 0;
            while stream.advance() && looked_at < SCANNED {
                looked_at += 1;
                let term = std::str::from_utf8(stream.key());
                if let Some(term) = term.ok().filter(|term| term.contains(word)) {
                    let count = found.entry(term.to_owned()).or_default();
                    *count += u64::from(stream.value().doc_freq);
                }
            }
        }
    }
    Ok(most_common(found, TAKEN))
}

/// The words that most records have.
fn most_common(found: BTreeMap<String, u64>, count: usize) -> Vec<String> {
    let mut found: Vec<(String, u64)> = found.into_iter().collect();
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found.truncate(count);
    found.into_iter().map(|(term, _)| term).collect()
}

/// Words of fields that begin so: those that most records have, where they are many.
pub(super) fn beginning(
    searcher: &Searcher,
    fields: &[Field],
    prefix: &str,
) -> Result<Vec<String>, IndexError> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for segment in searcher.segment_readers() {
        for field in fields {
            let index = segment.inverted_index(*field)?;
            let mut stream = index.terms().range().ge(prefix.as_bytes()).into_stream()?;
            let mut looked_at = 0;
            while stream.advance() && looked_at < LOOKED_AT {
                looked_at += 1;
                if !stream.key().starts_with(prefix.as_bytes()) {
                    break;
                }
                if let Ok(term) = std::str::from_utf8(stream.key()) {
                    let count = found.entry(term.to_owned()).or_default();
                    *count += u64::from(stream.value().doc_freq);
                }
            }
        }
    }
    Ok(most_common(found, BEGINNINGS))
}

/// Tables of the automata, made once (Schulz and Mihov, "Fast string correction with Levenshtein automata",
/// IJDAR 5, 2002).
fn builder(slips: u8) -> &'static LevenshteinAutomatonBuilder {
    static ONE: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    static TWO: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    let place = if slips == 1 { &ONE } else { &TWO };
    place.get_or_init(|| LevenshteinAutomatonBuilder::new(slips, true))
}

/// An automaton as the term dictionary takes it.
struct Near(DFA);

impl Automaton for Near {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}
