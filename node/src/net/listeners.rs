//! The addresses the node listens on.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm, TransportError};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

use super::error::NetError;
use super::identity;
use super::transport::Behaviour;

/// How long binding an address may take. The system answers at once, or something is broken.
const BIND_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a port is tried while it is being freed.
const FREE_INTERVAL: Duration = Duration::from_millis(10);

/// The listeners that stand, and what the rest of the node knows of their addresses.
#[derive(Debug)]
pub(crate) struct Listeners {
    addresses: HashMap<ListenerId, Vec<Multiaddr>>,
    published: watch::Sender<Vec<String>>,
}

impl Listeners {
    /// Binds every address, or fails at the first that cannot be. Connections that arrive in the
    /// meantime are refused, as nobody is trusted yet.
    pub(crate) async fn bind(
        swarm: &mut Swarm<Behaviour>,
        addresses: &[String],
    ) -> Result<Self, NetError> {
        let mut listeners = Self {
            addresses: HashMap::new(),
            published: watch::Sender::new(Vec::new()),
        };
        // All are probed before any is bound: an address may overlap with another of this node's.
        let mut parsed = Vec::new();
        for text in addresses {
            let address =
                identity::listen_address(text).map_err(|reason| NetError::BadAddress {
                    address: text.clone(),
                    reason,
                })?;
            probe(&address).map_err(|error| refused(text, error))?;
            parsed.push((text, address));
        }
        let mut waiting = HashMap::new();
        for (text, address) in parsed {
            let listener = swarm.listen_on(address).map_err(|error| match error {
                TransportError::MultiaddrNotSupported(_) => NetError::BadAddress {
                    address: text.clone(),
                    reason: "not supported".to_owned(),
                },
                TransportError::Other(error) => refused(text, error),
            })?;
            waiting.insert(listener, text);
        }
        while let Some(text) = waiting.values().next().copied() {
            let Ok(event) = timeout(BIND_TIMEOUT, swarm.select_next_some()).await else {
                return Err(refused(text, ErrorKind::TimedOut.into()));
            };
            listeners.on_swarm_event(&event);
            match event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    waiting.remove(&listener_id);
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    reason: Err(error),
                    ..
                }
                | SwarmEvent::ListenerError { listener_id, error } => {
                    if let Some(text) = waiting.get(&listener_id) {
                        return Err(refused(text, error));
                    }
                }
                _ => {}
            }
        }
        Ok(listeners)
    }

    /// The bound addresses, kept up to date.
    pub(crate) fn watch(&self) -> watch::Receiver<Vec<String>> {
        self.published.subscribe()
    }

    /// Begins to close every listener; the swarm reports when each is closed.
    pub(crate) fn close(&self, swarm: &mut Swarm<Behaviour>) {
        for listener in self.addresses.keys() {
            swarm.remove_listener(*listener);
        }
    }

    /// The addresses bound at the moment.
    pub(crate) fn bound(&self) -> Vec<Multiaddr> {
        self.addresses.values().flatten().cloned().collect()
    }

    /// Takes note of what concerns listeners; other events are none of its business.
    pub(crate) fn on_swarm_event<T>(&mut self, event: &SwarmEvent<T>) {
        match event {
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } => self
                .addresses
                .entry(*listener_id)
                .or_default()
                .push(address.clone()),
            SwarmEvent::ExpiredListenAddr {
                listener_id,
                address,
            } => {
                if let Some(addresses) = self.addresses.get_mut(listener_id) {
                    addresses.retain(|known| known != address);
                }
            }
            SwarmEvent::ListenerClosed {
                listener_id,
                reason,
                ..
            } => {
                if let Err(error) = reason {
                    tracing::error!(%error, "a listener has failed");
                }
                self.addresses.remove(listener_id);
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener reports an error");
                return;
            }
            _ => return,
        }
        let addresses = self.addresses.values().flatten();
        let mut addresses: Vec<_> = addresses.map(ToString::to_string).collect();
        addresses.sort();
        self.published.send_replace(addresses);
    }
}

/// Fails where a port is taken. For TCP the network library would not: it shares ports with whoever
/// else shares them, so two nodes on one port would both start, and each get some of the
/// connections. For QUIC it would, but in words that cannot be told from other failures.
///
/// IPv6 wildcards are probed together with IPv4, as the system does by default; a port that is
/// taken in one of the two counts as taken.
fn probe(address: &Multiaddr) -> io::Result<()> {
    let mut ip: Option<IpAddr> = None;
    for part in address {
        match (part, ip) {
            (Protocol::Ip4(v4), _) => ip = Some(v4.into()),
            (Protocol::Ip6(v6), _) => ip = Some(v6.into()),
            (Protocol::Tcp(port), Some(ip)) => drop(TcpListener::bind(SocketAddr::new(ip, port))?),
            (Protocol::Udp(port), Some(ip)) => drop(UdpSocket::bind(SocketAddr::new(ip, port))?),
            _ => {}
        }
    }
    Ok(())
}

/// Waits until these addresses, whose listeners are closed, could be bound again: a QUIC socket
/// stays open while its last connections say goodbye.
pub(crate) async fn until_free(addresses: &[Multiaddr]) {
    let mut tries = interval(FREE_INTERVAL);
    while addresses.iter().any(|address| probe(address).is_err()) {
        tries.tick().await;
    }
}

fn refused(address: &str, source: io::Error) -> NetError {
    let address = address.to_owned();
    if source.kind() == ErrorKind::AddrInUse {
        NetError::PortInUse { address }
    } else {
        NetError::CannotListen { address, source }
    }
}
