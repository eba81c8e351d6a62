//! The writing side of the store: jobs that wait together become one durable commit, and only then
//! is the new state shown.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::machine::Machine;
use super::step::Step;
use super::{Answer, EngineError, Job, Order, OwnKeys, State};
use crate::limits::{JUDGED_BESIDE, JUDGED_PER_COMMIT};
use crate::store::{Store, StoreError};

/// Jobs in one commit: beyond this, those that were first wait too long for the last.
const JOBS_PER_COMMIT: usize = 64;

/// The one owner of the writing side: a store, what signs, and the state of its last commit. It has
/// no thread of its own; [`super::Engine`] gives it one, and a simulation drives it step by step.
pub struct Committer {
    store: Store,
    keys: OwnKeys,
    machine: Arc<dyn Machine>,
    state: Arc<State>,
}

impl Committer {
    /// Takes over an open store whose state was read back.
    #[must_use]
    pub fn new(store: Store, state: State, keys: OwnKeys, machine: Arc<dyn Machine>) -> Self {
        Self {
            store,
            keys,
            machine,
            state: Arc::new(state),
        }
    }

    /// The state of the last commit.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The store, for reading.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The time and entropy that it uses.
    #[must_use]
    pub fn machine(&self) -> &Arc<dyn Machine> {
        &self.machine
    }

    /// Runs one job in a commit of its own.
    ///
    /// # Errors
    /// What the job refused, or why the commit failed: then nothing of it is stored.
    pub fn run<T>(
        &mut self,
        job: impl FnOnce(&mut Step<'_, '_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut refused = None;
        let done = self.commit(Judging::upto(JUDGED_PER_COMMIT), |step| match job(step) {
            Err(EngineError::Store(error)) => Err(error),
            Err(error) => {
                refused = Some(error);
                Ok(None)
            }
            Ok(done) => Ok(Some(done)),
        })?;
        done.ok_or_else(|| refused.unwrap_or(EngineError::Stopped))
    }

    /// Where the gate's rules are others than those that the store was judged by, calls every record
    /// up to be judged again; that is done between the commits that follow.
    ///
    /// # Errors
    /// [`StoreError`]: nothing has changed.
    pub fn keep_up_with_gate(&mut self) -> Result<u64, StoreError> {
        self.commit(Judging::upto(JUDGED_BESIDE), |step| {
            step.call_up_for_new_gate()
        })
    }

    /// Where the store was written by a version that did not remember what records link to, remembers it.
    /// Returns how many records it looked at.
    ///
    /// # Errors
    /// [`StoreError`]: nothing has changed.
    pub fn keep_up_with_links(&mut self) -> Result<u64, StoreError> {
        self.commit(Judging::upto(JUDGED_BESIDE), |step| {
            step.remember_all_links()
        })
    }

    /// Tells the store in which file it lies, as [`crate::store::place_of`] names it. True where the
    /// store was copied there, and goes on under a new incarnation.
    ///
    /// # Errors
    /// [`StoreError`]: nothing has changed.
    pub fn settle_in(&mut self, place: u64) -> Result<bool, StoreError> {
        self.commit(Judging::upto(JUDGED_BESIDE), |step| step.settle_in(place))
    }

    /// Notes that the store is closed in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn close(&self) -> Result<(), StoreError> {
        self.store.mark_clean(true)
    }

    /// Runs jobs in one commit, and judges what waits to be judged.
    pub(super) fn commit<T>(
        &mut self,
        judging: Judging<'_>,
        jobs: impl FnOnce(&mut Step<'_, '_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut staged = State::clone(&self.state);
        let done = self.store.write(|tables| {
            let mut step = Step::new(tables, &mut staged, &self.keys, &*self.machine);
            let done = jobs(&mut step)?;
            step.judge_due(judging.time, judging.is_awaited)?;
            step.finish()?;
            Ok::<_, StoreError>(done)
        })?;
        self.state = Arc::new(staged);
        Ok(done)
    }
}

/// How long a commit judges.
#[derive(Clone, Copy)]
pub(super) struct Judging<'a> {
    pub(super) time: Duration,
    /// Whether somebody waits for the writer by now.
    pub(super) is_awaited: &'a dyn Fn() -> bool,
}

impl Judging<'_> {
    fn upto(time: Duration) -> Self {
        Self {
            time,
            is_awaited: &|| false,
        }
    }
}

pub(super) struct WriterThread {
    pub(super) committer: Committer,
    pub(super) publish: watch::Sender<Arc<State>>,
}

impl WriterThread {
    /// Runs until it is told to stop or every handle is gone, then notes that the store was closed
    /// in order.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut stopping = false;
        let mut may_judge = true;
        while !stopping {
            // What was put off is judged while nobody asks for anything.
            let first = match may_judge && !self.committer.state().due.is_empty() {
                true => match queue.try_recv() {
                    Ok(order) => Some(order),
                    Err(mpsc::error::TryRecvError::Empty) => {
                        may_judge = self.commit(Vec::new(), &queue);
                        continue;
                    }
                    Err(mpsc::error::TryRecvError::Disconnected) => None,
                },
                false => queue.blocking_recv(),
            };
            let Some(first) = first else { break };
            let mut jobs = Vec::new();
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Run(job) => jobs.push(job),
                    Order::Stop => stopping = true,
                }
                let full = stopping || jobs.len() >= JOBS_PER_COMMIT;
                next = if full { None } else { queue.try_recv().ok() };
            }
            if !jobs.is_empty() {
                may_judge = self.commit(jobs, &queue);
            }
        }
        if let Err(error) = self.committer.close() {
            tracing::error!(%error, "the store could not be marked as closed");
        }
    }

    /// False where the commit failed: it is not tried again before somebody asks for something.
    fn commit(&mut self, jobs: Vec<Job>, queue: &mpsc::Receiver<Order>) -> bool {
        let judging = match jobs.is_empty() {
            true => Judging {
                time: JUDGED_PER_COMMIT,
                is_awaited: &|| !queue.is_empty(),
            },
            false => Judging::upto(JUDGED_BESIDE),
        };
        let outcome = self.committer.commit(judging, |step| {
            jobs.into_iter()
                .map(|job| job(step))
                .collect::<Result<Vec<Answer>, _>>()
        });
        match outcome {
            Ok(answers) => {
                self.publish.send_replace(self.committer.state().clone());
                for answer in answers {
                    answer(Ok(()));
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, "a commit failed; nothing of it is stored");
                false
            }
        }
    }
}
