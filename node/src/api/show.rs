//! `show`: one record with its proof and what others said about it.

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{AnnotationInfo, LinkedRecord, Part, Proof, Record};
use diwan_core::identity::Fingerprint;
use diwan_core::record::{ABOUT, Content, PART, Version, content_at, kind};
use serde::Deserialize;

use super::answer::{Answer, Asked, Json, Named, apart};
use super::drafts::ORDER;
use super::view::{Budget, Seen, View};
use super::{Api, drafts, fields, holders, names, proposals, time, translations};
use crate::engine::{Engine, EngineError};
use crate::net::peer_text;
use crate::store::{RecordRow, StoreError};

/// Query of `GET /v1/records/{record}`.
#[derive(Debug, Deserialize)]
pub(super) struct AtVersion {
    at: Option<String>,
}

/// `GET /v1/records/{record}`.
pub(super) async fn show(
    State(api): State<Api>,
    Named(record): Named<String>,
    Asked(AtVersion { at }): Asked<AtVersion>,
) -> Answer<Record> {
    let work = move || read(&api.engine, &record, at.as_deref());
    apart(work).await.map(Json)
}

fn read(engine: &Engine, text: &str, at: Option<&str>) -> Result<Record, EngineError> {
    let view = View::open(engine)?;
    let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", text);
    let seen = view.found(text)?;
    let at = at.map(|at| drafts::version("at", at)).transpose()?;
    let mut record = match at {
        Some(version) if version != Version::from(seen.row.version) => {
            earlier(&view, &seen, &version)?
        }
        _ => {
            let content = view.content(&seen)?.ok_or_else(unknown)?;
            view.canonical(&seen, &content)?
        }
    };
    (record.annotations, record.linked) = linking(&view, &seen)?;
    let content = view.content(&seen)?.unwrap_or_default();
    record.credits = proposals::judge(&content, &mut record.annotations);
    (record.parts, record.total_minutes) = parts(&view, &seen, &content)?;
    let others = translations::in_annotations(&view, &seen, &content, &record.annotations)?;
    record.translations.extend(others);
    record.labels = view.words()?.labels(&record, &seen.row.group);
    record.group_name = Some(names::group_name(view.replica(), &seen.row.group));
    record.stored = Some(holders::stored(&view, &seen)?);
    record.proof = Some(proof(&view, &seen));
    Ok(record)
}

/// The record as it was in an earlier version.
fn earlier(view: &View, seen: &Seen, version: &Version) -> Result<Record, EngineError> {
    let content = content_at_version(view, seen, version)?;
    let told = view.history(seen)?;
    let until = told.steps.iter().position(|step| step.version == *version);
    let steps = told
        .steps
        .get(..until.map_or(0, |at| at + 1))
        .unwrap_or_default();
    let clocks = steps.iter().map(|step| step.wall_ms);
    Ok(Record {
        version: version.to_string(),
        updated: time::rfc3339(clocks.fold(seen.row.created_ms, u64::max)),
        translations: view.translations(seen, &content, Some(steps))?,
        ..view.canonical(seen, &content)?
    })
}

/// What a record said in a version.
pub(super) fn content_at_version(
    view: &View,
    seen: &Seen,
    version: &Version,
) -> Result<Content, EngineError> {
    let unknown = || {
        ApiError::new(ErrorCode::UnknownVersion)
            .with("version", version)
            .with("record", seen.row.id.short())
    };
    let changes = view.changes(seen.num)?;
    let content = content_at(&seen.genesis, &seen.row.id, &changes, version);
    Ok(content.ok_or_else(unknown)?)
}

/// What others said about a record in its group, and the records that link to it and stand for
/// themselves; oldest first.
fn linking(
    view: &View,
    seen: &Seen,
) -> Result<(Vec<AnnotationInfo>, Vec<LinkedRecord>), StoreError> {
    let (mut annotations, mut linked) = (Vec::new(), Vec::new());
    let id = seen.row.id;
    let replica = view.replica();
    let look = |row: RecordRow, content: &Content| {
        let to_it = || content.link_pairs().filter(|(_, to)| *to == id);
        let is_about = to_it().any(|(rel, _)| rel == ABOUT);
        // A kind that only newer nodes know and that is about another record is an annotation, too.
        let is_annotation = kind(&row.kind).map_or(is_about, |kind| kind.annotation);
        if is_annotation && is_about && row.group == seen.row.group {
            let info = AnnotationInfo {
                record: row.id.to_string(),
                kind: row.kind,
                origin: names::short(replica, &row.origin),
                title: content.texts_of("title"),
                body: content.texts_of("body"),
                fields: fields::of(content),
                state: None,
                created: time::rfc3339(row.created_ms),
            };
            annotations.push((row.created_ms, row.id, info));
        } else if !is_annotation {
            linked.extend(to_it().map(|(rel, _)| LinkedRecord {
                rel: rel.to_owned(),
                record: row.id.to_string(),
                kind: row.kind.clone(),
                origin: names::short(replica, &row.origin),
                title: content.texts_of("title"),
            }));
        }
    };
    view.linking(&id, &mut Budget::new(), |_| true, look)?;
    annotations.sort_by_key(|(created_ms, id, _)| (*created_ms, *id));
    let annotations = annotations.into_iter().map(|(_, _, info)| info).collect();
    Ok((annotations, linked))
}

/// The parts of a package in their order, and their minutes together.
fn parts(
    view: &View,
    seen: &Seen,
    content: &Content,
) -> Result<(Vec<Part>, Option<u64>), EngineError> {
    if kind(&seen.row.kind).is_none_or(|kind| kind.relation(PART).is_none()) {
        return Ok((Vec::new(), None));
    }
    let order: Vec<&str> = content
        .value(ORDER)
        .unwrap_or_default()
        .split(' ')
        .collect();
    let place = |record: &str| {
        let known = order
            .iter()
            .position(|id| !id.is_empty() && record.starts_with(id));
        known.unwrap_or(usize::MAX)
    };
    let mut parts = Vec::new();
    for (rel, record) in content.link_pairs() {
        if rel != PART {
            continue;
        }
        let num = view.reading.record_num(&record)?;
        let row = num.map(|num| view.row(num)).transpose()?.flatten();
        let says = match num.zip(row) {
            Some((num, row)) => view.reading.content(num, &row)?.unwrap_or_default(),
            None => Content::default(),
        };
        parts.push(Part {
            record: record.to_string(),
            title: says.texts_of("title"),
            minutes: says.value("duration").and_then(|text| text.parse().ok()),
        });
    }
    parts.sort_by_cached_key(|part| (place(&part.record), part.record.clone()));
    let minutes = parts.iter().filter_map(|part| part.minutes);
    let total = minutes.fold(0, u64::saturating_add);
    Ok((parts, Some(total)))
}

/// Who signed the first version, as this node verified it when it was stored.
fn proof(view: &View, seen: &Seen) -> Proof {
    let replica = view.replica();
    let origin = &seen.row.origin;
    let name = replica
        .agency(origin)
        .map(|chain| chain.genesis().name.clone());
    let compared = replica
        .trust()
        .get(origin)
        .is_some_and(|entry| entry.verification.is_some());
    Proof {
        agency_name: name.unwrap_or_default(),
        fingerprint: Fingerprint::of(origin).to_string(),
        node: peer_text(seen.header.writer.node.as_bytes()),
        seq: seen.header.seq,
        entry: seen.header.hash().to_string(),
        verified: compared || *origin == replica.me().agency,
    }
}
