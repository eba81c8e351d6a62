//! The text of a query: from words, phrases and exclusions to a score. Phrases must occur,
//! excluded words must not; plain words are alternatives ([`words`](super::words)).

use super::analysis::Language;
use super::clauses::Clause;
use super::error::IndexError;
use super::expand::Expansions;
use super::passage::Passages;
use super::query::{Matching, Query};
use super::score::Score;
use super::statistics::Statistics;
use super::terms::Terms;
use super::words::{Reasons, words};

/// Words that all beginnings of words of a query stand for together, in one field of one language at most.
const PREFIX_TERMS: usize = 400;

/// What the text of a query comes to.
pub(super) struct Planned {
    pub(super) matching: Matching,
    /// Records that match these are left out.
    pub(super) excluded: Vec<Score>,
    /// What is looked for in the records that score best.
    pub(super) passages: Passages,
    /// Which words were added to it.
    pub(super) told: Vec<(Language, String)>,
    /// What each part of the text gives to the score, for who asks why.
    pub(super) reasons: Reasons,
}

/// Plans the text of one query.
pub(super) struct Text<'a> {
    terms: Terms<'a>,
    expansions: Option<&'a Expansions>,
    passages: Passages,
    told: Vec<(Language, String)>,
    reasons: Reasons,
    /// Words that each beginning of a word stands for in each field, at most.
    beginnings: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(
        statistics: &'a Statistics<'a>,
        query: &Query,
        expansions: Option<&'a Expansions>,
    ) -> Self {
        Self {
            terms: Terms::new(statistics, query.words),
            expansions,
            passages: Passages::default(),
            told: Vec::new(),
            beginnings: PREFIX_TERMS,
            reasons: Reasons::wanted(query.explain),
        }
    }

    /// What the clauses ask for.
    pub(super) fn plan(mut self, clauses: &[Clause<'_>]) -> Result<Planned, IndexError> {
        let (mut must, mut may, mut excluded) = (Vec::new(), Vec::new(), Vec::new());
        let (mut wanted, mut plain, mut either) = (false, Vec::new(), Vec::new());
        let prefixes = clauses.iter().filter(|clause| clause.prefix).count();
        self.beginnings = PREFIX_TERMS / prefixes.max(1);
        for clause in clauses {
            if clause.excluded {
                excluded.extend(self.special(clause)?.flatten());
            } else if clause.either {
                let alternative = self.alternative(clause)?;
                wanted |= alternative.is_some();
                either.extend(alternative);
            } else if clause.phrase || clause.prefix {
                if let Some(found) = self.special(clause)? {
                    wanted = true;
                    self.reading(clause, found.as_ref());
                    match clause.phrase {
                        true => must.push(found),
                        false => may.extend(found),
                    }
                }
            } else {
                plain.push(clause.text);
            }
        }
        let (is_word, asked) = self.words(&plain.join(" "))?;
        wanted |= is_word;
        may.extend(asked);
        if !either.is_empty() {
            must.push(Score::sum(either.into_iter().flatten().collect()));
        }
        // What must be there and is in no record leaves nothing.
        let must: Option<Vec<Score>> = must.into_iter().collect();
        let score = must.and_then(|must| Score::of(must, may));
        Ok(Planned {
            matching: match wanted {
                true => score.into(),
                false => Matching::All,
            },
            excluded,
            passages: self.passages,
            told: self.told,
            reasons: self.reasons,
        })
    }

    /// A phrase, a beginning, or a word that stands for itself; none where it has no word, and in it none where no
    /// record has it.
    fn special(&self, clause: &Clause<'_>) -> Result<Option<Option<Score>>, IndexError> {
        match clause.prefix {
            true => Ok(Some(self.terms.prefix(clause.text, self.beginnings)?)),
            false => self.terms.phrase(clause.text),
        }
    }

    /// One of those that `OR` stands between.
    fn alternative(&mut self, clause: &Clause<'_>) -> Result<Option<Option<Score>>, IndexError> {
        if !clause.phrase && !clause.prefix {
            let (_, words) = self.words(clause.text)?;
            return Ok(Some(words));
        }
        let found = self.special(clause)?;
        self.reading(clause, found.as_ref().and_then(Option::as_ref));
        Ok(found)
    }

    /// Whether there is a word, and what is asked for.
    fn words(&mut self, text: &str) -> Result<(bool, Option<Score>), IndexError> {
        let asked = words(&self.terms, self.expansions, text, &mut self.reasons)?;
        for told in asked.told {
            if !self.told.contains(&told) {
                self.told.push(told);
            }
        }
        self.passages.extend(asked.passages);
        Ok((asked.found, Score::sum(asked.parts)))
    }

    fn reading(&mut self, clause: &Clause<'_>, score: Option<&Score>) {
        let said = || match (clause.phrase, clause.prefix) {
            (true, _) => format!("\"{}\"", clause.text),
            (_, true) => format!("{}*", clause.text),
            _ => clause.text.to_owned(),
        };
        if let Some(score) = score {
            self.reasons.note(None, || (said(), score.clone()));
        }
    }
}
