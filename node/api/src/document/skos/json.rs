//! SKOS as a JSON document of concepts by number, the form in which benoitdavidfr/eurovoc gives EuroVoc: the
//! properties of SKOS are keys, labels stand by language.

use serde_json::{Map, Value};

use super::super::bundle::Bundle;
use super::super::skip::SkipReason;
use super::read::Graph;
use super::{EUROVOC, RDF, SKOS};

/// Whether a document is one.
pub(in super::super) fn is_one(value: &Value) -> bool {
    let concepts = value.get("concepts").and_then(Value::as_object);
    concepts.is_some_and(|all| all.values().any(|one| one.get("prefLabel").is_some()))
}

/// Reads it.
///
/// # Errors
/// As [`super::read()`].
pub(in super::super) fn read(value: &Value) -> Result<Bundle, SkipReason> {
    let mut graph = Graph::default();
    for (key, of) in [("schemes", "ConceptScheme"), ("concepts", "Concept")] {
        let resources = value.get(key).and_then(Value::as_object);
        for (id, resource) in resources.into_iter().flatten() {
            let iri = format!("{EUROVOC}{id}");
            graph.link(iri.clone(), &format!("{RDF}type"), format!("{SKOS}{of}"))?;
            if let Some(resource) = resource.as_object() {
                take(&mut graph, &iri, resource)?;
            }
        }
    }
    Ok(graph.bundle())
}

fn take(graph: &mut Graph, iri: &str, resource: &Map<String, Value>) -> Result<(), SkipReason> {
    for (key, value) in resource {
        let predicate = format!("{SKOS}{key}");
        match value {
            Value::Object(by_language) => {
                for (lang, texts) in by_language {
                    for text in each(texts).filter_map(Value::as_str) {
                        graph.say(iri.to_owned(), &predicate, lang.clone(), text)?;
                    }
                }
            }
            many => {
                for one in each(many).filter_map(Value::as_u64) {
                    match key.as_str() {
                        "notation" => {
                            let number = one.to_string();
                            graph.say(iri.to_owned(), &predicate, "und".to_owned(), &number)?;
                        }
                        _ => graph.link(iri.to_owned(), &predicate, format!("{EUROVOC}{one}"))?,
                    }
                }
            }
        }
    }
    Ok(())
}

/// A value, or each of a list of them.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, one) = match value {
        Value::Array(list) => (list.as_slice(), None),
        one => (&[][..], Some(one)),
    };
    list.iter().chain(one)
}
