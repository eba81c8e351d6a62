//! Vocabularies: what the words that records are sorted by are called.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Texts;

/// Labels by language of notations, by vocabulary: `themes`, `countries`, `tags`, `fields`.
pub type Labels = BTreeMap<String, BTreeMap<String, Texts>>;

/// `GET /v1/vocabularies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyList {
    /// Those shipped first, then records by age.
    pub vocabularies: Vec<VocabularyInfo>,
}

/// A concept scheme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyInfo {
    /// By what it is asked for: its notation, or else its record's id.
    pub name: String,
    /// Title by language.
    pub title: Texts,
    /// Concepts.
    pub concepts: u64,
    /// Its record; none where the program ships it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Name of its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// Short name of its origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// `GET /v1/vocabularies/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VocabularyAnswer {
    /// The scheme.
    pub vocabulary: VocabularyInfo,
    /// Its concepts: those shipped first, then records by age.
    pub concepts: Vec<ConceptInfo>,
}

/// A concept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConceptInfo {
    /// What records name it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// Preferred label by language.
    pub title: Texts,
    /// Alternative labels by language, one a line.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub alternative: Texts,
    /// What it means, by language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub definition: Texts,
    /// What is above it: notations of shipped concepts, ids of records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broader: Vec<String>,
    /// Its record; none where the program ships it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Name of its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
    /// Short name of its origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}
