//! Writing records: `new`, `edit`, annotations, imports.

use axum::extract::State;
use diwan_api::error::ApiError;
use diwan_api::types::{
    Draft, DraftWarning, EditRequest, Edited, Editors, GuardHit, IMPORT_BATCH_DRAFTS, ImportAnswer,
    ImportBatch, ImportOutcome, NewRecord, Written,
};
use diwan_core::id::{GroupId, RecordId};
use diwan_core::record::{Edit, Version};

use super::answer::{Answer, Json, Named, apart};
use super::drafts::{self, Target};
use super::gate::Officer;
use super::guarding::Door;
use super::list::known_kind;
use super::view::View;
use super::{Api, names, proposals};
use crate::engine::{DraftOutcome, EditDone, Engine, EngineError, RecordDraft, Step};

/// Drafts of an import that the writer takes together.
const IMPORTED_TOGETHER: usize = 250;

/// Kind of imported documents that name none, where the request names none either.
const IMPORTED_KIND: &str = "guideline";

/// `POST /v1/records`.
pub(super) async fn create(
    State(api): State<Api>,
    officer: Officer,
    Json(mut new): Json<NewRecord>,
) -> Answer<Written> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let prepared = apart(move || {
        let view = View::open(&engine)?;
        let group = names::group(view.replica(), &new.group)?;
        let target = Target {
            view: &view,
            group,
            kind: None,
            editors: &new.editors,
        };
        let reason = new.draft.override_reason.take();
        let mut draft = target.record(new.draft)?;
        let guard = door.new_record(group, &mut draft, reason.as_deref())?;
        Ok((group.id(), draft, guard))
    })
    .await?;
    written(&api, prepared).await
}

/// `POST /v1/records/{record}/annotations/{kind}`.
pub(super) async fn annotate(
    State(api): State<Api>,
    Named((record, kind)): Named<(String, String)>,
    officer: Officer,
    Json(mut draft): Json<Draft>,
) -> Answer<Written> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let prepared = apart(move || {
        let view = View::open(&engine)?;
        let (_, row) = view.find(&record)?;
        let mut group = names::group(view.replica(), &row.group.to_string())?;
        if door.opens(group).is_err() {
            // A contributor's word about a shared record is a draft until a contact point publishes it.
            group = names::group(view.replica(), "own")?;
        }
        let target = Target {
            view: &view,
            group,
            kind: None,
            editors: &Editors::Origin,
        };
        let reason = draft.override_reason.take();
        proposals::complete(&kind, &Version::from(row.version), &mut draft);
        let mut draft = target.annotation(&kind, &row.id, draft)?;
        let guard = door.new_record(group, &mut draft, reason.as_deref())?;
        Ok((group.id(), draft, guard))
    })
    .await?;
    written(&api, prepared).await
}

/// A record that may be written, and what the guard warned of.
type Prepared = (GroupId, RecordDraft, Vec<GuardHit>);

async fn written(api: &Api, (group, draft, guard): Prepared) -> Answer<Written> {
    let create = move |step: &mut Step<'_, '_>| step.create_record(&group, draft);
    let (record, seq) = api.engine.submit(create).await?;
    Ok(Json(Written {
        record: record.to_string(),
        group: group.to_string(),
        seq,
        guard,
    }))
}

/// `PATCH /v1/records/{record}`.
pub(super) async fn edit(
    State(api): State<Api>,
    Named(record): Named<String>,
    officer: Officer,
    Json(request): Json<EditRequest>,
) -> Answer<Edited> {
    let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
    let read = move || edit_of(&engine, &door, &record, request);
    let (record, base, edit, guard) = apart(read).await?;
    let write = move |step: &mut Step<'_, '_>| step.edit_record(&record, base.as_ref(), &edit);
    let done = api.engine.submit(write).await?;
    Ok(edited(&record, &done, guard))
}

/// The answer to an edit that is durable.
pub(super) fn edited(record: &RecordId, done: &EditDone, guard: Vec<GuardHit>) -> Json<Edited> {
    Json(Edited {
        record: record.to_string(),
        version: done.version.to_string(),
        seq: done.seq,
        guard,
    })
}

type EditOf = (RecordId, Option<Version>, Edit, Vec<GuardHit>);

fn edit_of(
    engine: &Engine,
    door: &Door,
    record: &str,
    mut request: EditRequest,
) -> Result<EditOf, EngineError> {
    let view = View::open(engine)?;
    let (num, row) = view.find(record)?;
    let now = view.reading.content(num, &row)?.unwrap_or_default();
    let group = names::group(view.replica(), &row.group.to_string())?;
    let reason = request.override_reason.take();
    let (base, mut edit) = drafts::edit(&view, &row, &now, request)?;
    let guard = door.edit(group, &now, &mut edit, reason.as_deref())?;
    Ok((row.id, base, edit, guard))
}

