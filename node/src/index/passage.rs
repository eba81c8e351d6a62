//! How much of a question one passage of a record says.
//!
//! BM25 takes a text for a bag of words: a long manual that mentions each of them somewhere, pages apart, scores as one
//! that says them in a sentence. So the records that score best are looked at once more, and gain by the words that
//! stand together in the passage where most of what they weigh does, be it of the title, the summary or the body
//! (passage evidence: Callan, "Passage-Level Evidence in Document Retrieval", 1994; term proximity beside BM25:
//! Büttcher, Clarke and Lushman, "Term Proximity Scoring for Ad-Hoc Retrieval on Very Large Text Collections", 2006).
//! A word counts by what it is called in the text's language, and only by its best name.

use std::collections::BTreeSet;

use tantivy::postings::Postings as _;
use tantivy::schema::Field;
use tantivy::{DocId, DocSet as _, Term};

use super::error::IndexError;
use super::schema::TextFields;
use super::score::Score;
use super::statistics::Statistics;

/// Words of a text that are a passage: two or three sentences.
const PASSAGE_WORDS: u32 = 40;
/// What a record gains, in parts of what the words weigh that one passage says.
const GAIN: f32 = 1.5;
/// What a word weighs at least that is looked for: one that more than every third record has says little by its place.
pub(super) const TELLING: f32 = 1.0;
/// Words of a question that are looked for: those that weigh most.
const WORDS: usize = 12;
/// Names of a word that are looked for: those that weigh most.
const NAMES: usize = 4;
/// Places of a word in a text that are looked at.
const PLACES: usize = 1_000;

/// A name of a word in one part of a text, and what the word weighs where it is called so.
struct Name {
    term: Term,
    weight: f32,
}

/// The words of a question in one part of the texts of a language.
struct Part(Vec<Vec<Name>>);

/// What is looked for in the records that score best.
#[derive(Default)]
pub(super) struct Passages(Vec<Part>);

impl Passages {
    /// Looks for words, as they are read in a language, in its texts. One word alone stands with none.
    pub(super) fn of(fields: TextFields, mut words: Vec<&Score>) -> Self {
        words.sort_by(|one, other| other.most().total_cmp(&one.most()));
        words.truncate(WORDS);
        let parts = fields.all().map(|field| Part::of(field, &words));
        Self(parts.into_iter().flatten().collect())
    }

    /// Looks for others, too.
    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What records of a segment, in rising order, gain.
    ///
    /// # Errors
    /// [`IndexError::Io`] and [`IndexError::Damaged`].
    pub(super) fn gains(
        &self,
        segment: usize,
        records: &[DocId],
        statistics: &Statistics<'_>,
    ) -> Result<Vec<f32>, IndexError> {
        let mut gains = vec![0.0_f32; records.len()];
        for part in &self.0 {
            let places = part.places(segment, records, statistics)?;
            for (gain, places) in gains.iter_mut().zip(places) {
                *gain = gain.max(GAIN * part.most_together(places));
            }
        }
        Ok(gains)
    }
}

impl Part {
    /// The words that have a name in a field; none where fewer than two have.
    fn of(field: Field, words: &[&Score]) -> Option<Self> {
        let mut seen = BTreeSet::new();
        let mut named = Vec::new();
        for word in words {
            let mut names = Vec::new();
            word.each_text(&mut |term, weight| {
                // A word that is asked for twice counts once.
                if term.field() == field && seen.insert(term.clone()) {
                    let term = term.clone();
                    names.push(Name { term, weight });
                }
            });
            names.sort_by(|one, other| other.weight.total_cmp(&one.weight));
            names.truncate(NAMES);
            if !names.is_empty() {
                named.push(names);
            }
        }
        (named.len() > 1).then_some(Self(named))
    }

