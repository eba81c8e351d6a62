//! The real MISP events and galaxies: in each of the shapes that they come in.

use diwan_tests::kit::{Listen, TestNode, shared_data};
use serde_json::Value;

#[test]
fn real_events_and_clusters_become_records() {
    let Some(data) = shared_data("misp") else {
        return;
    };
    let node = TestNode::running("FR", Listen::AnyTcp);
    let import = |folder: &str| {
        let path = data.join(folder);
        node.diwan(&[
            "import",
            path.to_str().unwrap(),
            "--format",
            "misp",
            "--group",
            "own",
        ])
    };
    let events = import("events");
    // Two files hold the same event, and one a sighting alone.
    assert_eq!(events["created"], 20, "{events}");
    let reasons = |report: &Value| -> Vec<String> {
        let skipped = report["skipped"].as_array().unwrap().iter();
        skipped
            .map(|one| one["reason"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(reasons(&events), ["no-knowledge"], "{events}");
    let clusters = import("galaxy-clusters");
    assert!(clusters["created"].as_u64().unwrap() > 1_100, "{clusters}");
    assert!(
        reasons(&clusters)
            .iter()
            .all(|reason| reason == "loose-links"),
        "{clusters}"
    );
    let sednit = node.search(&["Sednit update Fancy Bear", "--limit", "1"]);
    let shown = node.show(&sednit[0]);
    assert_eq!(shown["kind"], "assessment");
    assert_eq!(shown["tlp"], "CLEAR");
    assert!(shown["fields"]["misp"].is_string());
    let linked = node
        .export("own")
        .lines()
        .filter(|line| line.contains("\"rel\":\""))
        .count();
    assert!(linked >= 10, "{linked} clusters are linked");
    for folder in ["events", "galaxy-clusters"] {
        let again = import(folder);
        assert_eq!(
            (&again["created"], &again["updated"]),
            (&0.into(), &0.into()),
            "{folder}"
        );
    }
}

/// Malware that an event brings along is named and never stored.
#[test]
fn a_malware_sample_is_refused_by_name() {
    let node = TestNode::running("TN", Listen::AnyTcp);
    let file = node.file(
        "event.json",
        r#"{"Event":{"uuid":"1","info":"Rançongiciel","Attribute":[
            {"type":"malware-sample","value":"facture.exe|d41d8cd98f00b204e9800998ecf8427e","data":"UEsDBBQACQAI"},
            {"type":"unheard-of","value":"kept"}]}}"#,
    );
    let report = node.diwan(&["import", file.to_str().unwrap(), "--group", "own"]);
    assert_eq!(report["created"], 1);
    let said = report["skipped"][0]["message"].as_str().unwrap();
    assert!(
        said.contains("facture.exe") && said.contains("malware-sample"),
        "{said}"
    );
    let exported = node.export("own");
    assert!(exported.contains("unheard-of: `kept`"), "{exported}");
    assert!(
        !exported.contains("UEsDBBQACQAI") && !exported.contains("facture.exe"),
        "{exported}"
    );
}
