//! From a bundle to drafts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::bundle::{Bundle, Item};
use super::super::fields::tag;
use super::super::place::{KeyOf, import_key};
use super::super::skip::SkipReason;
use super::{DEPRECATED, DIWAN, MARKINGS, PHASE, PHASED, REVOKED, THEME, TLP_2, TYPES, id_of};
use crate::types::{Draft, FieldValue, Texts};

/// Objects of one bundle.
const OBJECTS_MAX: usize = 200_000;
/// Bytes of one reference: what a set's item may have.
pub(crate) const REFERENCE_BYTES: usize = 1_000;
/// References and aliases of one record that are kept.
pub(crate) const ITEMS_MAX: usize = 150;

/// Reads a bundle.
///
/// # Errors
/// [`SkipReason::BadObject`] where it is no bundle at all; an object that cannot be read costs itself only.
pub(crate) fn read_bundle(value: &Value) -> Result<Bundle, SkipReason> {
    let is_bundle = value.get("type").and_then(Value::as_str) == Some("bundle");
    let objects = value.get("objects").and_then(Value::as_array);
    let Some(objects) = objects.filter(|_| is_bundle) else {
        let expected = "a bundle: `type` is \"bundle\", `objects` is a list";
        return Err(bad(if is_bundle { "objects" } else { "type" }, expected));
    };
    if objects.len() > OBJECTS_MAX {
        return Err(bad("objects", &format!("{OBJECTS_MAX} objects at most")));
    }
    let mut bundle = Bundle::default();
    let markings = markings(objects);
    for (at, object) in objects.iter().enumerate() {
        if let Err(reason) = take(&mut bundle, at, object, &markings) {
            bundle.bad.push(reason);
        }
    }
    translations(&mut bundle, objects);
    Ok(bundle)
}

fn bad(path: &str, expected: &str) -> SkipReason {
    SkipReason::BadObject {
        path: path.to_owned(),
        detail: format!("expected {expected}"),
    }
}

/// The TLP label of each marking definition.
fn markings(objects: &[Value]) -> BTreeMap<String, &'static str> {
    let mut labels = BTreeMap::new();
    for (label, second, first, _) in MARKINGS {
        labels.insert(second.to_owned(), label);
        labels.insert(first.to_owned(), label);
    }
    for object in objects {
        let (Some("marking-definition"), Some(id)) = (text(object, "type"), text(object, "id"))
        else {
            continue;
        };
        let first = object.pointer("/definition/tlp");
        let second = object.get("extensions").and_then(|all| all.get(TLP_2));
        let second = second.and_then(|tlp| tlp.get("tlp_2_0"));
        let word = second.or(first).and_then(Value::as_str).unwrap_or_default();
        let word = if word == "white" { "clear" } else { word };
        if let Some((label, ..)) = MARKINGS.iter().find(|(.., known)| *known == word) {
            labels.insert(id.to_owned(), label);
        }
    }
    labels
}

fn text<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object.get(key).and_then(Value::as_str)
}

fn take(
    bundle: &mut Bundle,
    at: usize,
    object: &Value,
    markings: &BTreeMap<String, &'static str>,
) -> Result<(), SkipReason> {
    let Some(fields) = object.as_object() else {
        return Err(bad(&format!("objects[{at}]"), "an object"));
    };
    let needed = |key: &str| {
        let value = fields.get(key).and_then(Value::as_str);
        let value = value.filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| bad(&format!("objects[{at}].{key}"), "a text that is not empty"))
    };
    let stix_type = needed("type")?;
    if stix_type == "relationship" {
        let revoked = fields.get("revoked").and_then(Value::as_bool);
        if revoked != Some(true) {
            let rel = relation(needed("relationship_type")?);
            let rel = rel.ok_or_else(|| {
                bad(
                    &format!("objects[{at}].relationship_type"),
                    "small letters and hyphens",
                )
            })?;
            let ends = (needed("source_ref")?, needed("target_ref")?);
            bundle
                .links
                .push((ends.0.to_owned(), rel, ends.1.to_owned()));
        }
        return Ok(());
    }
    let Some((_, kind, _)) = TYPES.iter().find(|(known, ..)| *known == stix_type) else {
        let count = bundle.passed_over.entry(stix_type.to_owned()).or_default();
        *count += 1;
        return Ok(());
    };
    let id = needed("id")?;
    if !id.starts_with(&format!("{stix_type}--")) || id.len() > 128 {
        return Err(bad(
            &format!("objects[{at}].id"),
            &format!("{stix_type}-- and a UUID"),
        ));
    }
    let lang = fields.get("lang").and_then(Value::as_str).unwrap_or("en");
    let by_lang = |value: &str| Texts::from([(lang.to_owned(), value.to_owned())]);
    let mut draft = Draft {
        kind: Some((*kind).to_owned()),
        title: by_lang(needed("name")?.trim()),
        tlp: strictest(fields, markings),
        ..Draft::default()
    };
    if let Some(description) = fields.get("description") {
        let path = format!("objects[{at}].description");
        let description = description.as_str().ok_or_else(|| bad(&path, "a text"))?;
        if !description.trim().is_empty() {
            draft.body = by_lang(description);
        }
    }
    put_labels(fields, stix_type, &mut draft);
    put_fields(fields, stix_type, id, &mut draft);
    for target in items(fields, "object_refs") {
        bundle
            .links
            .push((id.to_owned(), "object".to_owned(), target.to_owned()));
    }
    bundle.objects.push(Item {
        id: id.to_owned(),
        modified: text(object, "modified").unwrap_or_default().to_owned(),
        draft,
    });
    Ok(())
}

