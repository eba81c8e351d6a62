//! Members that were broken into: their keys are good, and they use them to be a burden.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diwan_core::id::{EntryHash, GroupId, Incarnation, Me, RecordId};
use diwan_core::log::{LogHead, Payload, Range};
use diwan_core::sync::Message;
use diwan_core::verify::{OwnEntry, OwnKind, own_entries};
use diwan_core::wire::Signing;
use diwan_tests::kit::hostile::{group_state, hello, seed};
use diwan_tests::kit::{HostilePeer, Random, TestNode};
use diwan_tests::mutants::{Scene, payload};
use serde::Serialize;
use tokio::time::{sleep, timeout};

/// How long it waits before it tries to come back.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest wait for a write: a node that throttles does not read.
const PATIENCE: Duration = Duration::from_secs(5);
/// Changes of one frame.
const CHANGES: usize = 200;

/// How a member is a burden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mischief {
    /// Signed changes whose dependencies never come, of every record there is.
    Changes,
    /// The same questions again and again, and no reading of the answers.
    Questions,
    /// Frames that are none.
    Garbage,
}

impl Mischief {
    pub(crate) const ALL: [Self; 3] = [Self::Changes, Self::Questions, Self::Garbage];

    pub(crate) fn country(self) -> &'static str {
        match self {
            Self::Changes => "MA",
            Self::Questions => "DZ",
            Self::Garbage => "JO",
        }
    }
}

/// What a member did, as far as it got.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    pub(crate) mischief: Mischief,
    pub(crate) links: u64,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
}

/// A member in somebody else's hands.
pub(crate) struct Member {
    peer: HostilePeer,
    mischief: Mischief,
    group: GroupId,
    key: Signing,
    me: Me,
    height: u32,
    head: LogHead,
    targets: Vec<RecordId>,
    /// Honest changes of other records: they read well, and nothing they depend on is there.
    payloads: Vec<Vec<u8>>,
}

/// Takes a member's key, and stops its program.
pub(crate) fn taken_over(
    node: &mut TestNode,
    victim: &TestNode,
    mischief: Mischief,
    targets: &[String],
) -> Member {
    let status = node.diwan(&["status"]);
    let group = victim.diwan(&["group", "show", super::GROUP])["groups"][0].take();
    node.stop();
    let key = Signing::from_seed(&seed(node).into());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let me = Me {
        agency: text(&status["agency"]).parse().unwrap(),
        node: key.public(),
        incarnation: Incarnation(u64::from_str_radix(&text(&status["incarnation"]), 16).unwrap()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(|| {
            let _ = rustix::process::nice(15);
        })
        .enable_all()
        .build()
        .unwrap();
    let peer = runtime.block_on(HostilePeer::new(node, victim));
    // The peer's network runs on it for the whole siege.
    std::mem::forget(runtime);
    Member {
        peer,
        mischief,
        group: text(&group["group"]).parse().unwrap(),
        key,
        me,
        height: u32::try_from(group["height"].as_u64().unwrap()).unwrap(),
        head: LogHead {
            seq: 0,
            hash: EntryHash([0; 32]),
        },
        targets: targets.iter().map(|id| id.parse().unwrap()).collect(),
        payloads: payloads(),
    }
}

fn payloads() -> Vec<Vec<u8>> {
    let scenes = Scene::small();
    let stands = scenes.iter().flat_map(|scene| &scene.stands);
    stands
        .map(|stand| payload(&stand.bases, &stand.honest))
        .collect()
}

impl Member {
    /// Is a burden until it is told to stop.
    pub(crate) async fn harass(mut self, stop: Arc<AtomicBool>) -> Told {
        let mut told = Told {
            mischief: self.mischief,
            links: 0,
            frames: 0,
            bytes: 0,
        };
        let mut random = Random::seeded(34);
        let stopped = || stop.load(Ordering::Relaxed);
        while !stopped() {
            let Some(link) = self.peer.link(1).await else {
                sleep(PAUSE).await;
                continue;
            };
            told.links += 1;
            let (mut reader, mut writer) = link.split();
            let reads = self.mischief != Mischief::Questions;
            let reading = tokio::spawn(async move {
                let max = u32::try_from(diwan_core::limits::FRAME_BYTES).unwrap();
                while reads && matches!(reader.read_frame(max).await, Ok(Some(_))) {}
                if !reads {
                    std::future::pending::<()>().await;
                }
            });
            let mut frame = hello(&[]);
            while !stopped() {
                let written = timeout(PATIENCE, writer.write_frame(&frame)).await;
                match written {
                    Ok(Ok(())) => {
                        told.frames += 1;
                        told.bytes += frame.len() as u64;
                    }
                    // A write that was given up leaves the link of no use.
                    Ok(Err(_)) | Err(_) => break,
                }
                frame = self.next(&mut random);
            }
            reading.abort();
            // What was lost on the way was never in its log.
            self.head.seq = 0;
            self.head.hash = EntryHash([0; 32]);
        }
        told
    }

    fn next(&mut self, random: &mut Random) -> Vec<u8> {
        match self.mischief {
            Mischief::Changes => self.changes(random),
            Mischief::Questions => group_state(self.group),
            Mischief::Garbage => {
                let len = random.between(1, 4_096);
                (0..len)
                    .map(|_| random.between(0, 255).to_le_bytes()[0])
                    .collect()
            }
        }
    }

    /// The next entries of its log, rightly signed.
    fn changes(&mut self, random: &mut Random) -> Vec<u8> {
        let drafts = (0..CHANGES).map(|at| {
            let record = self.targets[at % self.targets.len()];
            let bytes = self.payloads[at % self.payloads.len()].clone();
            OwnEntry {
                kind: OwnKind::Change(record),
                payload: Payload::new(
                    random
                        .between(0, u64::MAX - 1)
                        .to_le_bytes()
                        .repeat(2)
                        .try_into()
                        .unwrap(),
                    bytes,
                ),
            }
        });
        let entries = own_entries(
            (&self.key, &self.me),
            self.group,
            self.head,
            (self.height, 0),
            drafts.collect(),
        );
        let last = &entries.last().unwrap().header;
        self.head = LogHead {
            seq: last.seq,
            hash: last.hash(),
        };
        let range = Range::of(&entries, None).unwrap();
        Message::Entries(vec![range]).to_frame().unwrap()
    }
}
