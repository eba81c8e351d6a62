//! A question to the index, and from its text to what is evaluated.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Cursor;
use super::analysis::Language;
use super::clauses::parse;
use super::error::IndexError;
use super::expand::Expansions;
use super::passage::Passages;
use super::score::Score;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    pub(super) matching: Matching,
    /// Records that match these are left out.
    pub(super) excluded: Vec<Score>,
    /// The order that really applies.
    pub(super) sort: Sort,
    /// What is looked for in the best records.
    pub(super) passages: Passages,
    /// What was added to the text.
    pub(super) told: Vec<(Language, String)>,
    /// What gives the score its parts.
    pub(super) readings: Vec<Reading>,
}

/// Which records a text asks for.
pub(super) enum Matching {
    /// All: it has no word.
    All,
    /// None: no record has its words.
    None,
    /// Those with a score.
    Scored(Score),
}

impl From<Option<Score>> for Matching {
    fn from(score: Option<Score>) -> Self {
        score.map_or(Self::None, Self::Scored)
    }
}

/// Turns a question into a plan for this state of the index.
pub(super) fn plan(
    query: &Query,
    statistics: &Statistics<'_>,
    expansions: Option<&Expansions>,
) -> Result<Plan, IndexError> {
    let text = Text::new(statistics, query, expansions);
    let text = text.plan(&parse(&query.text)?)?;
    Ok(Plan {
        sort: match text.matching {
            Matching::All => Sort::Date,
            _ => query.sort,
        },
        matching: text.matching,
        passages: text.passages,
        excluded: text.excluded,
        told: text.told,
        readings: text.reasons.all(),
    })
}
