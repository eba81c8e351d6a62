//! The simulation in CI: some seeds of every kind, the promise that a seed repeats itself, and what
//! is known to break, so that mending it shows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a step that fails is a failed test"
)]

mod sim {
    mod judges;
    mod known;
    mod seeds;
}
