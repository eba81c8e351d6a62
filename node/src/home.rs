//! The home: the one directory in which a node keeps everything it owns.
//!
//! ```text
//! home.version     the layout's version, written last: without it this is no home
//! config.toml      what the operator may change (room `config`)
//! guard.toml       the agency's own rules of the publication guard, where it has any
//! keys/            root.key, node.key (room `keystore`)
//! db/store.redb    log, views, trust list (room `store`)
//! index/           the search index, rebuilt when it is missing (room `index`)
//! index.next/      the one that takes its place, while a newer version makes it anew
//! run/             lock and socket: means nothing once the node has stopped
//! ```
//!
//! Every directory has mode 0700 and every file made here mode 0600: what a node holds is for its
//! own user alone, and others are served through the API.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

mod private;
#[cfg(test)]
mod tests;

use private::{PRIVATE_DIR_MODE, PRIVATE_FILE_MODE, sync_dir};
pub use private::{create_private_dir, create_private_file};

/// The layout this program reads and writes.
const LAYOUT_VERSION: &str = "1";

/// Longest content of `home.version` and of the lock that is read, in bytes.
const SMALL_FILE_MAX_BYTES: u64 = 64;

/// A node's home, found to be one of a layout that this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    dir: PathBuf,
}

/// A home in the making: directories exist, keys and configuration are being written.
///
/// It becomes a home by [`NewHome::finish`] only, so that an interrupted `init` leaves nothing
/// behind that `run` would take for a home.
#[derive(Debug)]
#[must_use = "an unfinished home is refused by `Home::open`"]
pub struct NewHome {
    home: Home,
}

/// The right to run on a home, held by one process at a time.
///
/// It ends when this value is dropped or the process dies, however it dies: the kernel keeps it,
/// not the file's existence, so there is never a stale lock to remove by hand.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct HomeLock {
    file: File,
}

/// Why a home cannot be made, opened or locked.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is nothing at this path.
    #[error("there is no home at {}", .dir.display())]
    Missing {
        /// The path asked for.
        dir: PathBuf,
    },
    /// The directory holds no finished home: another directory, or an interrupted `init`.
    #[error("{} is not the home of a node", .dir.display())]
    NotAHome {
        /// The path asked for.
        dir: PathBuf,
    },
    /// A home was to be made where one is already.
    #[error("{} is already the home of a node", .dir.display())]
    AlreadyAHome {
        /// The path asked for.
        dir: PathBuf,
    },
    /// A home was to be made in a directory that holds other files.
    #[error("{} is not empty", .dir.display())]
    NotEmpty {
        /// The path asked for.
        dir: PathBuf,
    },
    /// The home was written by another version of this program.
    #[error("{} has layout version {found}, this program knows {LAYOUT_VERSION}", .dir.display())]
    UnsupportedVersion {
        /// The path asked for.
        dir: PathBuf,
        /// What `home.version` says.
        found: String,
    },
    /// Another process runs on this home.
    #[error("{} is in use by {}", .dir.display(), describe_holder(*.pid))]
    Locked {
        /// The path asked for.
        dir: PathBuf,
        /// The other process, where it has said who it is.
        pid: Option<u32>,
    },
    /// The operating system refused.
    #[error("{} cannot be used: {source}", .path.display())]
    Unreadable {
        /// The file or directory that was refused.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl Home {
    /// Makes the directories of a new home in `dir`, which must be missing or empty.
    ///
    /// The caller writes keys and configuration next and then calls [`NewHome::finish`].
    ///
    /// # Errors
    /// [`HomeError::AlreadyAHome`], [`HomeError::NotEmpty`], [`HomeError::Unreadable`].
    pub fn create(dir: &Path) -> Result<NewHome, HomeError> {
        let home = Home {
            dir: dir.to_owned(),
        };
        refuse_used_directory(&home)?;
        for part in [
            dir,
            &home.keys_dir(),
            &home.db_dir(),
            &home.index_dir(),
            &home.run_dir(),
        ] {
            create_private_dir(part).map_err(unreadable(part))?;
        }
        // An empty directory that was there before may have been open to others.
        fs::set_permissions(dir, Permissions::from_mode(PRIVATE_DIR_MODE))
            .map_err(unreadable(dir))?;
        Ok(NewHome { home })
    }

    /// Opens the finished home in `dir`.
    ///
    /// # Errors
    /// [`HomeError::Missing`], [`HomeError::NotAHome`], [`HomeError::UnsupportedVersion`],
    /// [`HomeError::Unreadable`].
    pub fn open(dir: &Path) -> Result<Home, HomeError> {
        let home = Home {
            dir: dir.to_owned(),
        };
        let metadata = fs::metadata(dir).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => HomeError::Missing {
                dir: dir.to_owned(),
            },
            _ => HomeError::Unreadable {
                path: dir.to_owned(),
                source,
            },
        })?;
        if !metadata.is_dir() {
            return Err(HomeError::NotAHome {
                dir: dir.to_owned(),
            });
        }

        let version_path = home.version_path();
        let version = match File::open(&version_path).and_then(|mut file| read_small(&mut file)) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                return Err(HomeError::NotAHome {
                    dir: dir.to_owned(),
                });
            }
            Err(source) => {
                return Err(HomeError::Unreadable {
                    path: version_path,
                    source,
                });
            }
        };
        match version.trim() {
            LAYOUT_VERSION => Ok(home),
            other => Err(HomeError::UnsupportedVersion {
                dir: dir.to_owned(),
                found: other.escape_debug().to_string(),
            }),
        }
    }

    /// Claims the home for this process until the lock is dropped, and leaves its pid in
    /// `run/lock` for whoever is refused.
    ///
    /// # Errors
    /// [`HomeError::Locked`] when another process, or this one, holds it already;
    /// [`HomeError::Unreadable`].
    pub fn lock(&self) -> Result<HomeLock, HomeError> {
        let run_dir = self.run_dir();
        create_private_dir(&run_dir).map_err(unreadable(&run_dir))?;
        let path = self.lock_path();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false) // the holder's pid must outlive our attempt
            .mode(PRIVATE_FILE_MODE)
            .open(&path)
            .map_err(unreadable(&path))?;

        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = read_small(&mut file)
                    .ok()
                    .and_then(|text| text.trim().parse().ok());
                return Err(HomeError::Locked {
                    dir: self.dir.clone(),
                    pid,
                });
            }
            Err(TryLockError::Error(source)) => return Err(unreadable(&path)(source)),
        }
        write_pid(&mut file).map_err(unreadable(&path))?;
        Ok(HomeLock { file })
    }

    /// The home's own directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `guard.toml`: the agency's own rules of the publication guard, where it has any.
    #[must_use]
    pub fn guard(&self) -> PathBuf {
        self.dir.join("guard.toml")
    }

    /// The configuration, `config.toml`.
    pub fn config(&self) -> PathBuf {
        self.dir.join("config.toml")
    }

    /// The agency's root key, `keys/root.key`. It may be missing: the root key may live offline.
    pub fn keys_root(&self) -> PathBuf {
        self.keys_dir().join("root.key")
    }

    /// The node key, `keys/node.key`.
    pub fn keys_node(&self) -> PathBuf {
        self.keys_dir().join("node.key")
    }

    /// The database, `db/store.redb`.
    pub fn store(&self) -> PathBuf {
        self.db_dir().join("store.redb")
    }

    /// The search index, `index/`.
    pub fn index_dir(&self) -> PathBuf {
        self.dir.join("index")
    }

    /// What lives only while the node runs, `run/`.
    pub fn run_dir(&self) -> PathBuf {
        self.dir.join("run")
    }

    /// The API's socket. `configured` is the value of `api.socket`: a path below the home, or an
    /// absolute one.
    pub fn socket(&self, configured: &str) -> PathBuf {
        self.dir.join(configured)
    }

    fn keys_dir(&self) -> PathBuf {
        self.dir.join("keys")
    }

    fn db_dir(&self) -> PathBuf {
        self.dir.join("db")
    }

    fn lock_path(&self) -> PathBuf {
        self.run_dir().join("lock")
    }

    fn version_path(&self) -> PathBuf {
        self.dir.join("home.version")
    }
}

