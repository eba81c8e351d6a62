//! How a record is scored: an expression over terms.
//!
//! The search engine's own queries say the same by nesting, and pay for it with a virtual call a node and a
//! record. Here the expression stays a value, which [`evaluate`](super::evaluate) works through by columns.

use std::sync::Arc;

use tantivy::Term;
use tantivy::query::Query as EngineQuery;
use tantivy::schema::Field;

/// By the code of a text's length: what it counts that a word is there once.
pub(super) type Lengths = [f32; 256];

/// A word in one part of a record.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) term: Term,
    pub(super) lengths: Arc<Lengths>,
}

/// What a record must have to match, and what it gains by it. All values are above zero where it matches.
pub(super) enum Score {
    /// A word in the texts of a record, by BM25 in each of them. (To count it in all of them before it saturates,
    /// as BM25F does, was measured and finds less: a title says more than any body that repeats the word.)
    Text {
        /// Where it is looked up.
        parts: Vec<Part>,
        /// What a record gains that is full of it.
        weight: f32,
    },
    /// A term that is there or not, once or often, in a long text or a short one.
    Flat {
        /// What is looked up.
        term: Term,
        /// What it gives.
        value: f32,
    },
    /// A query of the search engine, for what needs the places of words.
    Engine {
        /// What is run.
        query: Box<dyn EngineQuery>,
        /// What its score is multiplied by.
        weight: f32,
    },
    /// Any of them; each that matches counts.
    Sum(Vec<Score>),
    /// Any of them; the best one counts.
    Best(Vec<Score>),
    /// All of them; each counts.
    All(Vec<Score>),
    /// Any of them; each that matches counts, and where all do, the sum grows by this part of itself.
    Whole(Vec<Score>, f32),
    /// Any of them; their sum counts in the part that it is of a value, as a whole where it reaches that.
    Covering(Vec<Score>, f32),
    /// The first; where it matches, the second counts too.
    Also(Box<Score>, Box<Score>),
}

impl Score {
    /// The same, worth more or less.
    pub(super) fn times(self, by: f32) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.times(by)).collect();
        match self {
            Self::Text { parts, weight } => Self::Text {
                parts,
                weight: weight * by,
            },
            Self::Flat { term, value } => Self::Flat {
                term,
                value: value * by,
            },
            Self::Engine { query, weight } => Self::Engine {
                query,
                weight: weight * by,
            },
            Self::Sum(parts) => Self::Sum(each(parts)),
            Self::Best(parts) => Self::Best(each(parts)),
            Self::All(parts) => Self::All(each(parts)),
            Self::Whole(parts, more) => Self::Whole(each(parts), more),
            Self::Covering(parts, value) => Self::Covering(each(parts), value * by),
            Self::Also(must, may) => Self::Also(Box::new(must.times(by)), Box::new(may.times(by))),
        }
    }

    /// What of it is in a field of texts; none where nothing is.
    pub(super) fn within(&self, field: Field) -> Option<Self> {
        match self {
            Self::Text { parts, weight } => {
                let inside = parts.iter().filter(|part| part.term.field() == field);
                let parts: Vec<Part> = inside.cloned().collect();
                let weight = *weight;
                (!parts.is_empty()).then_some(Self::Text { parts, weight })
            }
            Self::Best(readings) => {
                let inside = readings.iter().filter_map(|one| one.within(field));
                Self::best(inside.collect())
            }
            _ => None,
        }
    }

    /// What a word weighs in the reading where it weighs most.
    pub(super) fn most(&self) -> f32 {
        match self {
            Self::Text { weight, .. } => *weight,
            Self::Best(readings) => readings.iter().map(Self::most).fold(0.0, f32::max),
            _ => 0.0,
        }
    }

    /// Gives the terms that a word is looked up by in texts, and what it weighs there.
    pub(super) fn each_text(&self, give: &mut impl FnMut(&Term, f32)) {
        match self {
            Self::Text { parts, weight } => parts.iter().for_each(|part| give(&part.term, *weight)),
            Self::Best(readings) => readings.iter().for_each(|one| one.each_text(give)),
            _ => {}
        }
    }

    /// Counts in the reading where it fits best; none where there is none.
    pub(super) fn best(mut readings: Vec<Self>) -> Option<Self> {
        match readings.len() {
            0 | 1 => readings.pop(),
            _ => Some(Self::Best(readings)),
        }
    }

    /// Any of them, each that matches counts; none where there is none.
    pub(super) fn sum(mut parts: Vec<Self>) -> Option<Self> {
        match parts.len() {
            0 | 1 => parts.pop(),
            _ => Some(Self::Sum(parts)),
        }
    }

    /// All of `must`, and whatever of `may` there is besides; without any that must be, one of `may`.
    pub(super) fn of(must: Vec<Self>, may: Vec<Self>) -> Option<Self> {
        let may = Self::sum(may);
        if must.is_empty() {
            return may;
        }
        let must = Self::All(must);
        Some(match may {
            Some(may) => Self::Also(Box::new(must), Box::new(may)),
            None => must,
        })
    }
}

impl Clone for Score {
    fn clone(&self) -> Self {
        match self {
            Self::Text { parts, weight } => Self::Text {
                parts: parts.clone(),
                weight: *weight,
            },
            Self::Flat { term, value } => Self::Flat {
                term: term.clone(),
                value: *value,
            },
            Self::Engine { query, weight } => Self::Engine {
                query: query.box_clone(),
                weight: *weight,
            },
            Self::Sum(parts) => Self::Sum(parts.clone()),
            Self::Best(parts) => Self::Best(parts.clone()),
            Self::All(parts) => Self::All(parts.clone()),
            Self::Whole(parts, more) => Self::Whole(parts.clone(), *more),
            Self::Covering(parts, value) => Self::Covering(parts.clone(), *value),
            Self::Also(must, may) => Self::Also(must.clone(), may.clone()),
        }
    }
}
