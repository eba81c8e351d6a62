//! Imports: batches of drafts, and what became of each.

use serde::{Deserialize, Serialize};

use super::{Draft, DraftWarning, Editors};

/// `POST /v1/import`: one batch; a batch with bad drafts imports the good ones. `D` is a draft, or one that
/// was written as JSON already.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportBatch<D = Draft> {
    /// Group name or id.
    pub group: String,
    /// Kind of drafts that name none; `guideline` where none is said.
    #[serde(default)]
    pub kind: Option<String>,
    /// At most [`IMPORT_BATCH_DRAFTS`] and [`REQUEST_BYTES_MAX`] in all.
    pub drafts: Vec<D>,
    /// Say what would happen, write nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Who may edit the records that are created.
    #[serde(default)]
    pub editors: Editors,
    /// Why what the publication guard found may go out; kept with the records.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

/// Most drafts in one [`ImportBatch`].
pub const IMPORT_BATCH_DRAFTS: usize = 1_000;
/// Largest request body in bytes that the node reads: a batch of large documents with room to spare.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What became of one draft of a batch, in the batch's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum ImportOutcome {
    /// A new record.
    Created {
        /// Its id.
        record: String,
    },
    /// A record that changed.
    Updated {
        /// Its id.
        record: String,
    },
    /// A record that holds this content already.
    Unchanged {
        /// Its id.
        record: String,
    },
    /// Not imported.
    Skipped {
        /// Why.
        error: crate::error::ApiError,
    },
}

/// Answer of `POST /v1/import`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// One outcome a draft.
    pub outcomes: Vec<ImportOutcome>,
    /// The store's sequence that holds them.
    pub seq: u64,
    /// Drafts of which the publication guard warned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<DraftWarning>,
}
