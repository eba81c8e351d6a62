//! MISP: events and the clusters of galaxies into drafts (the formats of the MISP project:
//! draft-dulaunoy-misp-core-format, draft-dulaunoy-misp-galaxy-format); its taxonomies are read elsewhere.
//!
//! An event becomes an assessment: its `info` the title, its attributes and objects, known or not, the body,
//! its tags tags, `tlp:*` the label. Real files hold events in four shapes: `{"response":[…]}`,
//! `{"Event":…}`, the bare event, and a part of one. A file that came along is never stored; an attribute
//! that is malware by its type is refused by name.
//!
//! A cluster becomes an assessment, or a guideline where its galaxy is one of measures; relations between
//! clusters become links.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bundle::{Bundle, Item};
use super::fields::tag;
use super::guess::judge;
use super::label::strictest_tlp;
use super::place::{KeyOf, import_key};
use super::skip::SkipReason;
use super::stix::{ITEMS_MAX, REFERENCE_BYTES, relation};
use super::tag::Tag;
use super::taxonomy;
use crate::types::{Draft, FieldValue, Texts};

/// Bytes of a generated body.
const BODY_BYTES: usize = 512 * 1024;
/// Bytes of a title.
const TITLE_BYTES: usize = 500;
/// Bytes of one value in a body.
const VALUE_BYTES: usize = 2_000;
/// Types of attributes that are never stored.
const REFUSED: [&str; 1] = ["malware-sample"];
/// What the types of galaxies say that are of measures.
const MEASURES: [&str; 4] = ["measure", "course-of-action", "mitigation", "detection"];

/// Reads what is no STIX bundle.
///
/// # Errors
/// [`SkipReason::BadObject`] where it is nothing of MISP either.
pub(super) fn read(value: &Value) -> Result<Bundle, SkipReason> {
    let mut bundle = Bundle::default();
    if taxonomy::is_one(value) {
        taxonomy::take(&mut bundle, value);
    } else if let Some(response) = value.get("response") {
        match response.as_array() {
            Some(all) => {
                for (at, one) in all.iter().enumerate() {
                    take_event(&mut bundle, one, &format!("response[{at}]"));
                }
            }
            None => take_event(&mut bundle, response, "response"),
        }
    } else if let Some(all) = value.as_array().filter(|all| !all.is_empty()) {
        for (at, one) in all.iter().enumerate() {
            take_event(&mut bundle, one, &format!("[{at}]"));
        }
    } else if let Some(values) = value.get("values").and_then(Value::as_array) {
        let galaxy = text(value, "type");
        for (at, one) in values.iter().enumerate() {
            take_cluster(&mut bundle, one, galaxy, &format!("values[{at}]"));
        }
    } else if value.get("Event").is_some() || value.get("info").is_some() {
        take_event(&mut bundle, value, "");
    } else if value.get("namespace").is_some() || value.get("icon").is_some() {
        pass_over(&mut bundle, "galaxy");
    } else if value.get("meta-category").is_some() {
        pass_over(&mut bundle, "object-template");
    } else if is_case(value) {
        return Err(SkipReason::Evidence {
            format: "CASE/UCO".to_owned(),
        });
    } else if value.get("value").is_some() && value.get("timestamp").is_some() {
        pass_over(&mut bundle, "sighting");
    } else {
        return Err(SkipReason::BadObject {
            path: "type".to_owned(),
            detail: "expected a STIX bundle, a MISP event, taxonomy or clusters of a galaxy, or concepts of SKOS"
                .to_owned(),
        });
    }
    Ok(bundle)
}

/// A graph in the terms of CASE or UCO (JSON-LD): evidence of a case, which no knowledge base is the place
/// for.
fn is_case(value: &Value) -> bool {
    let context = value.get("@context").map(Value::to_string);
    context.is_some_and(|text| {
        text.contains("unifiedcyberontology.org") || text.contains("caseontology.org")
    })
}

fn pass_over(bundle: &mut Bundle, kind: &str) {
    *bundle.passed_over.entry(kind.to_owned()).or_default() += 1;
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
}

