//! From what the officer typed to what the search engine runs.
//!
//! Words are alternatives: a record matches when it has any of them, and the more of them, the
//! higher it ranks. Every word is tried in every language; a record counts in the language where
//! it fits best, so that a record in three languages does not outrank one in a single language.
//! Phrases must occur, excluded words must not, and the filters are conditions of the same query.

use std::collections::BTreeMap;
use std::ops::Bound;

use data_encoding::HEXLOWER;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, Occur,
    PhraseQuery, Query as EngineQuery, RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::Cursor;
use super::analysis::{Language, folded, primary_subtag};
use super::clauses::{Clause, QueryTerm, analyse, parse};
use super::error::IndexError;
use super::expand::{Expanded, Expansions};
use super::forward::Forward;
use super::schema::{Fields, TextFields};
use super::similar::{beginning, similar};

/// The most hits on one page; a higher limit is brought down to it.
pub const MAX_HITS: usize = 1000;

/// What a record gains that has every word, in parts of what the words weigh: three words of four that are
/// common say less than all four.
const WHOLE: f32 = 0.75;

/// What a word weighs that is a letter away from the one asked for.
const SLIP: f32 = 0.7;

/// A question to the index.
///
/// The default asks for everything, sees no group and returns no hit: fill in at least `groups`
/// and `limit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, `"phrases"` that must occur, `-words` and `-"phrases"` that must not, `prefix*`, and `OR`
    /// between two of them of which one must occur. A quote that is never closed is ignored. A text without
    /// any word asks for everything, newest first.
    pub text: String,
    /// Only this kind.
    pub kind: Option<String>,
    /// Without records that have one of these.
    pub without: Vec<(Keyword, String)>,
    /// Only records with one of these themes; all where there is none.
    pub themes: Vec<String>,
    /// Only records with this tag.
    pub tag: Option<String>,
    /// Only records that have a text in this language, by the primary subtag of a BCP 47 tag.
    pub lang: Option<String>,
    /// Only this TLP label.
    pub tlp: Option<String>,
    /// Only records of these agencies; an empty list finds nothing.
    pub origins: Option<Vec<[u8; 32]>>,
    /// Only records updated at or after this time, milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Only records updated before this time, milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// What the asker may see.
    pub groups: GroupFilter,
    /// Order of the hits.
    pub sort: Sort,
    /// Hits on the page, at most [`MAX_HITS`]; zero for the total and the facets alone.
    pub limit: usize,
    /// Continues behind an earlier page of the same query. While the index changes, scores move
    /// a little, so a hit may then be repeated or missed between pages.
    pub after: Option<Cursor>,
    /// Whether to count facets.
    pub facets: bool,
}

/// What a record has of a kind of word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// Its kind.
    Kind,
    /// A theme.
    Theme,
    /// A tag.
    Tag,
    /// Its TLP label.
    Tlp,
    /// A language that it has a text in, by primary subtag.
    Lang,
    /// `published` for a draft of which the published record is here.
    State,
}

/// The groups whose records an asker may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupFilter {
    /// Every group: for the node's own work, never for an officer.
    All,
    /// These group ids and no other; an empty list sees nothing.
    Only(Vec<[u8; 32]>),
}

impl Default for GroupFilter {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

/// Order of the hits. Equal ones come by rising number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Best match first; newest first where the text holds no word to match.
    #[default]
    Relevance,
    /// Newest first.
    Date,
}

/// A query ready to run.
pub(super) struct Plan {
    pub(super) matching: Box<dyn EngineQuery>,
    /// The order that really applies.
    pub(super) sort: Sort,
    /// What was added to the text.
    pub(super) told: Vec<(Language, String)>,
}

/// Turns a question into a plan for this state of the index.
pub(super) fn plan(
    query: &Query,
    searcher: &Searcher,
    fields: &Fields,
    expansions: Option<&Expansions>,
) -> Result<Plan, IndexError> {
    let mut planner = Planner {
        searcher,
        fields,
        expansions,
        told: Vec::new(),
    };
    let mut parts = Vec::new();
    let wanted = planner.text(&parse(&query.text)?, &mut parts)?;
    planner.filters(query, &mut parts);
    let sort = if wanted { query.sort } else { Sort::Date };
    if !parts.iter().any(|(occur, _)| *occur == Occur::Must) {
        // Exclusions need something to exclude from.
        parts.push((Occur::Must, Box::new(AllQuery)));
    }
    let matching = Box::new(BooleanQuery::new(parts));
    Ok(Plan {
        matching,
        sort,
        told: planner.told,
    })
}

type Part = (Occur, Box<dyn EngineQuery>);

/// How a word of the query can be read.
#[derive(Default)]
struct Readings {
    queries: Vec<Box<dyn EngineQuery>>,
    /// What each language makes of it.
    terms: Vec<(Language, String)>,
    /// Records that have it, in the language and the field where they are most.
    common: u64,
}

struct Planner<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    expansions: Option<&'a Expansions>,
    told: Vec<(Language, String)>,
}

