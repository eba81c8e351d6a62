//! The gate before the handshake: how often one network address may try to connect.
//!
//! Who the other side is shows only after a TLS handshake, which costs the node about a
//! millisecond of signing and hashing; the address it comes from shows before. So the rate of
//! handshakes is bounded by address, whoever it is. Over QUIC an address can be forged until the
//! handshake ends: a forger can use up an honest peer's allowance and so delay that peer's own
//! dials, but not this node's dials to it.
//!
//! While the node uses more memory than its admin allows, nobody is let in at all; its own dials go
//! on.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::{Endpoint, transport::PortUse};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::memory::Memory;
use crate::limits::{HANDSHAKE_EARNED, HANDSHAKE_SOURCES, HANDSHAKES_AT_ONCE};

/// Denies connections of addresses that start handshakes too often, and all while memory is short.
#[derive(Debug)]
pub(crate) struct Gate {
    allowance: Allowance,
    memory: Memory,
}

impl Gate {
    /// A gate that is shut while the process uses more than so many bytes of memory.
    pub(crate) fn new(max_memory: usize) -> Self {
        Self {
            allowance: Allowance::default(),
            memory: Memory::new(max_memory),
        }
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote_addr: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if self.memory.is_short(Instant::now()) {
            return Err(ConnectionDenied::new(MemoryIsShort));
        }
        let Some(source) = source_of(remote_addr) else {
            return Err(ConnectionDenied::new(TooManyHandshakes));
        };
        if self.allowance.take(source, Instant::now()) {
            Ok(())
        } else {
            Err(ConnectionDenied::new(TooManyHandshakes))
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// Why the gate closed. Stays inside: the other side only sees its connection end.
#[derive(Debug, thiserror::Error)]
#[error("too many handshakes from one address")]
struct TooManyHandshakes;

/// The same, while memory is short.
#[derive(Debug, thiserror::Error)]
#[error("the node uses more memory than node.memory_mb allows")]
struct MemoryIsShort;

/// Whom a connection counts against: an IPv4 address, or a /64 of IPv6, because whoever has one
/// address of a /64 has them all.
fn source_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(match ip.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        }),
        _ => None,
    })
}

/// One token bucket per source, in memory bounded by [`HANDSHAKE_SOURCES`].
#[derive(Debug, Default)]
struct Allowance {
    /// Per source the moment at which its bucket will be full again: all that a bucket needs.
    full_at: HashMap<IpAddr, Instant>,
}

impl Allowance {
    /// Takes one handshake from the source's allowance; `false` when it has none left.
    fn take(&mut self, source: IpAddr, now: Instant) -> bool {
        if !self.full_at.contains_key(&source) && self.full_at.len() >= HANDSHAKE_SOURCES {
            self.make_room(now);
        }
        let full_at = self.full_at.entry(source).or_insert(now);
        let after = (*full_at).max(now) + HANDSHAKE_EARNED;
        if after.duration_since(now) > HANDSHAKE_EARNED * HANDSHAKES_AT_ONCE {
            return false;
        }
        *full_at = after;
        true
    }

    /// Forgets every source whose allowance is whole again, or else the one nearest to it.
    fn make_room(&mut self, now: Instant) {
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() >= HANDSHAKE_SOURCES {
            let nearest = self.full_at.iter().min_by_key(|(_, full_at)| **full_at);
            if let Some(source) = nearest.map(|(source, _)| *source) {
                self.full_at.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_burst_passes_and_then_one_each_refill() {
        let mut allowance = Allowance::default();
        let start = Instant::now();
        for _ in 0..HANDSHAKES_AT_ONCE {
            assert!(allowance.take(HERE, start));
        }
        assert!(!allowance.take(HERE, start));
        assert!(!allowance.take(HERE, start + HANDSHAKE_EARNED / 2));
        assert!(allowance.take(HERE, start + HANDSHAKE_EARNED));
        assert!(!allowance.take(HERE, start + HANDSHAKE_EARNED));
    }

    #[test]
    fn refused_attempts_do_not_prolong_the_wait() {
        let mut allowance = Allowance::default();
        let start = Instant::now();
        while allowance.take(HERE, start) {}
        for _ in 0..1000 {
            assert!(!allowance.take(HERE, start));
        }
        assert!(allowance.take(HERE, start + HANDSHAKE_EARNED));
    }

    #[test]
    fn one_source_does_not_spend_for_another() {
        let mut allowance = Allowance::default();
        let start = Instant::now();
        while allowance.take(HERE, start) {}
        assert!(allowance.take(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), start));
    }

    /// Case 33.
    #[test]
    fn a_flood_of_sources_stays_in_bounds_and_keeps_the_worst() {
        let mut allowance = Allowance::default();
        let start = Instant::now();
        while allowance.take(HERE, start) {}
        for n in 0..20_000_u32 {
            assert!(allowance.take(IpAddr::V4(Ipv4Addr::from_bits(n)), start));
            assert!(allowance.full_at.len() <= HANDSHAKE_SOURCES);
        }
        assert!(!allowance.take(HERE, start), "the worst was forgotten");
    }

    #[test]
    fn a_64_of_ipv6_is_one_source() {
        let source = |text: &str| source_of(&text.parse().unwrap());
        assert_eq!(
            source("/ip6/2001:db8::1/tcp/1"),
            source("/ip6/2001:db8::ffff:2/udp/9/quic-v1")
        );
        assert_ne!(
            source("/ip6/2001:db8::1/tcp/1"),
            source("/ip6/2001:db8:0:1::1/tcp/1")
        );
        assert_eq!(
            source("/ip6/::ffff:10.0.0.1/tcp/1"),
            source("/ip4/10.0.0.1/tcp/1")
        );
        assert_eq!(source("/dns4/example.org/tcp/1"), None);
    }
}
