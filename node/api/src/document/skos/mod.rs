//! SKOS concept schemes in Turtle and RDF/XML (W3C Recommendation of 18 August 2009, "SKOS Simple Knowledge
//! Organization System Reference"; RDF 1.1 Turtle; RDF 1.1 XML Syntax).
//!
//! A concept scheme and each of its concepts become records. Preferred labels are the title by language,
//! alternative and hidden ones the fields `alt` and `hidden`, one label a line; a definition is the summary, a
//! scope note the field `scope`. `skos:inScheme`, `skos:broader` and `skos:related` become links, `skos:narrower` and
//! `skos:hasTopConcept` are read as what they are the inverse of. Collections, mappings to other
//! vocabularies and SKOS-XL labels are passed over.

pub(super) mod json;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::{Syntax, read};
pub use write::{SkosExport, SkosForm};

/// Namespace of SKOS.
const SKOS: &str = "http://www.w3.org/2004/02/skos/core#";
/// Namespace of RDF.
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Namespace of EuroVoc, whose concepts are numbers.
const EUROVOC: &str = "http://eurovoc.europa.eu/";
/// What the IRIs of vocabularies begin with that are no records: the name of the vocabulary follows, and
/// for a concept of it a colon and its notation.
const OF_VOCABULARY: &str = "urn:diwan:vocabulary:";
/// What the IRI of a record begins with that has none of its own.
const OF_RECORD: &str = "urn:diwan:record:";
