//! The text of a query: from words, phrases and exclusions to what the search engine runs.
//!
//! Words are alternatives: a record matches when it has any of them, and the more of them, the
//! higher it ranks. Every word is tried in every language; a record counts in the language where
//! it fits best, so that a record in three languages does not outrank one in a single language.
//! Phrases must occur, and excluded words must not.

use std::collections::BTreeMap;

use tantivy::query::{
    BooleanQuery, BoostQuery, DisjunctionMaxQuery, EmptyQuery, Occur, PhraseQuery,
    Query as EngineQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::analysis::{Language, folded};
use super::clauses::{Clause, QueryTerm, analyse};
use super::dictionary::{beginning, similar};
use super::error::IndexError;
use super::expand::{Expanded, Expansions};
use super::forward::Forward;
use super::query::Part;
use super::schema::TextFields;
use super::statistics::Statistics;

/// What a record gains that has every word, in parts of what the words weigh: three words of four that are
/// common say less than all four.
const WHOLE: f32 = 0.75;

/// What a word weighs that is a letter away from the one asked for.
const SLIP: f32 = 0.7;

/// How a word of the query can be read.
#[derive(Default)]
struct Readings {
    queries: Vec<Box<dyn EngineQuery>>,
    /// What each language makes of it.
    terms: Vec<(Language, String)>,
    /// Records that have it, in the language and the field where they are most.
    common: u64,
}

/// Plans the text of one query.
pub(super) struct Text<'a> {
    statistics: &'a Statistics<'a>,
    searcher: &'a Searcher,
    /// The languages that words are looked for in.
    languages: Vec<(Language, TextFields)>,
    expansions: Option<&'a Expansions>,
    told: Vec<(Language, String)>,
}

impl<'a> Text<'a> {
    pub(super) fn new(
        statistics: &'a Statistics<'a>,
        searcher: &'a Searcher,
        languages: Vec<(Language, TextFields)>,
        expansions: Option<&'a Expansions>,
    ) -> Self {
        Self {
            statistics,
            searcher,
            languages,
            expansions,
            told: Vec::new(),
        }
    }

    /// Adds the conditions of the text; whether there is anything to match and to score, and which words were
    /// added to it.
    pub(super) fn plan(
        mut self,
        clauses: &[Clause<'_>],
        parts: &mut Vec<Part>,
    ) -> Result<(bool, Vec<(Language, String)>), IndexError> {
        let mut scored: Vec<Part> = Vec::new();
        let (mut wanted, mut plain, mut either) = (false, Vec::new(), Vec::new());
        for clause in clauses {
            if clause.excluded {
                let excluded = match clause.prefix {
                    true => self.prefix(clause.text)?,
                    false => self.phrase(clause.text)?,
                };
                if let Some(excluded) = excluded {
                    parts.push((Occur::MustNot, Box::new(Forward(excluded))));
                }
            } else if clause.either {
                let alternative = self.alternative(clause)?;
                wanted |= alternative.is_some();
                either.extend(alternative);
                continue;
            } else if clause.phrase {
                if let Some(phrase) = self.phrase(clause.text)? {
                    wanted = true;
                    scored.push((Occur::Must, phrase));
                }
            } else if clause.prefix {
                wanted = true;
                scored.extend(
                    self.prefix(clause.text)?
                        .map(|words| (Occur::Should, words)),
                );
            } else {
                plain.push(clause.text);
            }
        }
        wanted |= self.words(&plain.join(" "), &mut scored)?;
        if !either.is_empty() {
            let either = either.into_iter().map(|one| (Occur::Should, one));
            let one_of = BooleanQuery::new(either.collect());
            scored.push((Occur::Must, Box::new(one_of)));
        }
        if wanted {
            // Words that no record has leave nothing behind, and nothing matches then.
            let text: Box<dyn EngineQuery> = if scored.is_empty() {
                Box::new(EmptyQuery)
            } else {
                Box::new(BooleanQuery::new(scored))
            };
            parts.push((Occur::Must, text));
        }
        Ok((wanted, self.told))
    }

    fn fields(&self, language: Language) -> Option<TextFields> {
        let mut languages = self.languages.iter();
        languages.find_map(|(of, fields)| (*of == language).then_some(*fields))
    }

    /// Adds one alternative for each word; whether there was a word.
    fn words(&mut self, text: &str, scored: &mut Vec<Part>) -> Result<bool, IndexError> {
        // Languages split a word differently (l'enquête), so words meet by where they begin.
        let mut words: BTreeMap<usize, Readings> = BTreeMap::new();
        for (language, of_language) in self.languages.clone() {
            for term in analyse(language, text) {
                let readings = words.entry(term.offset).or_default();
                let common = self.common(of_language, &term.text)?;
                readings.common = readings.common.max(common);
                readings.terms.push((language, term.text));
            }
        }
        let found = !words.is_empty();
        for (offset, readings) in &mut words {
            for (language, term) in &readings.terms {
                if let Some(of_language) = self.fields(*language) {
                    let query = self.anywhere(of_language, term, readings.common)?;
                    readings.queries.extend(query);
                }
            }
            // Only what no record has may be a slip.
            if readings.queries.is_empty() {
                let word = text.get(*offset..).unwrap_or_default();
                let word = word.split(char::is_whitespace).next().unwrap_or_default();
                readings.queries = self.similar(&readings.terms, &folded(word))?;
            }
        }
        if let Some(expansions) = self.expansions {
            self.expand(&expansions.of(text), &mut words, scored)?;
        }
        let words = words.into_values();
        let words: Vec<_> = words
            .filter_map(|readings| best_of(readings.queries))
            .collect();
        if words.len() > 1 {
            let all = words.iter().map(|word| (Occur::Must, word.box_clone()));
            let all = BooleanQuery::new(all.collect());
            scored.push((
                Occur::Should,
                Box::new(BoostQuery::new(Box::new(all), WHOLE)),
            ));
        }
        scored.extend(words.into_iter().map(|word| (Occur::Should, word)));
        Ok(found)
    }

    /// One of those that `OR` stands between.
    fn alternative(
        &mut self,
        clause: &Clause<'_>,
    ) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        match (clause.phrase, clause.prefix) {
            (true, _) => self.phrase(clause.text),
            (_, true) => self.prefix(clause.text),
            _ => {
                let mut words = Vec::new();
                self.words(clause.text, &mut words)?;
                let query: Box<dyn EngineQuery> = Box::new(BooleanQuery::new(words));
                Ok(Some(query))
            }
        }
    }

