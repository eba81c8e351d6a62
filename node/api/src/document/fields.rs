//! What front matter says, whichever syntax it is in: a tree of values to the fields that we know.

use serde_json::{Map, Value};

use super::clean::{clean, clean_line};
use super::limits::TAG_BYTES_MAX;
use crate::types::{FieldValue, FieldValues, RecordLink};

/// The fields of a document's front matter that an import understands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    /// As written; [`super::tag::Tag`] judges it.
    pub(crate) lang: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) themes: Vec<String>,
    pub(crate) tags: Vec<String>,
    /// Every TLP label found, as written.
    pub(crate) tlp: Vec<String>,
    /// Every handling code found, as written.
    pub(crate) hcode: Vec<String>,
    /// Fields of the kind, as an export writes them.
    pub(crate) of_kind: FieldValues,
    pub(crate) links: Vec<RecordLink>,
    pub(crate) record: Option<String>,
    pub(crate) import_key: Option<String>,
    /// The author says that the text is still the original.
    pub(crate) untranslated: bool,
}

impl Fields {
    /// Reads the known keys, in any case of letters, and ignores the others. Title and labels are
    /// also found one level deeper (`lab: title: …`).
    pub(crate) fn from_map(map: &Map<String, Value>) -> Self {
        let text = |keys: &[&str]| keys.iter().find_map(|key| get(map, key).and_then(as_text));
        let list = |keys: &[&str]| -> Vec<String> {
            keys.iter()
                .filter_map(|key| get(map, key))
                .flat_map(as_list)
                .collect()
        };
        let labels = |key: &str| -> Vec<String> {
            everywhere(map, key)
                .flat_map(as_labels)
                .filter(|label| !label.is_empty())
                .collect()
        };
        Self {
            title: everywhere(map, "title").find_map(as_text),
            summary: text(&["summary", "description", "excerpt"]),
            lang: text(&["lang", "language", "language_code"]),
            kind: text(&["kind"]).and_then(|kind| slug(&kind)),
            themes: list(&["themes", "theme"])
                .iter()
                .filter_map(|t| slug(t))
                .collect(),
            tags: list(&["tags", "keywords", "categories"]),
            tlp: labels("tlp"),
            hcode: labels("hcode"),
            of_kind: get(map, "fields").map(as_fields).unwrap_or_default(),
            links: get(map, "links").map(as_links).unwrap_or_default(),
            record: text(&["record"]).and_then(|id| hex_id(&id, 16..=128)),
            import_key: text(&["import_key"]).and_then(|key| hex_id(&key, 32..=32)),
            untranslated: get(map, "untranslated") == Some(&Value::Bool(true))
                || text(&["untranslated"]).is_some_and(|t| t == "true"),
        }
    }
}

/// An identifier in lower-case hexadecimal, if that is what the text is.
pub(crate) fn hex_id(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    (digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())).then_some(text)
}

/// A tag as it is stored; none where it is empty or too long.
pub(crate) fn tag(text: &str) -> Option<String> {
    let tag = clean_line(text);
    (!tag.is_empty() && tag.len() <= TAG_BYTES_MAX).then_some(tag)
}

/// A kind, theme or relation as it is stored: lower case, words joined by hyphens.
pub(crate) fn slug(text: &str) -> Option<String> {
    tag(text).map(|tag| tag.to_lowercase().replace(' ', "-"))
}

/// Splits a list that is written as one text: `phishing, fraud`, `صيد، احتيال`.
pub(crate) fn split_list(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split([',', '،', ';', '؛', '\n']).filter_map(tag)
}

fn get<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

/// The values of a key here and one level deeper, the nearest first.
fn everywhere<'a>(map: &'a Map<String, Value>, key: &'a str) -> impl Iterator<Item = &'a Value> {
    let named = move |(name, _): &(&String, &Value)| name.eq_ignore_ascii_case(key);
    let deeper = map.values().filter_map(Value::as_object).flatten();
    map.iter()
        .filter(named)
        .chain(deeper.filter(named))
        .map(|(_, value)| value)
}

fn as_text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => clean(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn as_list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .filter_map(as_text)
            .filter_map(|t| tag(&t))
            .collect(),
        other => as_text(other)
            .iter()
            .flat_map(|text| split_list(text))
            .collect(),
    }
}

