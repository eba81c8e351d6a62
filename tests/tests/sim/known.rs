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
    holds(&[], &[2, 4, 8, 9, 18, 21, 23, 40, 49, 72]);
    holds(&[Open::Sessions], &[1, 4, 6, 13, 40, 50, 84]);
}

#[test]
#[ignore = "one seed in 160: a receipt that a peer dropped is not told again before the next link"]
fn a_session_ends_its_work_without_a_new_link() {
    holds(&[Open::Sessions], &[72]);
}
