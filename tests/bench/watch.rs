//! Watching a node for the moment at which it holds something. Every moment told is that at which
//! the node's answer was read, so it lies behind the true one by at most the interval and an answer.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::poll::Poll;

/// Between questions about a bulk of entries: no more than a few hundredths of a core.
const BULK_EVERY: Duration = Duration::from_millis(5);
/// The same where only a few are to come and the whole takes some tens of milliseconds.
const FEW_EVERY: Duration = Duration::from_millis(1);
/// So many are few.
const FEW: u64 = 100;
/// Between questions about single entries as they arrive.
const LIVE_EVERY: Duration = Duration::from_micros(500);

/// What a watch tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// All entries are durable and in the views.
    Held,
    /// Searches see all of them.
    Searchable,
}

/// A running watch. It ends by itself when it has told everything, and when it is stopped.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
    arrivals: Arc<Mutex<Vec<u64>>>,
}

impl Watch {
    /// Tells when the node holds `target` entries of which `missing` are to come, then when searches
    /// see them.
    pub(crate) fn bulk(
        socket: &Path,
        target: u64,
        missing: u64,
        tell: impl Fn(Seen, u64) + Send + 'static,
    ) -> Result<Self> {
        let every = if missing <= FEW {
            FEW_EVERY
        } else {
            BULK_EVERY
        };
        Self::start(socket, move |poll, stop, _| {
            let mut held = false;
            while !stop.load(Ordering::Relaxed) {
                let status = poll.status()?;
                if !held && status.entries >= target {
                    held = true;
                    tell(Seen::Held, now_ns());
                }
                if held && status.index.lag == 0 {
                    tell(Seen::Searchable, now_ns());
                    return Ok(());
                }
                std::thread::sleep(every);
            }
            Ok(())
        })
    }

    /// Notes when each further entry arrives, until it is stopped.
    pub(crate) fn live(socket: &Path) -> Result<Self> {
        Self::start(socket, |poll, stop, arrivals| {
            let mut held = poll.status()?.entries;
            while !stop.load(Ordering::Relaxed) {
                let status = poll.status()?;
                let now = now_ns();
                let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                while held < status.entries {
                    held += 1;
                    arrivals.push(now);
                }
                drop(arrivals);
                std::thread::sleep(LIVE_EVERY);
            }
            Ok(())
        })
    }

    fn start(
        socket: &Path,
        work: impl FnOnce(&mut Poll, &AtomicBool, &Mutex<Vec<u64>>) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let mut poll = Poll::open(socket)?;
        let stop = Arc::new(AtomicBool::new(false));
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let (told, noted) = (stop.clone(), arrivals.clone());
        let thread = std::thread::spawn(move || work(&mut poll, &told, &noted));
        Ok(Self {
            stop,
            thread,
            arrivals,
        })
    }

    /// When each entry arrived so far, nanoseconds since 1970.
    pub(crate) fn arrivals(&self) -> Vec<u64> {
        let arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.clone()
    }

    /// Ends the watch.
    pub(crate) fn stop(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(anyhow::anyhow!("the watch panicked")))
    }
}

/// Nanoseconds since 1970.
pub(crate) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}
