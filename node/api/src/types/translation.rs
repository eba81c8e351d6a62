//! Translations of records.

use serde::{Deserialize, Serialize};

use super::GuardHit;

/// A translation of a record, and whether its source moved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranslationState {
    /// BCP 47 tag.
    pub lang: String,
    /// The source changed after this translation was made.
    pub stale: bool,
    /// The annotation that it is; none where it is in the record itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<String>,
}

/// `POST /v1/records/{id}/translations`: a text of the record in another language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TranslateRequest {
    /// The language that it is in.
    pub lang: String,
    /// The language that was translated; where none is said, the only other one that the record has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The version that was translated; the newest where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Body, Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Why what the publication guard found may go out; kept with the record.
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

/// A translation was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translated {
    /// The record where its origin translated it, otherwise the annotation.
    pub record: String,
    /// Group id.
    pub group: String,
    /// The store's sequence that holds it.
    pub seq: u64,
    /// It is in the record itself.
    pub in_record: bool,
    /// What the publication guard warned of, and what was overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guard: Vec<GuardHit>,
}
