//! The table of every configuration key: the one place that knows them.

use super::{Address, Config, LogLevel};

/// One key of the file.
pub struct KeySpec {
    /// Its section, or nothing for the top of the file.
    pub section: &'static str,
    /// Its name within the section; names of quantities end in their unit.
    pub name: &'static str,
    /// What it may be, and where it goes.
    pub kind: Kind,
    /// What one of it is, where it counts something.
    pub unit: Option<&'static str>,
    /// What it does.
    pub doc: &'static str,
    /// What more of it takes.
    pub cost: &'static str,
    /// What goes wrong when it is set badly.
    pub danger: &'static str,
}

/// A key's type, its bounds and its slot in a [`Config`].
pub enum Kind {
    /// A list of addresses, at most [`Kind::ADDRESSES_MAX`].
    Addresses {
        /// Tells an address that will do from one that will not.
        check: fn(&str) -> Result<Address, super::AddressFault>,
        /// Where it goes.
        slot: fn(&mut Config) -> &mut Vec<Address>,
    },
    /// A whole number.
    Integer {
        /// The least that is accepted.
        min: u32,
        /// The most that is accepted.
        max: u32,
        /// Where it goes.
        slot: fn(&mut Config) -> &mut u32,
    },
    /// One of the words of [`LogLevel`].
    Level {
        /// Where it goes.
        slot: fn(&mut Config) -> &mut LogLevel,
    },
    /// A path below the home or an absolute one, at most [`Kind::SOCKET_PATH_MAX_BYTES`].
    SocketPath {
        /// Where it goes.
        slot: fn(&mut Config) -> &mut String,
    },
}

/// One section of the file.
pub struct SectionSpec {
    /// Its name; empty for the top of the file.
    pub name: &'static str,
    /// What its keys have in common.
    pub doc: &'static str,
}

impl Kind {
    /// Most addresses in one list. They travel in the agency's chain and are all dialled.
    pub const ADDRESSES_MAX: usize = 16;
    /// Longest path of a Unix socket, in bytes, on every system that has them.
    pub const SOCKET_PATH_MAX_BYTES: usize = 103;

    /// What a value looks like, for messages and manuals.
    pub fn expected(&self) -> String {
        match self {
            Self::Addresses { .. } => "a list of addresses".to_owned(),
            Self::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
            Self::Level { .. } => {
                format!("one of {}", quoted(&LogLevel::ALL.map(LogLevel::as_str)))
            }
            Self::SocketPath { .. } => "a path, as text".to_owned(),
        }
    }
}

impl KeySpec {
    /// The key with its section, as messages name it: `sync.redial_min_s`.
    pub fn path(&self) -> String {
        match self.section {
            "" => self.name.to_owned(),
            section => format!("{section}.{}", self.name),
        }
    }

    /// The key's value in `config`, as TOML.
    pub fn value_in(&self, config: &Config) -> String {
        // A slot gives write access: so a copy serves for reading.
        let mut copy = config.clone();
        match &self.kind {
            Kind::Addresses { slot, .. } => slot(&mut copy)
                .iter()
                .map(Address::as_str)
                .collect::<toml_edit::Array>()
                .to_string(),
            Kind::Integer { slot, .. } => slot(&mut copy).to_string(),
            Kind::Level { slot } => quoted(&[slot(&mut copy).as_str()]),
            Kind::SocketPath { slot } => {
                toml_edit::Value::from(slot(&mut copy).as_str()).to_string()
            }
        }
    }

    /// The key's default, as TOML.
    pub fn default_value(&self) -> String {
        self.value_in(&Config::default())
    }
}

/// Every section, in the order of the file.
pub static SECTIONS: &[SectionSpec] = &[
    SectionSpec {
        name: "",
        doc: "Addresses are written as multiaddrs: /ip4/203.0.113.7/tcp/4001 for TCP with TLS, \
              /ip4/203.0.113.7/udp/4001/quic-v1 for QUIC.",
    },
    SectionSpec {
        name: "node",
        doc: "The process as a whole.",
    },
    SectionSpec {
        name: "sync",
        doc: "Connections to trusted peers.",
    },
    SectionSpec {
        name: "index",
        doc: "The search index.",
    },
    SectionSpec {
        name: "api",
        doc: "The door for officers and their programs.",
    },
];

