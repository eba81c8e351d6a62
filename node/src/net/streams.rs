//! The one protocol of the network: a raw duplex stream, at most one each way per connection.
//!
//! Which connection carries the stream is decided elsewhere (see `peering`), so this behaviour
//! names the connection in all it reports and opens a stream on exactly the one it is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol};

use super::reason;

/// Name and version of the protocol on the wire.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/diwan/sync/1");

/// What became of a stream.
#[derive(Debug)]
pub(crate) enum StreamOutcome {
    /// The stream that this side asked for is open, and the peer has agreed to the protocol.
    Opened(Stream),
    /// The peer opened a stream.
    Accepted(Stream),
    /// The stream that this side asked for was refused.
    Refused(String),
}

/// A [`StreamOutcome`] with the connection it happened on.
#[derive(Debug)]
pub(crate) struct StreamEvent {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) outcome: StreamOutcome,
}

/// Opens streams on request, accepts those of peers.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    events: VecDeque<ToSwarm<StreamEvent, OpenStream>>,
}

impl Streams {
    /// Asks for a stream on this connection. A connection that has gone in the meantime is
    /// reported as closed by the swarm, and no outcome follows.
    ///
    /// Takes effect when the swarm is next polled; its owner does that after every call.
    pub(crate) fn open(&mut self, peer_id: PeerId, connection: ConnectionId) {
        self.events.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection),
            event: OpenStream,
        });
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = StreamHandler;
    type ToSwarm = StreamEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(StreamHandler::default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(StreamHandler::default())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        outcome: THandlerOutEvent<Self>,
    ) {
        self.events.push_back(ToSwarm::GenerateEvent(StreamEvent {
            peer,
            connection,
            outcome,
        }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.events.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }
}

/// Tells a connection's handler to open the stream.
#[derive(Debug)]
pub(crate) struct OpenStream;

/// One connection's side of [`Streams`].
#[derive(Debug, Default)]
pub(crate) struct StreamHandler {
    events: VecDeque<ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), StreamOutcome>>,
    accepted: bool,
}

impl ConnectionHandler for StreamHandler {
    type FromBehaviour = OpenStream;
    type ToBehaviour = StreamOutcome;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    fn on_behaviour_event(&mut self, OpenStream: OpenStream) {
        self.events
            .push_back(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()),
            });
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        let outcome = match event {
            // A second stream of the same connection is against the protocol and dropped here, so
            // a peer cannot pile them up.
            ConnectionEvent::FullyNegotiatedInbound(_) if self.accepted => return,
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => {
                self.accepted = true;
                StreamOutcome::Accepted(protocol)
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol, ..
            }) => StreamOutcome::Opened(protocol),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                StreamOutcome::Refused(refusal(&error))
            }
            _ => return,
        };
        self.events
            .push_back(ConnectionHandlerEvent::NotifyBehaviour(outcome));
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        match self.events.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }
}

/// Words for a stream that the peer did not grant.
fn refusal(error: &StreamUpgradeError<Infallible>) -> String {
    match error {
        StreamUpgradeError::Timeout => "the peer did not answer in time".to_owned(),
        StreamUpgradeError::NegotiationFailed => {
            format!("the peer does not speak {PROTOCOL}: it runs another version")
        }
        StreamUpgradeError::Apply(impossible) => match *impossible {},
        // The stream fails before the connection is seen to be closed.
        StreamUpgradeError::Io(_) => reason::NOT_ADMITTED.to_owned(),
    }
}
