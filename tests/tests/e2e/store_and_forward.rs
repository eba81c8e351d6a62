//! `fr` and `ma` are never up together: what each writes reaches the other through `tn`.

use diwan_tests::kit::{Listen, TestNode, one_at_a_time};
use serde_json::Value;

/// Case 16.
#[test]
fn what_a_third_member_carries_keeps_its_authors_signature() {
    let _turn = one_at_a_time();
    let mut fr = TestNode::init("FR", Listen::Tcp);
    let tn = TestNode::running("TN", Listen::Tcp);
    let mut ma = TestNode::init("MA", Listen::Tcp);
    let card_of_tn = tn.card();
    let card_of_fr = alone(&mut fr, |fr| {
        fr.pin(&tn, &card_of_tn);
        tn.pin(fr, &fr.card());
        fr.card()
    });
    let card_of_ma = alone(&mut ma, |ma| {
        ma.pin(&tn, &card_of_tn);
        ma.pin(&fr, &card_of_fr);
        tn.pin(ma, &ma.card());
        ma.card()
    });

    let by_fr = alone(&mut fr, |fr| {
        fr.pin(&ma, &card_of_ma);
        fr.diwan(&[
            "group", "create", "cyber", "--member", "tn", "--member", "ma",
        ]);
        let record = fr.write("cyber", "Écrit à Paris", "Un paragraphe.\n");
        fr.sync(&[&tn]);
        record
    });

    let by_ma = alone(&mut ma, |ma| {
        ma.sync(&[&tn]);
        assert_signed(&ma.show(&by_fr), &fr, "fr");
        let record = ma.write("cyber", "Écrit à Rabat", "Un paragraphe.\n");
        ma.diwan(&["edit", &by_fr, "--body", "fr=Un paragraphe, lu à Rabat.\n"]);
        ma.sync(&[&tn]);
        record
    });

    let export = alone(&mut fr, |fr| {
        fr.sync(&[&tn]);
        assert_signed(&fr.show(&by_ma), &ma, "ma");
        let shown = fr.show(&by_fr);
        assert_eq!(shown["body"]["fr"], "Un paragraphe, lu à Rabat.\n");
        let history = fr.diwan(&["history", &by_fr])["versions"].take();
        assert_eq!(history[1]["agency"], "ma", "{history}");
        fr.export("cyber")
    });
    assert!(tn.export("cyber") == export);
    alone(&mut ma, |ma| assert!(ma.export("cyber") == export));
}

/// Runs a node for as long as `work` takes.
fn alone<T>(node: &mut TestNode, work: impl FnOnce(&TestNode) -> T) -> T {
    node.start();
    let done = work(node);
    node.stop();
    done
}

/// The first version was signed by the author's own node, and names the author's agency.
#[track_caller]
fn assert_signed(record: &Value, author: &TestNode, short: &str) {
    let proof = &record["proof"];
    assert_eq!(record["origin"], short, "{record}");
    assert_eq!(record["origin_agency"], author.agency, "{record}");
    assert_eq!(proof["node"], author.peer_id, "{record}");
    assert_eq!(proof["fingerprint"], author.fingerprint, "{record}");
    assert_eq!(proof["verified"], true, "{record}");
}
