//! Capacity gaps, and what answers them.

use serde::{Deserialize, Serialize};

/// `GET /v1/needs`: filters as query parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeedsQuery {
    /// Theme slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// A country's two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Answer of `needs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsAnswer {
    /// By country, then theme.
    pub rows: Vec<NeedsRow>,
}

/// The needs of a country in a theme. A need of two themes stands in both rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedsRow {
    /// The country's two letters; empty where none is said.
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
