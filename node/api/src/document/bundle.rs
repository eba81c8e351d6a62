//! Files that hold many records and their links in one JSON document: STIX bundles, MISP events and galaxy
//! clusters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::skip::SkipReason;
use super::{misp, stix};
use crate::types::Draft;

/// What such a file holds.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// What becomes a record, in the file's order.
    pub objects: Vec<Item>,
    /// Source, relation, target, of every relationship that was not taken back.
    pub links: Vec<(String, String, String)>,
    /// Objects that are no knowledge, by type.
    pub passed_over: BTreeMap<String, u64>,
    /// Objects that cannot be read, or must not be stored.
    pub bad: Vec<SkipReason>,
}

/// An object that becomes a record.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id at its source.
    pub id: String,
    /// When it was changed last, as it says: such texts sort by time.
    pub modified: String,
    /// What the record says, links left out.
    pub draft: Draft,
}

/// Reads a file, whichever of them it is.
///
/// # Errors
/// [`SkipReason::BadJson`] with the line, or [`SkipReason::BadObject`] where it is none of them; an object
/// that cannot be read costs itself only.
pub fn read_bundle(bytes: &[u8]) -> Result<Bundle, SkipReason> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = serde_json::from_slice(bytes).map_err(|error| SkipReason::BadJson {
        line: error.line() as u64,
        detail: error.to_string(),
    })?;
    match value.get("type").and_then(Value::as_str) {
        Some("bundle") => stix::read_bundle(&value),
        _ => misp::read(&value),
    }
}