    /// Words of any language that begin so, the most common ones where they are many.
    fn prefix(&self, text: &str) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        let mut readings = Vec::new();
        for (_, of_language) in self.languages.clone() {
            let fields = of_language.weighted().map(|(field, _)| field);
            for term in beginning(self.searcher, &fields, &folded(text))? {
                readings.extend(self.anywhere(of_language, &term, 0)?);
            }
        }
        Ok(Some(
            best_of(readings).unwrap_or_else(|| Box::new(EmptyQuery)),
        ))
    }

    /// Adds what the words are called otherwise, as far as any record says it.
    fn expand(
        &mut self,
        expanded: &Expanded,
        words: &mut BTreeMap<usize, Readings>,
        scored: &mut Vec<Part>,
    ) -> Result<(), IndexError> {
        for (offset, others) in &expanded.words {
            for other in others {
                let Some(of_language) = self.fields(other.language) else {
                    continue;
                };
                let readings = words.entry(*offset).or_default();
                if let Some(query) = self.anywhere(of_language, &other.term, readings.common)? {
                    let query = BoostQuery::new(query, other.weight);
                    readings.queries.push(Box::new(query));
                    self.tell(other.language, &other.shown);
                }
            }
        }
        for label in &expanded.labels {
            let Some(of_language) = self.fields(label.language) else {
                continue;
            };
            let terms = label
                .terms
                .iter()
                .map(|term| self.anywhere(of_language, term, 0));
            let terms: Option<Vec<_>> = terms.collect::<Result<_, _>>()?;
            if let Some(terms) = terms {
                let all = terms.into_iter().map(|term| (Occur::Must, term));
                let all = BooleanQuery::new(all.collect());
                let all = BoostQuery::new(Box::new(all), label.weight);
                scored.push((Occur::Should, Box::new(all)));
                self.tell(label.language, &label.shown);
            }
        }
        Ok(())
    }

    fn tell(&mut self, language: Language, shown: &str) {
        let told = (language, shown.to_owned());
        if !self.told.contains(&told) {
            self.told.push(told);
        }
    }

    /// Words that are spelt nearly so.
    fn similar(
        &mut self,
        terms: &[(Language, String)],
        word: &str,
    ) -> Result<Vec<Box<dyn EngineQuery>>, IndexError> {
        let mut queries: Vec<Box<dyn EngineQuery>> = Vec::new();
        for (language, term) in terms {
            let Some(of_language) = self.fields(*language) else {
                continue;
            };
            let fields = of_language.weighted().map(|(field, _)| field);
            // A slip near its end gives a word another stem.
            for similar in similar(self.searcher, &fields, &[term, word])? {
                if let Some(query) = self.anywhere(of_language, &similar.term, 0)? {
                    let weight = SLIP.powi(i32::from(similar.distance));
                    queries.push(Box::new(BoostQuery::new(query, weight)));
                    self.tell(*language, &similar.term);
                }
            }
        }
        Ok(queries)
    }

    /// A term in any of a language's fields; none where no record has it.
    ///
    /// A word that many bodies have is rare in titles, and one of another language rare among its own: there it
    /// would weigh as a rare word does. It weighs everywhere what it weighs where it is most common.
    fn anywhere(
        &self,
        of_language: TextFields,
        term: &str,
        common: u64,
    ) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        let common = common.max(self.common(of_language, term)?);
        let mut fields = of_language.weighted();
        for (field, weight) in &mut fields {
            let own = self
                .statistics
                .common(&Term::from_field_text(*field, term))?;
            *weight *= (self.statistics.idf(common) / self.statistics.idf(own)).min(1.0);
        }
        self.weigh(fields, |field| self.term(field, term))
    }

    /// How many records have a term in the field of a language where they are most.
    fn common(&self, of_language: TextFields, term: &str) -> Result<u64, IndexError> {
        let mut common = 0;
        for (field, _) in of_language.weighted() {
            let own = self
                .statistics
                .common(&Term::from_field_text(field, term))?;
            common = common.max(own);
        }
        Ok(common)
    }

    /// The words of the text side by side, in any language; none if there is no word.
    fn phrase(&self, text: &str) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        let mut readings = Vec::new();
        let mut found = false;
        for (language, of_language) in self.languages.clone() {
            let mut terms = analyse(language, text);
            // The first form of a word is the one that its own spelling is indexed by.
            terms.dedup_by_key(|term| term.position);
            found |= !terms.is_empty();
            let in_fields = self.weigh(of_language.weighted(), |field| {
                self.terms_in_a_row(field, &terms)
            })?;
            readings.extend(in_fields);
        }
        let query = best_of(readings).unwrap_or_else(|| Box::new(EmptyQuery));
        Ok(found.then_some(query))
    }

    /// The sum over the fields of a language, where each match counts by its field's weight.
    fn weigh(
        &self,
        fields: [(Field, f32); 3],
        in_field: impl Fn(Field) -> Result<Option<Box<dyn EngineQuery>>, IndexError>,
    ) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        let mut parts: Vec<Part> = Vec::with_capacity(fields.len());
        for (field, weight) in fields {
            if let Some(query) = in_field(field)? {
                parts.push((Occur::Should, Box::new(BoostQuery::new(query, weight))));
            }
        }
        Ok(match parts.len() {
            0 => None,
            1 => parts.pop().map(|(_, query)| query),
            _ => Some(Box::new(BooleanQuery::new(parts))),
        })
    }

    /// Nothing where no record has the term: most terms exist in one language only, and every
    /// part left out makes the query faster.
    fn term(&self, field: Field, text: &str) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        let term = Term::from_field_text(field, text);
        if self.searcher.doc_freq(&term)? == 0 {
            return Ok(None);
        }
        let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
        Ok(Some(Box::new(query)))
    }

    fn terms_in_a_row(
        &self,
        field: Field,
        terms: &[QueryTerm],
    ) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        if let [only] = terms {
            return self.term(field, &only.text);
        }
        let mut row = Vec::with_capacity(terms.len());
        for QueryTerm { text, position, .. } in terms {
            let term = Term::from_field_text(field, text);
            if self.searcher.doc_freq(&term)? == 0 {
                return Ok(None);
            }
            row.push((*position, term));
        }
        if row.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::new(PhraseQuery::new_with_offset(row))))
    }
}

fn best_of(mut readings: Vec<Box<dyn EngineQuery>>) -> Option<Box<dyn EngineQuery>> {
    if readings.len() > 1 {
        return Some(Box::new(DisjunctionMaxQuery::new(readings)));
    }
    readings.pop()
}
