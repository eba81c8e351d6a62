//! Seeds that broke a law before it was mended. docs/decisions/found-by-simulation.md says what each
//! was.

use diwan_tests::sim::{Plan, Report, run};

const MENDED: [u64; 27] = [
    1, 2, 4, 6, 8, 9, 13, 18, 21, 23, 40, 46, 49, 50, 72, 84, 88, 107, 154, 208, 321, 546, 3116,
    4187, 4642, 6888, 9576,
];

#[test]
fn what_was_mended_stays_mended() {
    let mut report = Report::default();
    for seed in MENDED {
        report.add(run(&Plan::of(seed, None), false));
    }
    assert!(report.violations.is_empty(), "{}", report.table());
}
