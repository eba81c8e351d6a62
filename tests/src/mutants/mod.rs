//! The laboratory of hostile changes: honest records, millions of ways to spoil the changes of one
//! of their writers, and the laws that each spoilt one is held to at the real gate.
//!
//! A mutant is made from a seed and its number alone, so a law that broke is replayed by both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code: a step that fails is a failed test, and its numbers are small"
)]

pub mod craft;
mod meter;
mod report;
mod scene;
pub mod spoil;
pub mod stand;
mod structured;
mod trial;

pub use report::{Broken, Report};
pub use scene::{Scene, authored, payload, writer};
pub use stand::Stand;
pub use structured::{kinds, of_kind, structured};

use crate::kit::Random;

/// One hostile change, before its writer signs it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What was done to it.
    pub kind: &'static str,
    /// The payload of its entry.
    pub payload: Vec<u8>,
}

/// Runs so many mutants on these records, the first of number `first`, and judges each.
#[must_use]
pub fn run(
    scenes: &[Scene],
    seed: u64,
    first: u64,
    count: u64,
    mut progress: impl FnMut(u64),
) -> Report {
    meter::watch_panics();
    let mut report = Report::default();
    for number in first..first.saturating_add(count) {
        let mut random = Random::seeded(seed ^ number.wrapping_mul(0xd129_0d3e_94a5_b0c5));
        let scene = Scene::pick(scenes, &mut random);
        let stand = &scene.stands[random.below(scene.stands.len() as u64) as usize];
        let mutant = match random.below(2) {
            0 => spoil::bytes(stand, &mut random),
            _ => structured(stand, &mut random),
        };
        let verdict = trial::judge(scene, stand, &mutant, &mut random);
        report.enter(number, scene.name, &mutant, &verdict);
        progress(number);
    }
    report
}