    /// Where each record has which name of which word.
    fn places(
        &self,
        segment: usize,
        records: &[DocId],
        statistics: &Statistics<'_>,
    ) -> Result<Vec<Vec<Place>>, IndexError> {
        let mut places: Vec<Vec<Place>> = records.iter().map(|_| Vec::new()).collect();
        let mut found = Vec::new();
        for (word, names) in self.0.iter().enumerate() {
            for (name, Name { term, .. }) in names.iter().enumerate() {
                let Some(mut postings) = statistics.positions(segment, term)? else {
                    continue;
                };
                for (record, places) in records.iter().zip(&mut places) {
                    if postings.doc() < *record {
                        postings.seek(*record);
                    }
                    if postings.doc() == *record {
                        postings.positions(&mut found);
                        let found = found.iter().take(PLACES);
                        places.extend(found.map(|&at| Place { at, word, name }));
                    }
                }
            }
        }
        Ok(places)
    }

    /// What the words weigh that are in the passage where they weigh most.
    fn most_together(&self, mut places: Vec<Place>) -> f32 {
        places.sort_unstable();
        let counted = |names: &Vec<Name>| names.iter().map(|name| (name.weight, 0)).collect();
        let mut inside: Vec<Vec<(f32, u32)>> = self.0.iter().map(counted).collect();
        let mut leaving = places.iter().peekable();
        let mut most = 0.0_f32;
        for place in &places {
            if let Some(often) = place.of(&mut inside) {
                *often += 1;
            }
            while let Some(gone) = leaving.next_if(|left| left.at + PASSAGE_WORDS <= place.at) {
                if let Some(often) = gone.of(&mut inside) {
                    *often -= 1;
                }
            }
            // The names of a word are sorted by what they weigh.
            let words = inside.iter().filter_map(|names| {
                let mut names = names.iter().filter(|(_, often)| *often > 0);
                names.next().map(|(weight, _)| weight)
            });
            most = most.max(words.sum());
        }
        most
    }
}

/// A place of a text, in words from its beginning, and what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    at: u32,
    word: usize,
    name: usize,
}

impl Place {
    /// How often what is there is in the passage.
    fn of<'i>(&self, inside: &'i mut [Vec<(f32, u32)>]) -> Option<&'i mut u32> {
        let (_, often) = inside.get_mut(self.word)?.get_mut(self.name)?;
        Some(often)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(weights: &[Vec<u8>]) -> Part {
        let names = |weights: &Vec<u8>| {
            let mut weights = weights.clone();
            weights.sort_unstable_by(|one, other| other.cmp(one));
            let each = weights.into_iter().map(|weight| Name {
                term: Term::from_field_text(Field::from_field_id(0), ""),
                weight: f32::from(weight),
            });
            each.collect()
        };
        Part(weights.iter().map(names).collect())
    }

    proptest! {
        /// The judge tries every passage.
        #[test]
        fn the_best_passage_is_that_of_a_plain_scan(
            weights in prop::collection::vec(prop::collection::vec(1u8..9, 1..4), 1..5),
            places in prop::collection::vec((0u32..120, 0usize..5, 0usize..4), 0..12),
        ) {
            let part = part(&weights);
            let has = |word: usize, name: usize| part.0.get(word).is_some_and(|names| name < names.len());
            let places: Vec<Place> = places
                .into_iter()
                .filter(|(_, word, name)| has(*word, *name))
                .map(|(at, word, name)| Place { at, word, name })
                .collect();
            let mut most = 0.0_f32;
            for from in 0..120 {
                let mut sum = 0.0;
                for (word, names) in part.0.iter().enumerate() {
                    let inside = places.iter().filter(|place| {
                        place.word == word && (from..from + PASSAGE_WORDS).contains(&place.at)
                    });
                    let weights = inside.map(|place| names[place.name].weight);
                    sum += weights.fold(0.0, f32::max);
                }
                most = most.max(sum);
            }
            prop_assert!((part.most_together(places) - most).abs() < 1e-4);
        }
    }
}
