//! The network: one framed, encrypted, duplex link to each trusted peer, and nothing to anyone
//! else.
//!
//! Peers are node keys (Ed25519, 32 bytes) and addresses are multiaddr strings; no type of the
//! network library leaves this room, and nothing of records or groups enters it. Design: DESIGN.md
//! sections 3.2 and 5.
//!
//! - [`link`](Link): frames over the stream, counters, closing;
//! - `peering`: pure rules for when to dial and which connection carries the link;
//! - `backoff`, `gate`, `memory`: rules for redials and for handshakes of strangers;
//! - `streams`, `transport`, `listeners`, `task`: the swarm and the one task that owns it;
//! - `identity`, `reason`: names of peers, addresses, words for failures.

mod backoff;
mod error;
mod gate;
mod identity;
mod link;
mod listeners;
mod memory;
mod peering;
mod reason;
mod streams;
mod task;
mod transport;

use std::time::Duration;

use libp2p::identity::Keypair;
use tokio::sync::{mpsc, oneshot, watch};
use zeroize::Zeroizing;

pub use error::{LinkError, NetError};
pub use identity::{peer_key, peer_text};
pub use link::{Link, LinkHandle, LinkReader, LinkWriter};
use listeners::Listeners;
use task::{Command, Task};

/// Events that may wait for their reader. While it does not read, no new connection is handled;
/// links go on, and trust can still be removed.
const EVENTS: usize = 64;

/// Commands that may wait for the network task.
const COMMANDS: usize = 16;

/// How the node listens and dials.
#[derive(Debug)]
pub struct NetConfig {
    /// Seed of the node key (RFC 8032, 32 bytes).
    pub node_seed: Zeroizing<[u8; 32]>,
    /// Multiaddrs to listen on: `/ip4/ADDRESS/tcp/PORT` or `/ip4/ADDRESS/udp/PORT/quic-v1`, or
    /// with `ip6`. Port 0 takes any free one. None at all: this node only dials.
    pub listen: Vec<String>,
    /// Shortest wait before a peer is dialled again.
    pub redial_min: Duration,
    /// Longest wait before a peer is dialled again. What is below `redial_min` counts as that.
    pub redial_max: Duration,
    /// Spreads the redials of nodes that lost their peers together; random, no secret.
    pub jitter_seed: u64,
    /// Established connections at once, over all peers. Must exceed the number of trusted peers,
    /// since for a moment two connections to a peer may stand: twice that number is ample.
    pub max_connections: u32,
    /// Bytes of memory of the whole process, pages of files not counted, above which nobody is let in.
    pub max_memory: usize,
}

/// A trusted peer and where it may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerAddresses {
    /// The peer's node key.
    pub peer: [u8; 32],
    /// Multiaddrs, also with names (`/dns4/NAME/tcp/PORT`). Unusable ones are skipped with a
    /// warning in the log, and so are those past the eighth. None: the peer must dial.
    pub addresses: Vec<String>,
}

/// What happened to a trusted peer. Nothing is ever told of anyone else.
///
/// Between a `Connected` and the next `Connected` of a peer there is always an `Offline`, so a peer
/// has one live link at most.
#[derive(Debug)]
pub enum NetEvent {
    /// A dial has begun.
    Dialing {
        /// The peer's node key.
        peer: [u8; 32],
    },
    /// The link to the peer is up.
    Connected {
        /// The peer's node key.
        peer: [u8; 32],
        /// The link. Dropping it closes it, and the peer is dialled again.
        link: Link,
        /// Whether this node dialled.
        dialer: bool,
    },
    /// The link is lost, or an attempt to make one has failed.
    Offline {
        /// The peer's node key.
        peer: [u8; 32],
        /// Why, in a few words for an operator.
        reason: String,
    },
}

/// The running network. Cheap to clone; when the last clone is dropped, the network stops.
#[derive(Debug, Clone)]
pub struct Net {
    commands: mpsc::Sender<Command>,
    listening: watch::Receiver<Vec<String>>,
}

impl Net {
    /// Starts to listen, trusting nobody yet, and returns once every address is bound.
    ///
    /// Must be called within a tokio runtime with I/O and time. The network also stops when the
    /// receiver of events is dropped.
    ///
    /// # Errors
    /// [`NetError::KeyLogSet`], [`NetError::BadAddress`], [`NetError::PortInUse`],
    /// [`NetError::CannotListen`], [`NetError::Identity`]. Nothing keeps running then.
    pub async fn start(config: NetConfig) -> Result<(Self, mpsc::Receiver<NetEvent>), NetError> {
        let mut seed = config.node_seed.clone();
        let keypair =
            Keypair::ed25519_from_bytes(seed.as_mut()).map_err(|error| NetError::Identity {
                reason: error.to_string(),
            })?;
        tokio::task::spawn_blocking(transport::wake_random_generator);
        let mut swarm = transport::swarm(&keypair, config.max_connections, config.max_memory)?;
        let listeners = Listeners::bind(&mut swarm, &config.listen).await?;
        let listening = listeners.watch();
        let (commands, command_queue) = mpsc::channel(COMMANDS);
        let (events, event_queue) = mpsc::channel(EVENTS);
        let task = Task::new(swarm, listeners, &keypair, &config, command_queue, events)?;
        tokio::spawn(task.run());
        Ok((
            Self {
                commands,
                listening,
            },
            event_queue,
        ))
    }

    /// The addresses that are really bound: with port 0 resolved, and a wildcard replaced by the
    /// machine's addresses. Changes when the machine's addresses do.
    #[must_use]
    pub fn listening(&self) -> Vec<String> {
        self.listening.borrow().clone()
    }

    /// Sets the whole trust set: whom to accept and whom to dial.
    ///
    /// On return it is in force: links and connections of peers that are no longer in it are
    /// closed and never dialled again, and those of nobody else are touched. New peers, and
    /// offline ones whose addresses changed, are dialled at once. Of a peer named twice all
    /// addresses count; this node's own key is ignored.
    pub async fn set_peers(&self, peers: Vec<PeerAddresses>) {
        self.request(|done| Command::SetPeers { peers, done }).await;
    }

    /// Dials an offline peer now instead of waiting for the backoff. Does nothing for a peer that
    /// is online, unknown, or without addresses.
    pub async fn dial_now(&self, peer: [u8; 32]) {
        self.request(|done| Command::DialNow { peer, done }).await;
    }

    /// Closes every link and connection, stops listening, and returns when the ports are free
    /// again, or after two seconds where a peer does not let go. A link that is still held keeps
    /// its QUIC port from becoming free: drop links first.
    pub async fn shutdown(&self) {
        self.request(|done| Command::Shutdown { done }).await;
    }

    /// Gives a command and waits until it is carried out; a network that has stopped has nothing
    /// left to carry out.
    async fn request(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (done, carried_out) = oneshot::channel();
        if self.commands.send(command(done)).await.is_ok() {
            let _ = carried_out.await;
        }
    }
}

#[cfg(test)]
mod tests;
