//! Node keys and the names that the network library has for them, and which addresses it can use.

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// What stands before the 32 bytes of an Ed25519 key in a PeerId: the identity multihash of
/// 36 bytes, and in it the key type 1 (Ed25519) and the key's length in protobuf.
const ED25519_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The PeerId of a node key.
pub(crate) fn peer_id(key: &[u8; 32]) -> Option<PeerId> {
    PeerId::from_bytes(&[&ED25519_PREFIX[..], key].concat()).ok()
}

/// The libp2p text of a node key (`12D3Koo…`), as operators see it in other tools.
///
/// Any 32 bytes have a text, whether or not they are a point of the curve.
#[must_use]
pub fn peer_text(key: &[u8; 32]) -> String {
    peer_id(key).map_or_else(String::new, PeerId::to_base58)
}

/// The node key of such a text.
#[must_use]
pub fn peer_key(text: &str) -> Option<[u8; 32]> {
    let bytes = text.parse::<PeerId>().ok()?.to_bytes();
    bytes.strip_prefix(&ED25519_PREFIX)?.try_into().ok()
}

/// An address to listen on: an IP address and a TCP port, or a UDP port for QUIC.
pub(crate) fn listen_address(text: &str) -> Result<Multiaddr, String> {
    let address: Multiaddr = text.parse().map_err(|error| format!("{error}"))?;
    let parts: Vec<_> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(_) | Protocol::Ip6(_), Protocol::Tcp(_)]
        | [
            Protocol::Ip4(_) | Protocol::Ip6(_),
            Protocol::Udp(_),
            Protocol::QuicV1,
        ] => Ok(address),
        _ => Err("write /ip4/ADDRESS/tcp/PORT or /ip4/ADDRESS/udp/PORT/quic-v1".to_owned()),
    }
}

/// An address to dial a peer at: as for listening, or with a name to look up. It may end in the
/// peer's own id, and not in another one.
pub(crate) fn dial_address(text: &str, peer: PeerId) -> Option<Multiaddr> {
    let mut address: Multiaddr = text.parse().ok()?;
    if let Some(Protocol::P2p(named)) = address.iter().last() {
        if named != peer {
            return None;
        }
        address.pop();
    }
    let parts: Vec<_> = address.iter().collect();
    match parts.as_slice() {
        [host, Protocol::Tcp(_)] | [host, Protocol::Udp(_), Protocol::QuicV1] => matches!(
            host,
            Protocol::Ip4(_)
                | Protocol::Ip6(_)
                | Protocol::Dns(_)
                | Protocol::Dns4(_)
                | Protocol::Dns6(_)
        )
        .then_some(address),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;

    fn peer(seed: u8) -> ([u8; 32], PeerId) {
        let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        let key = keypair.public().try_into_ed25519().unwrap().to_bytes();
        (key, keypair.public().to_peer_id())
    }

    #[test]
    fn a_key_and_its_peer_id_are_the_same_thing() {
        let (key, id) = peer(7);
        assert_eq!(peer_id(&key), Some(id));
        assert_eq!(peer_text(&key), id.to_string());
        assert!(peer_text(&key).starts_with("12D3Koo"));
        assert!(peer_text(&[0xff; 32]).starts_with("12D3Koo"));
    }

    #[test]
    fn listen_addresses_are_tcp_or_quic_on_an_ip() {
        for good in [
            "/ip4/0.0.0.0/tcp/0",
            "/ip6/::1/tcp/4001",
            "/ip4/127.0.0.1/udp/4001/quic-v1",
        ] {
            assert!(listen_address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:4001",
            "/ip4/127.0.0.1",
            "/ip4/127.0.0.1/udp/4001",
            "/ip4/127.0.0.1/tcp/70000",
            "/dns4/example.org/tcp/4001",
            "/ip4/127.0.0.1/tcp/4001/ws",
        ] {
            assert!(listen_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dial_addresses_may_have_names_and_the_right_peer() {
        let ((_, id), (_, other)) = (peer(1), peer(2));
        let plain = "/dns4/node.example.org/tcp/4001";
        let address: Multiaddr = plain.parse().unwrap();
        assert_eq!(dial_address(plain, id), Some(address.clone()));
        assert_eq!(
            dial_address(&format!("{plain}/p2p/{id}"), id),
            Some(address)
        );
        assert_eq!(dial_address(&format!("{plain}/p2p/{other}"), id), None);
        let relayed = format!("/ip4/10.0.0.1/tcp/1/p2p/{other}/p2p-circuit");
        assert_eq!(dial_address(&relayed, id), None);
        assert_eq!(dial_address("nonsense", id), None);
    }
}
