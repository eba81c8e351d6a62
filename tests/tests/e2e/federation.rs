//! Three countries, one knowledge base: written in one, found in another in another language,
//! edited in two at once, discussed by all.

use diwan_tests::kit::{Listen, TestNode, converged, one_at_a_time, share};

const BODY: &str = "# Saisie\n\nPremier paragraphe.\n\nDeuxième paragraphe.\n";
const BODY_OF_FR: &str =
    "# Saisie\n\nPremier paragraphe, précisé à Paris.\n\nDeuxième paragraphe.\n";
const BODY_OF_TN: &str =
    "# Saisie\n\nPremier paragraphe.\n\nDeuxième paragraphe, complété à Tunis.\n";
const BODY_OF_BOTH: &str =
    "# Saisie\n\nPremier paragraphe, précisé à Paris.\n\nDeuxième paragraphe, complété à Tunis.\n";

#[test]
fn three_countries_share_one_knowledge_base() {
    let _turn = one_at_a_time();
    let mut fr = TestNode::running("FR", Listen::Tcp);
    let mut tn = TestNode::running("TN", Listen::Tcp);
    let mut ma = TestNode::running("MA", Listen::Quic);
    share("cyber", &[&fr, &tn, &ma]);
    for node in [&fr, &tn, &ma] {
        let group = node.diwan(&["group", "show", "cyber"])["groups"][0].take();
        assert_eq!(group["members"].as_array().unwrap().len(), 3, "{group}");
    }

    let record = write_in_three_languages(&fr);
    fr.sync(&[&tn, &ma]);
    assert_eq!(tn.search(&["الأدلة"]), [record.as_str()]);
    assert_eq!(ma.search(&["digital evidence"]), [record.as_str()]);
    assert_eq!(ma.search(&["preuve numerique"]), [record.as_str()]);

    // Both edit while the other is off; nobody is up who could carry the one edit to the other.
    let first = fr.show(&record)["version"].as_str().unwrap().to_owned();
    tn.stop();
    edit_body(&fr, &record, BODY_OF_FR);
    ma.stop();
    fr.stop();
    tn.start();
    edit_body(&tn, &record, BODY_OF_TN);
    fr.start();
    ma.start();
    converged("cyber", &[&fr, &tn, &ma]);
    for node in [&fr, &tn, &ma] {
        assert_eq!(
            node.show(&record)["body"]["fr"],
            BODY_OF_BOTH,
            "{}",
            node.short
        );
    }

    comments_and_history(&fr, &ma, &record, &first);
    let export = converged("cyber", &[&fr, &tn, &ma]);
    assert!(export.contains("complété à Tunis") && export.contains("كيف نطبقها"));
}

fn write_in_three_languages(node: &TestNode) -> String {
    let body = node.file("body.fr.md", BODY);
    let body = format!("fr=@{}", body.display());
    let written = node.diwan(&[
        "new",
        "--group",
        "cyber",
        "--kind",
        "practice",
        "--title",
        "fr=Saisir une preuve numérique",
        "--title",
        "en=Seizing digital evidence",
        "--title",
        "ar=ضبط الأدلة الرقمية",
        "--summary",
        "fr=Du terrain au laboratoire",
        "--body",
        &body,
        "--theme",
        "cybercrime",
        "--tag",
        "terrain",
    ]);
    written["record"].as_str().unwrap().to_owned()
}

fn edit_body(node: &TestNode, record: &str, body: &str) {
    let body = format!("fr={body}");
    node.diwan(&["edit", record, "--body", &body]);
}

fn comments_and_history(fr: &TestNode, ma: &TestNode, record: &str, first: &str) {
    ma.diwan(&["comment", record, "--body", "ar=كيف نطبقها؟"]);
    ma.sync(&[fr]);
    let shown = fr.show(record);
    let comment = &shown["annotations"][0];
    assert_eq!(comment["kind"], "comment", "{shown}");
    assert_eq!(comment["origin"], "ma");
    assert_eq!(comment["body"]["ar"], "كيف نطبقها؟");
    assert_eq!(shown["title"].as_object().unwrap().len(), 3);

    let history = fr.diwan(&["history", record])["versions"].take();
    let agencies: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["agency"].clone())
        .collect();
    assert_eq!(agencies.len(), 3, "{history}");
    assert_eq!(agencies[0], "fr");
    assert!(agencies.contains(&"tn".into()), "{history}");
    assert_eq!(history[0]["version"], first);
    let before = fr.diwan(&["show", record, "--at", first]);
    assert_eq!(before["body"]["fr"], BODY);
}
