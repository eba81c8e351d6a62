//! What a document says: from its maps to plain content, by the rules of merging.

use std::collections::BTreeMap;

use automerge::{Automerge, ChangeHash, ObjType, ReadDoc, ScalarValue, Value};

use super::base::Maps;
use super::content::{Content, Tlp};
use super::genesis::Genesis;

/// What a document says; none where it has what no record may have.
pub(super) fn read(
    doc: &Automerge,
    genesis: &Genesis,
    promoted: &BTreeMap<String, ChangeHash>,
) -> Option<Content> {
    let maps = Maps::of(doc)?;
    if doc.keys(automerge::ROOT).count() != 4 {
        return None;
    }
    let mut content = Content::default();
    for (key, text) in &genesis.content.texts {
        if !promoted.contains_key(key) {
            content.texts.insert(key.clone(), text.clone());
        }
    }
    for key in doc.keys(&maps.texts) {
        let (Value::Object(ObjType::Text), object) = doc.get(&maps.texts, key.as_str()).ok()??
        else {
            return None;
        };
        content.texts.insert(key, doc.text(&object).ok()?);
    }
    for field in doc.keys(&maps.values) {
        let value = value(doc, &maps, &field)?;
        content.values.insert(field, value);
    }
    for (map, keys) in [
        (&maps.sets, &mut content.sets),
        (&maps.links, &mut content.links),
    ] {
        for key in doc.keys(map) {
            match doc.get(map, key.as_str()).ok()?? {
                (Value::Scalar(scalar), _) if *scalar == ScalarValue::Boolean(true) => {}
                _ => return None,
            }
            keys.insert(key);
        }
    }
    Some(content)
}

/// Europol's handling codes.
const CODES: [&str; 4] = ["H0", "H1", "H2", "H3"];

/// A single value. Of concurrent labels and handling codes the strictest counts; otherwise Automerge's
/// order decides.
fn value(doc: &Automerge, maps: &Maps, field: &str) -> Option<String> {
    let text = |value: &Value<'_>| value.as_str().map(str::to_owned);
    if field != "tlp" && field != "hcode" {
        return text(&doc.get(&maps.values, field).ok()??.0);
    }
    let all = doc.get_all(&maps.values, field).ok()?;
    let all = all.iter().map(|(value, _)| text(value));
    let labels = all.collect::<Option<Vec<_>>>()?.into_iter();
    match field {
        "tlp" => labels.max_by_key(|label| Tlp::from_name(label)),
        // H0 to H3 (Europol): the greater number is the stricter code. What is none wins over none.
        _ => labels.max_by(|one, other| {
            let order = |code: &String| (CODES.contains(&code.as_str()), code.clone());
            order(one).cmp(&order(other))
        }),
    }
}
