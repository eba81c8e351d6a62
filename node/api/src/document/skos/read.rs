//! From RDF to drafts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use oxrdf::{NamedOrBlankNode, Term, Triple};
use oxrdfxml::RdfXmlParser;
use oxttl::TurtleParser;

use super::super::bundle::{Bundle, Item};
use super::super::clean::clean_line;
use super::super::place::{KeyOf, import_key};
use super::super::skip::SkipReason;
use super::super::tag::Tag;
use super::{OF_RECORD, OF_VOCABULARY, RDF, SKOS};
use crate::types::{Draft, FieldValue, Texts};

/// Concepts and schemes of one file.
const RESOURCES_MAX: usize = 200_000;
/// Bytes of a preferred label.
const LABEL_BYTES: usize = 500;
/// Bytes of all labels of one sort and language of a concept.
const LABELS_BYTES: usize = 32 * 1024;
/// Bytes of a definition.
const NOTE_BYTES: usize = 16 * 1024;
/// Bytes of an IRI and of a notation.
const LINE_BYTES: usize = 1_000;
/// Links of one concept.
const LINKS_MAX: usize = 1_000;
/// Links of one file.
const FILE_LINKS_MAX: usize = 2_000_000;
/// Bytes of all IRIs of one file, each counted once: a prefix of a kilobyte makes much of little.
const IRIS_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of one tag of RDF/XML: what reads attributes compares each with all others.
const TAG_BYTES: usize = 64 * 1024;
/// Tags of RDF/XML that are open at a time.
const DEPTH_MAX: usize = 256;

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
            refuse_depth(bytes)?;
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

