//! Whole nodes on the loopback interface.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};

use futures::StreamExt;
use libp2p::core::transport::Boxed;
use libp2p::swarm::{self, SwarmEvent, dummy};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::time::timeout;

use super::*;

const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// Longest wait for an event. A passing test never waits as long.
const PATIENCE: Duration = Duration::from_secs(30);

struct Node {
    net: Net,
    events: mpsc::Receiver<NetEvent>,
    key: [u8; 32],
}

fn keypair(seed: u8) -> Keypair {
    Keypair::ed25519_from_bytes([seed; 32]).unwrap()
}

fn key(seed: u8) -> [u8; 32] {
    let public = keypair(seed).public().try_into_ed25519().unwrap();
    public.to_bytes()
}

fn config(seed: u8, listen: &[&str]) -> NetConfig {
    NetConfig {
        node_seed: Zeroizing::new([seed; 32]),
        listen: listen.iter().map(ToString::to_string).collect(),
        redial_min: Duration::from_millis(50),
        redial_max: Duration::from_secs(1),
        jitter_seed: u64::from(seed),
        max_connections: 16,
        max_memory: usize::MAX,
    }
}

impl Node {
    async fn start(seed: u8, listen: &[&str]) -> Self {
        let (net, events) = Net::start(config(seed, listen)).await.unwrap();
        Self {
            net,
            events,
            key: key(seed),
        }
    }

    async fn trust(&self, peers: &[&Node]) {
        let peers = peers.iter().map(|peer| PeerAddresses {
            peer: peer.key,
            addresses: peer.net.listening(),
        });
        self.net.set_peers(peers.collect()).await;
    }

    /// Trusts a peer without knowing where it is.
    async fn admit(&self, peer: &Node) {
        let peer = PeerAddresses {
            peer: peer.key,
            addresses: Vec::new(),
        };
        self.net.set_peers(vec![peer]).await;
    }

    async fn event(&mut self) -> NetEvent {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("no event in time").expect("network stopped")
    }

    async fn connected(&mut self) -> Link {
        loop {
            if let NetEvent::Connected { link, .. } = self.event().await {
                return link;
            }
        }
    }

    async fn offline(&mut self) -> String {
        loop {
            match self.event().await {
                NetEvent::Offline { reason, .. } => return reason,
                NetEvent::Dialing { .. } => {}
                NetEvent::Connected { .. } => panic!("connected instead of offline"),
            }
        }
    }
}

/// Two nodes that have just found each other, and their links.
async fn pair(listen: &str) -> ((Node, Link), (Node, Link)) {
    let mut one = Node::start(1, &[listen]).await;
    let mut two = Node::start(2, &[listen]).await;
    two.admit(&one).await;
    one.trust(&[&two]).await;
    let (first, second) = tokio::join!(one.connected(), two.connected());
    ((one, first), (two, second))
}

async fn frames_both_ways(one: Link, two: Link) {
    let size = 1 << 20;
    let (mut read_one, mut write_one) = one.split();
    let (mut read_two, mut write_two) = two.split();
    let (sent, echoed) = tokio::join!(
        async {
            let frame = vec![0xa5; size];
            write_one.write_frame(&frame).await.unwrap();
            let back = read_one.read_frame(2 << 20).await.unwrap().unwrap();
            assert!(back == frame);
            write_one.finish().await.unwrap();
            assert!(read_one.read_frame(1).await.unwrap().is_none());
            write_one.handle().bytes_written()
        },
        async {
            let frame = read_two.read_frame(2 << 20).await.unwrap().unwrap();
            write_two.write_frame(&frame).await.unwrap();
            assert!(read_two.read_frame(1).await.unwrap().is_none());
            write_two.finish().await.unwrap();
            read_two.handle().bytes_read()
        }
    );
    assert_eq!(sent, size as u64 + 4);
    assert_eq!(echoed, size as u64 + 4);
}

