//! Files as people hand them over: cards with a changed byte, documents that are none.

use std::fs;

use diwan_tests::kit::{Listen, TestNode};
use serde_json::Value;

#[test]
fn a_card_with_a_flipped_byte_is_refused_wherever_the_byte_is() {
    let fr = TestNode::running("FR", Listen::Tcp);
    let tn = TestNode::running("TN", Listen::Tcp);
    let card = fs::read(tn.card()).unwrap();
    // Frame, readable lines, block of letters.
    for place in [7, 40, card.len() / 3, card.len() / 2, card.len() - 40] {
        let mut flipped = card.clone();
        flipped[place] ^= 1;
        let path = fr.file("flipped.card", &flipped);
        let path = path.to_str().unwrap();
        let digits = ["--fingerprint", &tn.fingerprint];
        fr.try_diwan(&[&["trust", "add", path], &digits[..]].concat())
            .refusal(6, "damaged-card");
        fr.try_diwan(&["card", "show", path])
            .refusal(6, "damaged-card");
    }
    assert_eq!(
        fr.diwan(&["trust", "list"])["agencies"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_fingerprint_that_is_not_the_cards_pins_nobody() {
    let fr = TestNode::running("FR", Listen::Tcp);
    let tn = TestNode::running("TN", Listen::Tcp);
    let card = tn.card();
    let add = |digits: &str| {
        fr.try_diwan(&[
            "trust",
            "add",
            card.to_str().unwrap(),
            "--fingerprint",
            digits,
        ])
    };
    let mut mistyped = tn.fingerprint.clone().into_bytes();
    mistyped[7] = b'0' + (mistyped[7] - b'0' + 1) % 10;
    let message = add(std::str::from_utf8(&mistyped).unwrap()).refusal(2, "fingerprint-mistyped");
    assert!(message.contains('2'), "the group is named: {message}");
    assert_eq!(
        fr.diwan(&["trust", "list"])["agencies"],
        Value::Array(Vec::new())
    );

    let added = fr.diwan(&["trust", "add", card.to_str().unwrap()]);
    assert_eq!(added["agencies"][0]["state"], "unverified", "{added}");
    fr.try_diwan(&["group", "create", "cyber", "--member", "tn"])
        .refusal(4, "not-pinned");
    fr.diwan(&["trust", "verify", "tn", "--fingerprint", &tn.fingerprint]);
    fr.diwan(&["group", "create", "cyber", "--member", "tn"]);
}

#[test]
fn what_is_no_text_is_skipped_and_the_rest_is_imported() {
    let node = TestNode::running("FR", Listen::Tcp);
    let folder = node.scratch("documents");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    let utf16 = "\u{feff}# Saisie en UTF-16\n\nUn téléphone et son chargeur.\n";
    let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("utf16.md", &utf16);
    let binary: Vec<u8> = (0..4_000_u32)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    write("binary.md", &binary);
    write("huge.md", &vec![b'a'; 50 * 1024 * 1024]);
    write("empty.md", b"");
    write("photo.jpg", &binary);
    write("good.md", "# Bon\n\nUn document.\n".as_bytes());

    let report = node.diwan(&["import", folder.to_str().unwrap(), "--group", "own"]);
    assert_eq!(report["created"], 2, "{report}");
    let mut reasons: Vec<_> = report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| {
            assert!(!s["message"].as_str().unwrap().is_empty());
            let name = s["source"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned();
            (name, s["reason"].as_str().unwrap().to_owned())
        })
        .collect();
    reasons.sort();
    let expected = [
        ("binary.md", "binary"),
        ("empty.md", "empty"),
        ("huge.md", "too-large"),
        ("photo.jpg", "not-a-document"),
    ];
    assert_eq!(
        reasons,
        expected.map(|(name, reason)| (name.to_owned(), reason.to_owned()))
    );
    assert_eq!(node.search(&["chargeur"]).len(), 1);
}

#[test]
fn an_import_of_nothing_fails() {
    let node = TestNode::running("FR", Listen::Tcp);
    let empty = node.scratch("empty");
    fs::create_dir(&empty).unwrap();
    let import = |path: &str| node.try_diwan(&["import", path, "--group", "own"]);
    import(empty.to_str().unwrap()).refusal(1, "nothing-found");
    import("/nowhere/at/all").refusal(5, "unknown-path");
    fs::write(empty.join("blank.md"), " \n").unwrap();
    import(empty.to_str().unwrap()).refusal(1, "nothing-imported");
}
