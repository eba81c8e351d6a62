//! One session with a peer: the sync machine of the core, its link, and what it wishes done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diwan_core::id::{AgencyId, GroupId, NodeKey};
use diwan_core::limits;
use diwan_core::sync::{Incoming, Input, Message, Session, Wish};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::allowance::Turn;
use super::cost::Cost;
use super::peers::{FLOODS, Peers};
use super::reads::Reads;
use super::{Engine, EngineError, Enqueued, State, Step, Taken, compared, served};
use crate::limits::{
    BATCHES_IN_A_ROW, BATCHES_TOGETHER, DUE_RECORDS, FRAMES_AHEAD, QUEUED_BYTES,
    QUEUED_BYTES_IN_ALL, QUEUED_BYTES_SHARE,
};
use crate::net::{Link, LinkHandle, LinkReader, LinkWriter};
use crate::store::{Reading, StoreError};

/// How often a session is told that time passed.
const TICK: Duration = Duration::from_millis(250);

/// Why a session is over.
enum End {
    /// The peer took more than its share.
    Flood,
    /// Anything else, in words.
    Said(String),
}

impl<T: ToString> From<T> for End {
    fn from(reason: T) -> Self {
        End::Said(reason.to_string())
    }
}

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
        reads: Reads::new(engine.clone()),
        engine,
        peers,
        node,
        agency,
        handle: handle.clone(),
        frames,
        next_frame: None,
        outgoing,
        queued,
        permit: None,
    };
    match driver.drive().await {
        Err(End::Flood) => {
            tracing::warn!(peer = %node.short(), agency = %agency, reason = FLOODS, "peer sent away");
        }
        Err(End::Said(reason)) => tracing::info!(peer = %node.short(), reason, "session ended"),
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

/// What a peer brought, on its way to the writer and back: what became of it, and how long that took.
type Submission = Enqueued<(Taken, Duration)>;

/// What was given to the writer and is not stored yet, oldest first.
struct AtWriter<T>(VecDeque<T>);

impl<T> Default for AtWriter<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> AtWriter<T> {
    /// One more; the oldest where the writer has [`BATCHES_TOGETHER`]: it is to be waited for.
    fn add(&mut self, submitted: T) -> Option<T> {
        self.0.push_back(submitted);
        match self.0.len() >= BATCHES_TOGETHER {
            true => self.0.pop_front(),
            false => None,
        }
    }
}

struct Driver {
    session: Session,
    engine: Engine,
    peers: Peers,
    node: NodeKey,
    agency: AgencyId,
    handle: LinkHandle,
    frames: mpsc::Receiver<Vec<u8>>,
    /// A frame that was looked at and left for later.
    next_frame: Option<Vec<u8>>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    /// Bytes in that queue.
    queued: Arc<AtomicUsize>,
    reads: Reads,
    /// Room in the queue for the batch that was just read.
    permit: Option<OwnedSemaphorePermit>,
}

impl Driver {
    /// Runs until the session or the link ends; says why.
    async fn drive(&mut self) -> Result<(), End> {
        let mut state = self.engine.watch();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.perform(Input::Start).await?;
        let mut held_since_ms = None;
        loop {
            let waiting = self.frames.len() + usize::from(self.next_frame.is_some());
            let may_take = self.may_take(waiting, &mut held_since_ms)?;
            let input = tokio::select! {
                frame = next_of(&mut self.next_frame, &mut self.frames), if may_take => {
                    Input::Frame(frame.ok_or("the link ended")?)
                }
                changed = state.changed() => {
                    changed.map_err(|_| "the node is stopping")?;
                    Input::Changed
                }
                _ = tick.tick() => match may_take || waiting == 0 {
                    true => Input::Tick,
                    false => Input::Held,
                },
                done = self.reads.done() => {
                    let done = done?;
                    self.permit = done.permit;
                    let (group, writer) = done.log;
                    Input::Read { group, writer, range: done.range? }
                }
            };
            match input {
                Input::Frame(frame) if Message::brings_entries(&frame) => {
                    self.take_entries(frame, &mut held_since_ms).await?;
                }
                Input::Frame(frame) => {
                    let mut cost = Cost::default();
                    let done = self.fulfil(Input::Frame(frame), &mut cost, None).await;
                    self.charge(cost);
                    done?;
                }
                input => self.perform(input).await?,
            }
        }
    }

    /// Takes a frame of entries, and those that have arrived behind it, as long as the agency has its
    /// turn, and [`BATCHES_IN_A_ROW`] at most. Of these [`BATCHES_TOGETHER`] are at the writer at once:
    /// while it stores some the next are read, and what waits for it together is durable with one commit.
    async fn take_entries(
        &mut self,
        first: Vec<u8>,
        held_since_ms: &mut Option<u64>,
    ) -> Result<(), End> {
        let mut submitted = AtWriter::default();
        let mut next = Some(first);
        for _ in 0..BATCHES_IN_A_ROW {
            let Some(frame) = next.take() else { break };
            let mut cost = Cost::default();
            let mut own = None;
            let done = self
                .fulfil(Input::Frame(frame), &mut cost, Some(&mut own))
                .await;
            let awaited = match own {
                Some(enqueued) => submitted.add((enqueued, cost)),
                None => {
                    self.charge(cost);
                    None
                }
            };
            done?;
            if let Some(oldest) = awaited {
                self.stored(oldest).await?;
            }
            let arrived = self.next_frame.take();
            self.next_frame = arrived.or_else(|| self.frames.try_recv().ok());
            let brings_entries = |frame: &Vec<u8>| Message::brings_entries(frame);
            if self.next_frame.as_ref().is_some_and(brings_entries)
                && self.may_take(1, held_since_ms)?
            {
                next = self.next_frame.take();
            }
        }
        // What was taken out and is not its turn yet.
        self.next_frame = next.or(self.next_frame.take());
        for left in submitted.0 {
            self.stored(left).await?;
        }
        Ok(())
    }

    /// Waits until the writer has stored what it was given, and tells the session.
    async fn stored(&mut self, (enqueued, mut cost): (Submission, Cost)) -> Result<(), End> {
        let done = match enqueued.answer().await {
            Ok(answer) => {
                let input = taken(answer, &mut cost);
                self.fulfil(input, &mut cost, None).await
            }
            Err(error) => Err(error.into()),
        };
        self.charge(cost);
        done
    }

    /// Whether the next frame may be taken now. Asked again at the next tick at the latest.
    fn may_take(&self, waiting: usize, held_since_ms: &mut Option<u64>) -> Result<bool, End> {
        let state = self.engine.state();
        if state
            .due
            .get(&self.agency)
            .is_some_and(|due| *due > DUE_RECORDS)
        {
            *held_since_ms = None;
            return Ok(false);
        }
        let now_ms = self.engine.elapsed_ms();
        let since = held_since_ms.filter(|_| waiting > 0);
        let waited_ms = since.map_or(0, |since| now_ms.saturating_sub(since));
        let mut allowance = self.peers.allowance();
        if let Some(spent) = state.in_vain.get(&self.agency) {
            allowance.charge_judging(&self.agency, *spent, now_ms);
        }
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
            Turn::Never => Err(End::Flood),
        }
    }

    /// Gives the session an input that no peer sent, and fulfils its wishes, in order.
    async fn perform(&mut self, input: Input) -> Result<(), End> {
        self.fulfil(input, &mut Cost::default(), None).await
    }

    /// Counts what a frame cost in vain.
    fn charge(&self, cost: Cost) {
        let now_ms = self.engine.elapsed_ms();
        let mut allowance = self.peers.allowance();
        for (agency, spent) in cost.in_vain(self.agency) {
            allowance.charge(&agency, spent, now_ms);
        }
    }

    /// Gives the session an input and fulfils its wishes, in order. Where there is a place for it,
    /// what is submitted first is left there, and not waited for.
    async fn fulfil(
        &mut self,
        input: Input,
        cost: &mut Cost,
        mut unawaited: Option<&mut Option<Submission>>,
    ) -> Result<(), End> {
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
                        self.reads.begin((group, writer), from);
                    }
                    Wish::Submit(incoming) => {
                        let enqueued = self.submit(incoming).await?;
                        match unawaited.take() {
                            Some(place) => *place = Some(enqueued),
                            None => inputs.push(taken(enqueued.answer().await?, cost)),
                        }
                    }
                    Wish::Compare {
                        group,
                        writer,
                        points,
                    } => {
                        let about = (group, writer);
                        let read = move |state: &State, reading: &Reading| {
                            let message = compared(state, reading, about, &points)?;
                            Ok(message.into_iter().collect())
                        };
                        inputs.push(self.answer((group, &state), cost, read).await?);
                    }
                    Wish::Serve { group, entries } => {
                        let read = move |state: &State, reading: &Reading| {
                            served(state, reading, group, &entries)
                        };
                        inputs.push(self.answer((group, &state), cost, read).await?);
                    }
                    Wish::Close(reason) => return Err(reason.into()),
                }
            }
        }
        self.publish();
        Ok(())
    }

    /// Has what the peer brought verified and stored.
    async fn submit(&self, incoming: Incoming) -> Result<Submission, End> {
        let from = self.engine.state().replica.agency_of(&self.node);
        let from = from.ok_or("the peer lost its place")?;
        let job = move |step: &mut Step<'_, '_>| {
            let began = Instant::now();
            let taken = step.take_incoming(&from, incoming)?;
            Ok((taken, began.elapsed()))
        };
        Ok(self.engine.enqueue(job).await?)
    }

    /// Reads from the store, apart from the session's own thread, what the peer asks for.
    async fn answer(
        &self,
        (group, state): (GroupId, &Arc<State>),
        cost: &mut Cost,
        read: impl FnOnce(&State, &Reading) -> Result<Vec<Message>, StoreError> + Send + 'static,
    ) -> Result<Input, End> {
        let (engine, state) = (self.engine.clone(), state.clone());
        let began = Instant::now();
        let reading = tokio::task::spawn_blocking(move || {
            Ok::<_, EngineError>(read(&state, &engine.read()?)?)
        });
        let messages = reading.await??;
        cost.questions += began.elapsed();
        Ok(Input::Answer { group, messages })
    }

    fn send(&mut self, frame: Vec<u8>) -> Result<(), End> {
        let queued = self.queued.fetch_add(frame.len(), Ordering::Relaxed);
        let all = self.peers.queued.fetch_add(frame.len(), Ordering::Relaxed);
        let too_much = all > QUEUED_BYTES_IN_ALL && queued > QUEUED_BYTES_SHARE;
        if queued > QUEUED_BYTES || too_much {
            return Err("the peer asks and does not read the answers".into());
        }
        let permit = self.permit.take();
        self.outgoing
            .send((frame, permit))
            .map_err(|_| "the link ended".into())
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

/// What became of what was submitted, as the session is told.
fn taken((taken, spent): (Taken, Duration), cost: &mut Cost) -> Input {
    cost.add(&taken, spent);
    let Taken {
        stored, refused, ..
    } = taken;
    Input::Submitted { stored, refused }
}

/// The frame that was left for later, or the next one.
async fn next_of(
    left: &mut Option<Vec<u8>>,
    frames: &mut mpsc::Receiver<Vec<u8>>,
) -> Option<Vec<u8>> {
    match left.take() {
        Some(frame) => Some(frame),
        None => frames.recv().await,
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_frames_are_at_the_writer_before_the_first_is_waited_for() {
        let mut submitted = AtWriter::default();
        let awaited = (1..=6).map(|frame| submitted.add(frame));
        let awaited: Vec<_> = awaited.collect();
        assert_eq!(awaited, [None, None, None, Some(1), Some(2), Some(3)]);
        assert_eq!(submitted.0, [4, 5, 6]);
    }
}
