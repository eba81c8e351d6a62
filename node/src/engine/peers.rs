//! Sessions with peers: the sync machine of the core on the links of the net room.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diwan_core::id::{AgencyId, GroupId, NodeKey, Writer};
use diwan_core::limits;
use diwan_core::log::Range;
use diwan_core::sync::{GroupProgress, Input, Session, SessionStats, Wish};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::{Engine, EngineError, Machine, compared, served};
use crate::net::{Link, LinkHandle, LinkReader, LinkWriter, Net, NetEvent, PeerAddresses};
use crate::store::StoreError;

/// How often a session is told that time passed.
const TICK: Duration = Duration::from_millis(250);
/// Frames read ahead of the session: then the stream's own backpressure holds the peer back.
const FRAMES_AHEAD: usize = 4;
/// Bytes that wait to be written to a peer that does not read: then the session ends. Batches of
/// entries wait for room anyway; this bounds answers to a flood of small questions.
const QUEUED_BYTES: usize = 32 * 1024 * 1024;
/// Batches of entries that wait to be written: one on the wire, one ready.
const BATCHES_AHEAD: usize = 2;

/// A peer as the admin sees it.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// `connected`, `dialing` or `offline`.
    pub state: &'static str,
    /// Since when, ms.
    pub since_ms: u64,
    /// Why it is offline.
    pub reason: Option<String>,
    /// Counters of the newest session.
    pub stats: SessionStats,
    /// How far it is, by group in common, at the newest session's last step.
    pub progress: Vec<(GroupId, GroupProgress)>,
    /// All that is in common is equal, and the peer has said so.
    pub equal: bool,
    /// Bytes received and sent by the newest session.
    pub bytes: (u64, u64),
}

impl PeerView {
    fn new(state: &'static str, since_ms: u64) -> Self {
        Self {
            state,
            since_ms,
            reason: None,
            stats: SessionStats::default(),
            progress: Vec::new(),
            equal: false,
            bytes: (0, 0),
        }
    }
}

type Views = Arc<Mutex<BTreeMap<NodeKey, PeerView>>>;

/// The running sessions. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    net: Net,
    machine: Arc<dyn Machine>,
    views: Views,
    changed: watch::Sender<u64>,
}

impl Peers {
    /// Talks to the peers of the trust list over a started net, until the engine ends.
    #[must_use]
    pub fn start(engine: &Engine, net: Net, events: mpsc::Receiver<NetEvent>) -> Self {
        let peers = Self {
            net,
            machine: engine.machine(),
            views: Views::default(),
            changed: watch::channel(0).0,
        };
        tokio::spawn(peers.clone().follow_trust(engine.clone()));
        tokio::spawn(peers.clone().follow_net(engine.clone(), events));
        peers
    }

    /// Every peer that was heard of since the start.
    #[must_use]
    pub fn views(&self) -> BTreeMap<NodeKey, PeerView> {
        self.lock().clone()
    }

    /// Tells of every change of a view.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Dials a peer now, without waiting for its backoff.
    pub async fn dial_now(&self, node: &NodeKey) {
        self.net.dial_now(node.0).await;
    }

    /// Bound addresses.
    #[must_use]
    pub fn listening(&self) -> Vec<String> {
        self.net.listening()
    }

    /// Ends all links and stops listening.
    pub async fn shutdown(&self) {
        self.net.shutdown().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<NodeKey, PeerView>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, node: NodeKey, change: impl FnOnce(&mut PeerView)) {
        change(
            self.lock()
                .entry(node)
                .or_insert_with(|| PeerView::new("offline", self.machine.now_ms())),
        );
        self.changed
            .send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    fn set_state(&self, node: NodeKey, state: &'static str, reason: Option<String>) {
        let now_ms = self.machine.now_ms();
        self.update(node, |view| {
            if view.state != state {
                view.since_ms = now_ms;
            }
            view.state = state;
            view.reason = reason;
            view.equal &= state == "connected";
        });
    }

    /// Keeps the net's peers equal to what the trust list and the chains say.
    async fn follow_trust(self, engine: Engine) {
        let mut state = engine.watch();
        let mut known = None;
        loop {
            let now = state.borrow_and_update().clone();
            let peers: Vec<PeerAddresses> = now
                .replica
                .peers()
                .map(|(node, agency)| PeerAddresses {
                    peer: node.0,
                    addresses: now
                        .replica
                        .agency(agency)
                        .and_then(|chain| chain.certificate(node))
                        .map(|certificate| certificate.addresses.clone())
                        .unwrap_or_default(),
                })
                .collect();
            if known.as_ref() != Some(&peers) {
                self.lock()
                    .retain(|node, _| peers.iter().any(|peer| peer.peer == node.0));
                self.net.set_peers(peers.clone()).await;
                known = Some(peers);
            }
            if state.changed().await.is_err() {
                return;
            }
        }
    }

    async fn follow_net(self, engine: Engine, mut events: mpsc::Receiver<NetEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                NetEvent::Dialing { peer } => self.set_state(NodeKey(peer), "dialing", None),
                NetEvent::Offline { peer, reason } => {
                    self.set_state(NodeKey(peer), "offline", Some(reason));
                }
                NetEvent::Connected { peer, link, .. } => {
                    let node = NodeKey(peer);
                    let Some(agency) = engine.state().replica.agency_of(&node) else {
                        continue;
                    };
                    self.set_state(node, "connected", None);
                    tokio::spawn(run(self.clone(), engine.clone(), node, agency, link));
                }
            }
        }
    }
}

