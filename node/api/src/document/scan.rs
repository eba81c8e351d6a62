//! What there is to import, grouped into documents by paths, before any content is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Options;
use super::place::{KeyOf, Place, import_key, labels, place};
use super::root::Root;
use super::skip::Skipped;
use super::tag::Tag;
use super::walk::{Found, Walk};

/// Why there is nothing to import at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// A path that does not exist.
    #[error("{path} does not exist")]
    Missing {
        /// As the user named it.
        path: String,
    },
    /// A folder without any document.
    #[error("{path} has no document in it")]
    NothingFound {
        /// As the user named it.
        path: String,
    },
    /// A path that the operating system refuses.
    #[error("{path} cannot be read: {detail}")]
    Unreadable {
        /// As the user named it.
        path: String,
        /// What the operating system says.
        detail: String,
    },
    /// A forced language that is no BCP 47 tag.
    #[error("{value:?} is not a language tag")]
    BadLanguage {
        /// As the user wrote it.
        value: String,
    },
    /// More files than one import takes.
    #[error("more than {limit} files")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
}

/// What an import is going to read.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    documents: Vec<Document>,
    skipped: Vec<Skipped>,
}

impl Plan {
    /// The documents, in the order of their paths.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Files that are already known not to be imported.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Size of all documents in bytes, for a progress bar.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.documents.iter().map(Document::bytes).sum()
    }
}

/// One document: a Markdown text in its languages, or a file of JSON Lines with a record a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) shape: Shape,
    /// Import key of a Markdown document; the path that a JSON Lines file's keys start from.
    pub(crate) key: String,
}

impl Document {
    /// Its files, in the order of their paths.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Size of its files in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// A file of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where to open it.
    pub path: PathBuf,
    /// The same as text, as the user named it.
    pub source: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The language that its path names, a BCP 47 tag.
    pub lang: Option<String>,
    /// Its name without extension and language.
    pub stem: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Markdown,
    JsonLines,
}

/// Walks files and folders and groups translations by their paths (see the
/// [module](super)). Hidden files and folders are passed over, symbolic links are listed and not
/// followed, unless the user named them directly. A file that is named twice counts once.
///
/// # Errors
/// [`ScanError`] where a path given is missing, unreadable or without any document: then nothing
/// is imported, for the user meant something else. Single files never fail a scan.
pub fn scan(paths: &[PathBuf], options: &Options) -> Result<Plan, ScanError> {
    let forced = options.lang.as_deref().map(forced_language).transpose()?;
    let roots = Root::find_all(paths, forced.as_ref())?;
    let labels = labels(&roots.iter().map(|root| root.dir.clone()).collect());
    let mut walk = Walk::new(options.format);
    let mut groups = BTreeMap::new();
    for root in &roots {
        let label = labels.get(&root.dir).map_or("", String::as_str);
        for found in walk.root(root)? {
            group(
                &mut groups,
                found,
                label,
                forced.as_ref(),
                options.separate_languages,
            );
        }
    }
    let mut documents: Vec<Document> = groups.into_values().collect();
    for document in &mut documents {
        document.files.sort_by(|a, b| a.source.cmp(&b.source));
    }
    Ok(Plan {
        documents,
        skipped: walk.into_skipped(),
    })
}

fn forced_language(lang: &str) -> Result<Tag, ScanError> {
    let known = Tag::parse(lang).filter(Tag::is_known);
    known.ok_or_else(|| ScanError::BadLanguage {
        value: lang.to_owned(),
    })
}

/// Adds a file to the document that its path says it belongs to.
fn group(
    groups: &mut BTreeMap<String, Document>,
    found: Found,
    label: &str,
    forced: Option<&Tag>,
    separate: bool,
) {
    let Place {
        neutral,
        whole,
        lang,
        stem,
    } = place(label, &found.dirs, &found.name, forced);
    let (path, key) = match found.shape {
        Shape::JsonLines => (whole.clone(), whole),
        Shape::Markdown if separate => (whole.clone(), import_key(KeyOf::File, &[&whole])),
        Shape::Markdown => (neutral.clone(), import_key(KeyOf::Document, &[&neutral])),
    };
    let new = || Document {
        files: Vec::new(),
        shape: found.shape,
        key,
    };
    groups
        .entry(path)
        .or_insert_with(new)
        .files
        .push(SourceFile {
            source: found.path.to_string_lossy().into_owned(),
            path: found.path,
            bytes: found.bytes,
            lang: lang.map(|tag| tag.to_string()),
            stem,
        });
}
