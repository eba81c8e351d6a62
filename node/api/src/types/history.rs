//! What a record said before, and what changed.

use serde::{Deserialize, Serialize};

/// `GET /v1/records/{id}/history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Record id.
    pub record: String,
    /// Oldest first.
    pub versions: Vec<VersionInfo>,
}

/// One version of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// Version, as `show --at` takes it.
    pub version: String,
    /// Short name of the agency that wrote it.
    pub agency: String,
    /// Pseudonym of the author; the node's PeerId where officers have none.
    pub author: String,
    /// RFC 3339, as the author's clock said.
    pub time: String,
    /// Fields changed, such as `body.fr`.
    pub changed: Vec<String>,
}

/// `GET /v1/records/{id}/diff`: what changed between two versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Record id.
    pub record: String,
    /// The older version.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// The versions after the older one, up to the newer one: who changed what, and when.
    pub versions: Vec<VersionInfo>,
    /// What differs, by field.
    pub changes: Vec<FieldDiff>,
}

/// What differs in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// The field, such as `body.fr`, `tlp`, `themes` or `links`.
    pub field: String,
    /// How it differs.
    #[serde(flatten)]
    pub difference: Difference,
}

/// How a field differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub enum Difference {
    /// A text: what was kept, deleted and inserted, in its order.
    Text {
        /// Parts of the text.
        pieces: Vec<TextPiece>,
    },
    /// A single value.
    Value {
        /// In the older version.
        before: Option<String>,
        /// In the newer one.
        after: Option<String>,
    },
    /// A set.
    Set {
        /// In the newer version only.
        added: Vec<String>,
        /// In the older version only.
        removed: Vec<String>,
    },
}

/// A part of a text that was edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPiece {
    /// `kept`, `deleted` or `inserted`.
    pub op: String,
    /// The part.
    pub text: String,
}
