//! Plain words: the more of them a record has, the higher it ranks.
//!
//! Every word is tried in every language, and so is what it is called there. A record counts in the one language
//! that fits it best, as a whole: one in three languages does not outrank one in a single language, and words
//! of different languages do not add up to a sentence that no text of it says.

use std::collections::BTreeMap;

use super::analysis::{Language, folded};
use super::clauses::{analyse, is_worded};
use super::error::IndexError;
use super::expand::{Expanded, Expansions};
use super::passage::{Passages, TELLING};
use super::score::Score;
use super::terms::Terms;

/// What a record gains that has every word, in parts of what the words weigh: three words of four that are
/// common say less than all four.
const WHOLE: f32 = 0.2;
/// What a title gives besides that says all of a query, in parts of what its words weigh there. The less of the query
/// it says, the less even that counts: one word of eight is little, however short the title.
const COVERED: f32 = 6.0;

/// What words come to.
#[derive(Default)]
pub(super) struct Asked {
    /// Alternatives that add up.
    pub(super) parts: Vec<Score>,
    /// What is looked for in the records that score best.
    pub(super) passages: Passages,
    /// Whether there was a word.
    pub(super) found: bool,
    /// Words that were added, and their languages.
    pub(super) told: Vec<(Language, String)>,
}

/// A part of the score.
pub(super) struct Reading {
    /// Counts where the record is read in this language; none where it always does.
    pub(super) language: Option<Language>,
    /// The word, or what else it is.
    pub(super) said: String,
    pub(super) score: Score,
}

/// The parts of the score, kept where somebody asks for them.
#[derive(Default)]
pub(super) struct Reasons(Option<Vec<Reading>>);

impl Reasons {
    /// None are kept unless they are wanted.
    pub(super) fn wanted(wanted: bool) -> Self {
        Self(wanted.then(Vec::new))
    }

    /// Keeps a part: what it is, and what it gives.
    pub(super) fn note(
        &mut self,
        language: Option<Language>,
        part: impl FnOnce() -> (String, Score),
    ) {
        if let Some(kept) = &mut self.0 {
            let (said, score) = part();
            kept.push(Reading {
                language,
                said,
                score,
            });
        }
    }

    /// All that were kept.
    pub(super) fn all(self) -> Vec<Reading> {
        self.0.unwrap_or_default()
    }
}

/// A word of the query.
#[derive(Default)]
struct Word {
    /// As it was typed.
    text: String,
    /// What each language makes of it.
    terms: Vec<(Language, String)>,
    /// Records that have it, in the language and the field where they are most.
    common: u64,
    /// How it can be read in each language.
    readings: BTreeMap<Language, Vec<Score>>,
}

impl Word {
    /// Whether it is a word in a language.
    fn is_of(&self, language: Language) -> bool {
        self.terms.iter().any(|(of, _)| *of == language)
    }

    /// The word in a language; none where no text of it has the word.
    fn best(&self, language: Language) -> Option<Score> {
        let readings = self.readings.get(&language).cloned();
        readings.and_then(Score::best)
    }
}

/// What is asked for by the words of a text, in any language.
pub(super) fn words(
    terms: &Terms<'_>,
    expansions: Option<&Expansions>,
    text: &str,
    reasons: &mut Reasons,
) -> Result<Asked, IndexError> {
    let mut asked = Asked::default();
    let mut words = read(terms, text)?;
    asked.found = is_worded(text);
    for word in words.values_mut() {
        spell(terms, word, &mut asked, reasons)?;
        look_up(terms, word, &mut asked)?;
    }
    let mut labels = BTreeMap::new();
    if let Some(expansions) = expansions {
        let expanded = expansions.of(text);
        labels = expand(terms, &expanded, &mut words, &mut asked, reasons)?;
    }
    let words: Vec<Word> = words.into_values().collect();
    let mut in_languages = Vec::new();
    for (language, of_language) in &terms.languages {
        let labels = labels.remove(language).unwrap_or_default();
        let read = words.iter().map(|word| (word, word.best(*language)));
        let read: Vec<_> = read.collect();
        let telling = read
            .iter()
            .filter(|(word, _)| terms.weight(word.common) >= TELLING);
        let telling = telling.filter_map(|(_, reading)| reading.as_ref());
        let passages = Passages::of(*of_language, telling.collect());
        asked.passages.extend(passages);
        in_languages.extend(in_language(terms, *language, read, labels, reasons));
    }
    asked.parts.extend(Score::best(in_languages));
    Ok(asked)
}

/// The words by where they begin. Languages split a word differently (l'enquête), and meet there.
fn read(terms: &Terms<'_>, text: &str) -> Result<BTreeMap<usize, Word>, IndexError> {
    let mut words: BTreeMap<usize, Word> = BTreeMap::new();
    for (language, of_language) in &terms.languages {
        for term in analyse(*language, text) {
            let word = words.entry(term.offset).or_default();
            let common = terms.common(*of_language, &term.text)?;
            word.common = word.common.max(common);
            word.terms.push((*language, term.text));
            if word.text.is_empty() {
                let typed = text.get(term.offset..term.end).unwrap_or_default();
                typed.clone_into(&mut word.text);
            }
        }
    }
    Ok(words)
}

