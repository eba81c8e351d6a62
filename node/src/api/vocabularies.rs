//! `vocabulary`: the concept schemes that officers see, and the concepts of one.

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{ConceptInfo, VocabularyAnswer, VocabularyInfo, VocabularyList};
use diwan_core::id::{AgencyId, GroupId};

use super::answer::{Answer, Json, Named, apart};
use super::view::View;
use super::{Api, names};
use crate::engine::{Engine, EngineError};
use crate::vocabulary::{Concept, Scheme};

/// `GET /v1/vocabularies`.
pub(super) async fn list(State(api): State<Api>) -> Answer<VocabularyList> {
    apart(move || all(&api.engine)).await.map(Json)
}

fn all(engine: &Engine) -> Result<VocabularyList, EngineError> {
    let view = View::open(engine)?;
    let words = view.words()?;
    let sees = |group: &GroupId, origin: &AgencyId| words.of_member(group, origin);
    let schemes = words.vocabulary.schemes(&sees).into_iter();
    let vocabularies = schemes.map(|(scheme, count)| info(&view, scheme, count));
    Ok(VocabularyList {
        vocabularies: vocabularies.collect(),
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
    let sees = |group: &GroupId, origin: &AgencyId| words.of_member(group, origin);
    let schemes = words.vocabulary.schemes(&sees);
    let is_it = |scheme: &Scheme| {
        let id = scheme
            .record
            .as_ref()
            .map(|(_, record)| record.id.to_string());
        scheme.notation.as_deref() == Some(name)
            || id.is_some_and(|id| names::id_prefix(name).is_some_and(|name| id.starts_with(&name)))
    };
    let Some((scheme, count)) = schemes.iter().find(|(scheme, _)| is_it(scheme)) else {
        let known = schemes
            .iter()
            .filter_map(|(one, _)| one.notation.as_deref());
        return Err(names::unknown_name("vocabulary", name, known).into());
    };
    let concepts: Vec<&Concept> = match (&scheme.record, &scheme.notation) {
        (Some((num, _)), _) => words.vocabulary.concepts_in(*num, &sees).collect(),
        (None, Some(notation)) => words.vocabulary.concepts(notation, &sees).collect(),
        (None, None) => return Err(ApiError::new(ErrorCode::Internal).into()),
    };
    Ok(VocabularyAnswer {
        vocabulary: info(&view, scheme, *count),
        concepts: concepts.into_iter().map(told).collect(),
    })
}

fn info(view: &View, scheme: &Scheme, concepts: u64) -> VocabularyInfo {
    let record = scheme.record.as_ref().map(|(_, record)| record);
    let id = record.map(|record| record.id.to_string());
    VocabularyInfo {
        name: scheme
            .notation
            .clone()
            .or_else(|| id.clone())
            .unwrap_or_default(),
        title: scheme.title.clone(),
        concepts,
        group_name: record.map(|record| names::group_name(view.replica(), &record.group)),
        origin: record.map(|record| names::short(view.replica(), &record.origin)),
        record: id,
    }
}

fn told(concept: &Concept) -> ConceptInfo {
    let broader = concept.broader.iter().map(ToString::to_string);
    ConceptInfo {
        notation: concept.notation.clone(),
        title: concept.title.clone(),
        alternative: concept.alternative.clone(),
        definition: concept.definition.clone(),
        broader: concept.parent.iter().cloned().chain(broader).collect(),
        record: concept.record.as_ref().map(|record| record.id.to_string()),
    }
}