/// Every key, in the order of the file.
pub static KEYS: &[KeySpec] = &[
    KeySpec {
        section: "",
        name: "listen",
        kind: Kind::Addresses {
            check: Address::listen,
            slot: |config| &mut config.listen,
        },
        unit: None,
        doc: "Where peers can reach this node: addresses of this machine, 0.0.0.0 or :: for all \
              of them, port 0 for any free one. An empty list for a node that only dials others, \
              or that has no network.",
        cost: "One open port each.",
        danger: "Whoever reaches the port can begin a handshake; only pinned agencies end it. Two \
                 nodes that both listen nowhere never meet.",
    },
    KeySpec {
        section: "",
        name: "announce",
        kind: Kind::Addresses {
            check: Address::announce,
            slot: |config| &mut config.announce,
        },
        unit: None,
        doc: "The addresses told to peers instead of those under `listen`: what they must dial \
              when this node is behind address translation or has a name. An empty list tells \
              the addresses under `listen`.",
        cost: "Peers dial each of them in vain while this node is down.",
        danger: "A wrong address leaves this node unreachable for everyone who does not know \
                 another one. The addresses are told to every pinned agency.",
    },
    KeySpec {
        section: "node",
        name: "log",
        kind: Kind::Level {
            slot: |config| &mut config.node.log,
        },
        unit: None,
        doc: "How much the node writes to its log: error, warn, info, debug or trace.",
        cost: "Under debug and trace, disk space and a slower node.",
        danger: "At debug and trace the log tells who exchanged how much with whom; never what.",
    },
    KeySpec {
        section: "node",
        name: "memory_mb",
        kind: Kind::Integer {
            min: 64,
            max: 65_536,
            slot: |config| &mut config.node.memory_mb,
        },
        unit: Some("MB"),
        doc: "How much memory the whole node may use, pages of files not counted. Above it no peer \
              is let in until it uses less; what is connected goes on, and so do its own dials.",
        cost: "At rest a node uses a tenth of the default.",
        danger: "More than the machine can spare gets the node killed by the system; little keeps \
                 peers out that come while a large import or a first sync is under way.",
    },
    KeySpec {
        section: "sync",
        name: "redial_min_s",
        kind: Kind::Integer {
            min: 1,
            max: 3600,
            slot: |config| &mut config.sync.redial_min_s,
        },
        unit: Some("seconds"),
        doc: "How long to wait before dialling a peer again after the first failure. The wait \
              doubles with each further one, up to `redial_max_s`.",
        cost: "A small value costs a handshake a time.",
        danger: "A large value delays what was written while a peer was away for a moment.",
    },
    KeySpec {
        section: "sync",
        name: "redial_max_s",
        kind: Kind::Integer {
            min: 1,
            max: 86_400,
            slot: |config| &mut config.sync.redial_max_s,
        },
        unit: Some("seconds"),
        doc: "The longest wait between two attempts to dial a peer that stays away.",
        cost: "A small value costs a handshake a time for every peer that is down.",
        danger: "A large value is how late this node notices that a peer is back, unless the peer \
                 dials first.",
    },
    KeySpec {
        section: "sync",
        name: "max_connections",
        kind: Kind::Integer {
            min: 1,
            max: 4096,
            slot: |config| &mut config.sync.max_connections,
        },
        unit: Some("connections"),
        doc: "How many connections may be open at once, incoming and outgoing together.",
        cost: "Some hundred KB of memory and a file descriptor each.",
        danger: "Below the number of trusted nodes, some wait until others have gone.",
    },
    KeySpec {
        section: "index",
        name: "writer_memory_mb",
        kind: Kind::Integer {
            min: 15,
            max: 2048,
            slot: |config| &mut config.index.writer_memory_mb,
        },
        unit: Some("MB"),
        doc: "How much the search index gathers in memory before it writes to disk.",
        cost: "This much memory, of that in `node.memory_mb`.",
        danger: "Little makes large imports slow; nothing is lost either way.",
    },
    KeySpec {
        section: "api",
        name: "socket",
        kind: Kind::SocketPath {
            slot: |config| &mut config.api.socket,
        },
        unit: None,
        doc: "The Unix socket on which the node serves officers: a path below the home, or an \
              absolute one. The kernel tells the node which user is calling.",
        cost: "None.",
        danger: "The home is closed to other users, so below it only the node's own user reaches \
                 the socket. Where others are to reach it, put it into a directory that they may \
                 enter, such as /run/diwan; `diwan` then needs --socket.",
    },
];

fn quoted(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}