/// A relation as a record's link has it.
pub(crate) fn relation(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    (name.len() <= 64 && name.bytes().all(good)).then_some(name)
}

/// The texts of a list.
fn items<'v>(fields: &'v Map<String, Value>, key: &str) -> impl Iterator<Item = &'v str> {
    let list = fields.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// The strictest label of the object and of any part of it; none where none is said.
fn strictest(
    fields: &Map<String, Value>,
    markings: &BTreeMap<String, &'static str>,
) -> Option<String> {
    let granular = fields.get("granular_markings").and_then(Value::as_array);
    let granular = granular.into_iter().flatten();
    let granular = granular.filter_map(|part| part.get("marking_ref").and_then(Value::as_str));
    let refs = items(fields, "object_marking_refs").chain(granular);
    let rank = |label: &&str| MARKINGS.iter().position(|(known, ..)| known == label);
    let labels = refs.filter_map(|id| markings.get(id).copied());
    labels.max_by_key(rank).map(str::to_owned)
}

fn put_labels(fields: &Map<String, Value>, stix_type: &str, draft: &mut Draft) {
    let mut tags = BTreeSet::new();
    let mut themes = BTreeSet::new();
    for label in items(fields, "labels") {
        match label.strip_prefix(THEME) {
            Some(theme) => themes.extend(tag(theme)),
            None => tags.extend(tag(label)),
        }
    }
    if PHASED.contains(&stix_type) {
        let phases = fields.get("kill_chain_phases").and_then(Value::as_array);
        for phase in phases.into_iter().flatten() {
            if let Some(chain) = text(phase, "kill_chain_name")
                && let Some(name) = text(phase, "phase_name")
            {
                tags.extend(tag(&format!("{PHASE}{chain}:{name}")));
            }
        }
    }
    let is_set = |key: &str| fields.get(key).and_then(Value::as_bool) == Some(true);
    for (key, word) in [("revoked", REVOKED), ("x_mitre_deprecated", DEPRECATED)] {
        if is_set(key) {
            tags.insert(word.to_owned());
        }
    }
    draft.tags = tags.into_iter().take(ITEMS_MAX).collect();
    draft.themes = themes.into_iter().take(ITEMS_MAX).collect();
}

fn put_fields(fields: &Map<String, Value>, stix_type: &str, id: &str, draft: &mut Draft) {
    let mut references = Vec::new();
    let all = fields.get("external_references").and_then(Value::as_array);
    for reference in all.into_iter().flatten() {
        let part = |key: &str| text(reference, key).unwrap_or_default().trim();
        let source = part("source_name");
        if source == DIWAN {
            draft.record = Some(part("external_id").to_owned())
                .filter(|id| id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()));
            continue;
        }
        let line = [source, part("external_id"), part("url")]
            .map(|part| part.replace([' ', '\n', '\t', '|'], "_"))
            .join(" | ");
        let line = line.trim_end_matches([' ', '|']).to_owned();
        if !source.is_empty() && line.len() <= REFERENCE_BYTES {
            references.push(line);
        }
    }
    references.sort();
    references.dedup();
    references.truncate(ITEMS_MAX);
    // Only an id that follows from the record's own says that the object is that record: whoever knows the
    // id of a record can name it.
    draft.record = draft
        .record
        .take()
        .filter(|record| id == id_of(stix_type, &[record.as_str()]));
    if draft.record.is_some() {
        return;
    }
    draft.import_key = Some(import_key(KeyOf::LineId, &["stix", id]));
    let mut put = |name: &str, value: FieldValue| {
        draft.fields.insert(name.to_owned(), value);
    };
    put("stix", FieldValue::Line(id.to_owned()));
    if !references.is_empty() {
        put("references", FieldValue::Lines(references));
    }
    let mut aliases: Vec<String> = items(fields, "aliases")
        .chain(items(fields, "x_mitre_aliases"))
        .filter_map(tag)
        .collect();
    aliases.sort();
    aliases.dedup();
    aliases.truncate(ITEMS_MAX);
    if !aliases.is_empty() {
        put("aliases", FieldValue::Lines(aliases));
    }
    // That it is none is what an export says where nothing is said.
    if fields.get("is_family").and_then(Value::as_bool) == Some(true) {
        put("is-family", FieldValue::Line("true".to_owned()));
    }
    if let Some(published) = fields.get("published").and_then(Value::as_str) {
        put("published", FieldValue::Line(published.to_owned()));
    }
}

/// Titles and bodies in other languages (STIX 2.1, section 7.1).
fn translations(bundle: &mut Bundle, objects: &[Value]) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (at, object) in bundle.objects.iter().enumerate() {
        places.insert(object.id.clone(), at);
    }
    for object in objects {
        if text(object, "type") != Some("language-content") {
            continue;
        }
        let Some(place) = text(object, "object_ref").and_then(|id| places.get(id)) else {
            continue;
        };
        let Some(found) = bundle.objects.get_mut(*place) else {
            continue;
        };
        let contents = object.get("contents").and_then(Value::as_object);
        for (lang, texts) in contents.into_iter().flatten() {
            let draft = &mut found.draft;
            for (key, into) in [("name", &mut draft.title), ("description", &mut draft.body)] {
                if let Some(text) = text(texts, key) {
                    into.insert(lang.clone(), text.to_owned());
                }
            }
        }
    }
    bundle.passed_over.remove("language-content");
    bundle.passed_over.remove("marking-definition");
}
