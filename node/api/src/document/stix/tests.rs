use serde_json::{Value, json};

use crate::document::{Bundle, BundleForm, SkipReason, read_bundle as read_bytes};
use crate::types::FieldValue;

fn read(objects: &Value) -> Bundle {
    let bundle = json!({ "type": "bundle", "id": "bundle--1", "objects": objects });
    read_bytes(bundle.to_string().as_bytes(), BundleForm::Json).unwrap()
}

const ID: &str = "attack-pattern--0042a9f5-f053-4769-b3ef-9ad018dfa298";

#[test]
fn a_technique_becomes_a_guideline_with_its_labels_and_references() {
    let bundle = read(&json!([
        {
            "type": "attack-pattern", "id": ID, "name": " Process Injection ", "lang": "en",
            "description": "Adversaries may inject code.", "revoked": true,
            "labels": ["theme:cybercrime", "Windows"],
            "kill_chain_phases": [{ "kill_chain_name": "mitre", "phase_name": "execution" }],
            "external_references": [
                { "source_name": "mitre", "external_id": "T1055", "url": "https://a.example/T1055" },
                { "source_name": "A paper | of 2020", "description": "A. Paper" },
            ],
            "aliases": ["b", "a"],
            "object_marking_refs": [
                "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
                "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
            ],
        },
        { "type": "language-content", "object_ref": ID, "contents": { "fr": { "name": "Injection" } } },
        { "type": "indicator", "id": "indicator--1" },
        { "type": "relationship", "relationship_type": "subtechnique-of", "source_ref": ID, "target_ref": "x" },
        { "type": "relationship", "relationship_type": "uses", "source_ref": ID, "target_ref": "y", "revoked": true },
    ]));
    assert_eq!(bundle.bad, []);
    assert_eq!(bundle.links.len(), 1);
    assert_eq!(bundle.passed_over.get("indicator"), Some(&1));
    let draft = &bundle.objects[0].draft;
    assert_eq!(draft.kind.as_deref(), Some("guideline"));
    assert_eq!(
        (draft.title["en"].as_str(), draft.title["fr"].as_str()),
        ("Process Injection", "Injection")
    );
    assert_eq!(
        draft.tags,
        ["Windows", "kill-chain:mitre:execution", "revoked"]
    );
    assert_eq!(draft.themes, ["cybercrime"]);
    assert_eq!(draft.tlp.as_deref(), Some("RED"));
    let lines = |name: &str| match &draft.fields[name] {
        FieldValue::Lines(lines) => lines.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        lines("references"),
        [
            "A_paper___of_2020",
            "mitre | T1055 | https://a.example/T1055"
        ]
    );
    assert_eq!(lines("aliases"), ["a", "b"]);
    assert!(draft.import_key.is_some());
}

#[test]
fn what_cannot_be_read_is_named_by_its_path_and_costs_itself_alone() {
    let bundle = read(&json!([
        { "type": "tool", "id": "tool--1" },
        7,
        { "type": "tool", "id": "malware--1", "name": "a" },
        { "type": "tool", "id": "tool--2", "name": "b", "description": 3 },
        { "type": "relationship", "relationship_type": "Bad Name", "source_ref": "a", "target_ref": "b" },
        { "type": "tool", "id": "tool--3", "name": "good" },
    ]));
    assert_eq!(bundle.objects.len(), 1);
    let paths: Vec<String> = bundle
        .bad
        .iter()
        .map(|reason| match reason {
            SkipReason::BadObject { path, .. } => path.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "objects[0].name",
        "objects[1]",
        "objects[2].id",
        "objects[3].description",
        "objects[4].relationship_type",
    ];
    assert_eq!(paths, expected);
    let whole = |text: &str| read_bytes(text.as_bytes(), BundleForm::Json).unwrap_err();
    assert!(matches!(
        whole("{\n \"type\": }"),
        SkipReason::BadJson { line: 2, .. }
    ));
    assert!(matches!(whole("[]"), SkipReason::BadObject { path, .. } if path == "type"));
    assert!(
        matches!(whole(r#"{"type":"bundle"}"#), SkipReason::BadObject { path, .. } if path == "objects")
    );
}

#[test]
fn the_label_of_either_tlp_is_read_and_that_of_the_second_written() {
    let strict = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
    let own = "marking-definition--00000000-0000-4000-8000-000000000001";
    let bundle = read(&json!([
        { "type": "marking-definition", "id": own, "definition_type": "tlp", "definition": { "tlp": "white" } },
        { "type": "tool", "id": "tool--1", "name": "a", "object_marking_refs": [own] },
        { "type": "tool", "id": "tool--2", "name": "b", "granular_markings": [{ "marking_ref": strict }] },
        { "type": "tool", "id": "tool--3", "name": "c" },
    ]));
    let labels: Vec<_> = bundle
        .objects
        .iter()
        .map(|object| object.draft.tlp.as_deref())
        .collect();
    assert_eq!(labels, [Some("CLEAR"), Some("AMBER+STRICT"), None]);
    assert_eq!(
        bundle.passed_over.len(),
        0,
        "a marking is no object that is missed"
    );
}
