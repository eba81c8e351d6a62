//! The index's files: small ones are mapped into memory, of large ones only what a search asks for is read.
//!
//! Pages of a mapped file count as the node's memory as long as the kernel keeps them; at a million records that
//! is most of the index, on a server that may have half a gigabyte. A read costs a call and a copy, and
//! leaves the same pages in the kernel's cache without being held by the node.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::iter::repeat_n;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tantivy::HasLen;
use tantivy::directory::error::{
    DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError,
};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, WatchCallback,
    WatchHandle, WritePtr,
};

/// Files that hold one run of bytes for each word, of which a search needs few, and from how many bytes on they are
/// large. Segments below are merged before they are many, so that all mapped postings together have some 64 MiB.
/// Positions are read by phrases and merges alone.
const BY_WORD: [(&str, u64); 2] = [("idx", 8 * 1024 * 1024), ("pos", 1024 * 1024)];

/// Reads of a file that are remembered before those that nobody holds any more are forgotten.
const HELD: usize = 64;

/// The directory of an index.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
    mapped: MmapDirectory,
    by_word: [(&'static str, u64); 2],
}

impl Files {
    /// The files of a directory that is there.
    pub(super) fn open(folder: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self {
            folder: folder.to_owned(),
            mapped: MmapDirectory::open(folder)?,
            by_word: BY_WORD,
        })
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let mut by_word = self.by_word.into_iter();
        let Some((_, large_bytes)) = by_word.find(|(of, _)| ending == Some(of)) else {
            return self.mapped.get_file_handle(path);
        };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
            _ => OpenReadError::wrap_io_error(error, path.to_owned()),
        };
        let file = File::open(self.folder.join(path)).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        if bytes < large_bytes {
            return self.mapped.get_file_handle(path);
        }
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(Arc::new(Large {
            file,
            bytes,
            held: Mutex::default(),
        }))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.mapped.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.mapped.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.mapped.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.mapped.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.mapped.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.mapped.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.mapped.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.mapped.watch(callback)
    }
}

/// A large file. It does not change, and stays readable when it is deleted.
#[derive(Debug)]
struct Large {
    file: File,
    bytes: usize,
    /// What was read and is still held: a query that asks for a word a hundred times holds it once.
    held: Mutex<Held>,
}

/// Bytes by where they begin and end.
type Held = HashMap<(usize, usize), Weak<[u8]>>;

impl Large {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HasLen for Large {
    fn len(&self) -> usize {
        self.bytes
    }
}

impl FileHandle for Large {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.bytes {
            let outside = format!("{range:?} of {} bytes", self.bytes);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, outside));
        }
        let key = (range.start, range.end);
        if let Some(bytes) = self.held().get(&key).and_then(Weak::upgrade) {
            return Ok(OwnedBytes::new(bytes));
        }
        let mut bytes: Arc<[u8]> = repeat_n(0, range.len()).collect();
        if let Some(bytes) = Arc::get_mut(&mut bytes) {
            self.file.read_exact_at(bytes, range.start as u64)?;
        }
        let mut held = self.held();
        if held.len() >= HELD {
            held.retain(|_, bytes| bytes.strong_count() > 0);
        }
        held.insert(key, Arc::downgrade(&bytes));
        Ok(OwnedBytes::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_reads_like_a_mapped_one_and_outlives_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..=255).cycle().take(3_000).collect();
        let files = |large_bytes| Files {
            by_word: [("idx", large_bytes), ("pos", large_bytes)],
            ..Files::open(dir.path()).unwrap()
        };
        for name in ["a.idx", "a.pos", "a.term"] {
            std::fs::write(dir.path().join(name), &content).unwrap();
            for large_bytes in [1, u64::MAX] {
                let file = files(large_bytes).open_read(Path::new(name)).unwrap();
                let is_large = format!("{file:?}").contains("Large");
                assert_eq!(is_large, large_bytes == 1 && name != "a.term", "{name}");
                std::fs::rename(dir.path().join(name), dir.path().join("away")).unwrap();
                assert_eq!(file.len(), content.len());
                let part = file.read_bytes_slice(100..2_000).unwrap();
                assert_eq!(part.as_slice(), &content[100..2_000]);
                assert!(file.read_bytes_slice(3_000..3_000).unwrap().is_empty());
                std::fs::rename(dir.path().join("away"), dir.path().join(name)).unwrap();
            }
        }
    }

    #[test]
    fn what_is_held_already_is_not_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files {
            by_word: [("idx", 1), ("pos", 1)],
            ..Files::open(dir.path()).unwrap()
        };
        std::fs::write(dir.path().join("c.idx"), [7; 1_000]).unwrap();
        let file = files.get_file_handle(Path::new("c.idx")).unwrap();
        let first = file.read_bytes(10..900).unwrap();
        let again = file.read_bytes(10..900).unwrap();
        assert_eq!(first.as_slice().as_ptr(), again.as_slice().as_ptr());
        drop((first, again));
        for start in 0..500 {
            assert_eq!(file.read_bytes(start..900).unwrap().len(), 900 - start);
        }
        let kept = format!("{file:?}").matches("Weak").count();
        assert!(kept <= HELD, "{kept}");
    }

    #[test]
    fn what_is_missing_or_cut_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files {
            by_word: [("idx", 1), ("pos", 1)],
            ..Files::open(dir.path()).unwrap()
        };
        let missing = files.open_read(Path::new("b.idx"));
        assert!(matches!(missing, Err(OpenReadError::FileDoesNotExist(_))));
        std::fs::write(dir.path().join("b.idx"), [7; 100]).unwrap();
        let file = files.get_file_handle(Path::new("b.idx")).unwrap();
        assert!(file.read_bytes(90..101).is_err());
        std::fs::write(dir.path().join("b.idx"), [7; 50]).unwrap();
        assert!(file.read_bytes(40..60).is_err());
    }
}
