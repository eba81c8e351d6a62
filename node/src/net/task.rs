//! The one task that owns the swarm: it tells each peer's rules (see `peering`) what happened and
//! carries out what they wish.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::identity::Keypair;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep_until, timeout};

use super::backoff::Backoff;
use super::error::NetError;
use super::link::{Link, LinkDone, LinkState};
use super::listeners::Listeners;
use super::peering::{Peering, Wish};
use super::streams::{StreamEvent, StreamOutcome};
use super::transport::{Behaviour, BehaviourEvent};
use super::{NetConfig, NetEvent, PeerAddresses, identity, listeners, reason};
use crate::limits::DIALED_ADDRESSES;

/// How long stopping waits for connections to close in order.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What [`super::Net`] asks of the task. `done` is told when it is carried out.
#[derive(Debug)]
pub(crate) enum Command {
    /// See [`super::Net::set_peers`].
    SetPeers {
        peers: Vec<PeerAddresses>,
        done: oneshot::Sender<()>,
    },
    /// See [`super::Net::dial_now`].
    DialNow {
        peer: [u8; 32],
        done: oneshot::Sender<()>,
    },
    /// See [`super::Net::shutdown`].
    Shutdown { done: oneshot::Sender<()> },
}

/// One trusted peer.
struct Peer {
    key: [u8; 32],
    addresses: Vec<Multiaddr>,
    peering: Peering,
    /// The other side's address on each established connection.
    remote_addresses: HashMap<ConnectionId, Multiaddr>,
    link: Option<(ConnectionId, Arc<LinkState>)>,
}

/// The swarm, the peers, and the queues to and from them.
pub(crate) struct Task {
    swarm: Swarm<Behaviour>,
    own_key: [u8; 32],
    redial_min: Duration,
    redial_max: Duration,
    jitter_seed: u64,
    peers: HashMap<PeerId, Peer>,
    listeners: Listeners,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<NetEvent>,
    /// Events that found no room in `events`. While there are any the swarm stands still, so
    /// that there never are more than one round of peers can make.
    unsent: VecDeque<NetEvent>,
    links_done: mpsc::UnboundedReceiver<LinkDone>,
    report_link: mpsc::UnboundedSender<LinkDone>,
}

