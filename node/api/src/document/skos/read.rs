//! From RDF to drafts.

use std::collections::{BTreeMap, BTreeSet};

use oxrdf::{NamedOrBlankNode, Term, Triple};
use oxrdfxml::RdfXmlParser;
use oxttl::TurtleParser;

use super::super::bundle::{Bundle, Item};
use super::super::clean::clean_line;
use super::super::place::{KeyOf, import_key};
use super::super::skip::SkipReason;
use super::super::tag::Tag;
use super::{OF_RECORD, RDF, SKOS};
use crate::types::{Draft, FieldValue, Texts};

/// Concepts and schemes of one file.
const RESOURCES_MAX: usize = 200_000;
/// Bytes of a preferred label.
const LABEL_BYTES: usize = 500;
/// Bytes of all labels of one sort and language of a concept.
const LABELS_BYTES: usize = 32 * 1024;
/// Bytes of a definition.
const NOTE_BYTES: usize = 32 * 1024;
/// Bytes of an IRI and of a notation.
const LINE_BYTES: usize = 1_000;
/// Links of one concept.
const LINKS_MAX: usize = 1_000;

/// How the RDF is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Syntax {
    /// Turtle, and N-Triples, which are Turtle too.
    Turtle,
    /// RDF/XML.
    Xml,
}

/// Reads a vocabulary.
///
/// # Errors
/// [`SkipReason::BadRdf`] with the line where it is no RDF or declares entities, whose expansion nothing
/// bounds; a concept without a label costs itself only.
pub(in super::super) fn read(bytes: &[u8], syntax: Syntax) -> Result<Bundle, SkipReason> {
    let mut graph = Graph::default();
    match syntax {
        Syntax::Turtle => {
            for triple in TurtleParser::new().for_slice(bytes) {
                let triple = triple.map_err(|error| SkipReason::BadRdf {
                    line: error.location().start.line + 1,
                    detail: error.message().to_owned(),
                })?;
                graph.take(triple)?;
            }
        }
        Syntax::Xml => {
            refuse_entities(bytes)?;
            let mut parser = RdfXmlParser::new().for_slice(bytes);
            while let Some(triple) = parser.next() {
                let triple = triple.map_err(|error| SkipReason::BadRdf {
                    line: line_at(bytes, parser.buffer_position()),
                    detail: error.to_string(),
                })?;
                graph.take(triple)?;
            }
        }
    }
    Ok(graph.bundle())
}

/// An entity may hold entities that hold entities: a kilobyte becomes a gigabyte.
fn refuse_entities(bytes: &[u8]) -> Result<(), SkipReason> {
    let declaration = b"<!ENTITY";
    let found = bytes
        .windows(declaration.len())
        .position(|window| window == declaration);
    match found {
        None => Ok(()),
        Some(at) => Err(SkipReason::BadRdf {
            line: line_at(bytes, at as u64),
            detail: "entities are not read; write their values out".to_owned(),
        }),
    }
}

fn line_at(bytes: &[u8], position: u64) -> u64 {
    let before = usize::try_from(position)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let before = bytes.get(..before).unwrap_or_default();
    1 + before
        .iter()
        .map(|byte| u64::from(*byte == b'\n'))
        .sum::<u64>()
}

/// What the triples say of each resource.
#[derive(Default)]
pub(super) struct Graph {
    resources: BTreeMap<String, Resource>,
    /// In the order of the file.
    order: Vec<String>,
    /// Source, relation, target.
    links: BTreeSet<(String, &'static str, String)>,
}

#[derive(Default)]
struct Resource {
    kind: Option<&'static str>,
    /// A type of SKOS that becomes no record.
    passed_over: Option<String>,
    preferred: Texts,
    alternative: Texts,
    hidden: Texts,
    definition: Texts,
    scope: Texts,
    /// A title by another vocabulary than SKOS: schemes often have no other.
    named: Texts,
    notation: Option<String>,
}

impl Graph {
    fn take(&mut self, triple: Triple) -> Result<(), SkipReason> {
        let NamedOrBlankNode::NamedNode(subject) = triple.subject else {
            return Ok(());
        };
        let subject = subject.into_string();
        let predicate = triple.predicate.as_str();
        if subject.len() > LINE_BYTES {
            return Ok(());
        }
        match triple.object {
            Term::NamedNode(object) if object.as_str().len() <= LINE_BYTES => {
                self.link(subject, predicate, object.into_string())
            }
            Term::Literal(literal) => {
                let lang = literal.language().map_or_else(|| "und".to_owned(), tag);
                self.say(subject, predicate, lang, literal.value())
            }
            _ => Ok(()),
        }
    }

    fn resource(&mut self, iri: String) -> Result<&mut Resource, SkipReason> {
        if !self.resources.contains_key(&iri) {
            if self.order.len() >= RESOURCES_MAX {
                return Err(SkipReason::BadRdf {
                    line: 0,
                    detail: format!("more than {RESOURCES_MAX} resources"),
                });
            }
            self.order.push(iri.clone());
        }
        Ok(self.resources.entry(iri).or_default())
    }

    fn of_type(&mut self, subject: String, of: &str) -> Result<(), SkipReason> {
        let Some(of) = of.strip_prefix(SKOS) else {
            return Ok(());
        };
        let resource = self.resource(subject)?;
        match of {
            "Concept" => resource.kind = Some("concept"),
            "ConceptScheme" => resource.kind = Some("scheme"),
            other => resource.passed_over = Some(other.to_owned()),
        }
        Ok(())
    }

