//! The store: the log, the chains, the trust list, the records and their views, in one redb file.
//!
//! One writer (the ingest thread), readers beside it. One step of the engine is one transaction:
//! log, records, views, receipts and journal of that step become durable together or not at all.
//! `docs/storage-format/store.md` gives every table.

mod disk;
mod entries;
mod log;
mod reading;
mod rows;
mod tables;
mod tracked;
mod writing;

pub use disk::Disk;
pub use reading::Reading;
pub use rows::{
    GroupRow, LogRow, OfficerRole, OfficerRow, RecordRow, RecordState, VersionRow, WatchRow,
};
pub use writing::Writing;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use diwan_core::breaks::{Break, is_left_out};
use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError};

/// The layout that this code reads and writes.
const SCHEMA_VERSION: u64 = 2;
/// The layout before blocks: its rows are read as they are.
const WITHOUT_BLOCKS: u64 = 1;
/// Memory for redb's page cache, in bytes: enough for the inner pages of a million records.
const CACHE_BYTES: usize = 10 * 1024 * 1024;

/// Why the store did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error("{0} is open in another process")]
    Busy(PathBuf),
    /// Its bytes are not what they should be.
    #[error("{path} is damaged: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// Written by a newer version of this program.
    #[error("the store has layout {found}, this program knows {SCHEMA_VERSION}")]
    Newer {
        /// Found.
        found: u64,
    },
    /// The disk failed or is full.
    #[error("the disk refused: {0}")]
    Io(String),
}

/// The meta value that says in which file the store lies.
pub const PLACE: &str = "place";

/// What tells a store's file from a copy of it: the moment at which the file system made it, or its
/// inode where the system does not keep that.
///
/// # Errors
/// [`StoreError::Io`].
pub fn place_of(path: &Path) -> Result<u64, StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    let failed = |error: std::io::Error| StoreError::Io(format!("{}: {error}", path.display()));
    let file = std::fs::metadata(path).map_err(failed)?;
    let made = file.created().ok();
    let made = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    let made = made.and_then(|made| u64::try_from(made.as_nanos()).ok());
    Ok(made.unwrap_or_else(|| file.ino()))
}

macro_rules! from_redb {
    ($($error:ty),+) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                StoreError::from_redb(error.into())
            }
        }
    )+};
}
from_redb!(
    redb::TransactionError,
    redb::TableError,
    redb::CommitError,
    redb::SetDurabilityError
);

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        StoreError::from_redb(error.into())
    }
}

impl StoreError {
    fn from_redb(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(detail) => StoreError::Damaged {
                path: PathBuf::from("store.redb"),
                detail,
            },
            other => StoreError::Io(other.to_string()),
        }
    }

    /// A row that does not decode: the file was damaged or written by something else.
    fn row(table: &str) -> Self {
        StoreError::Damaged {
            path: PathBuf::from("store.redb"),
            detail: format!("a row of table {table} does not read"),
        }
    }
}

/// The open store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Arc<Database>,
}

impl Store {
    /// Opens the store, or makes an empty one with this program's layout where the file is
    /// missing and `create` is set. After a stop that was not clean, the whole file is checked.
    ///
    /// # Errors
    /// [`StoreError`] says whether it is busy, damaged, newer or unreadable.
    pub fn open(path: &Path, create: bool) -> Result<Self, StoreError> {
        // redb answers most damage with an error and some of it with a panic. Nothing is shared with
        // the attempt: what it leaves behind is dropped with it.
        quietly(|| Self::open_checked(path, create)).unwrap_or_else(|_| {
            Err(StoreError::Damaged {
                path: path.to_owned(),
                detail: "it holds what no database does".to_owned(),
            })
        })
    }

