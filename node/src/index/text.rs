//! The text of a query: from words, phrases and exclusions to what the search engine runs. Phrases must occur,
//! excluded words must not; plain words are alternatives ([`words`](super::words)).

use tantivy::Searcher;
use tantivy::query::{BooleanQuery, EmptyQuery, Occur};

use super::analysis::Language;
use super::clauses::Clause;
use super::error::IndexError;
use super::expand::Expansions;
use super::forward::Forward;
use super::query::{Part, Query};
use super::schema::Fields;
use super::statistics::Statistics;
use super::terms::{Engine, Terms, should, sum};
use super::words::{Reasons, words};

/// What the text of a query comes to.
#[derive(Default)]
pub(super) struct Planned {
    /// The conditions.
    pub(super) parts: Vec<Part>,
    /// Whether there is anything to match and to score.
    pub(super) wanted: bool,
    /// Which words were added to it.
    pub(super) told: Vec<(Language, String)>,
    /// What each part of the text gives to the score, for who asks why.
    pub(super) reasons: Reasons,
}

/// Plans the text of one query.
pub(super) struct Text<'a> {
    terms: Terms<'a>,
    expansions: Option<&'a Expansions>,
    planned: Planned,
}

impl<'a> Text<'a> {
    pub(super) fn new(
        statistics: &'a Statistics<'a>,
        searcher: &'a Searcher,
        fields: &Fields,
        query: &Query,
        expansions: Option<&'a Expansions>,
    ) -> Self {
        Self {
            terms: Terms::new(statistics, searcher, fields, query.words),
            expansions,
            planned: Planned {
                reasons: Reasons::wanted(query.explain),
                ..Planned::default()
            },
        }
    }

    /// The conditions of the text.
    pub(super) fn plan(mut self, clauses: &[Clause<'_>]) -> Result<Planned, IndexError> {
        let mut scored: Vec<Part> = Vec::new();
        let (mut wanted, mut plain, mut either) = (false, Vec::new(), Vec::new());
        for clause in clauses {
            if clause.excluded {
                let excluded = match clause.prefix {
                    true => Some(self.terms.prefix(clause.text)?),
                    false => self.terms.phrase(clause.text)?,
                };
                let excluded = excluded
                    .map(|excluded| -> Part { (Occur::MustNot, Box::new(Forward(excluded))) });
                self.planned.parts.extend(excluded);
            } else if clause.either {
                let alternative = self.alternative(clause)?;
                wanted |= alternative.is_some();
                either.extend(alternative);
            } else if clause.phrase {
                if let Some(phrase) = self.terms.phrase(clause.text)? {
                    wanted = true;
                    self.reading(clause, &phrase);
                    scored.push((Occur::Must, phrase));
                }
            } else if clause.prefix {
                wanted = true;
                let prefix = self.terms.prefix(clause.text)?;
                self.reading(clause, &prefix);
                scored.push(should(prefix));
            } else {
                plain.push(clause.text);
            }
        }
        let (is_word, asked) = self.words(&plain.join(" "))?;
        wanted |= is_word;
        scored.extend(asked.map(should));
        if !either.is_empty() {
            let either = either.into_iter().map(should);
            scored.push((Occur::Must, Box::new(BooleanQuery::new(either.collect()))));
        }
        let Planned { parts, .. } = &mut self.planned;
        if wanted {
            // Words that no record has leave nothing behind, and nothing matches then.
            parts.push(match scored.is_empty() {
                true => (Occur::Must, Box::new(EmptyQuery)),
                false => (Occur::Must, Box::new(BooleanQuery::new(scored))),
            });
        }
        self.planned.wanted = wanted;
        Ok(self.planned)
    }

    /// One of those that `OR` stands between.
    fn alternative(&mut self, clause: &Clause<'_>) -> Result<Option<Engine>, IndexError> {
        let query = match (clause.phrase, clause.prefix) {
            (true, _) => self.terms.phrase(clause.text)?,
            (_, true) => Some(self.terms.prefix(clause.text)?),
            _ => {
                let (_, words) = self.words(clause.text)?;
                return Ok(Some(words.unwrap_or_else(|| Box::new(EmptyQuery))));
            }
        };
        if let Some(query) = &query {
            self.reading(clause, query);
        }
        Ok(query)
    }

    /// Whether there is a word, and what is asked for.
    fn words(&mut self, text: &str) -> Result<(bool, Option<Engine>), IndexError> {
        let asked = words(
            &self.terms,
            self.expansions,
            text,
            &mut self.planned.reasons,
        )?;
        for told in asked.told {
            if !self.planned.told.contains(&told) {
                self.planned.told.push(told);
            }
        }
        Ok((asked.found, sum(asked.parts)))
    }

    fn reading(&mut self, clause: &Clause<'_>, query: &Engine) {
        let said = match (clause.phrase, clause.prefix) {
            (true, _) => format!("\"{}\"", clause.text),
            (_, true) => format!("{}*", clause.text),
            _ => clause.text.to_owned(),
        };
        self.planned.reasons.note(None, &said, query);
    }
}
