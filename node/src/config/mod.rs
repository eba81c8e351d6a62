//! What the operator may change: `config.toml` in the node's home.
//!
//! Every key is described once, in [`KEYS`]: its place, type, unit, bounds, meaning, cost and
//! danger. Reading a file, writing the one that `init` leaves, the examples and the reference
//! manual all go by that table. Every key may be missing; the default then holds.
//!
//! A file with mistakes is refused as a whole, and every mistake is told with its line, so that
//! an operator need not repair it one start at a time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

mod address;
mod keys;
mod parse;
mod problem;
mod render;
#[cfg(test)]
mod tests;

pub use address::{Address, AddressFault};
pub use keys::{KEYS, KeySpec, Kind, SECTIONS, SectionSpec};
pub use problem::{Problem, ProblemCode};
pub use render::Shown;

/// Longest configuration file that is read, in bytes. Our own, with every key and its
/// description, takes less than a tenth of it.
pub const CONFIG_MAX_BYTES: usize = 64 * 1024;

/// The whole configuration of a node, within its bounds. [`KEYS`] says what each value means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `listen`: where peers can reach this node; empty for a node that only dials, or has no
    /// network at all.
    pub listen: Vec<Address>,
    /// `announce`: the addresses told to peers; empty to tell those of `listen`.
    pub announce: Vec<Address>,
    /// `[node]`.
    pub node: NodeConfig,
    /// `[sync]`.
    pub sync: SyncConfig,
    /// `[index]`.
    pub index: IndexConfig,
    /// `[api]`.
    pub api: ApiConfig,
}

/// `[node]`: the process as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// `node.log`: how much the node writes to its log.
    pub log: LogLevel,
    /// `node.memory_mb`: what caches may use, in MB.
    pub memory_mb: u32,
}

/// `[sync]`: connections to peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncConfig {
    /// `sync.redial_min_s`: the first wait before an unreachable peer is dialled again, in
    /// seconds.
    pub redial_min_s: u32,
    /// `sync.redial_max_s`: the longest such wait, in seconds; never below `redial_min_s`.
    pub redial_max_s: u32,
    /// `sync.max_connections`: how many connections may be open at once, both ways together.
    pub max_connections: u32,
}

/// `[index]`: the search index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexConfig {
    /// `index.writer_memory_mb`: what the index's writer may gather before it writes, in MB.
    pub writer_memory_mb: u32,
}

/// `[api]`: the officers' door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// `api.socket`: the Unix socket, a path below the home or an absolute one.
    pub socket: String,
}

/// How much is written to the log; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// What went wrong and needs somebody.
    Error,
    /// And what was odd and mended itself.
    Warn,
    /// And what a node does, in lines a day.
    Info,
    /// And how it does it, in lines a second.
    Debug,
    /// And every step of it.
    Trace,
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("there is no configuration file {}", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused to read it.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is too long to be a configuration.
    #[error("{} is longer than {max_bytes} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The longest that is read, in bytes.
        max_bytes: usize,
    },
    /// The file is not UTF-8.
    #[error("{}: line {line} is not UTF-8 text", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first line that is not, from 1.
        line: usize,
    },
    /// The file has mistakes: all of them, in the order of their lines.
    #[error("{} has {} mistake(s)", .path.display(), .problems.len())]
    Problems {
        /// The file.
        path: PathBuf,
        /// Never empty.
        problems: Vec<Problem>,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![
                Address::unchecked("/ip4/0.0.0.0/tcp/4001"),
                Address::unchecked("/ip4/0.0.0.0/udp/4001/quic-v1"),
            ],
            announce: Vec::new(),
            node: NodeConfig {
                log: LogLevel::Info,
                memory_mb: 512,
            },
            sync: SyncConfig {
                redial_min_s: 1,
                redial_max_s: 300,
                max_connections: 64,
            },
            index: IndexConfig {
                writer_memory_mb: 64,
            },
            api: ApiConfig {
                socket: "run/node.sock".to_owned(),
            },
        }
    }
}

impl Config {
    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// Every mistake in it, in the order of their lines; never an empty list. Where the text is
    /// not TOML, the first place where it is not, alone: what follows cannot be told.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        parse::parse(text)
    }

    /// Reads the configuration file at `path`, of at most [`CONFIG_MAX_BYTES`].
    ///
    /// # Errors
    /// Any [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        Self::parse(&text).map_err(|problems| ConfigError::Problems {
            path: path.to_owned(),
            problems,
        })
    }

    /// The file that `init` writes: every key with its description, those that keep their default
    /// commented out, so that a better default of a later version reaches them. It reads back as
    /// this configuration.
    pub fn render_commented(&self) -> String {
        render::render(self, Shown::Changed)
    }

    /// As [`Config::render_commented`], with the keys `shown` asks for set.
    pub fn render(&self, shown: Shown) -> String {
        render::render(self, shown)
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let failure = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ConfigError::Missing {
            path: path.to_owned(),
        },
        _ => ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failure)?;
    file.take(CONFIG_MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failure)?;
    if bytes.len() > CONFIG_MAX_BYTES {
        let max_bytes = CONFIG_MAX_BYTES;
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            max_bytes,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = 1 + good.filter(|byte| **byte == b'\n').count();
        ConfigError::NotText {
            path: path.to_owned(),
            line,
        }
    })
}

impl LogLevel {
    /// All levels, from the quietest.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    /// The level's word in the file, and in the filters of `tracing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

impl ConfigError {
    /// The error's stable name, for message catalogues and `--json`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "config-missing",
            Self::Unreadable { .. } => "config-unreadable",
            Self::TooLarge { .. } => "config-too-large",
            Self::NotText { .. } => "config-not-text",
            Self::Problems { .. } => "config-problems",
        }
    }
}