pub(super) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn line(value: &str) -> FieldValue {
    FieldValue::Line(value.to_owned())
}

fn take_event(bundle: &mut Bundle, value: &Value, path: &str) {
    let (event, path) = match value.get("Event") {
        Some(event) => (event, dotted(path, "Event")),
        None => (value, path.to_owned()),
    };
    match event_of(event, &path, &mut bundle.bad) {
        Ok(item) => bundle.objects.push(item),
        Err(reason) => bundle.bad.push(reason),
    }
}

fn dotted(path: &str, key: &str) -> String {
    match path.is_empty() {
        true => key.to_owned(),
        false => format!("{path}.{key}"),
    }
}

fn event_of(event: &Value, path: &str, bad: &mut Vec<SkipReason>) -> Result<Item, SkipReason> {
    let info = text(event, "info");
    if info.is_empty() {
        return Err(SkipReason::BadObject {
            path: dotted(path, "info"),
            detail: "expected a text that is not empty".to_owned(),
        });
    }
    let mut body = String::new();
    attributes(event, "Attribute", path, &mut body, bad);
    for (at, object) in list(event, "Object").enumerate() {
        let name = text(object, "name");
        heading(&mut body, if name.is_empty() { "object" } else { name });
        let path = format!("{}[{at}]", dotted(path, "Object"));
        attributes(object, "", &path, &mut body, bad);
    }
    for galaxy in list(event, "Galaxy") {
        heading(&mut body, text(galaxy, "name"));
        for cluster in list(galaxy, "GalaxyCluster") {
            item(
                &mut body,
                "",
                text(cluster, "value"),
                text(cluster, "description"),
            );
        }
    }
    let mut tags = BTreeSet::new();
    let mut labels = Vec::new();
    for name in list(event, "Tag").map(|tag| text(tag, "name")) {
        match name
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("tlp:"))
        {
            true => labels.push(name),
            false => tags.extend(tag(name)),
        }
    }
    let mut draft = Draft {
        kind: Some("assessment".to_owned()),
        tags: tags.into_iter().take(ITEMS_MAX).collect(),
        tlp: strictest_tlp(labels)?,
        ..Draft::default()
    };
    let (uuid, date) = (text(event, "uuid"), text(event, "date"));
    let id = match uuid.is_empty() {
        // A part of an event that says no id is known by what it says.
        true => format!("misp-event:{date}:{info}"),
        false => format!("misp-event:{uuid}"),
    };
    let organisation = event
        .get("Orgc")
        .map(|org| text(org, "name"))
        .unwrap_or_default();
    for (field, value) in [
        ("misp", uuid),
        ("date", date),
        ("organisation", organisation),
    ] {
        if !value.is_empty() {
            draft.fields.insert(field.to_owned(), line(value));
        }
    }
    write(&mut draft, info, body);
    Ok(named(id, text(event, "timestamp"), draft))
}

fn named(id: String, modified: &str, mut draft: Draft) -> Item {
    draft.import_key = Some(import_key(KeyOf::LineId, &["misp", &id]));
    Item {
        id,
        modified: modified.to_owned(),
        draft,
    }
}

/// Title and body in the language that they are in.
fn write(draft: &mut Draft, title: &str, body: String) {
    let title = cut(title, TITLE_BYTES);
    let judged = judge(title, None).lang;
    let lang = match judged == Tag::undetermined() {
        true => "en".to_owned(),
        false => judged.to_string(),
    };
    draft.title = Texts::from([(lang.clone(), title.to_owned())]);
    if !body.trim().is_empty() {
        draft.body = Texts::from([(lang, body)]);
    }
}

pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn heading(body: &mut String, title: &str) {
    if body.len() < BODY_BYTES {
        *body += &format!("\n## {}\n\n", plain(title));
    }
}

