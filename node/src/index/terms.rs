//! From a word to what is looked up: in each part of a record, weighed, with the statistics of records like it.

use tantivy::Term;
use tantivy::query::PhraseQuery;
use tantivy::schema::Field;

use super::analysis::{Language, folded, spellings};
use super::clauses::{QueryTerm, analyse, is_worded};
use super::dictionary::{beginning, similar, within};
use super::error::IndexError;
use super::schema::TextFields;
use super::score::{Part, Score};
use super::statistics::Statistics;

/// What a word weighs that is spelt as it was asked for, beside its stem.
const EXACT: f32 = 0.65;
/// What it weighs where only accents, vowel signs or letter variants differ.
const FOLDED: f32 = 0.45;
/// What a word weighs that is a letter away from the one asked for.
const SLIP: f32 = 0.7;
/// What a word weighs that only contains the one asked for.
const WITHIN: f32 = 0.5;
/// What a phrase or the beginning of a word weighs in a title, beside one in a text.
const TITLE: f32 = 3.0;
/// What a theme of the name asked for weighs.
const THEME: f32 = 0.5;

/// Looks words up for one search.
pub(super) struct Terms<'a> {
    statistics: &'a Statistics<'a>,
    /// The languages that words are looked for in: those of which there are texts.
    pub(super) languages: Vec<(Language, TextFields)>,
    spelt: Option<Field>,
    theme: Field,
}

impl<'a> Terms<'a> {
    /// For records of police work, or for those about words.
    pub(super) fn new(statistics: &'a Statistics<'a>, of_words: bool) -> Self {
        let fields = statistics.fields;
        Self {
            statistics,
            languages: fields
                .asked(of_words)
                .into_iter()
                .filter(|(_, of_language)| statistics.holds(*of_language))
                .collect(),
            spelt: fields.spelt(of_words),
            theme: fields.theme,
        }
    }

    /// The fields of a language, where it is looked for.
    pub(super) fn fields(&self, language: Language) -> Option<TextFields> {
        let mut languages = self.languages.iter();
        languages.find_map(|(of, fields)| (*of == language).then_some(*fields))
    }

    /// A term in any of a language's fields; none where no record has it.
    ///
    /// A word that many bodies have is rare in titles, and one of another language rare among its own: there it
    /// would weigh as a rare word does. It weighs everywhere what it weighs where it is most common.
    pub(super) fn anywhere(
        &self,
        of_language: TextFields,
        term: &str,
        common: u64,
    ) -> Result<Option<Score>, IndexError> {
        let mut parts = Vec::new();
        let mut most = common;
        for field in of_language.all() {
            let term = Term::from_field_text(field, term);
            let own = self.statistics.common(&term)?;
            most = most.max(self.statistics.as_common(field, own));
            // Most terms exist in one language only, and every part left out makes the query faster.
            if own > 0 {
                parts.push(self.part(term)?);
            }
        }
        let weight = self.statistics.idf(most);
        Ok((!parts.is_empty()).then_some(Score::Text { parts, weight }))
    }

    fn part(&self, term: Term) -> Result<Part, IndexError> {
        Ok(Part {
            lengths: self.statistics.lengths(term.field())?,
            term,
        })
    }

    /// How many of all records would have a term if all spoke its language, by the field where they are most.
    pub(super) fn common(&self, of_language: TextFields, term: &str) -> Result<u64, IndexError> {
        let counts = self.counts(of_language, term)?;
        let counts = of_language.all().into_iter().zip(counts);
        let each = counts.map(|(field, count)| self.statistics.as_common(field, count));
        Ok(each.max().unwrap_or(0))
    }

    /// What a word weighs that so many records have.
    pub(super) fn weight(&self, common: u64) -> f32 {
        self.statistics.idf(common)
    }

    /// In how many texts of a language a term is, at most two or three of them of one record.
    pub(super) fn texts(&self, of_language: TextFields, term: &str) -> Result<u64, IndexError> {
        Ok(self.counts(of_language, term)?.into_iter().sum())
    }

    fn counts(&self, of_language: TextFields, term: &str) -> Result<[u64; 3], IndexError> {
        let mut counts = [0; 3];
        for (count, field) in counts.iter_mut().zip(of_language.all()) {
            let term = Term::from_field_text(field, term);
            *count = self.statistics.common(&term)?;
        }
        Ok(counts)
    }

    /// A word as it is spelt, and, for less, in other letters of the same.
    pub(super) fn spelt(&self, word: &str, common: u64) -> Result<Option<Score>, IndexError> {
        let Some(field) = self.spelt else {
            return Ok(None);
        };
        let (exact, others) = spellings(word);
        let each = std::iter::once((exact, EXACT)).chain(others.into_iter().map(|o| (o, FOLDED)));
        let mut readings: Vec<Score> = Vec::new();
        for (spelling, weight) in each {
            let term = Term::from_field_text(field, &spelling);
            let own = self.statistics.common(&term)?;
            if own > 0 {
                let value = weight * self.statistics.idf(common.max(own));
                readings.push(Score::Flat { term, value });
            }
        }
        Ok(Score::best(readings))
    }

