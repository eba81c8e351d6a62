//! Search.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /v1/search`: query parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    /// What to look for, in any language.
    pub q: String,
    /// Language in which titles and snippets are preferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// Only records that have a text in this language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Only this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only this theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Only records whose origin is an agency of this country (ISO 3166-1 alpha-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Only this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only this TLP label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<String>,
    /// Only what was updated on or after this day, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// `relevance` (default) or `date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// At most so many hits; 10 where none is said, 200 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Count facets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facets: Option<bool>,
    /// Do not expand the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_expand: Option<bool>,
    /// Say what each hit's score is made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<bool>,
    /// Wait until the index covers this store sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_seq: Option<u64>,
}

/// `GET /v1/records/{record}/similar`: query parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SimilarQuery {
    /// Language in which titles are preferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// Only this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// At most so many; 10 where none is said, 200 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Do not look for translations of the record's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_expand: Option<bool>,
}

/// One hit: a multilingual record is one hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Record id.
    pub record: String,
    /// Group id.
    pub group: String,
    /// Group name.
    pub group_name: String,
    /// Kind.
    pub kind: String,
    /// Language of the title and the snippet.
    pub lang: String,
    /// Languages that the record has.
    pub languages: Vec<String>,
    /// Title in that language.
    pub title: String,
    /// Part of the text around the words found.
    pub snippet: String,
    /// Byte ranges of the snippet that matched.
    pub marks: Vec<(usize, usize)>,
    /// Score; only its order means something.
    pub score: f32,
    /// What it is made of, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Why>,
    /// Short name of the origin agency.
    pub origin: String,
    /// TLP label.
    pub tlp: String,
    /// RFC 3339.
    pub updated: String,
}

/// A part of a hit's score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// A word of the query; `=word` where it is spelt so, `+` for all words together, `+title` for what of
    /// them its title says, `+passage` for what one passage says of them, `theme:…` for a theme of that name, `label` for what several words are called otherwise;
    /// `recency`, `endorsements`.
    pub part: String,
    /// The language in which it counts, where it depends on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// What it adds; of `recency` and `endorsements`, by which part of itself the sum grows.
    pub score: f32,
}

/// Answer of `search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchAnswer {
    /// The query as it was asked.
    pub query: String,
    /// Terms added to it.
    pub expanded: Vec<String>,
    /// Records that match.
    pub total: u64,
    /// Time in the node, milliseconds.
    pub took_ms: f64,
    /// One page.
    pub hits: Vec<Hit>,
    /// By facet: value to count.
    pub facets: BTreeMap<String, BTreeMap<String, u64>>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// The index did not cover yet all that was stored when the question came: there may be more.
    #[serde(default)]
    pub behind: bool,
}
