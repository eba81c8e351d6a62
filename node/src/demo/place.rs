//! Where a demonstration lives: one directory with the three homes and everything that is handed
//! over between them.

use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use diwan_api::error::{ApiError, ErrorCode};

/// Longest path of a Unix socket in bytes that every system takes.
const SOCKET_PATH_BYTES_MAX: usize = 103;
/// What the longest socket of a demonstration adds to its directory.
const SOCKET_BELOW: &str = "/fr/run/node.sock";
/// How many directory names are tried before it is somebody's fault.
const NAMES_TRIED: usize = 16;

/// The directory of a demonstration.
#[derive(Debug)]
pub(super) struct Place {
    dir: PathBuf,
    /// Ours alone, and gone when all went well.
    passing: bool,
}

impl Place {
    /// Makes the directory said, which must be missing or empty, or a fresh one.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidValue`] for a path too long for a socket, [`ErrorCode::HomeNotEmpty`],
    /// [`ErrorCode::HomeUnreadable`].
    pub(super) fn make(said: Option<&Path>) -> Result<Self, ApiError> {
        match said {
            Some(dir) => Self::at(dir),
            None => Self::fresh(Path::new("/tmp")),
        }
    }

    fn at(said: &Path) -> Result<Self, ApiError> {
        // Absolute, so that the commands that are printed work from anywhere.
        let dir = std::path::absolute(said).map_err(|error| unusable(said, &error))?;
        check_length(&dir)?;
        create(&dir, true).map_err(|error| unusable(&dir, &error))?;
        let mut entries = fs::read_dir(&dir).map_err(|error| unusable(&dir, &error))?;
        if entries.next().is_some() {
            return Err(ApiError::new(ErrorCode::HomeNotEmpty).with("home", dir.display()));
        }
        Ok(Self {
            dir,
            passing: false,
        })
    }

    fn fresh(parent: &Path) -> Result<Self, ApiError> {
        let mut failed = io::Error::from(io::ErrorKind::AlreadyExists);
        for attempt in 0..NAMES_TRIED {
            // Not a secret: whoever takes the name first only makes us take the next one.
            let number = RandomState::new().hash_one(attempt) & 0xff_ffff;
            let dir = parent.join(format!("diwan-demo-{number:06x}"));
            match create(&dir, false) {
                Ok(()) => return Ok(Self { dir, passing: true }),
                Err(error) => failed = error,
            }
            if failed.kind() != io::ErrorKind::AlreadyExists {
                break;
            }
        }
        Err(unusable(parent, &failed))
    }

    /// The directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether nobody asked for it to stay.
    pub(super) fn is_passing(&self) -> bool {
        self.passing
    }

    /// A path below the directory, with the directories above it made.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn file(&self, below: &str) -> io::Result<PathBuf> {
        let path = self.dir.join(below);
        if let Some(parent) = path.parent() {
            create(parent, true)?;
        }
        Ok(path)
    }

    /// Removes everything.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.dir)
    }
}

/// Makes a directory for its user alone; only a recursive making takes one that is there.
fn create(dir: &Path, recursive: bool) -> io::Result<()> {
    DirBuilder::new()
        .recursive(recursive)
        .mode(0o700)
        .create(dir)
}

fn check_length(dir: &Path) -> Result<(), ApiError> {
    let longest = SOCKET_PATH_BYTES_MAX - SOCKET_BELOW.len();
    if dir.as_os_str().as_bytes().len() <= longest {
        return Ok(());
    }
    Err(ApiError::invalid(
        "--dir",
        dir.display(),
        &format!("a path of at most {longest} bytes, for the nodes' sockets lie below it"),
    ))
}

fn unusable(path: &Path, error: &io::Error) -> ApiError {
    ApiError::new(ErrorCode::HomeUnreadable)
        .with("path", path.display())
        .with("detail", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_directory_too_long_for_sockets_is_refused() {
        let longest = "d".repeat(SOCKET_PATH_BYTES_MAX - SOCKET_BELOW.len() - 1);
        assert!(check_length(&Path::new("/").join(&longest)).is_ok());
        let refused = check_length(&Path::new("/").join(longest + "d")).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
    }

    #[test]
    fn a_directory_with_files_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("letter"), "x").unwrap();
        let refused = Place::make(Some(dir.path())).unwrap_err();
        assert_eq!(refused.code, ErrorCode::HomeNotEmpty);
        assert!(dir.path().join("letter").exists());
    }

    #[test]
    fn a_fresh_directory_is_private_and_goes_again() {
        let parent = tempfile::tempdir().unwrap();
        let place = Place::fresh(parent.path()).unwrap();
        let mode = fs::metadata(place.dir()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let other = Place::fresh(parent.path()).unwrap();
        assert_ne!(place.dir(), other.dir());
        place.file("cards/fr.card").unwrap();
        let dir = place.dir().to_owned();
        assert!(dir.join("cards").is_dir());
        place.remove().unwrap();
        assert!(!dir.exists());
    }
}