/// `POST /v1/import`.
pub(super) async fn import(
    State(api): State<Api>,
    officer: Officer,
    Json(batch): Json<ImportBatch>,
) -> Answer<ImportAnswer> {
    if batch.drafts.len() > IMPORT_BATCH_DRAFTS {
        let expected = format!("{IMPORT_BATCH_DRAFTS} drafts at most");
        return Err(ApiError::invalid("drafts", batch.drafts.len(), &expected).into());
    }
    let dry_run = batch.dry_run;
    let mut jobs = Vec::new();
    let mut warnings = Vec::new();
    let mut first = 0;
    for part in parts_of(batch) {
        let (engine, door) = (api.engine.clone(), Door::of(&api, officer));
        let count = part.drafts.len();
        let (group, drafts, warned) = apart(move || read_batch(&engine, &door, part)).await?;
        warnings.extend(warned.into_iter().map(|warning| DraftWarning {
            draft: warning.draft.saturating_add(first),
            ..warning
        }));
        first = first.saturating_add(count);
        let job = move |step: &mut Step<'_, '_>| step.import(&group, drafts, dry_run);
        jobs.push(api.engine.enqueue(job).await?);
    }
    let mut outcomes = Vec::new();
    for job in jobs {
        outcomes.extend(job.answer().await?);
    }
    Ok(Json(ImportAnswer {
        outcomes: outcomes
            .into_iter()
            .map(|outcome| answered(outcome, dry_run))
            .collect(),
        seq: api.engine.state().store_seq,
        warnings,
    }))
}

/// A batch in parts, in its order: while one is stored the next is read. No drafts are one part, so that
/// the group and the kind are looked at.
fn parts_of(mut batch: ImportBatch) -> Vec<ImportBatch> {
    let mut drafts = std::mem::take(&mut batch.drafts).into_iter();
    let mut parts = Vec::new();
    loop {
        let part: Vec<_> = drafts.by_ref().take(IMPORTED_TOGETHER).collect();
        if part.is_empty() && !parts.is_empty() {
            return parts;
        }
        parts.push(ImportBatch {
            drafts: part,
            ..batch.clone()
        });
    }
}

type Drafts = Vec<Result<RecordDraft, ApiError>>;
type ReadBatch = (GroupId, Drafts, Vec<DraftWarning>);

/// The drafts as the engine takes them. A bad one costs itself, a failing store all of them.
fn read_batch(engine: &Engine, door: &Door, batch: ImportBatch) -> Result<ReadBatch, EngineError> {
    let view = View::open(engine)?;
    let group = names::group(view.replica(), &batch.group)?;
    door.opens(group)?;
    if let Some(kind) = &batch.kind {
        // Said on the command line: wrong for every document, not for one.
        known_kind(kind)?;
    }
    let target = Target {
        view: &view,
        group,
        kind: Some(batch.kind.as_deref().unwrap_or(IMPORTED_KIND)),
        editors: &batch.editors,
    };
    let mut warnings = Vec::new();
    let mut read = |(at, mut draft): (usize, Draft)| {
        let reason = draft
            .override_reason
            .take()
            .or_else(|| batch.override_reason.clone());
        let (mut draft, known) = target.imported(draft)?;
        let hits = door.imported(group, known.as_ref(), &mut draft, reason.as_deref())?;
        if !hits.is_empty() {
            warnings.push(DraftWarning { draft: at, hits });
        }
        Ok(draft)
    };
    let read = |draft| match read(draft) {
        Ok(draft) => Ok(Ok(draft)),
        Err(EngineError::Refused(error)) => Ok(Err(error)),
        Err(error) => Err(error),
    };
    let drafts = batch.drafts.into_iter().enumerate().map(read);
    let drafts = drafts.collect::<Result<_, EngineError>>()?;
    Ok((group.id(), drafts, warnings))
}

fn answered(outcome: DraftOutcome, dry_run: bool) -> ImportOutcome {
    match outcome {
        // The record of a dry run does not exist, and another run would give it another id.
        DraftOutcome::Created(_) if dry_run => ImportOutcome::Created {
            record: String::new(),
        },
        DraftOutcome::Created(record) => ImportOutcome::Created {
            record: record.to_string(),
        },
        DraftOutcome::Updated(record) => ImportOutcome::Updated {
            record: record.to_string(),
        },
        DraftOutcome::Unchanged(record) => ImportOutcome::Unchanged {
            record: record.to_string(),
        },
        DraftOutcome::Skipped(error) => ImportOutcome::Skipped { error },
    }
}
