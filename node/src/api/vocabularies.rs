//! `vocabulary`: the concept schemes that officers see, and the concepts of one.

use std::collections::BTreeMap;

use axum::extract::State;
use diwan_api::types::{ConceptInfo, VocabularyAnswer, VocabularyInfo, VocabularyList};
use diwan_core::id::RecordId;

use super::answer::{Answer, Json, Named, apart};
use super::view::View;
use super::words::Words;
use super::{Api, names};
use crate::engine::{Engine, EngineError};
use crate::index::folded;
use crate::store::StoreError;
use crate::vocabulary::{Concept, Scheme, Source, THEMES};

/// `GET /v1/vocabularies`.
pub(super) async fn list(State(api): State<Api>) -> Answer<VocabularyList> {
    apart(move || all(&api.engine)).await.map(Json)
}

fn all(engine: &Engine) -> Result<VocabularyList, EngineError> {
    let view = View::open(engine)?;
    let words = view.words()?;
    let told = Told::new(&view, &words);
    let sees = |source: &Source| words.of_member(source);
    let schemes = words.vocabulary.schemes(&sees);
    Ok(VocabularyList {
        vocabularies: schemes.map(|scheme| told.scheme(scheme)).collect(),
    })
}

/// `GET /v1/vocabularies/{name}`.
pub(super) async fn show(
    State(api): State<Api>,
    Named(name): Named<String>,
) -> Answer<VocabularyAnswer> {
    apart(move || one(&api.engine, &name)).await.map(Json)
}

fn one(engine: &Engine, name: &str) -> Result<VocabularyAnswer, EngineError> {
    let view = View::open(engine)?;
    let words = view.words()?;
    let told = Told::new(&view, &words);
    let sees = |source: &Source| words.of_member(source);
    let wanted = folded(name);
    let is_it = |scheme: &&Scheme| {
        let id = scheme.record.as_ref().map(|record| record.id.to_string());
        let prefix = names::id_prefix(name);
        scheme
            .notation
            .as_ref()
            .is_some_and(|name| folded(name) == wanted)
            || scheme.title.values().any(|title| folded(title) == wanted)
            || id
                .zip(prefix)
                .is_some_and(|(id, prefix)| id.starts_with(&prefix))
    };
    let mut found = words.vocabulary.schemes(&sees).filter(is_it);
    let Some(scheme) = found.next() else {
        let known = words.vocabulary.schemes(&sees);
        let known: Vec<&str> = known.filter_map(|one| one.notation.as_deref()).collect();
        return Err(names::unknown_name("vocabulary", name, known.into_iter()).into());
    };
    let owners = |source: &Source| words.of_owner(source);
    let concepts: Vec<&Concept> = match &scheme.record {
        Some(record) => words.vocabulary.concepts_in(record.id, &sees).collect(),
        // What is shipped is extended by owners alone, and by nobody but in themes.
        None => {
            let name = scheme.notation.as_deref().unwrap_or_default();
            let all = words.vocabulary.concepts(name, &owners);
            all.filter(|one| name == THEMES || one.record.is_none())
                .collect()
        }
    };
    let concepts = concepts.into_iter().map(|concept| told.concept(concept));
    Ok(VocabularyAnswer {
        concepts: concepts.collect::<Result<_, _>>()?,
        vocabulary: told.scheme(scheme),
    })
}

/// Schemes and concepts as the API tells of them.
struct Told<'v> {
    view: &'v View,
    words: &'v Words<'v>,
    counts: BTreeMap<RecordId, u64>,
}

impl<'v> Told<'v> {
    fn new(view: &'v View, words: &'v Words<'v>) -> Self {
        let counts = words.vocabulary.counts(&|source| words.of_member(source));
        Self {
            view,
            words,
            counts,
        }
    }

    fn scheme(&self, scheme: &Scheme) -> VocabularyInfo {
        let record = scheme.record.as_ref();
        let id = record.map(|record| record.id.to_string());
        let name = scheme.notation.as_deref().unwrap_or_default();
        let replica = self.view.replica();
        VocabularyInfo {
            concepts: match record {
                Some(record) => self.counts.get(&record.id).copied().unwrap_or(0),
                None => {
                    let owners = |source: &Source| name == THEMES && self.words.of_owner(source);
                    self.words.vocabulary.concepts(name, &owners).count() as u64
                }
            },
            name: scheme
                .notation
                .clone()
                .or_else(|| id.clone())
                .unwrap_or_default(),
            title: scheme.title.clone(),
            group_name: record.map(|record| names::group_name(replica, &record.group)),
            origin: record.map(|record| names::short(replica, &record.origin)),
            record: id,
        }
    }

    fn concept(&self, concept: &Concept) -> Result<ConceptInfo, StoreError> {
        let record = concept.record.as_ref();
        let mut definition = concept.definition.clone();
        if let Some(record) = record
            && let Some(row) = self.view.row(record.num)?
            && let Some(content) = self.view.reading.content(record.num, &row)?
        {
            definition = content.texts_of("summary");
        }
        let replica = self.view.replica();
        let broader = concept.broader.iter().map(ToString::to_string);
        Ok(ConceptInfo {
            notation: concept.notation.clone(),
            title: concept.title.clone(),
            alternative: concept.alternative.clone(),
            definition,
            broader: concept.parent.iter().cloned().chain(broader).collect(),
            record: record.map(|record| record.id.to_string()),
            group_name: record.map(|record| names::group_name(replica, &record.group)),
            origin: record.map(|record| names::short(replica, &record.origin)),
        })
    }
}