    fn open_checked(path: &Path, create: bool) -> Result<Self, StoreError> {
        if !create && !path.exists() {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
                detail: "the file is missing".to_owned(),
            });
        }
        let (builder, was_checked) = builder();
        let opened = match create {
            true => builder.create(path),
            false => builder.open(path),
        };
        Self::checked(path, opened, create || was_checked.get())
    }

    /// Opens or makes a store on a disk that is no file of this machine.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on(disk: impl Disk) -> Result<Self, StoreError> {
        let path = Path::new("disk");
        let is_new = disk
            .bytes()
            .map_err(|error| StoreError::Io(error.to_string()))?
            == 0;
        let (builder, was_checked) = builder();
        let opened = builder.create_with_backend(disk::Backend(disk));
        Self::checked(path, opened, is_new || was_checked.get())
    }

    fn checked(
        path: &Path,
        opened: Result<Database, DatabaseError>,
        is_sound: bool,
    ) -> Result<Self, StoreError> {
        let mut db = opened.map_err(|error| opening_error(path, error))?;
        if !is_sound && !is_clean(&db)? && !matches!(db.check_integrity(), Ok(true)) {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
                detail: "checksums do not match".to_owned(),
            });
        }
        let store = Self { db: Arc::new(db) };
        store.check_schema()?;
        store.mark_clean(false)?;
        Ok(store)
    }

    fn check_schema(&self) -> Result<(), StoreError> {
        self.write(|tables| match tables.meta_u64("schema")? {
            None => {
                tables.set_meta_u64("schema", SCHEMA_VERSION);
                Ok(())
            }
            Some(SCHEMA_VERSION) => Ok(()),
            Some(WITHOUT_BLOCKS) => {
                tables.set_meta_u64("schema", SCHEMA_VERSION);
                Ok(())
            }
            Some(found) => Err(StoreError::Newer { found }),
        })
    }

    /// Notes whether the store was closed in order. A store that was not is checked when opened.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn mark_clean(&self, clean: bool) -> Result<(), StoreError> {
        self.write(|tables| {
            tables.set_meta_u64("clean", u64::from(clean));
            Ok(())
        })
    }

    /// Runs one durable transaction: all of it or, where `step` fails, nothing.
    ///
    /// # Errors
    /// What `step` returned, or [`StoreError`] of the commit.
    pub fn write<T, E: From<StoreError>>(
        &self,
        step: impl FnOnce(&mut Writing<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut transaction = self.db.begin_write().map_err(StoreError::from)?;
        if is_left_out(Break::AckBeforeSync) {
            transaction
                .set_durability(redb::Durability::None)
                .map_err(StoreError::from)?;
        }
        let mut tables = Writing::open(&transaction)?;
        let outcome = step(&mut tables)?;
        tables.flush()?;
        let is_dirty = tables.writes() > 0;
        drop(tables);
        match is_dirty {
            true => transaction.commit().map_err(StoreError::from)?,
            false => transaction.abort().map_err(StoreError::from)?,
        }
        Ok(outcome)
    }

    /// A consistent view of the last commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(&self) -> Result<Reading, StoreError> {
        Reading::open(&self.db.begin_read()?)
    }
}

/// How far a repair is when redb has found that the last commit is not whole, and goes back to the one
/// before; otherwise it first reports when it has read the file twice.
const WENT_BACK: f64 = 0.5;

/// What opens a store, and a cell that tells whether redb has read the whole file for it: after a stop
/// that was not clean it compares every checksum to find the last commit that is whole.
fn builder() -> (Builder, Rc<Cell<bool>>) {
    let was_checked = Rc::new(Cell::new(false));
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    let notes = was_checked.clone();
    builder.set_repair_callback(move |repair| {
        if !notes.replace(true) && repair.progress() < WENT_BACK {
            tracing::warn!(
                "the store's last commit is not whole: it goes back to the one before. That is what a \
                 power cut leaves of a commit that nobody was told of; if the disk is failing, restore \
                 a backup"
            );
        }
    });
    (builder, was_checked)
}

/// Runs what may panic, without the panic's own words on the screen: the caller says what it means.
fn quietly<T>(run: impl FnOnce() -> T + std::panic::UnwindSafe) -> std::thread::Result<T> {
    thread_local! {
        static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    QUIET.set(true);
    let outcome = std::panic::catch_unwind(run);
    QUIET.set(false);
    outcome
}

fn opening_error(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::Busy(path.to_owned()),
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() != std::io::ErrorKind::InvalidData
                && error.kind() != std::io::ErrorKind::UnexpectedEof =>
        {
            StoreError::Io(format!("{}: {error}", path.display()))
        }
        other => StoreError::Damaged {
            path: path.to_owned(),
            detail: other.to_string(),
        },
    }
}

fn is_clean(db: &Database) -> Result<bool, StoreError> {
    let transaction = db.begin_read()?;
    match transaction.open_table(tables::META) {
        Ok(table) => reading::meta_u64(&table, "clean").map(|clean| clean == Some(1)),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