/// One session, from the link's first byte to its last.
async fn run(peers: Peers, engine: Engine, node: NodeKey, agency: AgencyId, link: Link) {
    let handle = link.handle();
    let (reader, writer) = link.split();
    let (arrived, frames) = mpsc::channel(FRAMES_AHEAD);
    let (outgoing, queue) = mpsc::unbounded_channel();
    let reading = tokio::spawn(read_frames(reader, arrived));
    let queued = Arc::new(AtomicUsize::new(0));
    let writing = tokio::spawn(write_frames(writer, queue, queued.clone()));
    let mut driver = Driver {
        session: Session::new(node, agency, engine.elapsed_ms()),
        engine,
        peers,
        node,
        handle: handle.clone(),
        outgoing,
        queued,
        batches: Arc::new(Semaphore::new(BATCHES_AHEAD)),
        permit: None,
    };
    if let Err(end) = driver.drive(frames).await {
        tracing::info!(peer = %node.short(), reason = %end, "session ended");
    }
    handle.close();
    reading.abort();
    drop(driver);
    let _ = writing.await;
}

type Outgoing = (Vec<u8>, Option<OwnedSemaphorePermit>);

async fn read_frames(mut reader: LinkReader, arrived: mpsc::Sender<Vec<u8>>) {
    let max = u32::try_from(limits::FRAME_BYTES).unwrap_or(u32::MAX);
    while let Ok(Some(frame)) = reader.read_frame(max).await {
        if arrived.send(frame).await.is_err() {
            return;
        }
    }
}

async fn write_frames(
    mut writer: LinkWriter,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    queued: Arc<AtomicUsize>,
) {
    while let Some((frame, _permit)) = queue.recv().await {
        if writer.write_frame(&frame).await.is_err() {
            return;
        }
        queued.fetch_sub(frame.len(), Ordering::Relaxed);
    }
}

struct ReadDone {
    group: GroupId,
    writer: Writer,
    range: Result<Option<Range>, EngineError>,
    permit: Option<OwnedSemaphorePermit>,
}

struct Driver {
    session: Session,
    engine: Engine,
    peers: Peers,
    node: NodeKey,
    handle: LinkHandle,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    /// Bytes in that queue.
    queued: Arc<AtomicUsize>,
    batches: Arc<Semaphore>,
    /// Room in the queue for the batch that was just read.
    permit: Option<OwnedSemaphorePermit>,
}

impl Driver {
    /// Runs until the session or the link ends; says why.
    async fn drive(&mut self, mut frames: mpsc::Receiver<Vec<u8>>) -> Result<(), String> {
        let mut state = self.engine.watch();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut read: Option<JoinHandle<ReadDone>> = self.perform(Input::Start).await?;
        loop {
            let input = tokio::select! {
                frame = frames.recv() => Input::Frame(frame.ok_or("the link ended")?),
                changed = state.changed() => {
                    changed.map_err(|_| "the node is stopping")?;
                    Input::Changed
                }
                _ = tick.tick() => Input::Tick,
                done = wait_for(&mut read), if read.is_some() => {
                    read = None;
                    let done = done.map_err(|error| error.to_string())?;
                    self.permit = done.permit;
                    let range = done.range.map_err(|error| error.to_string())?;
                    Input::Read { group: done.group, writer: done.writer, range }
                }
            };
            if let Some(next) = self.perform(input).await? {
                read = Some(next);
            }
        }
    }

