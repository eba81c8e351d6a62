//! From records to a bundle.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{DIWAN, MARKINGS, PHASE, PHASED, REVOKED, THEME, TLP_2, TYPES, id_of};
use crate::types::{FieldValue, Record};

/// The date that the marking definitions of TLP 2.0 give as theirs.
const TLP_2_CREATED: &str = "2022-10-01T00:00:00.000Z";

/// Kinds that STIX has no object for.
const VOCABULARY: [&str; 3] = ["scheme", "concept", "field"];

/// Gathers records into one STIX 2.1 bundle.
#[derive(Debug, Default)]
pub struct StixExport {
    /// By STIX id, so that the same records give the same bytes.
    objects: BTreeMap<String, Value>,
    /// Record id to STIX id.
    ids: BTreeMap<String, String>,
    /// Source, relation, record that it leads to, when the source was changed.
    links: Vec<(String, String, String, String)>,
    labels: BTreeSet<&'static str>,
    written: u64,
}

impl StixExport {
    /// Takes one record.
    pub fn take(&mut self, record: &Record) {
        if VOCABULARY.contains(&record.kind.as_str()) {
            return;
        }
        let line = |name: &str| match record.fields.get(name) {
            Some(FieldValue::Line(line)) => Some(line.as_str()),
            _ => None,
        };
        let lines = |name: &str| match record.fields.get(name) {
            Some(FieldValue::Lines(lines)) => lines.as_slice(),
            _ => &[],
        };
        let known = line("stix").and_then(|id| Some((id, type_of(id)?)));
        let (id, (stix_type, _, has_aliases)) = match known {
            Some((id, known)) => (id.to_owned(), known),
            None => {
                let plain = ("course-of-action", "guideline", false);
                (id_of(plain.0, &[record.record.as_str()]), plain)
            }
        };
        let identity = self.identity(record);
        let Some((lang, title)) = first(&record.title) else {
            return;
        };
        let mut object = json!({
            "type": stix_type,
            "spec_version": "2.1",
            "id": id,
            "created_by_ref": identity,
            "created": record.created,
            "modified": record.updated,
            "name": title,
            "lang": lang,
            "external_references": references(record, lines("references")),
        });
        let mut put = |key: &str, value: Value| {
            if let Some(fields) = object.as_object_mut() {
                fields.insert(key.to_owned(), value);
            }
        };
        if let Some(body) = record.body.get(lang) {
            put("description", json!(body));
        }
        if let Some((label, marking, ..)) = MARKINGS.iter().find(|(label, ..)| *label == record.tlp)
        {
            self.labels.insert(label);
            put("object_marking_refs", json!([marking]));
        }
        let (labels, phases) = labels(record, stix_type);
        if !labels.is_empty() {
            put("labels", json!(labels));
        }
        if !phases.is_empty() {
            put("kill_chain_phases", json!(phases));
        }
        if record.tags.iter().any(|tag| tag == REVOKED) {
            put("revoked", json!(true));
        }
        if has_aliases && !lines("aliases").is_empty() {
            put("aliases", json!(lines("aliases")));
        }
        if stix_type == "malware" {
            put("is_family", json!(line("is-family") == Some("true")));
        }
        if stix_type == "report" {
            put(
                "published",
                json!(line("published").unwrap_or(&record.created)),
            );
            // It needs one at least; what it is about is put in when all is known.
            put("object_refs", json!([identity]));
        }
        self.other_languages(record, &id, lang);
        for link in &record.links {
            let link = (
                id.clone(),
                link.rel.clone(),
                link.record.clone(),
                record.updated.clone(),
            );
            self.links.push(link);
        }
        self.ids.insert(record.record.clone(), id.clone());
        self.objects.insert(id, object);
        self.written += 1;
    }

    /// The agency that a record comes from.
    fn identity(&mut self, record: &Record) -> String {
        let id = id_of("identity", &[record.origin_agency.as_str()]);
        let stamp = "2026-01-01T00:00:00.000Z";
        self.objects.entry(id.clone()).or_insert_with(|| {
            json!({
                "type": "identity",
                "spec_version": "2.1",
                "id": id,
                "created": stamp,
                "modified": stamp,
                "name": record.origin,
                "identity_class": "organization",
            })
        });
        id
    }

