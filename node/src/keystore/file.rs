//! Key files on disk: who may read them, how much is read, how they appear.

use super::KeystoreError;
use crate::home;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Longest key file that is read, in bytes; those that we write are below 400.
pub(super) const KEY_FILE_MAX_BYTES: usize = 4096;

/// Permission bits of everyone but the owner.
const OTHERS_MODE: u32 = 0o077;

/// The bytes of the key file at `path`, if it is its owner's alone.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let unreadable = |source| failure(path, source);
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, so that no other can be slipped in between.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & OTHERS_MODE != 0 {
        return Err(KeystoreError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }

    // One byte more than allowed tells a longer file; reserved at once, since growing leaves
    // copies of secrets.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_FILE_MAX_BYTES + 1));
    file.take(KEY_FILE_MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > KEY_FILE_MAX_BYTES {
        let max_bytes = KEY_FILE_MAX_BYTES as u64;
        return Err(KeystoreError::TooLarge {
            path: path.to_owned(),
            max_bytes,
        });
    }
    Ok(bytes)
}

/// Writes a new key file, and its directory where that is missing.
pub(super) fn create(path: &Path, text: &str) -> Result<(), KeystoreError> {
    let unwritable = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => KeystoreError::Exists {
            path: path.to_owned(),
        },
        _ => KeystoreError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        home::create_private_dir(dir).map_err(|source| failure(dir, source))?;
    }
    home::create_private_file(path, text.as_bytes()).map_err(unwritable)
}

fn failure(path: &Path, source: io::Error) -> KeystoreError {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => KeystoreError::Missing { path },
        _ => KeystoreError::Unreadable { path, source },
    }
}
