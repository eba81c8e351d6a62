//! The files of secret keys, and the entropy that keys are drawn from.
//!
//! A key file is text, so that it can be printed and kept in a safe. Its first line names the
//! format, its last line tells accidental damage (a bad disk, a typing error) from a wrong
//! passphrase:
//!
//! ```text
//! diwan-key 1
//! purpose root
//! kdf argon2id m=65536 t=3 p=1 salt=<32 hex digits>
//! cipher xchacha20poly1305 nonce=<48 hex digits>
//! sealed <96 hex digits>
//! check <16 hex digits: the start of the BLAKE3 hash of all lines before>
//! ```
//!
//! Without a passphrase `kdf none` and `seed <64 hex digits>` stand for the three lines in the
//! middle. The lines above `sealed` are the cipher's associated data: none of them can be changed
//! without the passphrase.

use std::io;
use std::path::{Path, PathBuf};

mod file;
mod format;
mod seal;
mod secret;
#[cfg(test)]
mod tests;

pub use seal::KdfCost;
pub use secret::{Passphrase, Secret32, fill_random};

use format::{KeyFile, Sealing};

/// What a key may be used for. It is written into the file, so that a node key put in the place
/// of a root key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// The agency's root key: signs the agency chain only.
    Root,
    /// A node's key: its identity on the network, and the author of its entries.
    Node,
}

/// How a key file is to be protected.
#[derive(Debug, Clone, Copy)]
pub enum Protection<'a> {
    /// Sealed by a key derived from this passphrase.
    Passphrase(&'a Passphrase),
    /// Not at all: whoever can read the file has the key. For machines whose disk is encrypted
    /// and whose start must not wait for a person.
    None,
}

/// Why a key or a passphrase cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// There is no file at this path.
    #[error("there is no key file {}", .path.display())]
    Missing {
        /// The key file.
        path: PathBuf,
    },
    /// A key file is there already. It is never overwritten: a lost key cannot be made again.
    #[error("there is a key file {} already", .path.display())]
    Exists {
        /// The key file.
        path: PathBuf,
    },
    /// The operating system refused to read or write the file.
    #[error("{} cannot be used: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is longer than any file of its kind.
    #[error("{} is longer than {max_bytes} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The longest that is read, in bytes.
        max_bytes: u64,
    },
    /// Users other than the owner may read or write the key file.
    #[error("other users can get at the key file {} (mode {mode:03o})", .path.display())]
    TooOpen {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is not what was once written.
    #[error("the key file {} is damaged: line {line} {reason}", .path.display())]
    Damaged {
        /// The key file.
        path: PathBuf,
        /// The line that is wrong, from 1; the last where only the check shows the damage.
        line: usize,
        /// What is wrong with the line.
        reason: &'static str,
    },
    /// The file was written by a newer program.
    #[error("the key file {} has format version {found}, this program knows 1", .path.display())]
    UnsupportedVersion {
        /// The key file.
        path: PathBuf,
        /// The version it names.
        found: u32,
    },
    /// The file holds a key for another use.
    #[error("{} holds a {found} key, not a {expected} key", .path.display())]
    WrongPurpose {
        /// The key file.
        path: PathBuf,
        /// What it was opened for.
        expected: KeyPurpose,
        /// What it says it is for.
        found: KeyPurpose,
    },
    /// The key is sealed and no passphrase was given.
    #[error("the key file {} is protected by a passphrase", .path.display())]
    NeedsPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The file is undamaged and this passphrase does not open it.
    #[error("wrong passphrase for the key file {}", .path.display())]
    WrongPassphrase {
        /// The key file.
        path: PathBuf,
    },
    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The passphrase, or the file that should hold it, is longer than the limit.
    #[error("the passphrase is longer than {max_bytes} bytes")]
    PassphraseTooLong {
        /// The longest that is accepted, in bytes.
        max_bytes: u64,
    },
    /// The passphrase is not UTF-8 text or holds control characters, such as a second line.
    #[error("the passphrase is not one line of UTF-8 text")]
    PassphraseNotText,
    /// The two passphrases typed are not the same.
    #[error("the two passphrases are not the same")]
    PassphrasesDiffer,
    /// There is no terminal to ask on, or it was closed.
    #[error("no passphrase could be asked for: {source}")]
    NoTerminal {
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {source}")]
    NoEntropy {
        /// What the operating system said.
        source: getrandom::Error,
    },
    /// There is not enough memory to derive a key from the passphrase.
    #[error(
        "deriving a key from the passphrase takes {memory_mib} MiB of memory, which are not free"
    )]
    OutOfMemory {
        /// The memory that the file's parameters ask for, in MiB.
        memory_mib: u32,
    },
}

/// Writes `seed` to a new file of mode 0600 at `path`, durably and whole or not at all. A missing
/// directory is made with mode 0700.
///
/// With a passphrase this takes [`KdfCost::default`]: a quarter of a second, 64 MiB.
///
/// # Errors
/// [`KeystoreError::Exists`], [`KeystoreError::Unreadable`], [`KeystoreError::NoEntropy`],
/// [`KeystoreError::OutOfMemory`].
pub fn write_key(
    path: &Path,
    purpose: KeyPurpose,
    seed: &Secret32,
    protection: Protection<'_>,
) -> Result<(), KeystoreError> {
    write_key_at_cost(path, purpose, seed, protection, KdfCost::default())
}

fn write_key_at_cost(
    path: &Path,
    purpose: KeyPurpose,
    seed: &Secret32,
    protection: Protection<'_>,
    cost: KdfCost,
) -> Result<(), KeystoreError> {
    let key_file = match protection {
        Protection::Passphrase(passphrase) => seal::seal(purpose, seed, passphrase, cost)?,
        Protection::None => KeyFile {
            purpose,
            sealing: Sealing::Open { seed: seed.clone() },
        },
    };
    file::create(path, &format::encode(&key_file))
}

