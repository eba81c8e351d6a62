//! What the simulation has found and nobody has mended yet. Each test says what must hold; whoever
//! mends it takes the test's `#[ignore]` and the line of `plan::Open` away, and lets the
//! misbehaviour happen in every seed.

use diwan_tests::sim::plan::Open;
use diwan_tests::sim::{Plan, Report, run};

#[track_caller]
fn holds(open: &[Open], seeds: &[u64]) {
    let mut report = Report::default();
    for seed in seeds {
        let mut plan = Plan::of(*seed, None);
        plan.open.extend(open);
        report.add(run(&plan, false));
    }
    assert!(report.violations.is_empty(), "{}", report.table());
}

/// Seeds that broke a law before it was mended.
#[test]
fn what_was_mended_stays_mended() {
    holds(
        &[],
        &[2, 4, 8, 9, 18, 21, 23, 40, 49, 72, 4187, 6619, 8401, 9576],
    );
    holds(
        &[Open::Sessions],
        &[1, 4, 6, 13, 40, 46, 50, 72, 84, 88, 154],
    );
}
