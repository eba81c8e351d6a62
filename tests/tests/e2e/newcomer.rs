//! What a newcomer runs first: the demonstration, which checks itself what it claims.

use std::collections::BTreeSet;
use std::path::Path;

use diwan_tests::kit::{node_program, one_at_a_time};

#[test]
fn the_demonstration_verifies_what_it_shows() {
    let _turn = one_at_a_time();
    let shown = node_program(&["--json", "demo", "--exit"]);
    let verified = shown.json();
    let nodes = verified["nodes"].as_array().unwrap();
    let shorts: Vec<_> = nodes
        .iter()
        .map(|node| node["short"].as_str().unwrap())
        .collect();
    assert_eq!(shorts, ["fr", "tn", "ma"], "{shown}");
    assert!(verified["records"].as_u64().unwrap() >= 30, "{shown}");
    let languages = verified["languages"].as_array().unwrap().iter();
    let languages: BTreeSet<_> = languages.map(|lang| lang.as_str().unwrap()).collect();
    assert!(languages.is_superset(&["ar", "en", "fr"].into()), "{shown}");
    assert!(!verified["found"].as_array().unwrap().is_empty(), "{shown}");
    assert_eq!(verified["exports_equal"], true, "{shown}");
    // Without --dir nothing stays behind.
    for node in nodes {
        assert!(!Path::new(node["home"].as_str().unwrap()).exists());
    }
}

#[test]
fn a_demonstration_that_cannot_begin_says_why() {
    let missing = ["--json", "demo", "--exit", "--import", "/nowhere/at/all"];
    node_program(&missing).refusal(5, "unknown-path");
}
