//! Capacity gaps, and what answers them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Labels, Texts};

/// `GET /v1/needs`: filters as query parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeedsQuery {
    /// Theme: its notation, or a label of it in any language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// A country's two letters, or its name in French, English or Arabic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Answer of `needs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsAnswer {
    /// By country, then theme.
    pub rows: Vec<NeedsRow>,
    /// What the themes and countries are called.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
    /// There is more that answers them than one request looks at: the counts are too small.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_short: bool,
}

/// The needs of a country in a theme. A need of two themes stands in both rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsRow {
    /// The country's two letters: the one that the need names, or its origin's.
    pub country: String,
    /// Theme slug; empty for needs without one.
    pub theme: String,
    /// Needs.
    pub needs: u64,
    /// Of these, needs that are neither answered nor closed.
    pub open: u64,
    /// Actions that answer one of them.
    pub actions: u64,
    /// Trainings that answer one of them, by themselves or through an action.
    pub trainings: u64,
    /// Endorsements of what answers one of them.
    pub endorsements: u64,
}

/// `GET /v1/records/{id}/chain`: what a record led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Record id.
    pub record: String,
    /// Kind.
    pub kind: String,
    /// Title by language.
    pub title: Texts,
    /// The records, each behind what it links to.
    pub steps: Vec<ChainStep>,
    /// There are more than one request looks at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_short: bool,
}

/// A record that came from another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStep {
    /// Steps from the beginning of the chain; 1 for the first.
    pub depth: u64,
    /// Relation by which it links.
    pub rel: String,
    /// Id of the record that it links to.
    pub to: String,
    /// Record id.
    pub record: String,
    /// Kind.
    pub kind: String,
    /// Short name of its origin.
    pub origin: String,
    /// Title by language.
    pub title: Texts,
    /// State of a need or an action, result of an endorsement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}
