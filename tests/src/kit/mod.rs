//! Builders for whole-program tests: the two programs as they are built, nodes as real processes,
//! the command line that officers type, and a peer that speaks the protocol and means harm.
//!
//! A step of the kit that fails is a failed test: it panics, with the caller's place and with the
//! logs of every node of that test. Nothing here waits by sleeping: nodes say on a socket that they
//! are ready, as they do to systemd, and `diwan sync --wait` answers when peers are equal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "the kit is test code: a step that fails is a failed test"
)]

mod cli;
mod data;
pub mod hostile;
mod node;
mod programs;
mod random;
mod sharing;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use cli::{Output, cli, node_program};
pub use data::{copy_tree, shared_data, validator};
pub use hostile::{HostilePeer, Overheard};
pub use node::{Ended, Listen, TestNode};
pub use programs::{Program, Programs, programs};
pub use random::Random;
pub use sharing::{converged, share, trust};

/// One heavy test at a time: the others would only make each other slow on two cores.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    static HEAVY: Mutex<()> = Mutex::new(());
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}
