//! Files that hold many records and their links: STIX bundles, MISP events, taxonomies and galaxy clusters, and
//! vocabularies in SKOS.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::skip::SkipReason;
use super::{misp, skos, stix};
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

/// How a file is written, by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleForm {
    /// JSON: STIX, MISP, or concepts of SKOS.
    Json,
    /// RDF in Turtle or N-Triples.
    Turtle,
    /// RDF/XML.
    RdfXml,
}

impl BundleForm {
    /// None where a file of this name is none of them.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?.to_ascii_lowercase();
        match end.as_str() {
            "json" => Some(Self::Json),
            "ttl" | "nt" => Some(Self::Turtle),
            "rdf" => Some(Self::RdfXml),
            _ => None,
        }
    }
}

/// Reads a file, whichever of them it is.
///
/// # Errors
/// [`SkipReason::BadJson`] and [`SkipReason::BadRdf`] with the line, or [`SkipReason::BadObject`] where it
/// is none of them; an object that cannot be read costs itself only.
pub fn read_bundle(bytes: &[u8], form: BundleForm) -> Result<Bundle, SkipReason> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match form {
        BundleForm::Turtle => return skos::read(bytes, skos::Syntax::Turtle),
        BundleForm::RdfXml => return skos::read(bytes, skos::Syntax::Xml),
        BundleForm::Json => {}
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| SkipReason::BadJson {
        line: error.line() as u64,
        detail: error.to_string(),
    })?;
    match value.get("type").and_then(Value::as_str) {
        Some("bundle") => stix::read_bundle(&value),
        _ if skos::json::is_one(&value) => skos::json::read(&value),
        _ => misp::read(&value),
    }
}
