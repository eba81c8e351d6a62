//! TCP with TLS 1.3 and yamux, and QUIC. TLS everywhere: its key exchange is post-quantum here,
//! which that of the network library's other handshake is not.

use std::env;
use std::ffi::OsString;

use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::{self, NetworkBehaviour};
use libp2p::{PeerId, Swarm, dns, quic, tcp, tls, yamux};
use libp2p_allow_block_list::{AllowedPeers, Behaviour as PeerList};
use libp2p_connection_limits::{Behaviour as Limits, ConnectionLimits};

use super::error::NetError;
use super::gate::Gate;
use super::streams::Streams;
use crate::limits::{
    CONNECTIONS_PER_PEER, DIALED_AT_ONCE, HANDSHAKE_TIMEOUT, IDLE_CONNECTION, PENDING_INCOMING,
    STREAMS_PER_CONNECTION,
};

/// All behaviours of the swarm. Each may deny a connection, in this order.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gate: Gate,
    /// The trust set. Denies everyone else, and closes the connections of who leaves it.
    pub(crate) trusted: PeerList<AllowedPeers>,
    limits: Limits,
    pub(crate) streams: Streams,
}

/// A swarm that speaks as this node and trusts nobody yet.
pub(crate) fn swarm(
    keypair: &Keypair,
    max_connections: u32,
    max_memory: usize,
) -> Result<Swarm<Behaviour>, NetError> {
    refuse_key_log(env::var_os("SSLKEYLOGFILE"))?;
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_INCOMING))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER))
        .with_max_established(Some(max_connections));
    let behaviour = Behaviour {
        gate: Gate::new(max_memory),
        trusted: PeerList::default(),
        limits: Limits::new(limits),
        streams: Streams::default(),
    };
    let config = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE_CONNECTION)
        .with_dial_concurrency_factor(DIALED_AT_ONCE)
        .with_max_negotiating_inbound_streams(STREAMS_PER_CONNECTION as usize);
    Ok(Swarm::new(
        transport(keypair)?,
        behaviour,
        keypair.public().to_peer_id(),
        config,
    ))
}

/// The TLS library honours this variable unconditionally, so a node whose environment has it set
/// would write the secrets of every session to a file.
fn refuse_key_log(variable: Option<OsString>) -> Result<(), NetError> {
    variable.map_or(Ok(()), |_| Err(NetError::KeyLogSet))
}

/// Has the TLS library's random generator gather its first entropy. It takes that from the jitter of the
/// processor, some 50 ms of it, once a process: now, rather than while the first peer waits.
pub(crate) fn wake_random_generator() {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    if provider.secure_random.fill(&mut [0]).is_err() {
        tracing::warn!("the TLS library's random generator does not answer");
    }
}

/// Both transports, with names looked up before they are dialled.
pub(crate) fn transport(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    match dns::tokio::Transport::system(by_ip(keypair)?) {
        Ok(transport) => Ok(transport.boxed()),
        // A machine without a resolver, as in an isolated network, still dials by IP address.
        Err(error) => {
            tracing::warn!(%error, "no name server is configured: names in addresses will fail");
            Ok(by_ip(keypair)?)
        }
    }
}

fn by_ip(keypair: &Keypair) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetError> {
    let tls = tls::Config::new(keypair).map_err(|error| NetError::Identity {
        reason: error.to_string(),
    })?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(STREAMS_PER_CONNECTION as usize);
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(tls)
        .multiplex(yamux)
        .timeout(HANDSHAKE_TIMEOUT)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));

    let mut config = quic::Config::new(keypair);
    config.handshake_timeout = HANDSHAKE_TIMEOUT;
    config.max_concurrent_stream_limit = STREAMS_PER_CONNECTION;
    let quic = quic::tokio::Transport::new(config)
        .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));

    Ok(tcp
        .or_transport(quic)
        .map(|either, _| either.into_inner())
        .boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_log_is_refused_even_if_empty() {
        assert!(refuse_key_log(None).is_ok());
        for value in ["", "/tmp/keys"] {
            let refused = refuse_key_log(Some(value.into()));
            assert!(matches!(refused, Err(NetError::KeyLogSet)));
        }
    }
}
