//! The index on disk: opened when it is sound, emptied when it is not.

use std::fs;
use std::io;
use std::path::Path;

use tantivy::IndexSettings;

use super::error::{IndexError, is_damage, is_damage_kind};
use super::files::Files;
use super::schema::{self, SCHEMA_VERSION};

/// File that names the schema version. It is written last and deleted first, so that a directory
/// which was left half made is never taken for an index.
const VERSION_FILE: &str = "diwan-index-version";

/// An index that can be used.
pub(super) struct Usable {
    pub(super) index: tantivy::Index,
    /// What the newest commit says of itself.
    pub(super) committed: Committed,
    /// The index was made anew.
    pub(super) emptied: bool,
}

/// What a commit says of itself: two numbers, and only the first where an earlier version wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Committed {
    /// Store sequence that it covers; zero before the first.
    pub(super) seq: u64,
    /// The least number above those of all records that it or one before it held.
    pub(super) unused: u64,
}

impl Committed {
    fn parse(payload: &str) -> Option<Self> {
        let (seq, unused) = match payload.split_once(' ') {
            Some((seq, unused)) => (seq, unused.parse().ok()?),
            None => (payload, u64::MAX),
        };
        let seq = seq.parse().ok()?;
        Some(Self { seq, unused })
    }
}

impl std::fmt::Display for Committed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.seq, self.unused)
    }
}

/// Why an index on disk is not used.
enum Unusable {
    /// Its files are wrong; they can go.
    Discard(String),
    /// The machine failed; the files may be sound.
    Fail(IndexError),
}

/// Opens the index in `dir`, or an empty one in its place.
pub(super) fn open_or_empty(dir: &Path) -> Result<Usable, IndexError> {
    fs::create_dir_all(dir)?;
    match open_sound(dir) {
        Ok(usable) => Ok(usable),
        Err(Unusable::Fail(error)) => Err(error),
        Err(Unusable::Discard(reason)) => {
            tracing::info!(reason, "the search index is made anew from the store");
            empty(dir)
        }
    }
}

fn open_sound(dir: &Path) -> Result<Usable, Unusable> {
    let version = fs::read(dir.join(VERSION_FILE))?;
    if version != version_text().as_bytes() {
        return Err(Unusable::Discard("its schema has another version".into()));
    }
    // Mapped, so that no file is in memory as a whole while its checksum is made.
    let mapped = tantivy::Index::open_in_dir(dir)?;
    if mapped.schema() != schema::build() {
        return Err(Unusable::Discard("its fields are others".into()));
    }
    let metas = mapped.load_metas()?;
    // Checksums cover the files that the directory's own list names; without the list, nothing.
    if !metas.segments.is_empty() && mapped.directory().list_managed_files().is_empty() {
        return Err(Unusable::Discard("its list of files is missing".into()));
    }
    let damaged = mapped.validate_checksum()?;
    if !damaged.is_empty() {
        return Err(Unusable::Discard(format!("wrong checksums: {damaged:?}")));
    }
    let committed = match metas.payload {
        None => Some(Committed::default()),
        Some(payload) => Committed::parse(&payload),
    };
    let nothing = || Unusable::Discard("its newest commit names no sequence".into());
    let committed = committed.ok_or_else(nothing)?;
    drop(mapped);
    let index = tantivy::Index::open(files(dir)?)?;
    // Opening the segments shows what is missing of them.
    index.reader()?;
    schema::register_analysers(index.tokenizers());
    Ok(Usable {
        index,
        committed,
        emptied: false,
    })
}

fn empty(dir: &Path) -> Result<Usable, IndexError> {
    match fs::remove_file(dir.join(VERSION_FILE)) {
        Err(error) if !is_damage_kind(error.kind()) => return Err(error.into()),
        _ => {}
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    let index = tantivy::Index::create(files(dir)?, schema::build(), IndexSettings::default())?;
    schema::register_analysers(index.tokenizers());
    fs::write(dir.join(VERSION_FILE), version_text())?;
    Ok(Usable {
        index,
        committed: Committed::default(),
        emptied: true,
    })
}

fn files(dir: &Path) -> Result<Files, tantivy::TantivyError> {
    Ok(Files::open(dir)?)
}

fn version_text() -> String {
    format!("{SCHEMA_VERSION}\n")
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        if is_damage_kind(error.kind()) {
            Self::Discard(error.to_string())
        } else {
            Self::Fail(error.into())
        }
    }
}

impl From<tantivy::TantivyError> for Unusable {
    fn from(error: tantivy::TantivyError) -> Self {
        if is_damage(&error) {
            Self::Discard(error.to_string())
        } else {
            Self::Fail(error.into())
        }
    }
}
