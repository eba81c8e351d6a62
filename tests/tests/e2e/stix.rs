//! The real STIX bundles: imported, every relationship a link, exported, judged by the validator of OASIS,
//! and imported once more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use diwan_tests::kit::{Listen, TestNode, shared_data, validator};
use serde_json::Value;

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Every object of every bundle below a folder.
fn objects(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(objects(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            let bundle = json(&path);
            found.extend(bundle["objects"].as_array().unwrap().iter().cloned());
        }
    }
    found
}

#[test]
fn real_bundles_become_linked_records_and_an_export_that_is_valid() {
    let Some(data) = shared_data("stix") else {
        return;
    };
    let node = TestNode::running("FR", Listen::AnyTcp);
    node.diwan(&["group", "create", "ttp"]);
    let folder = data.to_str().unwrap();
    let import = ["import", folder, "--format", "stix", "--group", "ttp"];
    let report = node.diwan(&import);
    let count = |key: &str| report[key].as_u64().unwrap();
    assert!(count("created") > 1_600, "{report}");
    assert_eq!((count("updated"), count("unchanged")), (0, 0));

    // What each record was, and to what it links.
    let mut records = BTreeMap::new();
    let mut links = BTreeSet::new();
    for line in node.export("ttp").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let stix = record["fields"]["stix"].as_str().unwrap().to_owned();
        records.insert(record["record"].as_str().unwrap().to_owned(), stix);
        for link in record["links"].as_array().unwrap() {
            let part = |key: &str| link[key].as_str().unwrap().to_owned();
            links.insert((
                record["record"].as_str().unwrap().to_owned(),
                part("rel"),
                part("record"),
            ));
        }
    }
    let links: BTreeSet<_> = links
        .into_iter()
        .map(|(from, rel, to)| (records[&from].clone(), rel, records[&to].clone()))
        .collect();
    let imported: BTreeSet<&String> = records.values().collect();
    let all = objects(&data);
    let text = |object: &Value, key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let mut missing = Vec::new();
    let mut related = 0;
    for object in all.iter().filter(|object| object["type"] == "relationship") {
        let (from, to) = (text(object, "source_ref"), text(object, "target_ref"));
        if object["revoked"] == true || !imported.contains(&from) || !imported.contains(&to) {
            continue;
        }
        related += 1;
        let link = (from, text(object, "relationship_type"), to);
        if !links.contains(&link) {
            missing.push(link);
        }
    }
    assert!(related > 2_400, "{related}");
    assert_eq!(missing, []);
    let revoked: BTreeSet<String> = all
        .iter()
        .filter(|object| object["revoked"] == true && imported.contains(&text(object, "id")))
        .map(|object| text(object, "id"))
        .collect();
    let tagged = node.diwan(&[
        "list", "--group", "ttp", "--tag", "revoked", "--limit", "1000",
    ]);
    assert_eq!(tagged["records"].as_array().unwrap().len(), revoked.len());

    let bundle = node.scratch("export.json");
    let path = bundle.to_str().unwrap();
    node.diwan(&["export", path, "--format", "stix", "--group", "ttp"]);
    if let Some(validator) = validator("stix2_validator") {
        let judged = Command::new(validator)
            .arg("-q")
            .arg(path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&judged.stdout).into_owned();
        let errors: Vec<&str> = said.lines().filter(|line| line.contains("[X]")).collect();
        assert!(
            judged.status.success() && errors.is_empty(),
            "{errors:?}\n{}",
            judged.status
        );
    }
    for source in [folder, path] {
        let again = node.diwan(&["import", source, "--format", "stix", "--group", "ttp"]);
        let unchanged = [&again["created"], &again["updated"]].map(|n| n.as_u64().unwrap());
        assert_eq!(unchanged, [0, 0], "{source}");
    }
}

/// Records that were never STIX, with texts in three languages: they come back as themselves.
#[test]
fn own_records_go_out_and_come_back_unchanged() {
    let node = TestNode::running("TN", Listen::AnyTcp);
    node.diwan(&["group", "create", "cyber", "--tlp", "AMBER"]);
    let need = node.write("cyber", "Besoin", "Saisir un téléphone.");
    let new = [
        "new",
        "--group",
        "cyber",
        "--kind",
        "practice",
        "--title",
        "fr=Pochette",
        "--title",
        "ar=حقيبة",
        "--title",
        "en=Bag",
        "--body",
        "fr=Isoler.",
        "--body",
        "ar=اعزل.",
        "--theme",
        "digital-evidence",
        "--tag",
        "faraday",
        "--link",
        &format!("need={need}"),
    ];
    node.diwan(&new);
    let bundle = node.scratch("own.json");
    let path = bundle.to_str().unwrap();
    node.diwan(&["export", path, "--format", "stix", "--group", "cyber"]);
    let exported = json(&bundle);
    let of_type = |name: &str| {
        let objects = exported["objects"].as_array().unwrap().iter();
        objects.filter(|object| object["type"] == name).count()
    };
    assert_eq!(
        (of_type("course-of-action"), of_type("relationship")),
        (2, 1)
    );
    assert_eq!(
        (of_type("language-content"), of_type("marking-definition")),
        (1, 1)
    );
    if let Some(validator) = validator("stix2_validator") {
        let judged = Command::new(validator)
            .arg("-q")
            .arg(path)
            .output()
            .unwrap();
        assert!(
            judged.status.success(),
            "{}",
            String::from_utf8_lossy(&judged.stdout)
        );
    }
    let before = node.export("cyber");
    let again = node.diwan(&["import", path, "--group", "cyber"]);
    assert_eq!(again["unchanged"], 2, "{again}");
    assert_eq!(node.export("cyber"), before);
}

#[test]
fn a_bundle_that_is_none_is_named_with_its_line_and_a_bad_object_with_its_path() {
    let node = TestNode::running("MA", Listen::AnyTcp);
    node.diwan(&["group", "create", "cyber"]);
    let broken = node.file("broken.json", "{\n \"type\": \"bundle\",\n oops }");
    let half = node.file(
        "half.json",
        r#"{"type":"bundle","id":"bundle--1","objects":[{"type":"tool","id":"tool--1"},
           {"type":"tool","id":"tool--2","name":"Autopsy"}]}"#,
    );
    let paths = [&broken, &half].map(|path| path.to_str().unwrap());
    let report = node.diwan(&["import", paths[0], paths[1], "--group", "cyber"]);
    assert_eq!(report["created"], 1);
    let said: Vec<String> = report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skipped| skipped["message"].as_str().unwrap().to_owned())
        .collect();
    assert!(said[0].starts_with("line 3 "), "{said:?}");
    assert!(said[1].starts_with("objects[0].name"), "{said:?}");
}
