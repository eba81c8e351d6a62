//! Documents that people import and export: trees of Markdown and JSON Lines.
//!
//! [`scan()`] walks what the user named and groups the files that are translations of one document,
//! by their paths alone; [`read()`] turns one [`Document`] into [`Loaded`] drafts; [`MarkdownExport`]
//! and [`JsonlExport`] write records back. Between them lie pure functions of bytes
//! ([`parse_markdown`], [`parse_line`]): whatever a file holds, they answer in bounded time and
//! memory with a page, a draft or a [`SkipReason`].
//!
//! # Which files are one document
//! `guide/fr/a.md` and `guide/ar/a.md` (the same path below sibling language folders) and
//! `a.fr.md` and `a.ar.md` are one document, and so is an `a.md` beside `a.fr.md`. A language
//! folder bears a tag of a language that we know (`fr`, `pt-BR`); of several on one path the
//! outermost counts that does not directly contain another.
//!
//! # The import key
//! Importing again finds the record of a document by a hash of its path: the name of the folder
//! given, the path below it, and a placeholder where the language stood. So the key stays the same
//! - when the same folder is imported again, wherever on disk it now lies;
//! - when `guide`, `guide/fr`, or `guide/fr/a.md` is given, because a language folder counts as
//!   part of the folder above it;
//!
//! and it is another one when a folder further up is given (`library` instead of `library/guide`),
//! because two folders of one name in different places must never share a record. Two roots of one
//! name in one import are told apart by the folders above them. A line of JSON Lines has the key
//! that it says, or one from its `id` (see [`parse_line`]).

mod bagit;
mod bundle;
mod clean;
mod encoding;
mod export;
mod fields;
mod filename;
mod front_matter;
mod guess;
mod heading;
mod jsonl;
mod label;
pub mod limits;
mod markdown;
mod merge;
mod misp;
mod place;
mod read;
mod root;
mod scan;
mod skip;
pub mod skos;
pub mod stix;
mod tag;
mod taxonomy;
mod walk;
mod yaml;

#[cfg(test)]
mod tests;

pub use bagit::BagitExport;
pub use bundle::{Bundle, BundleForm, Item, read_bundle};
pub use export::{ExportError, JsonlExport, MarkdownExport, export_jsonl, export_markdown};
pub use jsonl::{LineContext, ParsedLine, parse_line};
pub use markdown::{MarkdownContext, Page, parse_markdown};
pub use read::{Loaded, Reader, read};
pub use scan::{Document, Plan, ScanError, SourceFile, scan};
pub use skip::{Args, SkipReason, Skipped, Warned, Warning};

/// What the files given are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// By the file's extension: `.md` and `.markdown`, `.jsonl` and `.ndjson`.
    #[default]
    Auto,
    /// Markdown; a file named directly is taken whatever its extension.
    Markdown,
    /// JSON Lines; a file named directly is taken whatever its extension.
    JsonLines,
    /// Bundles of STIX 2.0 and 2.1, events, taxonomies and clusters of MISP, `.json`: each file says which it
    /// is; vocabularies, `.ttl`, `.nt` and `.rdf`. One named directly is taken without saying so.
    Bundles,
}

/// How to read what the user named.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Language of every text, BCP 47, whatever the files say. Folders and suffixes of other
    /// languages then are ordinary parts of the path.
    pub lang: Option<String>,
    /// Kind of documents that name none themselves.
    pub kind: Option<String>,
    /// Each file becomes a record of its own instead of one record for all translations.
    pub separate_languages: bool,
    /// What the files are.
    pub format: Format,
}