impl Planner<'_> {
    /// Adds the conditions of the text; whether there is anything to match and to score.
    fn text(&mut self, clauses: &[Clause<'_>], parts: &mut Vec<Part>) -> Result<bool, IndexError> {
        let mut scored: Vec<Part> = Vec::new();
        let (mut wanted, mut plain, mut either) = (false, Vec::new(), Vec::new());
        for clause in clauses {
            if clause.excluded {
                if let Some(phrase) = self.phrase(clause.text)? {
                    parts.push((Occur::MustNot, Box::new(Forward(phrase))));
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
        Ok(wanted)
    }

    /// Adds one alternative for each word; whether there was a word.
    fn words(&mut self, text: &str, scored: &mut Vec<Part>) -> Result<bool, IndexError> {
        // Languages split a word differently (l'enquête), so words meet by where they begin.
        let mut words: BTreeMap<usize, Readings> = BTreeMap::new();
        for (language, of_language) in self.fields.texts() {
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
                if let Some(of_language) = self.fields.text(*language) {
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
        for (_, of_language) in self.fields.texts() {
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
                let Some(of_language) = self.fields.text(other.language) else {
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
            let Some(of_language) = self.fields.text(label.language) else {
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
            let Some(of_language) = self.fields.text(*language) else {
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
                .searcher
                .doc_freq(&Term::from_field_text(*field, term))?;
            *weight *= (self.idf(common) / self.idf(own)).min(1.0);
        }
        self.weigh(fields, |field| self.term(field, term))
    }

    /// How many records have a term in the field of a language where they are most.
    fn common(&self, of_language: TextFields, term: &str) -> Result<u64, IndexError> {
        let mut common = 0;
        for (field, _) in of_language.weighted() {
            let own = self
                .searcher
                .doc_freq(&Term::from_field_text(field, term))?;
            common = common.max(own);
        }
        Ok(common)
    }

    /// The inverse document frequency that BM25 gives to a term (Robertson and Zaragoza, "The Probabilistic
    /// Relevance Framework: BM25 and Beyond", 2009, section 3).
    fn idf(&self, records: u64) -> f32 {
        let (all, some) = (self.searcher.num_docs() as f32, records as f32);
        (1.0 + (all - some).max(0.0) / (some + 0.5))
            .ln()
            .max(f32::EPSILON)
    }

    /// The words of the text side by side, in any language; none if there is no word.
    fn phrase(&self, text: &str) -> Result<Option<Box<dyn EngineQuery>>, IndexError> {
        let mut readings = Vec::new();
        let mut found = false;
        for (language, of_language) in self.fields.texts() {
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

    fn filters(&self, query: &Query, parts: &mut Vec<Part>) {
        let fields = self.fields;
        let lang = query.lang.as_deref().map(primary_subtag);
        for (field, value) in [
            (fields.kind, query.kind.as_deref()),
            (fields.tag, query.tag.as_deref()),
            (fields.tlp, query.tlp.as_deref()),
            (fields.lang, lang.as_deref()),
        ] {
            if let Some(value) = value {
                parts.push(condition(keyword(field, value)));
            }
        }
        if !query.themes.is_empty() {
            let themes = query.themes.iter();
            let themes = themes.map(|theme| Term::from_field_text(fields.theme, theme));
            parts.push(condition(Box::new(TermSetQuery::new(themes))));
        }
        for (of, value) in &query.without {
            let field = match of {
                Keyword::Kind => fields.kind,
                Keyword::Theme => fields.theme,
                Keyword::Tag => fields.tag,
                Keyword::Tlp => fields.tlp,
                Keyword::Lang => fields.lang,
                Keyword::State => fields.state,
            };
            let without = Box::new(ConstScoreQuery::new(keyword(field, value), 0.0));
            parts.push((Occur::MustNot, without));
        }
        if let Some(since_ms) = query.since_ms {
            let from = Term::from_field_u64(fields.updated_ms, since_ms);
            let newer = RangeQuery::new(Bound::Included(from), Bound::Unbounded);
            parts.push(condition(Box::new(newer)));
        }
        if let Some(until_ms) = query.until_ms {
            let to = Term::from_field_u64(fields.updated_ms, until_ms);
            let older = RangeQuery::new(Bound::Unbounded, Bound::Excluded(to));
            parts.push(condition(Box::new(older)));
        }
        if let GroupFilter::Only(groups) = &query.groups {
            parts.push(condition(one_of(fields.group, groups)));
        }
        if let Some(origins) = &query.origins {
            parts.push(condition(one_of(fields.origin, origins)));
        }
    }
}

fn one_of(field: Field, ids: &[[u8; 32]]) -> Box<dyn EngineQuery> {
    match ids {
        [] => Box::new(EmptyQuery),
        [only] => keyword(field, &HEXLOWER.encode(only)),
        several => Box::new(TermSetQuery::new(
            several
                .iter()
                .map(|id| Term::from_field_text(field, &HEXLOWER.encode(id))),
        )),
    }
}

fn keyword(field: Field, value: &str) -> Box<dyn EngineQuery> {
    let term = Term::from_field_text(field, value);
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

/// A condition that weighs nothing: filters must not change the order.
fn condition(query: Box<dyn EngineQuery>) -> Part {
    (Occur::Must, Box::new(ConstScoreQuery::new(query, 0.0)))
}

fn best_of(mut readings: Vec<Box<dyn EngineQuery>>) -> Option<Box<dyn EngineQuery>> {
    if readings.len() > 1 {
        return Some(Box::new(DisjunctionMaxQuery::new(readings)));
    }
    readings.pop()
}
