//! Saved searches.

use serde::{Deserialize, Serialize};

use super::SearchAnswer;

/// `POST /v1/watches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchAdd {
    /// Name of the saved search, the officer's own.
    pub name: String,
    /// What to look for, with fields (`kind:training`).
    pub query: String,
}

/// A saved search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchInfo {
    /// Its name.
    pub name: String,
    /// What it looks for.
    pub query: String,
    /// When its matches were last seen, RFC 3339.
    pub since: String,
}

/// `GET /v1/watches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchList {
    /// By name.
    pub watches: Vec<WatchInfo>,
}

/// `GET /v1/watches/{name}`: query parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchQuery {
    /// Language in which titles and snippets are preferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What is new of a saved search: records that came, or changed, since its matches were last seen, newest
/// first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchAnswer {
    /// The saved search.
    #[serde(flatten)]
    pub watch: WatchInfo,
    /// The store sequence that the answer covers: with it, the matches are seen.
    pub seq: u64,
    /// One page.
    pub found: SearchAnswer,
}

/// `POST /v1/watches/{name}/seen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchSeen {
    /// Up to which store sequence.
    pub seq: u64,
}
