//! Ranges that a session sends: read from the store apart from the session's own thread, and one
//! ahead, so that one is read while the one before it is compressed and written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diwan_core::id::{GroupId, Writer};
use diwan_core::limits;
use diwan_core::log::Range;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinHandle};

use crate::engine::{Engine, EngineError};
use crate::limits::BATCHES_AHEAD;
use crate::store::StoreError;

/// Payload bytes of a session's first ranges; each further one may have twice as many, up to
/// [`limits::BATCH_TARGET_BYTES`], as long as the line takes them.
const FIRST_BYTES: usize = 32 * 1024;

/// Waiting for room to send beyond which ranges become smaller again.
const SLOW: Duration = Duration::from_secs(1);

/// A range that was read.
pub(super) struct ReadDone {
    pub(super) log: (GroupId, Writer),
    /// None where there is nothing to serve.
    pub(super) range: Result<Option<Range>, EngineError>,
    /// Room for it in the outgoing queue.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    /// How long it waited for that.
    waited: Duration,
}

/// A range that is being read ahead of the session's wish.
struct Ahead {
    log: (GroupId, Writer),
    from: u64,
    /// The store's sequence when it was begun: later a part of it may have been purged or cut off.
    store_seq: u64,
    task: JoinHandle<ReadDone>,
}

/// What a session reads.
pub(super) struct Reads {
    engine: Engine,
    room: Arc<Semaphore>,
    /// Payload bytes of the next range.
    bytes: usize,
    wished: Option<JoinHandle<ReadDone>>,
    ahead: Option<Ahead>,
}

impl Reads {
    pub(super) fn new(engine: Engine) -> Self {
        Self {
            engine,
            room: Arc::new(Semaphore::new(BATCHES_AHEAD)),
            bytes: FIRST_BYTES,
            wished: None,
            ahead: None,
        }
    }

    /// Reads entries of a log from a sequence on, as soon as there is room for them in the outgoing
    /// queue.
    pub(super) fn begin(&mut self, log: (GroupId, Writer), from: u64) {
        let store_seq = self.engine.state().store_seq;
        let fits =
            |ahead: &Ahead| ahead.log == log && ahead.from == from && ahead.store_seq == store_seq;
        let task = match self.ahead.take() {
            Some(ahead) if fits(&ahead) => ahead.task,
            Some(ahead) => {
                ahead.task.abort();
                self.read(log, from)
            }
            None => self.read(log, from),
        };
        self.wished = Some(task);
    }

    /// Waits for what was begun; for ever where nothing was. Begins to read what follows.
    pub(super) async fn done(&mut self) -> Result<ReadDone, JoinError> {
        let done = match &mut self.wished {
            Some(task) => task.await,
            None => std::future::pending().await,
        };
        self.wished = None;
        let done = done?;
        let bytes = match done.waited > SLOW {
            true => self.bytes / 2,
            false => self.bytes * 2,
        };
        self.bytes = bytes.clamp(FIRST_BYTES, limits::BATCH_TARGET_BYTES);
        if let Ok(Some(range)) = &done.range {
            let from = range.first.saturating_add(range.entries.len() as u64);
            self.read_ahead(done.log, from);
        }
        Ok(done)
    }

    fn read_ahead(&mut self, log: (GroupId, Writer), from: u64) {
        let state = self.engine.state();
        let (group, writer) = &log;
        let logs = state.replica.group(group).map(|group| &group.logs);
        let head = logs.and_then(|logs| logs.get(writer));
        if head.is_some_and(|log| log.head.seq >= from) {
            self.ahead = Some(Ahead {
                log,
                from,
                store_seq: state.store_seq,
                task: self.read(log, from),
            });
        }
    }

    fn read(&self, log: (GroupId, Writer), from: u64) -> JoinHandle<ReadDone> {
        let (engine, room, bytes) = (self.engine.clone(), self.room.clone(), self.bytes);
        tokio::spawn(async move {
            let began = Instant::now();
            let permit = room.acquire_owned().await.ok();
            let waited = began.elapsed();
            let state = engine.state();
            let (group, writer) = &log;
            let number = state.logs.get(&log).copied();
            let found = state.replica.group(group);
            let end = found.and_then(|found| state.replica.end_of_log(found, writer));
            let last_valid = end.map(|end| end.last.seq);
            let reading = tokio::task::spawn_blocking(move || -> Result<_, EngineError> {
                let Some(number) = number else {
                    return Ok(None);
                };
                let reading = engine.read()?;
                Ok(reading.range(number, from, bytes, last_valid)?)
            });
            let range = reading
                .await
                .unwrap_or_else(|error| Err(StoreError::Io(error.to_string()).into()));
            ReadDone {
                log,
                range,
                permit,
                waited,
            }
        })
    }
}

impl Drop for Reads {
    fn drop(&mut self) {
        for task in self
            .wished
            .iter()
            .chain(self.ahead.iter().map(|ahead| &ahead.task))
        {
            task.abort();
        }
    }
}
