//! A bag: whole, judged by the Library of Congress's program, and noticed when a byte of it changed.

use std::fs;
use std::process::Command;

use diwan_tests::kit::{Listen, TestNode, validator};

#[test]
fn a_bag_is_valid_until_a_byte_of_it_changes() {
    let node = TestNode::running("TN", Listen::AnyTcp);
    node.diwan(&["group", "create", "cyber", "--tlp", "AMBER"]);
    node.write("cyber", "Saisie d’un téléphone", "Isoler du réseau.");
    node.write("cyber", "حجز هاتف", "اعزل.");
    let bag = node.scratch("bag");
    let path = bag.to_str().unwrap();
    let export = ["export", path, "--format", "bagit", "--group", "cyber"];
    assert_eq!(node.diwan(&export)["written"], 2);
    let info = fs::read_to_string(bag.join("bag-info.txt")).unwrap();
    assert!(info.contains("none stricter than TLP:AMBER"), "{info}");
    assert_eq!(
        fs::read_to_string(bag.join("data/records.jsonl")).unwrap(),
        node.export("cyber")
    );
    // A second bag does not get into the first.
    node.try_diwan(&export).refusal(1, "unwritable-file");

    let Some(validator) = validator("bagit.py") else {
        return;
    };
    let judge = || {
        Command::new(&validator)
            .args(["--validate", path])
            .output()
            .unwrap()
    };
    let judged = judge();
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
    let records = bag.join("data/records.jsonl");
    let mut bytes = fs::read(&records).unwrap();
    bytes[0] ^= 1;
    fs::write(&records, bytes).unwrap();
    assert!(!judge().status.success(), "a byte changed");
}
