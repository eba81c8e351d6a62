//! What can go wrong in the index, sorted by who has to act.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use thiserror::Error;

/// Why the index refused or failed.
///
/// A damaged index on disk is not among the reasons why [`Index::open`](super::Index::open)
/// fails: it is emptied and filled again.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The machine failed: full disk, missing rights, broken device. The admin has to act.
    #[error("the search index cannot use its disk: {0}")]
    Io(#[from] io::Error),
    /// Another writer holds the directory.
    #[error("the search index in {0} is in use by another process")]
    Busy(PathBuf),
    /// The query text is longer than [`MAX_QUERY_BYTES`](super::MAX_QUERY_BYTES).
    #[error("the query has {bytes} bytes, at most {limit} are accepted")]
    QueryTooLong {
        /// Length of the query text.
        bytes: usize,
        /// The limit it exceeds.
        limit: usize,
    },
    /// The query text has more words than [`MAX_QUERY_TERMS`](super::MAX_QUERY_TERMS).
    #[error("the query has {terms} words, at most {limit} are accepted")]
    TooManyTerms {
        /// Words found in the query text.
        terms: usize,
        /// The limit they exceed.
        limit: usize,
    },
    /// A `*` without a word before it.
    #[error("a * stands behind the beginning of a word: cyber*")]
    WildcardAlone,
    /// The cursor is not one of ours, or belongs to a query sorted otherwise.
    #[error("the cursor does not belong to this query")]
    BadCursor,
    /// The index broke while it was open. Open it again: it is checked and, if need be, rebuilt.
    #[error("the search index is damaged: {0}")]
    Damaged(String),
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> Self {
        match io_cause(&error) {
            Some(cause) => Self::Io(io::Error::new(cause.kind(), Arc::clone(cause))),
            None => Self::Damaged(error.to_string()),
        }
    }
}

/// Whether the files are at fault (so that a rebuild helps) rather than the machine.
pub(super) fn is_damage(error: &TantivyError) -> bool {
    io_cause(error).is_none_or(|cause| is_damage_kind(cause.kind()))
}

/// Whether an I/O error tells of wrong files rather than of a failing machine.
pub(super) fn is_damage_kind(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        AlreadyExists, InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound,
        UnexpectedEof,
    };
    matches!(
        kind,
        AlreadyExists
            | InvalidData
            | InvalidInput
            | IsADirectory
            | NotADirectory
            | NotFound
            | UnexpectedEof
    )
}

fn io_cause(error: &TantivyError) -> Option<&Arc<io::Error>> {
    match error {
        TantivyError::IoError(cause)
        | TantivyError::OpenDirectoryError(
            OpenDirectoryError::FailedToCreateTempDir(cause)
            | OpenDirectoryError::IoError {
                io_error: cause, ..
            },
        )
        | TantivyError::OpenReadError(OpenReadError::IoError {
            io_error: cause, ..
        })
        | TantivyError::OpenWriteError(OpenWriteError::IoError {
            io_error: cause, ..
        })
        | TantivyError::LockFailure(LockError::IoError(cause), _) => Some(cause),
        _ => None,
    }
}