    fn other_languages(&mut self, record: &Record, id: &str, lang: &str) {
        let mut contents = BTreeMap::<&str, BTreeMap<&str, &str>>::new();
        for (key, texts) in [("name", &record.title), ("description", &record.body)] {
            for (other, text) in texts.iter().filter(|(other, _)| *other != lang) {
                contents.entry(other).or_default().insert(key, text);
            }
        }
        if contents.is_empty() {
            return;
        }
        let content = id_of("language-content", &[id]);
        let object = json!({
            "type": "language-content",
            "spec_version": "2.1",
            "id": content,
            "created": record.created,
            "modified": record.updated,
            "object_ref": id,
            "object_modified": record.updated,
            "contents": contents,
        });
        self.objects.insert(content, object);
    }

    /// The bundle as JSON, and how many records are in it. Links to records that are not among them are left
    /// out.
    #[must_use]
    pub fn finish(mut self) -> (String, u64) {
        for (source, rel, record, stamp) in std::mem::take(&mut self.links) {
            let Some(target) = self.ids.get(&record).cloned() else {
                continue;
            };
            let report = self.objects.get_mut(&source);
            let refs = report.and_then(|object| object.get_mut("object_refs"));
            if let ("object", Some(Value::Array(refs))) = (rel.as_str(), refs) {
                refs.push(json!(target));
                continue;
            }
            let id = id_of("relationship", &[&source, &rel, &target]);
            let object = json!({
                "type": "relationship",
                "spec_version": "2.1",
                "id": id,
                "created": stamp,
                "modified": stamp,
                "relationship_type": rel.replace('_', "-"),
                "source_ref": source,
                "target_ref": target,
            });
            self.objects.insert(id, object);
        }
        for (label, id, _, word) in MARKINGS {
            if self.labels.contains(label) {
                self.objects.insert(id.to_owned(), marking(label, id, word));
            }
        }
        let ids: Vec<&str> = self.objects.keys().map(String::as_str).collect();
        let bundle = json!({
            "type": "bundle",
            "id": id_of("bundle", &ids),
            "objects": self.objects.values().collect::<Vec<_>>(),
        });
        (format!("{bundle:#}\n"), self.written)
    }
}

/// The type of a STIX id that a record may have.
fn type_of(id: &str) -> Option<(&'static str, &'static str, bool)> {
    let (name, uuid) = id.split_once("--")?;
    uuid::Uuid::try_parse(uuid).ok()?;
    TYPES.into_iter().find(|(known, ..)| *known == name)
}

/// English where there is any, as most readers of STIX expect it.
fn first(texts: &BTreeMap<String, String>) -> Option<(&str, &str)> {
    let english = texts.get_key_value("en");
    let (lang, text) = english.or_else(|| texts.first_key_value())?;
    Some((lang, text))
}

fn references(record: &Record, lines: &[String]) -> Vec<Value> {
    let mut references = vec![json!({
        "source_name": DIWAN,
        "external_id": record.record,
    })];
    for line in lines {
        let mut parts = line.split(" | ");
        let mut part = || parts.next().unwrap_or_default();
        let (source, id, url) = (part(), part(), part());
        let mut reference = json!({ "source_name": source });
        if let Some(fields) = reference.as_object_mut() {
            if !id.is_empty() {
                fields.insert("external_id".to_owned(), json!(id));
            }
            match url.is_empty() {
                false => fields.insert("url".to_owned(), json!(url)),
                // One of three things must be said (STIX 2.1, section 2.5).
                true if id.is_empty() => fields.insert("description".to_owned(), json!(source)),
                true => None,
            };
        }
        references.push(reference);
    }
    references
}

/// Tags and themes as labels, and those that are phases of a kill chain.
fn labels(record: &Record, stix_type: &str) -> (Vec<String>, Vec<Value>) {
    let (mut labels, mut phases) = (Vec::new(), Vec::new());
    for tag in &record.tags {
        let phase = tag
            .strip_prefix(PHASE)
            .and_then(|rest| rest.split_once(':'));
        match phase.filter(|_| PHASED.contains(&stix_type)) {
            Some((chain, name)) => {
                phases.push(json!({ "kill_chain_name": chain, "phase_name": name }));
            }
            None if tag == REVOKED => {}
            None => labels.push(tag.clone()),
        }
    }
    let themes = record.themes.iter().map(|theme| format!("{THEME}{theme}"));
    labels.extend(themes);
    (labels, phases)
}

fn marking(label: &str, id: &str, word: &str) -> Value {
    json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": id,
        "created": TLP_2_CREATED,
        "name": format!("TLP:{label}"),
        "extensions": {
            TLP_2: { "extension_type": "property-extension", "tlp_2_0": word },
        },
    })
}
