//! A peer with a valid key that asks for what is not meant for it, and remembers every byte it got.

use std::time::Duration;

use diwan_core::id::{GroupId, NodeKey};
use diwan_core::limits;
use diwan_core::log::Frontier;
use diwan_core::sync::{Hello, Message, PROTOCOL_VERSION};
use diwan_core::wire::{self, Signing};
use diwan_node::home::Home;
use diwan_node::keystore::{KeyPurpose, read_key};
use diwan_node::net::{Link, LinkReader, LinkWriter, Net, NetConfig, NetEvent, PeerAddresses};
use tokio::sync::mpsc;

use super::TestNode;

/// Longest wait for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// A refusal is silence, and silence has no event. So long it is listened to: many times what an
/// answer takes.
const SILENCE: Duration = Duration::from_millis(500);

/// A peer that speaks from the home of a stopped node, with its key, by rules of its own.
#[derive(Debug)]
pub struct HostilePeer {
    net: Net,
    events: mpsc::Receiver<NetEvent>,
    victim: NodeKey,
    addresses: Vec<String>,
}

/// Every byte that the other side sent.
#[derive(Debug, Default)]
pub struct Overheard {
    /// Frames as they came.
    pub frames: Vec<Vec<u8>>,
}

impl HostilePeer {
    /// Takes over the key of `thief`, which must not run, to talk to `victim`, which must.
    pub async fn new(thief: &TestNode, victim: &TestNode) -> Self {
        let config = NetConfig {
            node_seed: seed(thief).into(),
            listen: Vec::new(),
            redial_min: Duration::from_millis(50),
            redial_max: Duration::from_millis(200),
            jitter_seed: 1,
            max_connections: 16,
            max_memory: usize::MAX,
        };
        let (net, events) = Net::start(config).await.unwrap();
        let addresses = victim.diwan(&["status"])["listen"].clone();
        let addresses = addresses.as_array().unwrap().iter();
        Self {
            net,
            events,
            victim: Signing::from_seed(&seed(victim).into()).public(),
            addresses: addresses
                .map(|address| address.as_str().unwrap().to_owned())
                .collect(),
        }
    }

    /// Dials until there is a link, or until `attempts` dials have failed.
    pub async fn link(&mut self, attempts: u32) -> Option<Link> {
        let peer = PeerAddresses {
            peer: self.victim.0,
            addresses: self.addresses.clone(),
        };
        self.net.set_peers(vec![peer]).await;
        let mut failed = 0;
        while failed < attempts {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
            match event.expect("an event in time").expect("the net runs") {
                NetEvent::Connected { link, .. } => return Some(link),
                NetEvent::Offline { .. } => failed += 1,
                NetEvent::Dialing { .. } => {}
            }
        }
        None
    }

    /// Says hello as a member of `group`, asks for all of it, and returns what it was told.
    ///
    /// Each set of questions goes over a link of its own, as some of them end it.
    pub async fn interrogate(&mut self, group: GroupId) -> Overheard {
        let mut heard = Overheard::default();
        for questions in [
            vec![hello(&[])],
            vec![hello(&[group])],
            vec![hello(&[]), group_state(group)],
            vec![hello(&[group]), group_state(group)],
            vec![group_state(group)],
        ] {
            let link = self.link(50).await.expect("a trusted peer gets a link");
            let (reader, writer) = link.split();
            converse(reader, writer, &questions, &mut heard).await;
        }
        heard
    }
}

impl Overheard {
    /// Whether these bytes occur in a frame, or in what a frame's compressed entries hold.
    ///
    /// # Panics
    /// If a frame is no message.
    #[must_use]
    pub fn mentions(&self, bytes: &[u8]) -> bool {
        let occurs = |text: &[u8]| text.windows(bytes.len()).any(|window| window == bytes);
        self.frames.iter().any(|frame| {
            occurs(frame)
                || match Message::from_frame(frame).expect("a node sends messages") {
                    Message::Entries(ranges) => ranges.iter().any(|r| occurs(&wire::encode(r))),
                    _ => false,
                }
        })
    }

    /// Frames that hold entries.
    #[must_use]
    pub fn batches(&self) -> usize {
        let is_batch = |frame: &&Vec<u8>| frame.first() == Some(&4);
        self.frames.iter().filter(is_batch).count()
    }
}

/// The seed of a home's node key.
#[must_use]
pub fn seed(node: &TestNode) -> [u8; 32] {
    let home = Home::open(&node.home()).unwrap();
    let seed = read_key(&home.keys_node(), KeyPurpose::Node, None).unwrap();
    *seed.as_bytes()
}

async fn converse(
    mut reader: LinkReader,
    mut writer: LinkWriter,
    questions: &[Vec<u8>],
    heard: &mut Overheard,
) {
    for question in questions {
        // A node that closed the link does not want to hear more; what it said before counts.
        if writer.write_frame(question).await.is_err() {
            break;
        }
    }
    let max = u32::try_from(limits::FRAME_BYTES).unwrap();
    while let Ok(Ok(Some(frame))) = tokio::time::timeout(SILENCE, reader.read_frame(max)).await {
        heard.frames.push(frame);
    }
}

/// A hello that claims to have these groups in common, with a digest that no node has.
#[must_use]
pub fn hello(groups: &[GroupId]) -> Vec<u8> {
    let plain = Hello {
        version: PROTOCOL_VERSION,
        own_height: 0,
        your_height: 0,
        groups: Vec::new(),
    };
    let mut frame = Message::Hello(plain).to_frame().unwrap();
    // The list is the last field: an array of arrays of two byte strings (RFC 8949, section 3).
    let count = u8::try_from(groups.len()).unwrap();
    assert_eq!(frame.pop(), Some(0x80), "an empty list ends the frame");
    frame.push(0x80 + count);
    for group in groups {
        frame.push(0x82);
        frame.extend(wire::encode(group));
        frame.extend(wire::encode(&GroupId([0; 32])));
    }
    assert!(Message::from_frame(&frame).is_ok(), "a hello of our own");
    frame
}

/// The state of a node that is new to the group: it has nothing and lacks everything.
#[must_use]
pub fn group_state(group: GroupId) -> Vec<u8> {
    const FALSE: u8 = 0xf4;
    let mut frame = vec![1, 0x89];
    frame.extend(wire::encode(&group));
    frame.extend([0x00, 0x80]);
    frame.extend(wire::encode(&Frontier::default()));
    frame.extend([0x80, FALSE, FALSE]);
    frame.extend(wire::encode(&GroupId([0; 32])));
    frame.push(0x80);
    assert!(Message::from_frame(&frame).is_ok(), "a state of our own");
    frame
}
