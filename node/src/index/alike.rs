//! Records that are like another one: they share its rare words, in whatever language, its themes and its tags.

use std::collections::BTreeMap;

use tantivy::Term;

use super::Indexable;
use super::analysis::Language;
use super::error::IndexError;
use super::expand::{Expansions, stems};
use super::passage::Passages;
use super::query::{Plan, Sort};
use super::score::Score;
use super::statistics::Statistics;
use super::terms::Terms;

/// Words of a record that are asked for in one language: those that say most.
const WORDS: usize = 24;
/// Bytes of a text that are looked at.
const BYTES: usize = 64 * 1024;
/// Letters of such a word at least.
const LETTERS: usize = 3;
/// Part of all records above which a word says nothing.
const COMMON: f32 = 0.3;
/// What a translation weighs beside the word.
const TRANSLATED: f32 = 0.8;
/// What a tag weighs that both have, in parts of how rare it is.
const TAG: f32 = 0.3;
/// What a word in each part of a record counts.
const PARTS: [f32; 3] = [3.0, 1.5, 1.0];

/// What asks for records like one, and not for itself.
pub(super) fn alike(
    record: &Indexable,
    statistics: &Statistics<'_>,
    expansions: Option<&Expansions>,
) -> Result<Plan, IndexError> {
    let terms = Terms::new(statistics, record.is_word);
    let mut by_language: BTreeMap<Language, Vec<Score>> = BTreeMap::new();
    for (language, words) in counted(record) {
        for (word, weight) in telling(&terms, statistics, language, words)? {
            let mut each = vec![(language, word.clone(), weight)];
            let others = expansions.into_iter();
            let others = others.flat_map(|known| known.lexicon.of(language, &word));
            each.extend(others.map(|other| {
                let weight = weight * TRANSLATED * other.weight;
                (other.language, other.stem.clone(), weight)
            }));
            for (language, word, weight) in each {
                if let Some(of_language) = terms.fields(language)
                    && let Some(query) = terms.anywhere(of_language, &word, 0)?
                {
                    let readings = by_language.entry(language).or_default();
                    readings.push(query.times(weight));
                }
            }
        }
    }
    let mut scored: Vec<Score> = Vec::new();
    let in_languages = by_language.into_values().filter_map(Score::sum);
    scored.extend(Score::best(in_languages.collect()));
    for theme in &record.themes {
        scored.extend(terms.theme(theme)?);
    }
    for tag in &record.tags {
        let term = Term::from_field_text(statistics.fields.tag, tag);
        let common = statistics.common(&term)?;
        if common > 0 {
            let value = TAG * statistics.idf(common);
            scored.push(Score::Flat { term, value });
        }
    }
    let itself = Score::Flat {
        term: Term::from_field_u64(statistics.fields.num, record.num),
        value: 1.0,
    };
    Ok(Plan {
        matching: Score::sum(scored).into(),
        excluded: vec![itself],
        sort: Sort::Relevance,
        passages: Passages::default(),
        told: Vec::new(),
        readings: Vec::new(),
    })
}

/// How much each word counts in the texts of a record, by language.
fn counted(record: &Indexable) -> BTreeMap<Language, BTreeMap<String, f32>> {
    let mut counts: BTreeMap<Language, BTreeMap<String, f32>> = BTreeMap::new();
    let parts = [&record.title, &record.summary, &record.body];
    for (texts, weight) in parts.into_iter().zip(PARTS) {
        for (tag, text) in texts {
            let language = match record.is_word {
                true => Language::Other,
                false => Language::of_tag(tag),
            };
            let of_language = counts.entry(language).or_default();
            let text = text.get(..text.floor_char_boundary(BYTES)).unwrap_or(text);
            for word in stems(language, text) {
                if word.stem.chars().count() >= LETTERS {
                    *of_language.entry(word.stem).or_default() += weight;
                }
            }
        }
    }
    counts
}

/// The words that say most of a record: often there, and rare elsewhere. With what they weigh, 1 at most.
fn telling(
    terms: &Terms<'_>,
    statistics: &Statistics<'_>,
    language: Language,
    words: BTreeMap<String, f32>,
) -> Result<Vec<(String, f32)>, IndexError> {
    let Some(of_language) = terms.fields(language) else {
        return Ok(Vec::new());
    };
    let mut told = Vec::new();
    for (word, count) in words {
        let common = terms.texts(of_language, &word)?;
        // A word that no other record has finds none.
        if common > 1 && common as f32 <= (COMMON * statistics.documents() as f32).max(2.0) {
            told.push((word, count.ln_1p() * statistics.idf(common)));
        }
    }
    told.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    told.truncate(WORDS);
    let most = told.first().map_or(1.0, |(_, weight)| *weight);
    for (_, weight) in &mut told {
        *weight /= most;
    }
    Ok(told)
}
