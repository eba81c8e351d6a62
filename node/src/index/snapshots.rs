//! States of the index that somebody pages through: the second page comes from what the first one saw, though
//! records came, went and were written anew in between.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tantivy::Searcher;

use super::expand::Expansions;

/// States that are kept at most; each holds files that the index has left behind.
const KEPT: usize = 8;
/// How long one is kept behind its last page.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// What decides the order of the hits of one query.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) searcher: Searcher,
    pub(super) expansions: Option<Arc<Expansions>>,
    pub(super) now_ms: u64,
}

impl Snapshot {
    fn is_same(&self, other: &Self) -> bool {
        let same_words = match (&self.expansions, &other.expansions) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let generation = |of: &Self| of.searcher.generation().generation_id();
        same_words && self.now_ms == other.now_ms && generation(self) == generation(other)
    }
}

/// The states that are kept, by number.
#[derive(Default)]
pub(super) struct Snapshots(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last: u64,
    states: VecDeque<(u64, Instant, Snapshot)>,
}

impl Snapshots {
    /// Keeps a state, or keeps it for longer. Its number.
    pub(super) fn keep(&self, snapshot: Snapshot) -> u64 {
        let now = Instant::now();
        let mut kept = self.fresh(now);
        let known = kept.states.iter_mut();
        for (number, since, known) in known {
            if known.is_same(&snapshot) {
                *since = now;
                return *number;
            }
        }
        kept.last += 1;
        let number = kept.last;
        kept.states.push_back((number, now, snapshot));
        if kept.states.len() > KEPT {
            kept.states.pop_front();
        }
        number
    }

    /// A state that is still kept.
    pub(super) fn find(&self, number: u64) -> Option<Snapshot> {
        let kept = self.fresh(Instant::now());
        let mut states = kept.states.iter();
        states.find_map(|(of, _, snapshot)| (*of == number).then(|| snapshot.clone()))
    }

    /// Lets those go that nobody asked for long enough.
    pub(super) fn expire(&self) {
        drop(self.fresh(Instant::now()));
    }

    fn fresh(&self, now: Instant) -> MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |since: &Instant| now.duration_since(*since) < KEPT_FOR;
        kept.states.retain(|(_, since, _)| is_fresh(since));
        kept
    }
}