#[tokio::test]
async fn frames_pass_both_ways_over_tcp() {
    let ((_one, first), (_two, second)) = pair(TCP).await;
    assert!(first.remote_address().contains("/tcp/"));
    timeout(PATIENCE, frames_both_ways(first, second))
        .await
        .unwrap();
}

#[tokio::test]
async fn frames_pass_both_ways_over_quic() {
    let ((_one, first), (_two, second)) = pair(QUIC).await;
    assert!(first.remote_address().contains("/quic-v1"));
    timeout(PATIENCE, frames_both_ways(first, second))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let mut one = Node::start(1, &[]).await;
    let mut two = Node::start(2, &[TCP]).await;
    two.admit(&one).await;
    let named = two.net.listening()[0].replace("/ip4/127.0.0.1", "/dns4/localhost");
    let peer = PeerAddresses {
        peer: two.key,
        addresses: vec![named],
    };
    one.net.set_peers(vec![peer]).await;
    tokio::join!(one.connected(), two.connected());
}

/// Both dial at the same moment. Whichever connections come up, each side ends with one link, and
/// it is the same one: what one writes the other reads.
async fn crossing_dials(listen: &str) {
    for round in 0..20_u8 {
        let mut one = Node::start(10 + 2 * round, &[listen]).await;
        let mut two = Node::start(11 + 2 * round, &[listen]).await;
        one.trust(&[&two]).await;
        two.trust(&[&one]).await;
        let (first, second) = tokio::join!(one.connected(), two.connected());
        {
            let (_reader, mut writer) = first.split();
            let (mut reader, _writer) = second.split();
            writer.write_frame(&[round]).await.unwrap();
            let frame = timeout(PATIENCE, reader.read_frame(8)).await.unwrap();
            assert_eq!(frame.unwrap(), Some(vec![round]));
            one.net.set_peers(Vec::new()).await;
            two.net.set_peers(Vec::new()).await;
        }
        // No second link had come up behind the first one.
        tokio::join!(one.net.shutdown(), two.net.shutdown());
        for node in [&mut one, &mut two] {
            while let Some(event) = node.events.recv().await {
                assert!(
                    !matches!(event, NetEvent::Connected { .. }),
                    "a second link in round {round}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_dials_make_one_link_over_tcp() {
    crossing_dials(TCP).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_dials_make_one_link_over_quic() {
    crossing_dials(QUIC).await;
}

#[tokio::test]
async fn a_stranger_gets_no_link_and_its_dial_says_why() {
    for listen in [TCP, QUIC] {
        let mut node = Node::start(1, &[listen]).await;
        let mut stranger = Node::start(2, &[listen]).await;
        stranger.trust(&[&node]).await;
        let reason = stranger.offline().await;
        assert!(reason.contains("may not trust this node"), "{reason}");
        assert!(node.events.try_recv().is_err(), "the node noticed");
    }
}

/// A stranger that would hold its connection for ever sees it closed from the other side.
#[tokio::test]
async fn a_strangers_connection_is_closed() {
    for listen in [TCP, QUIC] {
        let node = Node::start(1, &[listen]).await;
        let stranger = keypair(2);
        let transport: Boxed<(PeerId, _)> = transport::transport(&stranger).unwrap();
        let patient =
            swarm::Config::with_tokio_executor().with_idle_connection_timeout(10 * PATIENCE);
        let mut swarm = Swarm::new(
            transport,
            dummy::Behaviour,
            stranger.public().to_peer_id(),
            patient,
        );
        let address: Multiaddr = node.net.listening()[0].parse().unwrap();
        swarm.dial(address).unwrap();
        loop {
            match timeout(PATIENCE, swarm.select_next_some()).await.unwrap() {
                SwarmEvent::ConnectionClosed { cause: Some(_), .. }
                | SwarmEvent::OutgoingConnectionError { .. } => break,
                _ => {}
            }
        }
    }
}

/// Sockets that are opened and left alone are shed at once beyond the limits, long before their
/// handshake would time out.
/// Case 33.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_sockets_is_shed() {
    let node = Node::start(1, &[TCP]).await;
    let listening = node.net.listening();
    let port = listening[0].rsplit('/').next().unwrap().parse().unwrap();
    let shed = tokio::task::spawn_blocking(move || {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut sockets: Vec<_> = (0..100)
            .map(|_| TcpStream::connect(address).unwrap())
            .collect();
        let last = sockets.last_mut().unwrap();
        last.set_read_timeout(Some(crate::limits::HANDSHAKE_TIMEOUT / 2))
            .unwrap();
        // An end or a reset; a timeout would mean that the node still holds the socket.
        match last.read(&mut [0; 16]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    });
    assert!(shed.await.unwrap(), "the last socket was not closed");
}

#[tokio::test]
async fn an_over_long_frame_is_refused() {
    let ((_one, first), (_two, second)) = pair(TCP).await;
    let (_reader, mut writer) = first.split();
    let (mut reader, _writer) = second.split();
    writer.write_frame(&[0; 1001]).await.unwrap();
    let error = timeout(PATIENCE, reader.read_frame(1000)).await.unwrap();
    assert!(
        matches!(
            error,
            Err(LinkError::TooLong {
                length: 1001,
                max: 1000
            })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_node_above_its_memory_lets_nobody_in_and_dials_on() {
    let mut node = Node::start(1, &[TCP]).await;
    let full = NetConfig {
        max_memory: 1,
        ..config(2, &[TCP])
    };
    let (net, events) = Net::start(full).await.unwrap();
    let mut full = Node {
        net,
        events,
        key: key(2),
    };
    let peer = PeerAddresses {
        peer: node.key,
        addresses: Vec::new(),
    };
    full.net.set_peers(vec![peer]).await;
    node.trust(&[&full]).await;
    for _ in 0..3 {
        node.offline().await;
    }
    full.trust(&[&node]).await;
    full.connected().await;
}

/// Case 19.
#[tokio::test]
async fn removed_trust_ends_the_link_at_once_and_for_good() {
    for listen in [TCP, QUIC] {
        let ((mut one, first), (mut two, second)) = pair(listen).await;
        let (mut reader_one, mut writer_one) = first.split();
        let (mut reader_two, _writer_two) = second.split();
        two.net.set_peers(Vec::new()).await;

        // On the removing side nothing passes any more once the call has returned.
        assert!(matches!(
            reader_two.read_frame(10).await,
            Err(LinkError::Closed)
        ));
        assert!(two.offline().await.contains("no longer trusted"));
        // The other side loses the link, and every redial of it is refused.
        let end = timeout(PATIENCE, reader_one.read_frame(10)).await.unwrap();
        assert!(!matches!(end, Ok(Some(_))));
        one.offline().await;
        for _ in 0..3 {
            one.offline().await;
        }
        assert!(writer_one.write_frame(b"late").await.is_err());
        assert!(two.events.try_recv().is_err(), "it was dialled or accepted");
    }
}

#[tokio::test]
async fn a_closed_link_comes_back_by_itself() {
    let ((mut one, first), (mut two, second)) = pair(TCP).await;
    first.handle().close();
    assert!(first.handle().is_closed());
    assert_eq!(one.offline().await, "closed on this side");
    two.offline().await;
    drop(second);
    tokio::join!(one.connected(), two.connected());
}

#[tokio::test]
async fn dropping_both_halves_closes_the_link() {
    let ((_one, first), (mut two, second)) = pair(TCP).await;
    let (reader, writer) = first.split();
    drop(reader);
    assert!(!writer.handle().is_closed());
    drop(writer);
    two.offline().await;
    drop(second);
}

#[tokio::test]
async fn a_peer_that_restarts_is_found_again() {
    for listen in [TCP, QUIC] {
        let ((mut one, _first), (two, second)) = pair(listen).await;
        let address = two.net.listening()[0].clone();
        drop(second);
        two.net.shutdown().await;
        one.offline().await;

        let mut two = Node::start(2, &[&address]).await;
        two.admit(&one).await;
        tokio::join!(one.connected(), two.connected());
    }
}

#[tokio::test]
async fn a_peer_at_a_new_address_is_dialled_there() {
    let ((mut one, _first), (two, second)) = pair(TCP).await;
    drop(second);
    two.net.shutdown().await;
    one.offline().await;
    let mut two = Node::start(2, &[QUIC]).await;
    two.admit(&one).await;
    one.trust(&[&two]).await;
    let (link, _) = tokio::join!(one.connected(), two.connected());
    assert!(link.remote_address().contains("quic"));
}

#[tokio::test]
async fn dialling_now_skips_the_backoff() {
    let mut slow = config(1, &[]);
    slow.redial_min = 10 * PATIENCE;
    slow.redial_max = 10 * PATIENCE;
    let (net, events) = Net::start(slow).await.unwrap();
    let mut one = Node {
        net,
        events,
        key: key(1),
    };
    let mut two = Node::start(2, &[TCP]).await;
    one.trust(&[&two]).await;
    one.offline().await;
    two.admit(&one).await;
    one.net.dial_now(two.key).await;
    tokio::join!(one.connected(), two.connected());
}

#[tokio::test]
async fn nobody_at_the_address_is_said_in_words() {
    let mut one = Node::start(1, &[]).await;
    let two = Node::start(2, &[TCP]).await;
    let address = two.net.listening();
    two.net.shutdown().await;
    let peer = PeerAddresses {
        peer: two.key,
        addresses: address,
    };
    one.net.set_peers(vec![peer]).await;
    assert_eq!(one.offline().await, "connection refused");
}

#[tokio::test]
async fn somebody_else_at_the_address_is_said_in_words() {
    let mut one = Node::start(1, &[]).await;
    let other = Node::start(3, &[TCP]).await;
    let peer = PeerAddresses {
        peer: key(2),
        addresses: other.net.listening(),
    };
    one.net.set_peers(vec![peer]).await;
    assert_eq!(one.offline().await, "another node answers at this address");
}

#[tokio::test]
async fn a_port_in_use_is_refused() {
    for listen in [TCP, QUIC] {
        let node = Node::start(1, &[listen]).await;
        let taken = node.net.listening()[0].clone();
        let error = Net::start(config(2, &[&taken])).await.unwrap_err();
        assert!(
            matches!(&error, NetError::PortInUse { address } if *address == taken),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_bad_listen_address_is_refused() {
    let error = Net::start(config(1, &["/ip4/127.0.0.1/udp/9"]))
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::BadAddress { .. }), "{error}");
    let error = Net::start(config(1, &["/ip4/192.0.2.1/tcp/0"]))
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::CannotListen { .. }), "{error}");
}

#[tokio::test]
async fn bound_ports_are_told() {
    let node = Node::start(1, &[TCP, QUIC, "/ip4/0.0.0.0/tcp/0"]).await;
    let listening = node.net.listening();
    assert!(listening.len() >= 3, "{listening:?}");
    for address in &listening {
        assert!(!address.contains("/tcp/0") && !address.contains("/udp/0/"));
        assert!(!address.contains("0.0.0.0"), "{address}");
    }
}

#[tokio::test]
async fn a_reader_of_events_that_went_away_stops_the_network() {
    let Node { net, events, .. } = Node::start(1, &[TCP]).await;
    let taken = net.listening();
    drop(events);
    timeout(PATIENCE, net.commands.closed()).await.unwrap();
    let taken: Vec<_> = taken.iter().map(String::as_str).collect();
    Net::start(config(1, &taken)).await.unwrap();
}

/// While nobody reads events trust can still be removed.
#[tokio::test]
async fn a_full_queue_of_events_does_not_hold_up_the_removal_of_trust() {
    let one = Node::start(1, &[]).await;
    let peers = (100..200).map(|seed| PeerAddresses {
        peer: key(seed),
        addresses: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
    });
    let peers: Vec<_> = peers.collect();
    assert!(peers.len() > EVENTS);
    one.net.set_peers(peers).await;
    timeout(PATIENCE, one.net.set_peers(Vec::new()))
        .await
        .unwrap();
}
