//! When to dial one trusted peer, and which of the connections to it carries the link.
//!
//! Pure: time and what happened come in, wishes come out, and the network task carries them out.
//!
//! Both nodes of a pair dial, so two connections may come up at once, and exactly one link must
//! result. The rule: **the node with the smaller public key decides.** It opens the stream, on the
//! first connection it has, and closes every other connection once that stream is open. The node
//! with the larger key accepts the stream wherever it is opened and closes nothing on its own. As
//! only one side ever chooses, the two cannot choose differently, nor each close the other's.
//!
//! A node whose link is gone may dial a peer that has not noticed yet (a machine lost power, a
//! cable was cut), and both sides must get over it:
//! - the smaller key opens a stream only when it has no link. So to the larger key a new stream
//!   means that the older link is dead, and it gives it up for the new one;
//! - the larger key dials only when it has no link. So to the smaller key a new connection from
//!   the peer means that the older link is dead, unless it belongs to a dial that began before
//!   that link: which is so only while the link is younger than [`CROSSING_DIALS`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;

use super::backoff::Backoff;
use crate::limits::{DIALED_ADDRESSES, DIALED_AT_ONCE, HANDSHAKE_TIMEOUT};

/// For how long after a link began a dial that began before it may still arrive: as long as a dial
/// goes on trying, which is [`DIALED_ADDRESSES`] addresses, two at a time, of [`HANDSHAKE_TIMEOUT`]
/// each, and 5 s for looking up names. Should a dial take longer all the same, the link starts
/// anew once; a peer that does lose its link within this time, unnoticed, is refused until it is
/// over.
const CROSSING_DIALS: Duration = Duration::from_secs(
    DIALED_ADDRESSES as u64 / DIALED_AT_ONCE.get() as u64 * HANDSHAKE_TIMEOUT.as_secs() + 5,
);

/// What the network task is to do for a peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Dial the peer and report the attempt with [`Peering::dial_started`].
    Dial,
    /// Open the stream on this connection.
    OpenStream(ConnectionId),
    /// Close this connection. It counts no longer.
    CloseConnection(ConnectionId),
    /// The stream just opened or accepted becomes the link.
    StartLink {
        connection: ConnectionId,
        /// Whether this node dialled the connection.
        dialer: bool,
    },
    /// The link ends: nothing more is read from it or written to it.
    EndLink,
    /// Tell that the peer is offline.
    ReportOffline(String),
}

/// One trusted peer, as far as connections are concerned.
#[derive(Debug)]
pub(crate) struct Peering {
    /// Whether this node has the smaller key.
    decides: bool,
    dialable: bool,
    connections: Vec<Connection>,
    opening: Option<ConnectionId>,
    link: Option<LiveLink>,
    dialing: Option<ConnectionId>,
    dial_at: Option<Instant>,
    backoff: Backoff,
    wishes: VecDeque<Wish>,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    dialer: bool,
}

#[derive(Debug)]
struct LiveLink {
    connection: ConnectionId,
    since: Instant,
}

impl Peering {
    /// A peer without connections; `decides` on the side of the smaller key.
    pub(crate) fn new(decides: bool, backoff: Backoff) -> Self {
        Self {
            decides,
            dialable: false,
            connections: Vec::new(),
            opening: None,
            link: None,
            dialing: None,
            dial_at: None,
            backoff,
            wishes: VecDeque::new(),
        }
    }

    /// The next thing to do.
    pub(crate) fn next_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    /// When [`Peering::tick`] is due, if at all.
    pub(crate) fn dial_at(&self) -> Option<Instant> {
        self.dial_at
    }

    /// The peer's addresses changed: if it is offline, they are tried now.
    pub(crate) fn addresses_changed(&mut self, dialable: bool, now: Instant) {
        self.dialable = dialable;
        self.dial_now(now);
    }

    /// Dial as soon as possible, whatever the backoff says.
    pub(crate) fn dial_now(&mut self, now: Instant) {
        self.backoff.reset();
        self.dial_at = (self.dialable && self.is_idle()).then_some(now);
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.dial_at.is_some_and(|at| at <= now) {
            self.dial_at = None;
            self.wishes.push_back(Wish::Dial);
        }
    }

    /// A dial is under way.
    pub(crate) fn dial_started(&mut self, dial: ConnectionId) {
        self.dialing = Some(dial);
    }

    /// A dial came to nothing.
    pub(crate) fn dial_failed(&mut self, dial: ConnectionId, reason: String, now: Instant) {
        if self.dialing == Some(dial) {
            self.dialing = None;
            self.offline_if_idle(reason, now);
        }
    }

    /// A connection is up, dialled by this node or by the peer.
    pub(crate) fn connection_established(&mut self, id: ConnectionId, dialer: bool, now: Instant) {
        if self.dialing == Some(id) {
            self.dialing = None;
        }
        self.dial_at = None;
        self.connections.push(Connection { id, dialer });
        if !self.decides {
            return;
        }
        match &self.link {
            None => self.open_next(),
            Some(link) if !dialer && now.duration_since(link.since) >= CROSSING_DIALS => {
                let lost = link.connection;
                self.close(lost);
                self.end_link(lost, "the peer has come back on a new connection", now);
            }
            Some(_) => self.close(id),
        }
    }