    /// Gives the session an input and fulfils its wishes, in order.
    async fn perform(&mut self, input: Input) -> Result<Option<JoinHandle<ReadDone>>, String> {
        let mut read = None;
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let state = self.engine.state();
            for wish in self
                .session
                .handle(input, &state.replica, self.engine.elapsed_ms())
            {
                match wish {
                    Wish::Send(frame) => {
                        self.send(frame)?;
                    }
                    Wish::Read {
                        group,
                        writer,
                        from,
                    } => {
                        read = Some(self.read(group, writer, from));
                    }
                    Wish::Submit(incoming) => {
                        let from = self.engine.state().replica.agency_of(&self.node);
                        let from = from.ok_or("the peer lost its place")?;
                        let taken = self
                            .engine
                            .submit(move |step| Ok(step.take_incoming(&from, incoming)?))
                            .await;
                        let (stored, refused) = taken.map_err(|error| error.to_string())?;
                        inputs.push(Input::Submitted { stored, refused });
                    }
                    Wish::Compare {
                        group,
                        writer,
                        points,
                    } => {
                        let (engine, state) = (self.engine.clone(), state.clone());
                        let compared = tokio::task::spawn_blocking(move || {
                            let reading = engine.read()?;
                            let about = (group, writer);
                            Ok::<_, EngineError>(compared(&state, &reading, about, &points)?)
                        });
                        let message = compared.await.map_err(|error| error.to_string())?;
                        let message = message.map_err(|error| error.to_string())?;
                        inputs.push(Input::Answer {
                            group,
                            messages: message.into_iter().collect(),
                        });
                    }
                    Wish::Serve { group, entries } => {
                        let (engine, state) = (self.engine.clone(), state.clone());
                        let serving = tokio::task::spawn_blocking(move || {
                            let reading = engine.read()?;
                            Ok::<_, EngineError>(served(&state, &reading, group, &entries)?)
                        });
                        let messages = serving.await.map_err(|error| error.to_string())?;
                        let messages = messages.map_err(|error| error.to_string())?;
                        inputs.push(Input::Answer { group, messages });
                    }
                    Wish::Close(reason) => return Err(reason.to_string()),
                }
            }
        }
        self.publish();
        Ok(read)
    }

    fn send(&mut self, frame: Vec<u8>) -> Result<(), String> {
        let queued = self.queued.fetch_add(frame.len(), Ordering::Relaxed);
        if queued > QUEUED_BYTES {
            return Err("the peer asks and does not read the answers".to_owned());
        }
        let permit = self.permit.take();
        self.outgoing
            .send((frame, permit))
            .map_err(|_| "the link ended".to_owned())
    }

    /// Reads a range as soon as there is room for it in the outgoing queue.
    fn read(&self, group: GroupId, writer: Writer, from: u64) -> JoinHandle<ReadDone> {
        let (engine, batches) = (self.engine.clone(), self.batches.clone());
        tokio::spawn(async move {
            let permit = batches.acquire_owned().await.ok();
            let state = engine.state();
            let log = state.logs.get(&(group, writer)).copied();
            let found = state.replica.group(&group);
            let end = found.and_then(|found| state.replica.end_of_log(found, &writer));
            let last_valid = end.map(|end| end.last.seq);
            let reading = tokio::task::spawn_blocking(move || -> Result<_, EngineError> {
                let Some(log) = log else { return Ok(None) };
                Ok(engine
                    .read()?
                    .range(log, from, limits::BATCH_TARGET_BYTES, last_valid)?)
            });
            let range = reading
                .await
                .unwrap_or_else(|error| Err(StoreError::Io(error.to_string()).into()));
            ReadDone {
                group,
                writer,
                range,
                permit,
            }
        })
    }

    fn publish(&self) {
        let state = self.engine.state();
        let stats = self.session.stats().clone();
        let progress = self.session.progress(&state.replica);
        let equal = self.session.is_equal(&state.replica);
        let bytes = (self.handle.bytes_read(), self.handle.bytes_written());
        self.peers.update(self.node, |view| {
            view.stats = stats;
            view.progress = progress;
            view.equal = equal;
            view.bytes = bytes;
        });
    }
}

async fn wait_for(
    read: &mut Option<JoinHandle<ReadDone>>,
) -> Result<ReadDone, tokio::task::JoinError> {
    match read {
        Some(read) => read.await,
        None => std::future::pending().await,
    }
}
