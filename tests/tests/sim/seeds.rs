//! Seeds that must hold, and hold again in the same way.

use diwan_tests::sim::{Plan, Report, run};

/// How many seeds the whole suite runs; `sim --seeds N` runs more.
const SEEDS: u64 = 40;

#[test]
fn no_law_is_broken() {
    let mut report = Report::default();
    for seed in 1..=SEEDS {
        report.add(run(&Plan::of(seed, None), false));
    }
    assert!(report.violations.is_empty(), "{}", report.table());
    // Nothing would be broken either where nothing happened.
    assert!(report.ops > 10 * SEEDS, "{}", report.table());
    for kind in [
        "link-cut",
        "partition",
        "one-way-partition",
        "power-loss",
        "disk-full",
    ] {
        assert!(report.faults.contains_key(kind), "{}", report.table());
    }
    assert!(report.byzantine.len() > 15, "{}", report.table());
}

#[test]
fn a_seed_repeats_itself_byte_for_byte() {
    for seed in [3, 7, 12] {
        let plan = Plan::of(seed, None);
        let (first, second) = (run(&plan, true), run(&plan, true));
        assert!(first.trace.lines().count() > 100);
        assert_eq!(first.trace, second.trace, "seed {seed}");
        let other = run(&Plan::of(seed + 1, None), true);
        assert_ne!(first.trace, other.trace);
    }
}

#[test]
fn the_largest_federation_comes_to_rest() {
    let outcome = run(&Plan::of(5, Some(12)), false);
    assert_eq!(outcome.violations, []);
}
