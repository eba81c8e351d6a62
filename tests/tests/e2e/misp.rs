//! The real MISP events and galaxies: in each of the shapes that they come in.

use std::process::Command;

use diwan_tests::kit::{Listen, TestNode, shared_data, validator};
use serde_json::Value;

/// What PyMISP reads of the events: by their `info`, how many attributes they have, those of objects too.
const JUDGE: &str = r#"
import glob, json, sys
from pymisp import MISPEvent
from pymisp.exceptions import NewEventError
read = {}
for path in glob.glob(sys.argv[1] + "/*.json"):
    with open(path) as file:
        content = json.load(file)
    events = content.get("response", content)
    for event in events if isinstance(events, list) else [events]:
        known = MISPEvent()
        try:
            known.from_dict(**event.get("Event", event))
        except NewEventError:
            continue
        in_objects = sum(len(one.attributes) for one in known.objects)
        at = int(event.get("Event", event).get("timestamp", 0))
        newest = read.get(known.uuid)
        if newest is None or newest[0] < at:
            read[known.uuid] = (at, known.info, len(known.attributes) + in_objects)
print(json.dumps([one[1:] for one in read.values()]))
"#;

/// What an event's record says: the items of its lists that stand before the first galaxy.
fn attributes_of(record: &Value) -> usize {
    let body = record["body"]
        .as_object()
        .and_then(|body| body.values().next());
    let body = body.and_then(Value::as_str).unwrap_or_default();
    body.lines()
        .filter(|line| line.starts_with("- ") && line.contains(": `"))
        .count()
}

/// Every event that PyMISP reads is a record with as many attributes.
#[test]
fn pymisp_reads_the_same_events() {
    let Some(data) = shared_data("misp") else {
        return;
    };
    let Some(python) = validator("python") else {
        return;
    };
    let node = TestNode::running("FR", Listen::AnyTcp);
    let events = data.join("events");
    let events = events.to_str().unwrap();
    node.diwan(&["import", events, "--format", "misp", "--group", "own"]);
    let judged = Command::new(python)
        .args(["-c", JUDGE, events])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");
    let read: Vec<(String, usize)> = serde_json::from_slice(&judged.stdout).unwrap();
    let exported = node.export("own");
    let records: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_title = |info: &str| {
        let mut of_title = records.iter().filter(|record| {
            let mut titles = record["title"].as_object().unwrap().values();
            titles.any(|title| title == info)
        });
        of_title.by_ref().map(attributes_of).collect::<Vec<_>>()
    };
    assert!(read.len() >= 19, "{} events", read.len());
    for (info, attributes) in read {
        let ours = of_title(
            info.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .as_str(),
        );
        assert!(
            ours.contains(&attributes),
            "{info}: {ours:?} and not {attributes}"
        );
    }
}

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
