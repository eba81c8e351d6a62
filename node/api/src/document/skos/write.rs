//! From records to RDF.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use oxrdf::{Literal, NamedNode, NamedNodeRef, TermRef, TripleRef};
use oxrdfxml::RdfXmlSerializer;
use oxttl::TurtleSerializer;

use super::super::label::strictest_tlp;
use super::super::taxonomy::encoded;
use super::{OF_RECORD, OF_VOCABULARY, RDF, SKOS};
use crate::types::{FieldValue, Record, Texts};

/// In which form RDF is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkosForm {
    /// RDF 1.1 Turtle.
    Turtle,
    /// RDF 1.1 XML Syntax.
    Xml,
}

/// Gathers the records of vocabularies, and passes over all others.
#[derive(Debug, Default)]
pub struct SkosExport {
    /// By IRI, so that the same records give the same bytes.
    resources: BTreeMap<String, Record>,
    /// Record id to IRI.
    iris: BTreeMap<String, String>,
    labels: BTreeSet<String>,
}

impl SkosExport {
    /// Takes one record.
    pub fn take(&mut self, record: Record) {
        if !matches!(record.kind.as_str(), "scheme" | "concept") {
            return;
        }
        let own = line(&record, "uri").filter(|iri| NamedNode::new(*iri).is_ok());
        let iri = own.map_or_else(|| format!("{OF_RECORD}{}", record.record), str::to_owned);
        // Two records may say that they are the same concept: each is written.
        let iri = match self.resources.contains_key(&iri) {
            true => format!("{OF_RECORD}{}", record.record),
            false => iri,
        };
        self.labels.insert(record.tlp.clone());
        self.iris.insert(record.record.clone(), iri.clone());
        self.resources.insert(iri, record);
    }

    /// The document, the strictest label of what is in it as a comment above and below, and how many records
    /// it holds.
    ///
    /// # Errors
    /// [`io::Error`] where an IRI is none.
    pub fn finish(self, form: SkosForm) -> io::Result<(String, u64)> {
        let label = strictest_tlp(self.labels.iter().map(String::as_str));
        let label = label.ok().flatten().unwrap_or_default();
        let count = self.resources.len() as u64;
        let bytes = match form {
            SkosForm::Turtle => {
                let serializer = TurtleSerializer::new().with_prefix("skos", SKOS);
                let serializer = serializer.map_err(io::Error::other)?;
                let mut writer = serializer.for_writer(Vec::new());
                self.write(&mut |triple| writer.serialize_triple(triple))?;
                writer.finish()?
            }
            SkosForm::Xml => {
                let serializer = RdfXmlSerializer::new().with_prefix("skos", SKOS);
                let serializer = serializer.map_err(io::Error::other)?;
                let mut writer = serializer.for_writer(Vec::new());
                self.write(&mut |triple| writer.serialize_triple(triple))?;
                writer.finish()?
            }
        };
        let text = String::from_utf8(bytes).map_err(io::Error::other)?;
        let text = text.trim_end();
        let labelled = match form {
            SkosForm::Turtle => format!("# TLP:{label}\n{text}\n# TLP:{label}\n"),
            SkosForm::Xml => {
                // Nothing stands before an XML declaration; a document may do without one.
                let after = text.split_once("?>").map_or(text, |(_, after)| after);
                let text = after.trim_start();
                format!("<!-- TLP:{label} -->\n{text}\n<!-- TLP:{label} -->\n")
            }
        };
        Ok((labelled, count))
    }

    fn write(&self, put: &mut impl FnMut(TripleRef<'_>) -> io::Result<()>) -> io::Result<()> {
        for (iri, record) in &self.resources {
            let subject = NamedNodeRef::new(iri).map_err(io::Error::other)?;
            let mut say = |predicate: &str, object: TermRef<'_>| {
                let predicate = NamedNodeRef::new(predicate).map_err(io::Error::other)?;
                put(TripleRef::new(subject, predicate, object))
            };
            let of = match record.kind.as_str() {
                "scheme" => "ConceptScheme",
                _ => "Concept",
            };
            let of = NamedNode::new(format!("{SKOS}{of}")).map_err(io::Error::other)?;
            say(&format!("{RDF}type"), of.as_ref().into())?;
            let mut texts = |name: &str, texts: &Texts, each_line: bool| {
                for (lang, text) in texts {
                    let lines = text.lines().filter(|_| each_line);
                    let whole = Some(text.as_str()).filter(|_| !each_line);
                    for text in lines.chain(whole) {
                        let literal = literal(text, lang);
                        say(&format!("{SKOS}{name}"), literal.as_ref().into())?;
                    }
                }
                io::Result::Ok(())
            };
            texts("prefLabel", &record.title, false)?;
            texts("definition", &record.summary, false)?;
            for (field, name, each_line) in [
                ("alt", "altLabel", true),
                ("hidden", "hiddenLabel", true),
                ("scope", "scopeNote", false),
            ] {
                if let Some(FieldValue::Texts(labels)) = record.fields.get(field) {
                    texts(name, labels, each_line)?;
                }
            }
            if let Some(notation) = line(record, "notation") {
                let notation = literal(notation, "und");
                say(&format!("{SKOS}notation"), notation.as_ref().into())?;
            }
            if let Some(vocabulary) = line(record, "vocabulary") {
                let scheme = format!("{OF_VOCABULARY}{}", encoded(vocabulary));
                let mut shipped = vec![("inScheme", scheme.clone())];
                let parent = line(record, "parent");
                shipped.extend(parent.map(|one| ("broader", format!("{scheme}:{}", encoded(one)))));
                for (predicate, iri) in shipped {
                    let iri = NamedNodeRef::new(&iri).map_err(io::Error::other)?;
                    say(&format!("{SKOS}{predicate}"), iri.into())?;
                }
            }
            for link in &record.links {
                let predicate = match link.rel.as_str() {
                    "scheme" => "inScheme",
                    "broader" => "broader",
                    "related" => "related",
                    _ => continue,
                };
                if let Some(to) = self.iris.get(&link.record) {
                    let to = NamedNodeRef::new(to).map_err(io::Error::other)?;
                    say(&format!("{SKOS}{predicate}"), to.into())?;
                }
            }
        }
        Ok(())
    }
}

/// A text in its language; one of which nobody knows it has none.
fn literal(text: &str, lang: &str) -> Literal {
    // XML has no place for control characters (XML 1.0, section 2.2), and labels have no use for them.
    let text: String = text
        .chars()
        .filter(|c| {
            matches!(c, '\t' | '\n' | '\r')
                || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
        })
        .collect();
    match lang {
        "und" => Literal::new_simple_literal(text),
        lang => Literal::new_language_tagged_literal(&text, lang)
            .unwrap_or_else(|_| Literal::new_simple_literal(&text)),
    }
}

fn line<'r>(record: &'r Record, name: &str) -> Option<&'r str> {
    match record.fields.get(name) {
        Some(FieldValue::Line(line)) => Some(line),
        _ => None,
    }
}