/// Tags of great length, or within each other without end, cost the reader more than they are long.
fn refuse_depth(bytes: &[u8]) -> Result<(), SkipReason> {
    let (mut opened, mut quote, mut depth) = (None, None, 0_usize);
    for (at, byte) in bytes.iter().enumerate() {
        let byte_at = |at: Option<usize>| at.and_then(|at| bytes.get(at));
        let is_markup = |start: usize| matches!(byte_at(Some(start + 1)), Some(b'?' | b'!'));
        match (byte, opened, quote) {
            (b'<', None, _) => opened = Some(at),
            (b'"' | b'\'', Some(start), None) if !is_markup(start) => quote = Some(byte),
            (_, Some(_), Some(open)) if byte == open => quote = None,
            (b'>', Some(start), None) => {
                opened = None;
                if byte_at(Some(start + 1)) == Some(&b'/') {
                    depth = depth.saturating_sub(1);
                } else if !is_markup(start) && byte_at(at.checked_sub(1)) != Some(&b'/') {
                    depth += 1;
                }
            }
            _ => {}
        }
        let length = opened.map_or(0, |start| at - start);
        if depth > DEPTH_MAX || length > TAG_BYTES {
            return Err(SkipReason::BadRdf {
                line: line_at(bytes, at as u64),
                detail: format!(
                    "a tag of more than {TAG_BYTES} bytes, or more than {DEPTH_MAX} within each other"
                ),
            });
        }
    }
    Ok(())
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
    /// IRIs by number.
    numbers: HashMap<String, u32>,
    iris: Vec<String>,
    iris_bytes: usize,
    resources: HashMap<u32, Resource>,
    /// In the order of the file.
    order: Vec<u32>,
    /// Source, relation, target.
    links: BTreeSet<(u32, &'static str, u32)>,
}

#[derive(Default)]
struct Resource {
    kind: Option<&'static str>,
    /// A type of SKOS that becomes no record.
    passed_over: Option<String>,
    preferred: Texts,
    alternative: Labels,
    hidden: Labels,
    definition: Texts,
    scope: Texts,
    /// A title by another vocabulary than SKOS: schemes often have no other.
    named: Texts,
    notation: Option<String>,
}

/// Labels by language, each once and in the order of the file.
#[derive(Default)]
struct Labels {
    lines: Texts,
    known: BTreeSet<(String, String)>,
}

impl Labels {
    fn add(&mut self, lang: String, line: &str) {
        let lines = self.lines.entry(lang.clone()).or_default();
        let line = cut(line, LABEL_BYTES);
        if lines.len() + line.len() >= LABELS_BYTES || !self.known.insert((lang, line.to_owned())) {
            return;
        }
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(line);
    }
}

fn too_much(detail: String) -> SkipReason {
    SkipReason::BadRdf { line: 0, detail }
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

    fn number(&mut self, iri: String) -> Result<u32, SkipReason> {
        if let Some(number) = self.numbers.get(&iri) {
            return Ok(*number);
        }
        self.iris_bytes += iri.len();
        if self.iris_bytes > IRIS_BYTES {
            return Err(too_much(format!("more than {IRIS_BYTES} bytes of IRIs")));
        }
        let number = u32::try_from(self.iris.len());
        let number = number.map_err(|_| too_much("too many IRIs".to_owned()))?;
        self.iris.push(iri.clone());
        self.numbers.insert(iri, number);
        Ok(number)
    }

    fn resource(&mut self, iri: String) -> Result<&mut Resource, SkipReason> {
        let number = self.number(iri)?;
        if !self.resources.contains_key(&number) {
            if self.order.len() >= RESOURCES_MAX {
                return Err(too_much(format!("more than {RESOURCES_MAX} resources")));
            }
            self.order.push(number);
        }
        Ok(self.resources.entry(number).or_default())
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
        let (from, to) = (self.number(from)?, self.number(to)?);
        self.links.insert((from, relation, to));
        match self.links.len() > FILE_LINKS_MAX {
            true => Err(too_much(format!("more than {FILE_LINKS_MAX} links"))),
            false => Ok(()),
        }
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
            Some("prefLabel" | "altLabel") => resource.alternative.add(lang, &line),
            Some("hiddenLabel") => resource.hidden.add(lang, &line),
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
        let mut places = HashMap::new();
        for number in std::mem::take(&mut self.order) {
            let (Some(resource), Some(iri)) = (
                self.resources.remove(&number),
                self.iris.get(number as usize),
            ) else {
                continue;
            };
            match (resource.kind, resource.passed_over.clone()) {
                (Some(kind), _) => match resource.draft(kind, iri) {
                    Ok(draft) => {
                        places.insert(number, bundle.objects.len());
                        bundle.objects.push(Item {
                            id: iri.clone(),
                            modified: String::new(),
                            draft,
                        });
                    }
                    Err(reason) => bundle.bad.push(reason),
                },
                (None, Some(of)) => *bundle.passed_over.entry(of).or_default() += 1,
                (None, None) => {}
            }
        }
        let mut count = BTreeMap::<u32, usize>::new();
        let mut too_many = 0;
        for (from, relation, to) in std::mem::take(&mut self.links) {
            let iri = |number: u32| self.iris.get(number as usize).cloned().unwrap_or_default();
            let Some(item) = places.get(&from).and_then(|at| bundle.objects.get_mut(*at)) else {
                continue;
            };
            if !places.contains_key(&to) {
                name_shipped(&mut item.draft, relation, &iri(to));
                continue;
            }
            let links = count.entry(from).or_default();
            *links += 1;
            match (from == to, *links <= LINKS_MAX) {
                (true, _) => {}
                (false, true) => bundle.links.push((iri(from), relation.to_owned(), iri(to))),
                (false, false) => too_many += 1,
            }
        }
        if too_many > 0 {
            bundle.bad.push(SkipReason::LooseLinks { count: too_many });
        }
        bundle
    }
}

/// A link to what is shipped, and so no record, is kept as its name.
fn name_shipped(draft: &mut Draft, relation: &str, iri: &str) {
    let Some(name) = iri.strip_prefix(OF_VOCABULARY) else {
        return;
    };
    let (field, value) = match (relation, name.split_once(':')) {
        ("scheme", None) => ("vocabulary", name),
        ("broader", Some((_, notation))) => ("parent", notation),
        _ => return,
    };
    let value = FieldValue::Line(decoded(value));
    draft.fields.insert(field.to_owned(), value);
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
        let mut draft = Draft {
            kind: Some(kind.to_owned()),
            title,
            summary: self.definition,
            ..Draft::default()
        };
        let texts = [
            ("alt", self.alternative.lines),
            ("hidden", self.hidden.lines),
            ("scope", self.scope),
        ];
        for (name, labels) in texts {
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

fn note(notes: &mut Texts, lang: String, text: &str) {
    let text = cut(text.trim(), NOTE_BYTES);
    notes.entry(lang).or_insert_with(|| text.to_owned());
}

fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes))
        .unwrap_or_default()
}

/// What was written with `%` and two hexadecimal digits (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let encoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, encoded) {
            (b'%', Some(encoded)) => {
                bytes.push(encoded);
                rest = after.get(2..).unwrap_or_default();
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
