//! One session with a peer: the sync machine of the core, its link, and what it wishes done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diwan_core::id::{AgencyId, GroupId, NodeKey, Writer};
use diwan_core::limits;
use diwan_core::log::Range;
use diwan_core::sync::{Input, Session, Wish};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::allowance::Turn;
use super::cost::Cost;
use super::peers::{FLOODS, Peers};
use super::{Engine, EngineError, Taken, compared, served};
use crate::limits::{
    BATCHES_AHEAD, FRAMES_AHEAD, QUEUED_BYTES, QUEUED_BYTES_IN_ALL, QUEUED_BYTES_SHARE,
};
use crate::net::{Link, LinkHandle, LinkReader, LinkWriter};
use crate::store::StoreError;

/// How often a session is told that time passed.
const TICK: Duration = Duration::from_millis(250);

/// One session, from the link's first byte to its last.
pub(super) async fn run(peers: Peers, engine: Engine, node: NodeKey, agency: AgencyId, link: Link) {
    let handle = link.handle();
    let (reader, writer) = link.split();
    let (arrived, frames) = mpsc::channel(FRAMES_AHEAD);
    let (outgoing, queue) = mpsc::unbounded_channel();
    let reading = tokio::spawn(read_frames(reader, arrived));
    let queued = Arc::new(AtomicUsize::new(0));
    let all_queued = peers.queued.clone();
    let counts = [queued.clone(), all_queued.clone()];
    let writing = tokio::spawn(write_frames(writer, queue, counts));
    let mut driver = Driver {
        session: Session::new(node, agency, engine.elapsed_ms()),
        engine,
        peers,
        node,
        agency,
        handle: handle.clone(),
        outgoing,
        queued,
        batches: Arc::new(Semaphore::new(BATCHES_AHEAD)),
        permit: None,
    };
    match driver.drive(frames).await {
        Err(end) if end == FLOODS => {
            tracing::warn!(peer = %node.short(), agency = %agency, reason = FLOODS, "peer sent away");
        }
        Err(end) => tracing::info!(peer = %node.short(), reason = %end, "session ended"),
        Ok(()) => {}
    }
    handle.close();
    reading.abort();
    let waiting = driver.queued.clone();
    drop(driver);
    let _ = writing.await;
    // What was not written is not waiting any more.
    all_queued.fetch_sub(waiting.load(Ordering::Relaxed), Ordering::Relaxed);
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
    counts: [Arc<AtomicUsize>; 2],
) {
    while let Some((frame, _permit)) = queue.recv().await {
        if writer.write_frame(&frame).await.is_err() {
            return;
        }
        for count in &counts {
            count.fetch_sub(frame.len(), Ordering::Relaxed);
        }
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
    agency: AgencyId,
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
        let mut held_since_ms = None;
        loop {
            let may_take = self.may_take(frames.len(), &mut held_since_ms)?;
            let input = tokio::select! {
                frame = frames.recv(), if may_take => Input::Frame(frame.ok_or("the link ended")?),
                changed = state.changed() => {
                    changed.map_err(|_| "the node is stopping")?;
                    Input::Changed
                }
                _ = tick.tick() => match may_take || frames.is_empty() {
                    true => Input::Tick,
                    false => Input::Held,
                },
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

    /// Whether the next frame may be taken now. Asked again at the next tick at the latest.
    fn may_take(&self, waiting: usize, held_since_ms: &mut Option<u64>) -> Result<bool, String> {
        if self.engine.state().due.contains_key(&self.agency) {
            *held_since_ms = None;
            return Ok(false);
        }
        let now_ms = self.engine.elapsed_ms();
        let since = held_since_ms.filter(|_| waiting > 0);
        let waited_ms = since.map_or(0, |since| now_ms.saturating_sub(since));
        let mut allowance = self.peers.allowance();
        match allowance.turn(&self.agency, waited_ms, now_ms) {
            Turn::Now => {
                *held_since_ms = None;
                Ok(true)
            }
            Turn::Later => {
                if held_since_ms.replace(now_ms).is_none() {
                    tracing::debug!(peer = %self.node.short(), "throttled");
                }
                Ok(false)
            }
            Turn::Never => Err(FLOODS.to_owned()),
        }
    }

    /// Gives the session an input and fulfils its wishes, in order. What a frame cost in vain is
    /// counted.
    async fn perform(&mut self, input: Input) -> Result<Option<JoinHandle<ReadDone>>, String> {
        let is_frame = matches!(input, Input::Frame(_));
        let mut cost = Cost::default();
        let done = self.fulfil(input, &mut cost).await;
        if is_frame {
            let now_ms = self.engine.elapsed_ms();
            let mut allowance = self.peers.allowance();
            for (agency, spent) in cost.in_vain(self.agency) {
                allowance.charge(&agency, spent, now_ms);
            }
        }
        done
    }

    async fn fulfil(
        &mut self,
        input: Input,
        cost: &mut Cost,
    ) -> Result<Option<JoinHandle<ReadDone>>, String> {
        let mut read = None;
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let state = self.engine.state();
            let began = Instant::now();
            let wishes = self
                .session
                .handle(input, &state.replica, self.engine.elapsed_ms());
            cost.questions += began.elapsed();
            for wish in wishes {
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
                            .submit(move |step| {
                                let began = Instant::now();
                                let taken = step.take_incoming(&from, incoming)?;
                                Ok((taken, began.elapsed()))
                            })
                            .await;
                        let (taken, spent) = taken.map_err(|error| error.to_string())?;
                        cost.add(&taken, spent);
                        let Taken {
                            stored, refused, ..
                        } = taken;
                        inputs.push(Input::Submitted { stored, refused });
                    }
                    Wish::Compare {
                        group,
                        writer,
                        points,
                    } => {
                        let (engine, state) = (self.engine.clone(), state.clone());
                        let began = Instant::now();
                        let compared = tokio::task::spawn_blocking(move || {
                            let reading = engine.read()?;
                            let about = (group, writer);
                            Ok::<_, EngineError>(compared(&state, &reading, about, &points)?)
                        });
                        let message = compared.await.map_err(|error| error.to_string())?;
                        let message = message.map_err(|error| error.to_string())?;
                        cost.questions += began.elapsed();
                        inputs.push(Input::Answer {
                            group,
                            messages: message.into_iter().collect(),
                        });
                    }
                    Wish::Serve { group, entries } => {
                        let (engine, state) = (self.engine.clone(), state.clone());
                        let began = Instant::now();
                        let serving = tokio::task::spawn_blocking(move || {
                            let reading = engine.read()?;
                            Ok::<_, EngineError>(served(&state, &reading, group, &entries)?)
                        });
                        let messages = serving.await.map_err(|error| error.to_string())?;
                        let messages = messages.map_err(|error| error.to_string())?;
                        cost.questions += began.elapsed();
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
        let all = self.peers.queued.fetch_add(frame.len(), Ordering::Relaxed);
        let too_much = all > QUEUED_BYTES_IN_ALL && queued > QUEUED_BYTES_SHARE;
        if queued > QUEUED_BYTES || too_much {
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