/// Reads the key at `path`. A passphrase given for a key without one is not used.
///
/// # Errors
/// [`KeystoreError::Missing`], [`KeystoreError::Unreadable`], [`KeystoreError::TooLarge`],
/// [`KeystoreError::TooOpen`], [`KeystoreError::Damaged`], [`KeystoreError::UnsupportedVersion`],
/// [`KeystoreError::WrongPurpose`], [`KeystoreError::NeedsPassphrase`],
/// [`KeystoreError::WrongPassphrase`], [`KeystoreError::OutOfMemory`].
pub fn read_key(
    path: &Path,
    purpose: KeyPurpose,
    passphrase: Option<&Passphrase>,
) -> Result<Secret32, KeystoreError> {
    let key_file = load(path)?;
    if key_file.purpose != purpose {
        return Err(KeystoreError::WrongPurpose {
            path: path.to_owned(),
            expected: purpose,
            found: key_file.purpose,
        });
    }
    let associated_data = format::associated_data(&key_file);
    match (key_file.sealing, passphrase) {
        (Sealing::Open { seed }, _) => Ok(seed),
        (Sealing::Sealed(_), None) => Err(KeystoreError::NeedsPassphrase {
            path: path.to_owned(),
        }),
        (Sealing::Sealed(sealed), Some(passphrase)) => {
            seal::open(&sealed, &associated_data, passphrase)?.ok_or_else(|| {
                KeystoreError::WrongPassphrase {
                    path: path.to_owned(),
                }
            })
        }
    }
}

/// Puts a new key file in the place of another, which stays beside it as `….old`.
///
/// # Errors
/// [`KeystoreError::Unreadable`].
pub fn replace_key(path: &Path, fresh: &Path) -> Result<(), KeystoreError> {
    let old = path.with_extension("key.old");
    let renamed = std::fs::rename(path, old).and_then(|()| std::fs::rename(fresh, path));
    renamed.map_err(|source| KeystoreError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// Whether the key at `path` needs a passphrase, so that nobody is asked for one in vain.
///
/// # Errors
/// As [`read_key`], but for those about purpose and passphrase.
pub fn is_encrypted(path: &Path) -> Result<bool, KeystoreError> {
    Ok(matches!(load(path)?.sealing, Sealing::Sealed(_)))
}

fn load(path: &Path) -> Result<KeyFile, KeystoreError> {
    let bytes = file::read(path)?;
    format::decode(&bytes).map_err(|fault| match fault {
        format::Fault::Damaged { line, reason } => KeystoreError::Damaged {
            path: path.to_owned(),
            line,
            reason,
        },
        format::Fault::UnsupportedVersion { found } => KeystoreError::UnsupportedVersion {
            path: path.to_owned(),
            found,
        },
    })
}

impl KeyPurpose {
    /// The word in the file's second line.
    fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Node => "node",
        }
    }
}

impl std::fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl KeystoreError {
    /// The error's stable name, for message catalogues and `--json`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "key-missing",
            Self::Exists { .. } => "key-exists",
            Self::Unreadable { .. } => "key-unreadable",
            Self::TooLarge { .. } => "key-too-large",
            Self::TooOpen { .. } => "key-too-open",
            Self::Damaged { .. } => "key-damaged",
            Self::UnsupportedVersion { .. } => "key-unsupported-version",
            Self::WrongPurpose { .. } => "key-wrong-purpose",
            Self::NeedsPassphrase { .. } => "key-needs-passphrase",
            Self::WrongPassphrase { .. } => "key-wrong-passphrase",
            Self::EmptyPassphrase => "passphrase-empty",
            Self::PassphraseTooLong { .. } => "passphrase-too-long",
            Self::PassphraseNotText => "passphrase-not-text",
            Self::PassphrasesDiffer => "passphrases-differ",
            Self::NoTerminal { .. } => "passphrase-no-terminal",
            Self::NoEntropy { .. } => "no-entropy",
            Self::OutOfMemory { .. } => "key-out-of-memory",
        }
    }

    /// What to do about it, in English.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } => "restore it from its backup; no other key can take its place",
            Self::Exists { .. } => "a key is never overwritten: move the file away first",
            Self::Unreadable { .. } => "check that the node's user owns the file and its directory",
            Self::TooLarge { .. } => "this is not a key file; check the path",
            Self::TooOpen { path, .. } => {
                return format!(
                    "chmod 600 {}; if others could read it, replace the key",
                    path.display()
                );
            }
            Self::Damaged { .. } => "restore it from its backup, or type the line again from paper",
            Self::UnsupportedVersion { .. } => "upgrade this program to the version that wrote it",
            Self::WrongPurpose { .. } => "the files root.key and node.key may have changed places",
            Self::NeedsPassphrase { .. } | Self::NoTerminal { .. } => {
                "give it with --passphrase-file, or start from a terminal"
            }
            Self::WrongPassphrase { .. } => "try again; the file itself is undamaged",
            Self::EmptyPassphrase => "choose one, or say --no-passphrase",
            Self::PassphraseTooLong { .. } => "check that --passphrase-file names the right file",
            Self::PassphraseNotText => "the passphrase file holds one line of UTF-8 text",
            Self::PassphrasesDiffer => "type the same passphrase twice",
            Self::NoEntropy { .. } => "the machine's random source must work before keys are made",
            Self::OutOfMemory { .. } => "free some memory, or raise the service's memory limit",
        }
        .to_owned()
    }
}
