//! Files and directories for their owner alone, written so that a crash leaves none half made.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Mode of every directory in a home.
pub(super) const PRIVATE_DIR_MODE: u32 = 0o700;

/// Mode of every file made by this room.
pub(super) const PRIVATE_FILE_MODE: u32 = 0o600;

/// Writes a new file of mode 0600 at `path`, all or nothing: after a crash it is there with all of
/// `content`, durably, or not at all.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is something at `path`, which stays as it is; any
/// other error of the operating system.
pub fn create_private_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let draft = Draft::write(dir.join(draft_name(name)), content)?;
    // A link, unlike a rename, fails where the name is taken.
    fs::hard_link(&draft.path, path)?;
    drop(draft);
    sync_dir(dir)
}

/// Makes a directory of mode 0700 and what is missing above it. One that is there already keeps
/// its mode: it may be shared, or opened to a group on purpose.
///
/// # Errors
/// Any error of the operating system, such as a missing right to the parent.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIR_MODE)
        .create(path)
}

/// A name that no other thread or running process drafts under.
fn draft_name(name: &OsStr) -> OsString {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let mut draft = name.to_owned();
    draft.push(format!(".{}-{number}.draft", std::process::id()));
    draft
}

/// A file under a name of its own, removed when dropped.
pub(super) struct Draft {
    path: PathBuf,
}

impl Draft {
    pub(super) fn write(path: PathBuf, content: &[u8]) -> io::Result<Draft> {
        // What a process of the same pid left when it was killed.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(PRIVATE_FILE_MODE)
            .open(&path)?;
        let draft = Draft { path };
        file.write_all(content)?;
        file.sync_all()?;
        Ok(draft)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // A draft that cannot be removed is harmless: nobody reads its name.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes what was done in a directory durable: names are its content, not that of the files.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
