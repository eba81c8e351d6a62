//! What the engine takes from the machine below it: the time and entropy. Both are inputs, so that
//! a simulation runs the same engine from a seed.

use std::sync::OnceLock;
use std::time::Instant;

use diwan_api::error::{ApiError, ErrorCode};

use crate::keystore;

/// The time and entropy of a node.
pub trait Machine: Send + Sync {
    /// Milliseconds since 1970: for display and for the local list only, never for validity.
    fn now_ms(&self) -> u64;

    /// Milliseconds since some moment, never less than before: for measuring pauses, whatever an
    /// admin does to the clock.
    fn elapsed_ms(&self) -> u64;

    /// Fills with bytes that nobody can guess.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] where the machine has none.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), ApiError>;
}

/// The machine that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    fn elapsed_ms(&self) -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        let since = START.get_or_init(Instant::now).elapsed();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), ApiError> {
        keystore::fill_random(bytes)
            .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))
    }
}