impl NewHome {
    /// The paths to fill.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Writes `home.version` and makes the directory entries durable: from here on it is a home.
    ///
    /// # Errors
    /// [`HomeError::Unreadable`].
    pub fn finish(self) -> Result<Home, HomeError> {
        let path = self.home.version_path();
        create_private_file(&path, format!("{LAYOUT_VERSION}\n").as_bytes())
            .map_err(unreadable(&path))?;
        // The home's own entry lies in its parent.
        if let Some(parent) = self
            .home
            .dir
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
        {
            sync_dir(parent).map_err(unreadable(parent))?;
        }
        Ok(self.home)
    }
}

impl Drop for HomeLock {
    fn drop(&mut self) {
        // So that nobody is told the pid of a process that has long gone. The lock itself goes
        // with the file descriptor, whatever becomes of this.
        let _ = self.file.set_len(0);
    }
}

impl HomeError {
    /// The error's stable name, for message catalogues and `--json`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "home-missing",
            Self::NotAHome { .. } => "home-not-a-home",
            Self::AlreadyAHome { .. } => "home-already-a-home",
            Self::NotEmpty { .. } => "home-not-empty",
            Self::UnsupportedVersion { .. } => "home-unsupported-version",
            Self::Locked { .. } => "home-locked",
            Self::Unreadable { .. } => "home-unreadable",
        }
    }

    /// What to do about it, in English.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "make one with `diwan-node init --home DIR`",
            Self::NotAHome { .. } => {
                "check --home; if an `init` was interrupted here, delete the directory and repeat it"
            }
            Self::AlreadyAHome { .. } => {
                "start it with `diwan-node run`, or name another directory"
            }
            Self::NotEmpty { .. } => "name a directory that is missing or empty",
            Self::UnsupportedVersion { .. } => "upgrade this program to the version that wrote it",
            Self::Locked { .. } => "stop that node first, or use another home",
            Self::Unreadable { .. } => {
                "check that the node's user owns the home and everything in it"
            }
        }
    }
}

fn refuse_used_directory(home: &Home) -> Result<(), HomeError> {
    let dir = home.dir();
    let mut entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(unreadable(dir)(source)),
    };
    if home.version_path().exists() {
        return Err(HomeError::AlreadyAHome {
            dir: dir.to_owned(),
        });
    }
    match entries.next() {
        Some(_) => Err(HomeError::NotEmpty {
            dir: dir.to_owned(),
        }),
        None => Ok(()),
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_small(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(SMALL_FILE_MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::Unreadable { path, source }
}

fn describe_holder(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}
