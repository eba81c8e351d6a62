//! The simulation: federations of 3 to 12 real nodes on a simulated network, clock, disk and
//! randomness, all from one seed.
//!
//! The engine's writing side, the store and the sync sessions are the real code; what replaces
//! tokio, libp2p and the machine is here. The same seed gives the same run, event for event. Faults
//! and nodes that were broken into make trouble, then everything is mended, and when the
//! federation has come to rest independent judges compare what is there with what must be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the simulation is test code: a step of its own that fails is a failed test"
)]

pub mod byzantine;
pub mod disk;
mod driver;
pub mod faults;
pub mod judges;
pub mod machine;
pub mod model;
pub mod network;
pub mod node;
pub mod plan;
pub mod report;
pub mod task;
pub mod trace;
pub mod workload;
pub mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use plan::Plan;
pub use report::{Outcome, Report, Violation};
use world::World;

/// Runs one seed to its end.
#[must_use]
pub fn run(plan: &Plan, trace: bool) -> Outcome {
    let seed = plan.seed;
    let whole = catch_unwind(AssertUnwindSafe(|| run_world(plan, trace)));
    let failed = |law, detail: String| Outcome {
        violations: vec![Violation { seed, law, detail }],
        ..Outcome::default()
    };
    match whole {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(detail)) => failed("start", detail),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            failed("panic", text.unwrap_or_else(|| "no words".to_owned()))
        }
    }
}

fn run_world(plan: &Plan, trace: bool) -> Result<Outcome, String> {
    let mut world = World::found(plan.clone(), plan.seed, trace)?;
    world.run_until(1_000);
    world.found_groups();
    for _ in 0..plan.rounds {
        world.plan_round();
        let end = world.time.now_ms() + plan.trouble_ms;
        world.run_until(end);
        world.rest_and_judge();
    }
    Ok(Outcome {
        ops: world.officers.done,
        violations: world.violations,
        faults: world.faults,
        byzantine: world.mischief,
        restarted: world.judges.restarts_after_disk_errors,
        trace: world.trace.into_text(),
    })
}