impl Task {
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        listeners: Listeners,
        keypair: &Keypair,
        config: &NetConfig,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<NetEvent>,
    ) -> Result<Self, NetError> {
        let own_key = keypair
            .public()
            .try_into_ed25519()
            .map_err(|error| NetError::Identity {
                reason: error.to_string(),
            })?
            .to_bytes();
        let (report_link, links_done) = mpsc::unbounded_channel();
        Ok(Self {
            swarm,
            own_key,
            redial_min: config.redial_min,
            redial_max: config.redial_max,
            jitter_seed: config.jitter_seed,
            peers: HashMap::new(),
            listeners,
            commands,
            events,
            unsent: VecDeque::new(),
            links_done,
            report_link,
        })
    }

    /// Serves until told to stop, or until nobody is left to serve.
    pub(crate) async fn run(mut self) {
        loop {
            let dial_at = self
                .peers
                .values()
                .filter_map(|p| p.peering.dial_at())
                .min();
            let at_rest = self.unsent.is_empty();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::SetPeers { peers, done }) => {
                        self.set_peers(&peers);
                        let _ = done.send(());
                    }
                    Some(Command::DialNow { peer, done }) => {
                        self.dial_now(&peer);
                        let _ = done.send(());
                    }
                    Some(Command::Shutdown { done }) => {
                        self.stop().await;
                        let _ = done.send(());
                        return;
                    }
                    None => return self.stop().await,
                },
                Some(done) = self.links_done.recv() => self.link_done(done),
                permit = self.events.clone().reserve_owned(), if !at_rest => match permit {
                    Ok(permit) => if let Some(event) = self.unsent.pop_front() {
                        permit.send(event);
                    },
                    Err(_) => return self.stop().await,
                },
                event = self.swarm.select_next_some(), if at_rest => self.on_swarm_event(event),
                () = sleep_until_some(dial_at), if at_rest => self.dial_due(),
                () = self.events.closed(), if at_rest => return self.stop().await,
            }
        }
    }

    fn set_peers(&mut self, peers: &[PeerAddresses]) {
        let mut wanted: HashMap<PeerId, ([u8; 32], Vec<Multiaddr>)> = HashMap::new();
        for PeerAddresses { peer, addresses } in peers {
            let Some(id) = identity::peer_id(peer).filter(|_| *peer != self.own_key) else {
                continue;
            };
            let (_, known) = wanted.entry(id).or_insert((*peer, Vec::new()));
            for text in addresses {
                match identity::dial_address(text, id) {
                    Some(address) if known.len() < DIALED_ADDRESSES => known.push(address),
                    _ => tracing::warn!(peer = %id, address = text, "address skipped"),
                }
            }
        }
        let gone: Vec<_> = self
            .peers
            .keys()
            .copied()
            .filter(|id| !wanted.contains_key(id))
            .collect();
        for id in gone {
            self.forget(id);
        }
        for (id, (key, addresses)) in wanted {
            self.trust(id, key, addresses);
        }
    }

    fn forget(&mut self, id: PeerId) {
        self.with_peer(id, None, Peering::forget);
        self.peers.remove(&id);
        self.swarm.behaviour_mut().trusted.disallow_peer(id);
        // Also what the rules have forgotten: connections that were closing already.
        let _ = self.swarm.disconnect_peer_id(id);
    }

    fn trust(&mut self, id: PeerId, key: [u8; 32], addresses: Vec<Multiaddr>) {
        self.swarm.behaviour_mut().trusted.allow_peer(id);
        let peer = self.peers.entry(id).or_insert_with(|| Peer {
            key,
            addresses: Vec::new(),
            peering: Peering::new(
                self.own_key < key,
                Backoff::new(
                    self.redial_min,
                    self.redial_max,
                    self.jitter_seed ^ leading_number(&key),
                ),
            ),
            remote_addresses: HashMap::new(),
            link: None,
        });
        let before: HashSet<_> = peer.addresses.iter().collect();
        let after: HashSet<_> = addresses.iter().collect();
        if before != after {
            peer.addresses = addresses;
            let dialable = !peer.addresses.is_empty();
            self.with_peer(id, None, |peering, now| {
                peering.addresses_changed(dialable, now);
                peering.tick(now);
            });
        }
    }

    fn dial_now(&mut self, peer: &[u8; 32]) {
        if let Some(id) = identity::peer_id(peer) {
            self.with_peer(id, None, |peering, now| {
                peering.dial_now(now);
                peering.tick(now);
            });
        }
    }

    fn dial_due(&mut self) {
        let now = Instant::now();
        let due = |peer: &Peer| peer.peering.dial_at().is_some_and(|at| at <= now);
        let due: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| due(peer))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.with_peer(id, None, Peering::tick);
        }
    }

    fn link_done(&mut self, done: LinkDone) {
        if let Some(id) = identity::peer_id(&done.peer) {
            self.with_peer(id, None, |peering, now| {
                peering.link_done(done.connection, now);
            });
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Streams(event)) => self.on_stream(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => self.on_established(peer_id, connection_id, &endpoint),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                endpoint,
                cause,
                ..
            } => {
                let Some(peer) = self.peers.get_mut(&peer_id) else {
                    return;
                };
                peer.remote_addresses.remove(&connection_id);
                let used = peer
                    .link
                    .as_ref()
                    .is_some_and(|(id, _)| *id == connection_id);
                let reason = reason::of_connection(cause.as_ref(), used, endpoint.is_dialer());
                self.with_peer(peer_id, None, |peering, now| {
                    peering.connection_closed(connection_id, reason, now);
                });
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                connection_id,
                error,
            } => {
                let reason = reason::of_dial(&error);
                tracing::debug!(%peer, %error, "dial failed");
                self.with_peer(peer, None, |peering, now| {
                    peering.dial_failed(connection_id, reason, now);
                });
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error,
                peer_id,
                ..
            } => tracing::debug!(from = %send_back_addr, ?peer_id, %error, "connection refused"),
            other => self.listeners.on_swarm_event(&other),
        }
    }

    fn on_established(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(peer) = self.peers.get_mut(&id) else {
            // Trust was removed while the swarm was setting the connection up.
            self.swarm.close_connection(connection);
            return;
        };
        peer.remote_addresses
            .insert(connection, endpoint.get_remote_address().clone());
        let dialer = endpoint.is_dialer();
        self.with_peer(id, None, |peering, now| {
            peering.connection_established(connection, dialer, now);
        });
    }

    fn on_stream(&mut self, event: StreamEvent) {
        let StreamEvent {
            peer,
            connection,
            outcome,
        } = event;
        match outcome {
            StreamOutcome::Opened(stream) => self.with_peer(peer, Some(stream), |peering, now| {
                peering.stream_opened(connection, now);
            }),
            StreamOutcome::Accepted(stream) => {
                self.with_peer(peer, Some(stream), |peering, now| {
                    peering.stream_accepted(connection, now);
                });
            }
            StreamOutcome::Refused(reason) => self.with_peer(peer, None, |peering, now| {
                peering.stream_refused(connection, reason, now);
            }),
        }
    }

    /// Tells the peer's rules something and carries out what they wish. A stream that they do not
    /// make the link is dropped. Does nothing for a peer that is not trusted.
    fn with_peer(
        &mut self,
        id: PeerId,
        mut stream: Option<Stream>,
        tell: impl FnOnce(&mut Peering, Instant),
    ) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        tell(&mut peer.peering, Instant::now());
        while let Some(wish) = peer.peering.next_wish() {
            match wish {
                Wish::Dial => {
                    self.unsent.push_back(NetEvent::Dialing { peer: peer.key });
                    dial(&mut self.swarm, id, peer);
                }
                Wish::OpenStream(connection) => {
                    self.swarm.behaviour_mut().streams.open(id, connection);
                }
                Wish::CloseConnection(connection) => {
                    self.swarm.close_connection(connection);
                }
                Wish::StartLink { connection, dialer } => {
                    if let Some(stream) = stream.take() {
                        let link = start_link(peer, stream, connection, &self.report_link);
                        self.unsent.push_back(NetEvent::Connected {
                            peer: peer.key,
                            link,
                            dialer,
                        });
                    }
                }
                Wish::EndLink => {
                    if let Some((_, link)) = peer.link.take() {
                        link.cut();
                    }
                }
                Wish::ReportOffline(reason) => self.unsent.push_back(NetEvent::Offline {
                    peer: peer.key,
                    reason,
                }),
            }
        }
    }

    /// Closes everything in order, as far as peers let it, and frees the ports.
    async fn stop(mut self) {
        let peers: Vec<_> = self.peers.keys().copied().collect();
        for id in peers {
            self.forget(id);
        }
        let bound = self.listeners.bound();
        self.listeners.close(&mut self.swarm);
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                let event = self.swarm.select_next_some().await;
                self.on_swarm_event(event);
            }
            drop(self.swarm);
            listeners::until_free(&bound).await;
        };
        if timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::debug!("a peer did not let its connection close in order");
        }
    }
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn dial(swarm: &mut Swarm<Behaviour>, id: PeerId, peer: &mut Peer) {
    let options = DialOpts::peer_id(id)
        // A connection that is still closing must not stand in the way.
        .condition(PeerCondition::Always)
        // Dialling from the listening port would make the attempts of two nodes that dial each
        // other collide into one connection on which both believe to be the dialler.
        .allocate_new_port()
        .addresses(peer.addresses.clone())
        .build();
    let attempt = options.connection_id();
    peer.peering.dial_started(attempt);
    if let Err(error) = swarm.dial(options) {
        let reason = reason::of_dial(&error);
        peer.peering.dial_failed(attempt, reason, Instant::now());
    }
}

fn start_link(
    peer: &mut Peer,
    stream: Stream,
    connection: ConnectionId,
    report: &mpsc::UnboundedSender<LinkDone>,
) -> Link {
    let done = LinkDone {
        peer: peer.key,
        connection,
    };
    let state = LinkState::new(done, report.clone());
    let remote = peer.remote_addresses.get(&connection);
    let link = Link::new(
        stream,
        &state,
        remote.map_or_else(String::new, ToString::to_string),
    );
    peer.link = Some((connection, state));
    link
}

/// Sets the jitter of one peer apart from that of another.
fn leading_number(key: &[u8; 32]) -> u64 {
    key.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
