//! A node that comes back somewhere else is found again: its new address travels in its chain.

use diwan_tests::kit::{Listen, TestNode, converged, share};

#[test]
fn a_node_that_moved_is_found_again() {
    let mut fr = TestNode::running("FR", Listen::AnyTcp);
    let mut tn = TestNode::running("TN", Listen::AnyTcp);
    share("cyber", &[&fr, &tn]);
    let before = addresses_of(&fr, "tn");
    assert_eq!(before, listening(&tn));

    tn.stop();
    tn.start();
    assert_ne!(
        listening(&tn),
        before,
        "the system gave the same port again"
    );
    let record = tn.write("cyber", "Écrit après le déménagement", "…");
    tn.sync(&[&fr]);
    assert_eq!(fr.show(&record)["origin"], "tn");
    assert_eq!(addresses_of(&fr, "tn"), listening(&tn));

    // fr uses what it learnt: it moves too, and must dial tn at the new address. Its statement goes
    // before what it writes.
    fr.stop();
    fr.start();
    let record = fr.write("cyber", "Écrit après l'autre déménagement", "…");
    fr.sync(&[&tn]);
    assert_eq!(tn.show(&record)["origin"], "fr");
    assert_eq!(addresses_of(&tn, "fr"), listening(&fr));
    converged("cyber", &[&fr, &tn]);
}

/// Where a node believes that an agency is.
fn addresses_of(node: &TestNode, agency: &str) -> Vec<String> {
    strings(&node.diwan(&["trust", "show", agency])["agencies"][0]["addresses"])
}

fn listening(node: &TestNode) -> Vec<String> {
    strings(&node.diwan(&["status"])["listen"])
}

fn strings(list: &serde_json::Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}
