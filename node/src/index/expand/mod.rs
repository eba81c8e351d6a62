//! Across languages: what the words of a query are called in other languages, by the concepts of vocabularies
//! and by what multilingual records teach (`docs/architecture/search.md`).

mod learn;
mod parallel;
mod thesaurus;

use std::collections::BTreeMap;

use tantivy::tokenizer::TokenStream;

pub use learn::{Learner, Lexicon};
pub use parallel::Parallel;
pub use thesaurus::Thesaurus;

use super::analysis::{Language, Side};

/// What a learned translation that is certain weighs beside the word itself. Few are certain.
const LEARNED: f32 = 1.5;

/// What is known of words across languages.
#[derive(Default)]
pub struct Expansions {
    /// By concepts.
    pub thesaurus: Thesaurus,
    /// By multilingual records.
    pub lexicon: Lexicon,
}

/// What is added to a query.
#[derive(Default)]
pub(super) struct Expanded {
    /// By the byte at which a word of the query begins: other words for it.
    pub(super) words: BTreeMap<usize, Vec<Alternative>>,
    /// Labels of several words: all of them, in one language.
    pub(super) labels: Vec<Label>,
    /// Themes that are named.
    pub(super) themes: Vec<String>,
}

/// Another word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alternative {
    pub(super) language: Language,
    pub(super) term: String,
    /// As people write it.
    pub(super) shown: String,
    pub(super) weight: f32,
}

/// Other words that stand together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) language: Language,
    pub(super) terms: Vec<String>,
    /// As people write it.
    pub(super) shown: String,
    pub(super) weight: f32,
}

impl Expansions {
    /// What to add to a text of words.
    pub(super) fn of(&self, text: &str) -> Expanded {
        let mut expanded = Expanded::default();
        for language in Language::ALL {
            let words = stems(language, text);
            self.thesaurus.expand(language, &words, &mut expanded);
            for word in &words {
                for other in self.lexicon.of(language, &word.stem) {
                    let alternative = Alternative {
                        language: other.language,
                        term: other.stem.clone(),
                        shown: other.word.clone(),
                        weight: LEARNED * other.weight,
                    };
                    expanded.add(word.offset, alternative);
                }
            }
        }
        expanded
    }
}

impl Expanded {
    /// Adds a word once, with the greatest of its weights.
    fn add(&mut self, offset: usize, alternative: Alternative) {
        let others = self.words.entry(offset).or_default();
        let known = others
            .iter_mut()
            .find(|known| known.language == alternative.language && known.term == alternative.term);
        match known {
            Some(known) => known.weight = known.weight.max(alternative.weight),
            None => others.push(alternative),
        }
    }
}

/// A word as its language is indexed.
#[derive(Debug, Clone)]
pub(super) struct Stem {
    pub(super) stem: String,
    /// Byte at which the word begins.
    pub(super) offset: usize,
    /// Byte behind its end.
    pub(super) end: usize,
}

/// The words of a text, one form each.
pub(super) fn stems(language: Language, text: &str) -> Vec<Stem> {
    let mut stems: Vec<Stem> = Vec::new();
    let mut last = None;
    language
        .analyser(Side::Record)
        .token_stream(text)
        .process(&mut |token| {
            if last != Some(token.position) {
                last = Some(token.position);
                stems.push(Stem {
                    stem: token.text.clone(),
                    offset: token.offset_from,
                    end: token.offset_to,
                });
            }
        });
    stems
}