/// The word as it was typed counts whatever the language.
fn spell(
    terms: &Terms<'_>,
    word: &Word,
    asked: &mut Asked,
    reasons: &mut Reasons,
) -> Result<(), IndexError> {
    if let Some(query) = terms.spelt(&word.text, word.common)? {
        reasons.note(None, || (format!("={}", word.text), query.clone()));
        asked.parts.push(query);
    }
    Ok(())
}

/// The records that have the word, or, where none has, those that have one that is spelt nearly so.
fn look_up(terms: &Terms<'_>, word: &mut Word, asked: &mut Asked) -> Result<(), IndexError> {
    for (language, term) in &word.terms {
        if let Some(of_language) = terms.fields(*language)
            && let Some(query) = terms.anywhere(of_language, term, word.common)?
        {
            word.readings.entry(*language).or_default().push(query);
        }
    }
    if !word.readings.is_empty() {
        return Ok(());
    }
    let typed = folded(&word.text);
    for (language, term) in &word.terms {
        for (near, query) in terms.nearly(*language, term, &typed)? {
            word.readings.entry(*language).or_default().push(query);
            asked.tell(*language, &near);
        }
    }
    Ok(())
}

/// Adds what the words are called otherwise, as far as any record says it. Gives labels of several words.
fn expand(
    terms: &Terms<'_>,
    expanded: &Expanded,
    words: &mut BTreeMap<usize, Word>,
    asked: &mut Asked,
    reasons: &mut Reasons,
) -> Result<BTreeMap<Language, Vec<Score>>, IndexError> {
    for (offset, others) in &expanded.words {
        for other in others {
            let (Some(of_language), Some(word)) =
                (terms.fields(other.language), words.get_mut(offset))
            else {
                continue;
            };
            if let Some(query) = terms.anywhere(of_language, &other.term, word.common)? {
                let readings = word.readings.entry(other.language).or_default();
                readings.push(query.times(other.weight));
                asked.tell(other.language, &other.shown);
            }
        }
    }
    let mut labels: BTreeMap<Language, Vec<Score>> = BTreeMap::new();
    for label in &expanded.labels {
        let Some(of_language) = terms.fields(label.language) else {
            continue;
        };
        let each = label.terms.iter();
        let each = each.map(|term| terms.anywhere(of_language, term, 0));
        let each: Option<Vec<_>> = each.collect::<Result<_, _>>()?;
        if let Some(each) = each {
            let label_of = labels.entry(label.language).or_default();
            label_of.push(Score::All(each).times(label.weight));
            asked.tell(label.language, &label.shown);
        }
    }
    for theme in &expanded.themes {
        if let Some(query) = terms.theme(theme)? {
            reasons.note(None, || (format!("theme:{theme}"), query.clone()));
            asked.parts.push(query);
        }
    }
    Ok(labels)
}

/// The sum over the words in one language; none where it has none of them.
fn in_language(
    terms: &Terms<'_>,
    language: Language,
    words: Vec<(&Word, Option<Score>)>,
    labels: Vec<Score>,
    reasons: &mut Reasons,
) -> Option<Score> {
    let title = terms.fields(language)?.title;
    let (mut parts, mut titled) = (Vec::new(), Vec::new());
    let (mut asked, mut weight) = (0_u16, 0.0);
    for (word, reading) in words {
        if let Some(reading) = reading {
            reasons.note(Some(language), || (word.text.clone(), reading.clone()));
            asked += 1;
            weight += reading.most();
            titled.extend(reading.within(title));
            parts.push(reading);
        } else if word.is_of(language) {
            // To French the `l` of l'enquête is no word, and is not missing.
            asked += 1;
            if !word.readings.is_empty() {
                weight += terms.weight(word.common);
            }
        }
    }
    let share = parts.len() as f32 / f32::from(asked.max(1));
    let mut found = Vec::from_iter(match parts.len() {
        0 | 1 => parts.pop(),
        _ => {
            let more = WHOLE * share;
            let together = || Score::All(parts.clone()).times(more);
            reasons.note(Some(language), || ("+".to_owned(), together()));
            Some(Score::Whole(parts, more))
        }
    });
    if !titled.is_empty() {
        let title = Score::Covering(titled, weight).times(COVERED);
        reasons.note(Some(language), || ("+title".to_owned(), title.clone()));
        found.push(title);
    }
    for label in labels {
        reasons.note(Some(language), || ("label".to_owned(), label.clone()));
        found.push(label);
    }
    Score::sum(found)
}

impl Asked {
    fn tell(&mut self, language: Language, shown: &str) {
        let told = (language, shown.to_owned());
        if !self.told.contains(&told) {
            self.told.push(told);
        }
    }
}
