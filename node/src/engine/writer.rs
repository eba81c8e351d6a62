//! The writer's thread: jobs that wait together become one durable commit.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::step::Step;
use super::{Answer, Job, Order, OwnKeys, State};
use crate::store::{Store, StoreError};

/// Jobs in one commit: beyond this, those that were first wait too long for the last.
const JOBS_PER_COMMIT: usize = 64;

pub(super) struct WriterThread {
    pub(super) store: Store,
    pub(super) keys: OwnKeys,
    pub(super) publish: watch::Sender<Arc<State>>,
}

impl WriterThread {
    /// Runs until it is told to stop or every handle is gone, then notes that the store was closed
    /// in order.
    pub(super) fn run(self, mut queue: mpsc::Receiver<Order>) {
        let mut stopping = false;
        while !stopping && let Some(first) = queue.blocking_recv() {
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
                self.commit(jobs);
            }
        }
        if let Err(error) = self.store.mark_clean(true) {
            tracing::error!(%error, "the store could not be marked as closed");
        }
    }

    fn commit(&self, jobs: Vec<Job>) {
        let mut staged = State::clone(&self.publish.borrow());
        let outcome = self.store.write(|tables| {
            let mut step = Step::new(tables, &mut staged, &self.keys);
            let answers = jobs
                .into_iter()
                .map(|job| job(&mut step))
                .collect::<Result<Vec<Answer>, _>>()?;
            step.finish()?;
            Ok::<_, StoreError>(answers)
        });
        match outcome {
            Ok(answers) => {
                self.publish.send_replace(Arc::new(staged));
                for answer in answers {
                    answer(Ok(()));
                }
            }
            Err(error) => tracing::error!(%error, "a commit failed; nothing of it is stored"),
        }
    }
}
