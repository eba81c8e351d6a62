//! The engine: the one door through which network and local writes enter, the thread that commits
//! them, the sessions with peers, and what follows a commit.
//!
//! One thread owns the writing side of the store. Jobs that arrive together become one durable
//! commit; only then are they answered, and only then does anybody see the new state.

mod allowance;
mod chains;
mod changes;
mod cost;
mod driver;
mod due;
mod effect;
mod expander;
mod forks;
mod govern;
mod incoming;
mod indexer;
mod machine;
mod officers;
mod peers;
mod published;
mod purge;
mod reads;
mod records;
mod reissue;
mod step;
mod watches;
mod writer;

pub use chains::{MemberChange, Removal};
pub use expander::Expander;
pub use forks::compared;
pub use govern::{MemberOutcome, PendingView};
pub use incoming::Taken;
pub use indexer::{Indexer, document as indexable};
pub use machine::{Machine, ThisMachine};
pub use peers::{PeerView, Peers};
pub use published::was_published;
pub use purge::{PurgePlan, served};
pub(crate) use records::edit_towards;
pub use records::{DraftOutcome, EditDone, RecordDraft};
pub use reissue::Reissued;
pub use step::Step;
pub use watches::unknown_watch;
pub use writer::Committer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::id::{AgencyId, GroupId, Me, Writer};
use diwan_core::replica::Replica;
use diwan_core::wire::Signing;
use tokio::sync::{mpsc, watch};

use crate::store::{OfficerRow, Reading, Store, StoreError};
use crate::vocabulary::Vocabularies;

/// Jobs that wait for the writer; more wait at the door.
const QUEUE: usize = 256;

/// What everybody may see: the state of the last durable commit.
#[derive(Clone)]
pub struct State {
    /// Chains, trust, frontiers, receipts.
    pub replica: Replica,
    /// The small number of each log.
    pub logs: BTreeMap<(GroupId, Writer), u32>,
    /// The officers of this node, by uid.
    pub officers: BTreeMap<u32, OfficerRow>,
    /// Sequence of the newest change of a record.
    pub store_seq: u64,
    /// How many records wait to be judged, by the agency whose message called for it.
    pub due: BTreeMap<AgencyId, u64>,
    /// Work of judging that was in vain since the start, by the agency that caused it.
    pub in_vain: BTreeMap<AgencyId, Duration>,
}

/// Why the engine did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The request is refused.
    #[error(transparent)]
    Refused(#[from] ApiError),
    /// The store failed: nothing of it is stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(error) => error,
            EngineError::Store(error) => {
                ApiError::new(ErrorCode::StoreFailed).with("detail", error)
            }
            EngineError::Stopped => ApiError::new(ErrorCode::Unreachable)
                .with("socket", "")
                .with("detail", error),
        }
    }
}

/// The node's own secrets, as far as the engine needs them.
pub struct OwnKeys {
    /// Signs entries, receipts and group statements.
    pub node: Signing,
    /// Signs the agency chain; none where the root key lives offline.
    pub root: Option<Signing>,
}

/// What the writer's thread is sent.
enum Order {
    Run(Job),
    Stop,
}

type Job = Box<dyn FnOnce(&mut Step<'_, '_>) -> Result<Answer, StoreError> + Send>;
type Answer = Box<dyn FnOnce(Result<(), &StoreError>) + Send>;

/// A handle to the engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    orders: mpsc::Sender<Order>,
    state: watch::Receiver<Arc<State>>,
    store: Store,
    machine: Arc<dyn Machine>,
    me: Me,
    vocabularies: Vocabularies,
}

impl Engine {
    /// Starts a thread for the writing side of a store. The thread is to be
    /// joined after [`Engine::stop`].
    #[must_use]
    pub fn start(committer: Committer) -> (Self, JoinHandle<()>) {
        let me = committer.state().replica.me();
        let (store, machine) = (committer.store().clone(), committer.machine().clone());
        let (orders, queue) = mpsc::channel(QUEUE);
        let (publish, state) = watch::channel(committer.state().clone());
        let writer = writer::WriterThread { committer, publish };
        let thread = std::thread::spawn(move || writer.run(queue));
        (
            Self {
                orders,
                state,
                store,
                machine,
                me,
                vocabularies: Vocabularies::default(),
            },
            thread,
        )
    }

    /// Lets the jobs before this one end, closes the store in order, and ends the writer's thread.
    /// Whoever watches the state learns that it will not change again.
    pub async fn stop(&self) {
        let _ = self.orders.send(Order::Stop).await;
    }

    /// Who this node is.
    #[must_use]
    pub fn me(&self) -> Me {
        self.me
    }

    /// The time and entropy that it uses.
    pub(super) fn machine(&self) -> Arc<dyn Machine> {
        self.machine.clone()
    }

    /// Milliseconds since 1970 by the machine's clock.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.machine.now_ms()
    }

    /// Milliseconds since some moment, whatever is done to the clock.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.machine.elapsed_ms()
    }

    /// The state of the last commit.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.state.borrow().clone()
    }

    /// Tells of every commit.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.state.clone()
    }

    /// A consistent view of the last commit.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub fn read(&self) -> Result<Reading, EngineError> {
        Ok(self.store.read()?)
    }

    /// The vocabularies, which whoever reads brings up to its view.
    #[must_use]
    pub fn vocabularies(&self) -> &Vocabularies {
        &self.vocabularies
    }

    /// Runs a job in the writer's next transaction and answers when it is durable. A job that
    /// refuses must not have written anything.
    ///
    /// # Errors
    /// What the job refused, or why the commit failed.
    pub async fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Step<'_, '_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        self.enqueue(job).await?.answer().await
    }

    /// Puts a job in its place in the queue: jobs run in the order in which they got there.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub(crate) async fn enqueue<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Step<'_, '_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<Enqueued<T>, EngineError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let job: Job = Box::new(move |step| {
            let outcome = match job(step) {
                Err(EngineError::Store(error)) => return Err(error),
                outcome => outcome,
            };
            let answer: Answer = Box::new(move |committed| {
                let outcome = match committed {
                    Ok(()) => outcome,
                    Err(error) => Err(StoreError::Io(error.to_string()).into()),
                };
                let _ = answer.send(outcome);
            });
            Ok(answer)
        });
        self.orders
            .send(Order::Run(job))
            .await
            .map_err(|_| EngineError::Stopped)?;
        Ok(Enqueued(answered))
    }
}

/// A job that waits for its commit.
pub(crate) struct Enqueued<T>(tokio::sync::oneshot::Receiver<Result<T, EngineError>>);

impl<T> Enqueued<T> {
    /// What the job came to, once that is durable.
    ///
    /// # Errors
    /// What the job refused, or why the commit failed.
    pub(crate) async fn answer(self) -> Result<T, EngineError> {
        // A job whose transaction failed is dropped with its sender.
        self.0.await.unwrap_or_else(|_| {
            Err(StoreError::Io("the commit failed; nothing was stored".to_owned()).into())
        })
    }
}

#[cfg(test)]
mod tests;