/// One line of Markdown, in which nothing is a link: such values are not to be clicked at.
fn item(body: &mut String, what: &str, value: &str, note: &str) {
    if body.len() >= BODY_BYTES {
        return;
    }
    let fence = if value.contains('`') { "``" } else { "`" };
    *body += &format!("- {}{fence}{}{fence}", prefix(what), plain(value));
    if !note.is_empty() {
        *body += &format!(" – {}", plain(note));
    }
    body.push('\n');
}

fn prefix(what: &str) -> String {
    match what.is_empty() {
        true => String::new(),
        false => format!("{}: ", plain(what)),
    }
}

/// In one line, and not too long.
fn plain(text: &str) -> String {
    let words: Vec<&str> = cut(text, VALUE_BYTES).split_whitespace().collect();
    words.join(" ")
}

/// The attributes of an event or of an object, as a list.
fn attributes(of: &Value, title: &str, path: &str, body: &mut String, bad: &mut Vec<SkipReason>) {
    if !title.is_empty() && list(of, "Attribute").next().is_some() {
        heading(body, title);
    }
    for (at, attribute) in list(of, "Attribute").enumerate() {
        let (kind, value) = (text(attribute, "type"), text(attribute, "value"));
        if REFUSED.contains(&kind) {
            bad.push(SkipReason::Refused {
                path: format!("{}[{at}]", dotted(path, "Attribute")),
                kind: kind.to_owned(),
                name: plain(value),
            });
            continue;
        }
        let relation = text(attribute, "object_relation");
        let what = match relation.is_empty() {
            true => kind.to_owned(),
            false => format!("{relation} ({kind})"),
        };
        item(body, &what, value, text(attribute, "comment"));
    }
}

fn take_cluster(bundle: &mut Bundle, cluster: &Value, galaxy: &str, path: &str) {
    let value = text(cluster, "value");
    if value.is_empty() {
        bundle.bad.push(SkipReason::BadObject {
            path: dotted(path, "value"),
            detail: "expected a text that is not empty".to_owned(),
        });
        return;
    }
    let uuid = text(cluster, "uuid");
    let id = match uuid.is_empty() {
        true => format!("misp-cluster:{galaxy}:{value}"),
        false => format!("misp-cluster:{uuid}"),
    };
    let is_measure = MEASURES.iter().any(|word| galaxy.contains(word));
    let kind = if is_measure {
        "guideline"
    } else {
        "assessment"
    };
    let mut draft = Draft {
        kind: Some(kind.to_owned()),
        tags: tag(&format!("misp-galaxy:{galaxy}")).into_iter().collect(),
        ..Draft::default()
    };
    let mut body = text(cluster, "description").to_owned();
    let meta = cluster.get("meta").and_then(Value::as_object);
    let mut first = true;
    for (key, value) in meta.into_iter().flatten() {
        let all: Vec<&str> = match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            Value::String(one) => vec![one],
            _ => continue,
        };
        match key.as_str() {
            "synonyms" => put(&mut draft, "aliases", all.into_iter().filter_map(tag)),
            "refs" => {
                let lines = all
                    .into_iter()
                    .map(|url| format!("misp |  | {}", plain(url)));
                put(&mut draft, "references", lines);
            }
            _ => {
                if first {
                    body.push('\n');
                    first = false;
                }
                body += &format!("\n- {}{}", prefix(key), plain(&all.join(", ")));
            }
        }
    }
    if !uuid.is_empty() {
        draft.fields.insert("misp".to_owned(), line(uuid));
    }
    write(&mut draft, value, cut(&body, BODY_BYTES).to_owned());
    for related in list(cluster, "related") {
        if let Some(rel) = relation(text(related, "type")) {
            let to = format!("misp-cluster:{}", text(related, "dest-uuid"));
            bundle.links.push((id.clone(), rel, to));
        }
    }
    bundle.objects.push(named(id, "", draft));
}