    /// A connection is gone, for this reason.
    pub(crate) fn connection_closed(&mut self, id: ConnectionId, reason: String, now: Instant) {
        let known = self.connections.len();
        self.connections.retain(|connection| connection.id != id);
        if self.connections.len() == known {
            // One that this side closed, and has reported already where that mattered.
            return;
        }
        if self.is_link(id) {
            self.end_link(id, &reason, now);
        } else {
            self.opening_failed(id, reason, now);
        }
    }

    /// The stream that was wished for is open.
    pub(crate) fn stream_opened(&mut self, id: ConnectionId, now: Instant) {
        if self.opening != Some(id) {
            return;
        }
        self.opening = None;
        self.start_link(id, now);
        let spare: Vec<_> = self.connections.iter().map(|spare| spare.id).collect();
        for spare in spare.into_iter().filter(|spare| *spare != id) {
            self.close(spare);
        }
    }

    /// The stream that was wished for was refused.
    pub(crate) fn stream_refused(&mut self, id: ConnectionId, reason: String, now: Instant) {
        if self.opening == Some(id) {
            self.close(id);
            self.opening_failed(id, reason, now);
        }
    }

    /// The peer opened a stream.
    pub(crate) fn stream_accepted(&mut self, id: ConnectionId, now: Instant) {
        if self.decides {
            // Not the peer's to open: it breaks the rule, so nothing that follows can be relied on.
            self.close(id);
            if self.is_link(id) {
                self.end_link(id, "the peer broke the protocol", now);
            } else {
                self.opening_failed(id, "the peer broke the protocol".to_owned(), now);
            }
            return;
        }
        if !self.connections.iter().any(|known| known.id == id) || self.is_link(id) {
            return;
        }
        if let Some(lost) = self.link.as_ref().map(|link| link.connection) {
            self.close(lost);
            self.end_link(lost, "the peer has opened a new link", now);
        }
        self.start_link(id, now);
    }

    /// The link's user is done with it, or has given the peer up.
    pub(crate) fn link_done(&mut self, id: ConnectionId, now: Instant) {
        if self.is_link(id) {
            self.close(id);
            self.end_link(id, "closed on this side", now);
        }
    }

    /// The peer is no longer trusted: everything ends, and nothing is dialled any more.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.dialable = false;
        self.dial_at = None;
        self.opening = None;
        let was_idle = self.is_idle();
        self.dialing = None;
        let all: Vec<_> = self.connections.iter().map(|known| known.id).collect();
        for id in all {
            self.close(id);
        }
        if self.link.take().is_some() {
            self.wishes.push_back(Wish::EndLink);
        }
        if !was_idle {
            self.offline_if_idle("no longer trusted by this node".to_owned(), now);
        }
    }

    fn is_idle(&self) -> bool {
        self.link.is_none() && self.connections.is_empty() && self.dialing.is_none()
    }

    fn is_link(&self, id: ConnectionId) -> bool {
        self.link.as_ref().is_some_and(|link| link.connection == id)
    }

    fn open_next(&mut self) {
        if self.opening.is_none()
            && let Some(first) = self.connections.first()
        {
            self.opening = Some(first.id);
            self.wishes.push_back(Wish::OpenStream(first.id));
        }
    }

    /// A connection is gone that carried no link: try the next one, if any.
    fn opening_failed(&mut self, id: ConnectionId, reason: String, now: Instant) {
        if self.opening == Some(id) {
            self.opening = None;
        }
        if self.decides && self.link.is_none() {
            self.open_next();
        }
        self.offline_if_idle(reason, now);
    }

    fn start_link(&mut self, connection: ConnectionId, now: Instant) {
        let dialer = self
            .connections
            .iter()
            .any(|known| known.id == connection && known.dialer);
        self.link = Some(LiveLink {
            connection,
            since: now,
        });
        self.wishes
            .push_back(Wish::StartLink { connection, dialer });
    }

    /// The link on this connection, which is closed already, is over. Where another connection
    /// stands, the next link begins on it.
    fn end_link(&mut self, id: ConnectionId, reason: &str, now: Instant) {
        let Some(ended) = self.link.take_if(|link| link.connection == id) else {
            return;
        };
        self.wishes.push_back(Wish::EndLink);
        self.wishes
            .push_back(Wish::ReportOffline(reason.to_owned()));
        if now.duration_since(ended.since) >= self.backoff.proof_of_health() {
            self.backoff.reset();
        }
        self.schedule_dial(now);
        if self.decides {
            self.open_next();
        }
    }

    fn close(&mut self, id: ConnectionId) {
        self.connections.retain(|connection| connection.id != id);
        self.wishes.push_back(Wish::CloseConnection(id));
    }

    /// An attempt to reach the peer is over, and no other is under way.
    fn offline_if_idle(&mut self, reason: String, now: Instant) {
        if self.is_idle() {
            self.wishes.push_back(Wish::ReportOffline(reason));
            self.schedule_dial(now);
        }
    }

    fn schedule_dial(&mut self, now: Instant) {
        if self.dialable && self.is_idle() {
            self.dial_at = Some(now + self.backoff.next_delay());
        }
    }
}

#[cfg(test)]
mod tests;
