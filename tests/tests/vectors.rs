//! The test vectors that another implementation could be written by.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test code: a step that fails is a failed test"
)]

use diwan_tests::vectors::{changes, check, folder};

#[test]
fn every_vector_is_judged_as_it_says() {
    let checked = check();
    assert!(checked.wrong.is_empty(), "{:#?}", checked.wrong);
    assert!(checked.count > 120, "{}", checked.count);
}

#[test]
fn the_changes_are_those_of_the_laboratory() {
    let path = folder().join("changes.json");
    let text = changes::file();
    if std::env::var_os("DIWAN_REGENERATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "run again with DIWAN_REGENERATE=1");
}