fn put(draft: &mut Draft, field: &str, lines: impl Iterator<Item = String>) {
    let lines: BTreeSet<String> = lines.filter(|line| line.len() <= REFERENCE_BYTES).collect();
    if !lines.is_empty() {
        let lines = lines.into_iter().take(ITEMS_MAX).collect();
        draft
            .fields
            .insert(field.to_owned(), FieldValue::Lines(lines));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "uuid": "5a3c2fcd", "info": "Campagne de rançongiciel contre des hôpitaux", "date": "2026-03-01",
            "Orgc": { "name": "CERT" },
            "Tag": [{ "name": "tlp:amber" }, { "name": "tlp:GREEN" }, { "name": "PAP:RED" }],
            "Attribute": [
                { "type": "domain", "value": "evil.test", "comment": "C2" },
                { "type": "malware-sample", "value": "a.exe|d41d8cd9", "data": "AAAA" },
            ],
            "Object": [{ "name": "never-seen", "Attribute": [
                { "type": "text", "object_relation": "state", "value": "a`b\nc" },
            ]}],
        })
    }

    #[test]
    fn an_event_is_the_same_in_each_of_its_shapes() {
        let shapes = [
            json!({ "response": [{ "Event": event() }] }),
            json!({ "Event": event() }),
            event(),
            json!([event()]),
        ];
        for shape in shapes {
            let bundle = read(&shape).unwrap();
            let draft = &bundle.objects[0].draft;
            assert_eq!(
                *draft.title.values().next().unwrap(),
                "Campagne de rançongiciel contre des hôpitaux"
            );
            assert_eq!(draft.tlp.as_deref(), Some("AMBER"), "the strictest");
            assert_eq!(draft.tags, ["PAP:RED"]);
            let body = "\n## Attribute\n\n- domain: `evil.test` – C2\n\n## never-seen\n\n- state (text): ``a`b c``\n";
            assert_eq!(draft.body.values().next().unwrap(), body);
            let [SkipReason::Refused { kind, name, .. }] = &bundle.bad[..] else {
                panic!("{:?}", bundle.bad);
            };
            assert_eq!(
                (kind.as_str(), name.as_str()),
                ("malware-sample", "a.exe|d41d8cd9")
            );
        }
        let part = read(&json!({ "info": "Test", "date": "2017-12-31" })).unwrap();
        assert_eq!(part.objects.len(), 1);
    }

    #[test]
    fn clusters_become_records_that_are_linked() {
        let galaxy = json!({
            "type": "preventive-measure", "values": [
                { "uuid": "a", "value": "Backup", "description": "Keep copies.",
                  "meta": { "synonyms": ["Copies"], "refs": ["https://a.example"], "impact": "Low" },
                  "related": [{ "dest-uuid": "b", "type": "similar" }] },
                { "uuid": "b", "value": "Block macros" },
                { "uuid": "c" },
            ],
        });
        let bundle = read(&galaxy).unwrap();
        assert_eq!(bundle.objects.len(), 2);
        let draft = &bundle.objects[0].draft;
        assert_eq!(draft.kind.as_deref(), Some("guideline"));
        assert_eq!(
            draft.body.values().next().unwrap(),
            "Keep copies.\n\n- impact: Low"
        );
        assert_eq!(
            draft.fields["aliases"],
            FieldValue::Lines(vec!["Copies".to_owned()])
        );
        let link = (
            "misp-cluster:a".to_owned(),
            "similar".to_owned(),
            "misp-cluster:b".to_owned(),
        );
        assert_eq!(bundle.links, [link]);
        assert!(
            matches!(&bundle.bad[..], [SkipReason::BadObject { path, .. }] if path == "values[2].value")
        );
    }

    #[test]
    fn what_is_no_event_is_counted_or_refused() {
        for (value, kind) in [
            (json!({ "icon": "x", "name": "y" }), "galaxy"),
            (
                json!({ "meta-category": "file", "attributes": {} }),
                "object-template",
            ),
            (
                json!({ "timestamp": 1, "value": "x", "type": "0" }),
                "sighting",
            ),
        ] {
            assert_eq!(read(&value).unwrap().passed_over.get(kind), Some(&1));
        }
        assert!(read(&json!({ "a": 1 })).is_err());
        assert_eq!(read(&json!({ "Event": {} })).unwrap().bad.len(), 1);
    }
}
