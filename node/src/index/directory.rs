//! The index on disk: opened when it is sound, emptied when it is not.
//!
//! An index that an earlier version made, with the same fields, answers on while a new one is filled beside it, in a
//! directory of the same name that ends with `.next`. When that has caught up it answers, and at the next opening
//! it takes the other's place.

use std::cmp::Ordering;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tantivy::IndexSettings;

use super::error::{IndexError, is_damage, is_damage_kind};
use super::files::Files;
use super::schema::{self, SCHEMA_VERSION};

/// File that names the schema version. It is written last and deleted first, so that a directory
/// which was left half made is never taken for an index.
const VERSION_FILE: &str = "diwan-index-version";

/// File that says that an index beside another one has caught up with it.
const WHOLE_FILE: &str = "diwan-index-whole";

/// An index that can be used.
pub(super) struct Usable {
    pub(super) index: tantivy::Index,
    pub(super) dir: PathBuf,
    /// What the newest commit says of itself.
    pub(super) committed: Committed,
    /// The index was made anew.
    pub(super) emptied: bool,
    /// An earlier version made it.
    is_older: bool,
}

/// What is in a directory.
pub(super) struct Found {
    /// The index that follows the store.
    pub(super) filled: Usable,
    /// An older one, which answers until the other has caught up.
    pub(super) serving: Option<Usable>,
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
pub(super) fn open_or_empty(dir: &Path) -> Result<Found, IndexError> {
    let next = next_to(dir);
    if next.join(WHOLE_FILE).exists() {
        match open_sound(&next) {
            Ok(_) => take_place(&next, dir)?,
            Err(Unusable::Discard(_)) => remove(&next)?,
            Err(Unusable::Fail(error)) => return Err(error),
        }
    }
    make(dir)?;
    let found = sound_or_empty(dir)?;
    if !found.is_older {
        remove(&next)?;
        return Ok(Found {
            filled: found,
            serving: None,
        });
    }
    make(&next)?;
    let filled = match sound_or_empty(&next)? {
        older if older.is_older => empty(&next)?,
        filled => filled,
    };
    Ok(Found {
        filled,
        serving: Some(found),
    })
}

/// Says of an index beside another one that it has caught up.
pub(super) fn mark_whole(dir: &Path) -> Result<(), IndexError> {
    let mut file = fs::File::create(dir.join(WHOLE_FILE))?;
    file.write_all(version_text().as_bytes())?;
    Ok(file.sync_all()?)
}

fn next_to(dir: &Path) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".next");
    dir.with_file_name(name)
}

/// Whatever moment it is cut off in, one of the two indexes is there as a whole.
fn take_place(next: &Path, dir: &Path) -> io::Result<()> {
    remove(dir)?;
    fs::rename(next, dir)?;
    fs::remove_file(dir.join(WHOLE_FILE))
}

/// Makes a directory for the node's user alone, where there is none.
fn make(dir: &Path) -> io::Result<()> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700).create(dir)
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sound_or_empty(dir: &Path) -> Result<Usable, IndexError> {
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
    let version = fs::read_to_string(dir.join(VERSION_FILE))?;
    let version: Option<u32> = version.trim_end().parse().ok();
    let is_older = match version.map(|version| version.cmp(&SCHEMA_VERSION)) {
        Some(Ordering::Equal) => false,
        Some(Ordering::Less) => true,
        _ => return Err(Unusable::Discard("its schema has another version".into())),
    };
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
        dir: dir.to_owned(),
        committed,
        emptied: false,
        is_older,
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
        dir: dir.to_owned(),
        committed: Committed::default(),
        emptied: true,
        is_older: false,
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
