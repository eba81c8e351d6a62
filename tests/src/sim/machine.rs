//! Time and entropy of a simulated node: one time for the whole federation, a clock a node that may
//! be wrong by years, and bytes from the seed.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use diwan_api::error::ApiError;
use diwan_node::engine::Machine;

use crate::kit::Random;

/// When every simulation begins by a clock that is right: 2026-01-01, ms since 1970.
pub const EPOCH_MS: u64 = 1_767_225_600_000;

/// The time that passes in the simulation, ms.
#[derive(Clone, Debug, Default)]
pub struct Time(Arc<AtomicU64>);

impl Time {
    /// Milliseconds since the simulation began.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Moves on; never back.
    pub fn advance_to(&self, ms: u64) {
        self.0.fetch_max(ms, Ordering::Relaxed);
    }
}

/// The machine below one node.
#[derive(Debug)]
pub struct SimMachine {
    time: Time,
    skew_ms: AtomicI64,
    entropy: Mutex<Random>,
}

impl SimMachine {
    /// A machine whose clock is right.
    #[must_use]
    pub fn new(time: Time, entropy: Random) -> Self {
        Self {
            time,
            skew_ms: AtomicI64::new(0),
            entropy: Mutex::new(entropy),
        }
    }

    /// Sets how far its clock is ahead.
    pub fn set_skew(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::Relaxed);
    }
}

impl Machine for SimMachine {
    fn now_ms(&self) -> u64 {
        let right = EPOCH_MS.saturating_add(self.time.now_ms());
        right.saturating_add_signed(self.skew_ms.load(Ordering::Relaxed))
    }

    fn elapsed_ms(&self) -> u64 {
        self.time.now_ms()
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), ApiError> {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        entropy.fill(bytes);
        Ok(())
    }
}
