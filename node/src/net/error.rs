//! What can go wrong in the room, by blame: this machine's settings ([`NetError`]), and the peer
//! or the path to it ([`LinkError`]).

use std::io;

/// Why the network could not start or be told something. Each is the operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// Another program listens there already, most often a second node of the same machine.
    #[error("the address {address} is already in use")]
    PortInUse {
        /// The listen address as it was configured.
        address: String,
    },
    /// Not a multiaddr, or not one of TCP or QUIC on an IP address.
    #[error("{address} is not a listen address: {reason}")]
    BadAddress {
        /// The listen address as it was configured.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused, for instance because the IP address is not this machine's.
    #[error("cannot listen on {address}: {source}")]
    CannotListen {
        /// The listen address as it was configured.
        address: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// `SSLKEYLOGFILE` is set: the TLS library would write every session's secrets to that file.
    #[error("the environment variable SSLKEYLOGFILE is set: it would write session keys to a file")]
    KeyLogSet,
    /// The node key could not be made into a TLS identity. A bug, or a broken system library.
    #[error("the node key cannot serve as a TLS identity: {reason}")]
    Identity {
        /// The library's answer.
        reason: String,
    },
}

/// Why a frame could not be read or written. Whatever it was, the link is of no more use: drop it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The link was closed on this side, or the peer lost this node's trust.
    #[error("the link is closed")]
    Closed,
    /// The peer announced a frame longer than the reader allows. Nothing was allocated for it.
    #[error("the peer announced a frame of {length} bytes where at most {max} are allowed")]
    TooLong {
        /// Announced length in bytes.
        length: u64,
        /// The reader's limit in bytes.
        max: u64,
    },
    /// The frame to write is longer than a length of 32 bits can say. A bug of the caller.
    #[error("a frame of {length} bytes cannot be written")]
    Unwritable {
        /// Its length in bytes.
        length: usize,
    },
    /// The peer ended the stream in the middle of a frame.
    #[error("the peer ended the stream in the middle of a frame")]
    Truncated,
    /// An earlier write was abandoned half way, so the peer could not tell frames apart any more.
    #[error("an earlier frame was written only in part")]
    Interrupted,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}