/// Labels of a value; what is neither text nor a list of texts is a label too, and an unknown
/// one, so that it keeps its document out.
fn as_labels(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().flat_map(as_labels).collect(),
        Value::Object(_) => vec!["{…}".to_owned()],
        other => vec![as_text(other).map(|t| clean_line(&t)).unwrap_or_default()],
    }
}

/// Fields of a kind as an export writes them: a map from names to a value, a list of values, or texts by
/// language. What is none of these is left out: only the node knows the kind's schema.
pub(crate) fn as_fields(value: &Value) -> FieldValues {
    let texts = |items: &[Value]| items.iter().filter_map(as_text).collect::<Vec<_>>();
    let field = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Array(items) => FieldValue::Lines(texts(items)),
            Value::Object(map) => {
                let by_language = map.iter();
                let by_language =
                    by_language.filter_map(|(lang, text)| Some((lang.clone(), as_text(text)?)));
                FieldValue::Texts(by_language.collect())
            }
            other => FieldValue::Line(as_text(other)?),
        };
        Some((name.clone(), value))
    };
    let map = value.as_object().into_iter().flatten();
    map.filter_map(field).collect()
}

/// Links as an export writes them (`- rel: need` with `record: …`) or as the command line takes
/// them (`need=…`).
fn as_links(value: &Value) -> Vec<RecordLink> {
    let link = |item: &Value| {
        let (rel, record) = match item {
            Value::Object(map) => (
                get(map, "rel").and_then(as_text)?,
                get(map, "record").and_then(as_text)?,
            ),
            other => {
                let text = as_text(other)?;
                let (rel, record) = text.split_once('=')?;
                (rel.to_owned(), record.to_owned())
            }
        };
        Some(RecordLink {
            rel: slug(&rel)?,
            record: hex_id(&record, 6..=128)?,
        })
    };
    value
        .as_array()
        .map(|items| items.iter().filter_map(link).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        Fields::from_map(value.as_object().unwrap())
    }

    #[test]
    fn known_keys_are_read_in_their_many_shapes() {
        let read = fields(&json!({
            "Title": "Saisie à froid", "description": "Trois étapes", "language": "fr",
            "kind": "Guideline", "themes": ["Digital Evidence"], "keywords": "صيد، احتيال; fraud",
            "categories": ["fraud", 7, {"no": 1}], "TLP": "amber", "order": 3,
            "links": [{"rel": "need", "record": "ABCDEF01"}, "about=00aa00", {"name": "x"}],
        }));
        assert_eq!(read.title.as_deref(), Some("Saisie à froid"));
        assert_eq!(read.summary.as_deref(), Some("Trois étapes"));
        assert_eq!(read.kind.as_deref(), Some("guideline"));
        assert_eq!(read.themes, ["digital-evidence"]);
        assert_eq!(read.tags, ["صيد", "احتيال", "fraud", "fraud", "7"]);
        assert_eq!(read.tlp, ["amber"]);
        let links: Vec<_> = read
            .links
            .iter()
            .map(|l| (l.rel.as_str(), l.record.as_str()))
            .collect();
        assert_eq!(links, [("need", "abcdef01"), ("about", "00aa00")]);
    }

    #[test]
    fn title_and_labels_are_found_one_level_deeper() {
        let read = fields(&json!({"lab": {"title": "Lab 1", "tlp": "RED", "kind": "training"}}));
        assert_eq!(read.title.as_deref(), Some("Lab 1"));
        assert_eq!(read.tlp, ["RED"]);
        assert_eq!(read.kind, None);
    }

    #[test]
    fn a_label_of_another_type_is_not_passed_over() {
        assert_eq!(fields(&json!({"tlp": ["GREEN", 3]})).tlp, ["GREEN", "3"]);
        assert_eq!(fields(&json!({"tlp": {"v": "RED"}})).tlp, ["{…}"]);
        assert!(fields(&json!({"tlp": null, "hcode": ""})).tlp.is_empty());
    }

    #[test]
    fn escapes_cannot_bring_back_what_cleaning_removes() {
        let read = fields(&json!({"title": "a\u{202e}b\u{0}", "tags": ["x\u{200b}y"]}));
        assert_eq!(read.title.as_deref(), Some("ab"));
        assert_eq!(read.tags, ["xy"]);
    }
}