    /// A resource says which other it stands to how, or what type it is of.
    pub(super) fn link(
        &mut self,
        from: String,
        predicate: &str,
        to: String,
    ) -> Result<(), SkipReason> {
        if predicate.strip_prefix(RDF) == Some("type") {
            return self.of_type(from, &to);
        }
        let (from, relation, to) = match predicate.strip_prefix(SKOS) {
            Some("inScheme" | "topConceptOf") => (from, "scheme", to),
            Some("hasTopConcept") => (to, "scheme", from),
            Some("broader") => (from, "broader", to),
            Some("narrower") => (to, "broader", from),
            Some("related") => (from, "related", to),
            _ => return Ok(()),
        };
        if self.links.len() < RESOURCES_MAX * 4 {
            self.links.insert((from, relation, to));
        }
        Ok(())
    }

    /// A resource says a text in a language.
    pub(super) fn say(
        &mut self,
        subject: String,
        predicate: &str,
        lang: String,
        text: &str,
    ) -> Result<(), SkipReason> {
        let of_skos = predicate.strip_prefix(SKOS);
        let is_title = ["title", "label"]
            .iter()
            .any(|name| predicate.ends_with(name))
            && of_skos.is_none();
        if !is_title
            && !matches!(
                of_skos,
                Some(
                    "prefLabel"
                        | "altLabel"
                        | "hiddenLabel"
                        | "definition"
                        | "scopeNote"
                        | "notation"
                )
            )
        {
            return Ok(());
        }
        let resource = self.resource(subject)?;
        let line = clean_line(text);
        if line.is_empty() {
            return Ok(());
        }
        match of_skos {
            Some("prefLabel") if !resource.preferred.contains_key(&lang) => {
                resource
                    .preferred
                    .insert(lang, cut(&line, LABEL_BYTES).to_owned());
            }
            Some("prefLabel" | "altLabel") => add_line(&mut resource.alternative, lang, &line),
            Some("hiddenLabel") => add_line(&mut resource.hidden, lang, &line),
            Some("definition") => note(&mut resource.definition, lang, text),
            Some("scopeNote") => note(&mut resource.scope, lang, text),
            Some("notation") => {
                resource
                    .notation
                    .get_or_insert_with(|| cut(&line, LINE_BYTES).to_owned());
            }
            _ => {
                resource
                    .named
                    .entry(lang)
                    .or_insert_with(|| cut(&line, LABEL_BYTES).to_owned());
            }
        }
        Ok(())
    }

    /// The drafts and links of all that was said.
    pub(super) fn bundle(mut self) -> Bundle {
        let mut bundle = Bundle::default();
        for iri in std::mem::take(&mut self.order) {
            let Some(resource) = self.resources.remove(&iri) else {
                continue;
            };
            match (resource.kind, resource.passed_over.clone()) {
                (Some(kind), _) => match resource.draft(kind, &iri) {
                    Ok(draft) => bundle.objects.push(Item {
                        id: iri,
                        modified: String::new(),
                        draft,
                    }),
                    Err(reason) => bundle.bad.push(reason),
                },
                (None, Some(of)) => *bundle.passed_over.entry(of).or_default() += 1,
                (None, None) => {}
            }
        }
        let known: BTreeSet<&str> = bundle.objects.iter().map(|item| item.id.as_str()).collect();
        let mut count = BTreeMap::<String, usize>::new();
        for (from, relation, to) in std::mem::take(&mut self.links) {
            // Links to collections and to other vocabularies are no links between what is imported.
            if !known.contains(from.as_str()) || !known.contains(to.as_str()) || from == to {
                continue;
            }
            let links = count.entry(from.clone()).or_default();
            *links += 1;
            if *links <= LINKS_MAX {
                bundle.links.push((from, relation.to_owned(), to));
            }
        }
        bundle
    }
}

impl Resource {
    fn draft(self, kind: &str, iri: &str) -> Result<Draft, SkipReason> {
        let title = match self.preferred.is_empty() {
            true => self.named,
            false => self.preferred,
        };
        if title.is_empty() {
            return Err(SkipReason::BadObject {
                path: iri.to_owned(),
                detail: "expected a skos:prefLabel".to_owned(),
            });
        }
        let mut summary = self.scope;
        summary.extend(self.definition);
        let mut draft = Draft {
            kind: Some(kind.to_owned()),
            title,
            summary,
            ..Draft::default()
        };
        for (name, labels) in [("alt", self.alternative), ("hidden", self.hidden)] {
            if !labels.is_empty() && kind == "concept" {
                draft
                    .fields
                    .insert(name.to_owned(), FieldValue::Texts(labels));
            }
        }
        if let Some(notation) = self.notation {
            draft
                .fields
                .insert("notation".to_owned(), FieldValue::Line(notation));
        }
        match iri.strip_prefix(OF_RECORD) {
            // What this program exported of a record that has no IRI of its own.
            Some(record) => draft.record = Some(record.to_owned()),
            None => {
                draft
                    .fields
                    .insert("uri".to_owned(), FieldValue::Line(iri.to_owned()));
                draft.import_key = Some(import_key(KeyOf::LineId, &["skos", iri]));
            }
        }
        Ok(draft)
    }
}

/// A language as records name it.
fn tag(text: &str) -> String {
    Tag::parse(text).map_or_else(|| "und".to_owned(), |tag| tag.to_string())
}

fn add_line(labels: &mut Texts, lang: String, line: &str) {
    let lines = labels.entry(lang).or_default();
    let line = cut(line, LABEL_BYTES);
    if lines.lines().any(|known| known == line) || lines.len() + line.len() >= LABELS_BYTES {
        return;
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push_str(line);
}

fn note(notes: &mut Texts, lang: String, text: &str) {
    let text = cut(text.trim(), NOTE_BYTES);
    notes.entry(lang).or_insert_with(|| text.to_owned());
}

fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes))
        .unwrap_or_default()
}
