//! A question to the index, and from it to what the search engine runs: the filters are conditions of the same
//! query as the text.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, Occur, Query as EngineQuery, RangeQuery,
    TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, Term};

use super::Cursor;
use super::analysis::{Language, primary_subtag};
use super::clauses::parse;
use super::error::IndexError;
use super::expand::Expansions;
use super::schema::Fields;
use super::statistics::Statistics;
use super::text::Text;
use super::words::Reading;

/// The most hits on one page; a higher limit is brought down to it.
pub const MAX_HITS: usize = 1000;

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
    /// Words are looked for in records about words (vocabularies), and not in all others.
    pub words: bool,
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
    /// Continues behind an earlier page of the same query. For some minutes pages come from the state of
    /// the index that the first one saw; behind that, scores may have moved a little, and a hit may be
    /// repeated or missed.
    pub after: Option<Cursor>,
    /// Whether to count facets.
    pub facets: bool,
    /// Only records of these numbers.
    pub only: Option<Arc<BTreeSet<u64>>>,
    /// The time at which new records are worth more, milliseconds since 1970.
    pub now_ms: u64,
    /// Whether to say what each hit's score is made of.
    pub explain: bool,
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
    /// [`PUBLISHED`](super::PUBLISHED) for a draft of which the published record is here.
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
    /// What gives the score its parts.
    pub(super) readings: Vec<Reading>,
}

/// Turns a question into a plan for this state of the index.
pub(super) fn plan(
    query: &Query,
    statistics: &Statistics<'_>,
    searcher: &Searcher,
    fields: &Fields,
    expansions: Option<&Expansions>,
) -> Result<Plan, IndexError> {
    let text = Text::new(statistics, searcher, fields, query, expansions);
    let text = text.plan(&parse(&query.text)?)?;
    let plan = Plan::of(text.parts, query, fields);
    Ok(Plan {
        sort: if text.wanted { query.sort } else { Sort::Date },
        told: text.told,
        readings: text.reasons.all(),
        ..plan
    })
}

impl Plan {
    /// What matches these conditions and those of the query.
    pub(super) fn of(mut parts: Vec<Part>, query: &Query, fields: &Fields) -> Self {
        filters(query, fields, &mut parts);
        if !parts.iter().any(|(occur, _)| *occur == Occur::Must) {
            // Exclusions need something to exclude from.
            parts.push((Occur::Must, Box::new(AllQuery)));
        }
        Self {
            matching: Box::new(BooleanQuery::new(parts)),
            sort: query.sort,
            told: Vec::new(),
            readings: Vec::new(),
        }
    }
}

/// A part of a query, and whether it must match.
pub(super) type Part = (Occur, Box<dyn EngineQuery>);

fn filters(query: &Query, fields: &Fields, parts: &mut Vec<Part>) {
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