    /// Records with a theme; none where none has it.
    pub(super) fn theme(&self, theme: &str) -> Result<Option<Score>, IndexError> {
        let term = Term::from_field_text(self.theme, theme);
        let common = self.statistics.common(&term)?;
        let value = THEME * self.statistics.idf(common);
        Ok((common > 0).then_some(Score::Flat { term, value }))
    }

    /// Words of a language that are spelt nearly as one that no record has, with what they weigh; in Hebrew, where
    /// particles and endings hang on words, also those that contain it.
    pub(super) fn nearly(
        &self,
        language: Language,
        term: &str,
        word: &str,
    ) -> Result<Vec<(String, Score)>, IndexError> {
        let Some(of_language) = self.fields(language) else {
            return Ok(Vec::new());
        };
        let fields = of_language.all();
        let mut found = Vec::new();
        // A slip near its end gives a word another stem.
        for near in similar(self.statistics.searcher, &fields, &[term, word])? {
            found.push((near.term, SLIP.powi(i32::from(near.distance))));
        }
        if found.is_empty() && language == Language::Hebrew {
            let longer = within(self.statistics.searcher, &fields, term)?;
            found.extend(longer.into_iter().map(|term| (term, WITHIN)));
        }
        let mut scores = Vec::new();
        for (term, weight) in found {
            if let Some(score) = self.anywhere(of_language, &term, 0)? {
                scores.push((term, score.times(weight)));
            }
        }
        Ok(scores)
    }

    /// Words of any language that begin so, of each at most so many, the most common ones; none where there is none.
    pub(super) fn prefix(&self, text: &str, most: usize) -> Result<Option<Score>, IndexError> {
        let mut readings = Vec::new();
        for (_, of_language) in &self.languages {
            let terms = beginning(self.statistics.searcher, &of_language.all(), &folded(text))?;
            for term in terms.into_iter().take(most) {
                let found = self.anywhere(*of_language, &term, 0)?;
                readings.extend(found.map(|found| titled(found, *of_language)));
            }
        }
        // What is longer than a stem begins no stem.
        if let Some(field) = self.spelt {
            let (exact, _) = spellings(text);
            let mut beginnings = beginning(self.statistics.searcher, &[field], &exact)?;
            if folded(text) != exact {
                beginnings.extend(beginning(
                    self.statistics.searcher,
                    &[field],
                    &folded(text),
                )?);
            }
            for term in beginnings.into_iter().take(most) {
                let term = Term::from_field_text(field, &term);
                let value = EXACT * self.statistics.idf(self.statistics.common(&term)?);
                readings.push(Score::Flat { term, value });
            }
        }
        Ok(Score::best(readings))
    }

    /// The words of the text side by side, in any language; none if there is no word, and in it none where no
    /// record has them.
    pub(super) fn phrase(&self, text: &str) -> Result<Option<Option<Score>>, IndexError> {
        let mut readings = Vec::new();
        for (language, of_language) in &self.languages {
            let mut terms = analyse(*language, text);
            // The first form of a word is the one that its own spelling is indexed by.
            terms.dedup_by_key(|term| term.position);
            let mut fields = Vec::new();
            for field in of_language.all() {
                let weight = if field == of_language.title {
                    TITLE
                } else {
                    1.0
                };
                let row = self.in_a_row(field, &terms)?;
                fields.extend(row.map(|row| row.times(weight)));
            }
            readings.extend(Score::sum(fields));
        }
        Ok(is_worded(text).then(|| Score::best(readings)))
    }

    fn in_a_row(&self, field: Field, terms: &[QueryTerm]) -> Result<Option<Score>, IndexError> {
        let mut row = Vec::with_capacity(terms.len());
        for QueryTerm { text, position, .. } in terms {
            let term = Term::from_field_text(field, text);
            if self.statistics.common(&term)? == 0 {
                return Ok(None);
            }
            row.push((*position, term));
        }
        if row.len() > 1 {
            let query = Box::new(PhraseQuery::new_with_offset(row));
            return Ok(Some(Score::Engine { query, weight: 1.0 }));
        }
        let Some((_, term)) = row.pop() else {
            return Ok(None);
        };
        let weight = self.statistics.idf(self.statistics.common(&term)?);
        let parts = vec![self.part(term)?];
        Ok(Some(Score::Text { parts, weight }))
    }
}

/// A beginning of a word, worth more in titles.
fn titled(found: Score, of_language: TextFields) -> Score {
    match found.within(of_language.title) {
        Some(title) => Score::Sum(vec![found, title.times(TITLE - 1.0)]),
        None => found,
    }
}
