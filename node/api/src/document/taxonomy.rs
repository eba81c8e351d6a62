//! Taxonomies of MISP into vocabularies (draft-dulaunoy-misp-taxonomy-format): the namespace becomes a concept
//! scheme, each predicate a concept, and each value a concept below its predicate. A concept's notation is
//! the machine tag that events are tagged with, so that a tag is known by its concept's labels.

use serde_json::Value;

use super::bundle::{Bundle, Item};
use super::clean::clean_line;
use super::fields::tag;
use super::guess::judge;
use super::misp::{cut, list, text};
use super::place::{KeyOf, import_key};
use super::skip::SkipReason;
use super::tag::Tag;
use crate::types::{Draft, FieldValue, Texts};

/// Where the taxonomies of MISP are described, and what the names of their concepts begin with.
const TAXONOMIES: &str = "https://www.misp-project.org/taxonomies.html#";
/// Bytes of a label.
const LABEL_BYTES: usize = 500;
/// Bytes of a description.
const NOTE_BYTES: usize = 16 * 1024;

/// Whether a document is a taxonomy.
pub(super) fn is_one(value: &Value) -> bool {
    value.get("namespace").is_some() && value.get("predicates").is_some()
}

/// Reads one.
pub(super) fn take(bundle: &mut Bundle, value: &Value) {
    let namespace = text(value, "namespace");
    if namespace.is_empty() {
        bundle.bad.push(missing("namespace"));
        return;
    }
    let lang = language(value);
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    let mut taxonomy = Taxonomy {
        bundle,
        scheme: format!("misp-taxonomy:{namespace}"),
        lang,
        modified: format!("{version:020}"),
    };
    let scheme = taxonomy.scheme.clone();
    taxonomy.push(scheme.clone(), "scheme", namespace, namespace, value);
    for (at, predicate) in list(value, "predicates").enumerate() {
        let name = text(predicate, "value");
        if name.is_empty() {
            let path = format!("predicates[{at}].value");
            taxonomy.bundle.bad.push(missing(&path));
            continue;
        }
        let notation = format!("{namespace}:{name}");
        let id = taxonomy.concept(&notation, name, predicate);
        taxonomy.link(&id, "scheme", &scheme);
    }
    for (at, values) in list(value, "values").enumerate() {
        let predicate = text(values, "predicate");
        for (place, entry) in list(values, "entry").enumerate() {
            let name = text(entry, "value");
            if name.is_empty() {
                let path = format!("values[{at}].entry[{place}].value");
                taxonomy.bundle.bad.push(missing(&path));
                continue;
            }
            let notation = format!("{namespace}:{predicate}=\"{name}\"");
            let id = taxonomy.concept(&notation, name, entry);
            taxonomy.link(&id, "scheme", &scheme);
            let above = id_of(&format!("{namespace}:{predicate}"));
            taxonomy.link(&id, "broader", &above);
        }
    }
}

struct Taxonomy<'b> {
    bundle: &'b mut Bundle,
    /// Id of the concept scheme.
    scheme: String,
    lang: String,
    modified: String,
}

impl Taxonomy<'_> {
    fn concept(&mut self, notation: &str, name: &str, value: &Value) -> String {
        let id = id_of(notation);
        self.push(id.clone(), "concept", notation, name, value);
        id
    }

    fn push(&mut self, id: String, kind: &str, notation: &str, name: &str, value: &Value) {
        let expanded = text(value, "expanded");
        let label = clean_line(if expanded.is_empty() { name } else { expanded });
        let label = cut(&label, LABEL_BYTES).to_owned();
        let note = cut(text(value, "description"), NOTE_BYTES);
        let uri = format!("{TAXONOMIES}{}", encoded(notation));
        let mut draft = Draft {
            kind: Some(kind.to_owned()),
            title: Texts::from([(self.lang.clone(), label.clone())]),
            // By its IRI, as in SKOS: an export of it comes back to the same record.
            import_key: Some(import_key(KeyOf::LineId, &["skos", &uri])),
            ..Draft::default()
        };
        if !note.is_empty() && note != label {
            draft.summary = Texts::from([(self.lang.clone(), note.to_owned())]);
        }
        let named = tag(notation).map(|notation| ("notation", notation));
        let named = named.map(|(field, value)| (field, FieldValue::Line(value)));
        let fields = named.into_iter().chain([("uri", FieldValue::Line(uri))]);
        draft.fields = fields
            .map(|(field, value)| (field.to_owned(), value))
            .collect();
        self.bundle.objects.push(Item {
            id,
            modified: self.modified.clone(),
            draft,
        });
    }

    fn link(&mut self, from: &str, relation: &str, to: &str) {
        let link = (from.to_owned(), relation.to_owned(), to.to_owned());
        self.bundle.links.push(link);
    }
}

fn id_of(notation: &str) -> String {
    format!("misp-tag:{notation}")
}

fn missing(path: &str) -> SkipReason {
    SkipReason::BadObject {
        path: path.to_owned(),
        detail: "expected a text that is not empty".to_owned(),
    }
}

/// The language that the taxonomy's texts are in together: one of them alone is too short to tell.
fn language(value: &Value) -> String {
    let mut prose = text(value, "description").to_owned();
    let entries = list(value, "values").flat_map(|values| list(values, "entry"));
    for one in list(value, "predicates").chain(entries) {
        for key in ["expanded", "description"] {
            prose.push_str(". ");
            prose.push_str(text(one, key));
        }
    }
    let judged = judge(&prose, None).lang;
    match judged == Tag::undetermined() {
        true => "en".to_owned(),
        false => judged.to_string(),
    }
}

/// As a fragment of an IRI (RFC 3986, section 3.5).
pub(super) fn encoded(text: &str) -> String {
    let mut fragment = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'=' => {
                fragment.push(char::from(byte));
            }
            other => fragment += &format!("%{other:02X}"),
        }
    }
    fragment
}
