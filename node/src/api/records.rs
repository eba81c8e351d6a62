//! Writing records: `new`, `edit`, annotations, imports.

use axum::extract::State;
use diwan_api::error::ApiError;
use diwan_api::types::{
    Draft, EditRequest, Edited, Editors, IMPORT_BATCH_DRAFTS, ImportAnswer, ImportBatch,
    ImportOutcome, NewRecord, Written,
};
use diwan_core::id::{GroupId, RecordId};
use diwan_core::record::{Edit, Version};

use super::answer::{Answer, Json, Named, apart};
use super::drafts::{self, Target};
use super::list::known_kind;
use super::view::View;
use super::{Api, names};
use crate::engine::{DraftOutcome, Engine, EngineError, RecordDraft, Step};

/// Drafts of an import that the writer takes together.
const IMPORTED_TOGETHER: usize = 250;

/// Kind of imported documents that name none, where the request names none either.
const IMPORTED_KIND: &str = "guideline";

/// `POST /v1/records`.
pub(super) async fn create(State(api): State<Api>, Json(new): Json<NewRecord>) -> Answer<Written> {
    let engine = api.engine.clone();
    let (group, draft) = apart(move || {
        let view = View::open(&engine)?;
        let group = names::group(view.replica(), &new.group)?;
        let target = Target {
            view: &view,
            group,
            kind: None,
            editors: &new.editors,
        };
        Ok((group.id(), target.record(new.draft)?))
    })
    .await?;
    written(&api, group, draft).await
}

/// `POST /v1/records/{record}/annotations/{kind}`.
pub(super) async fn annotate(
    State(api): State<Api>,
    Named((record, kind)): Named<(String, String)>,
    Json(draft): Json<Draft>,
) -> Answer<Written> {
    let engine = api.engine.clone();
    let (group, draft) = apart(move || {
        let view = View::open(&engine)?;
        let (_, row) = view.find(&record)?;
        let group = names::group(view.replica(), &row.group.to_string())?;
        let target = Target {
            view: &view,
            group,
            kind: None,
            editors: &Editors::Origin,
        };
        Ok((row.group, target.annotation(&kind, &row.id, draft)?))
    })
    .await?;
    written(&api, group, draft).await
}

async fn written(api: &Api, group: GroupId, draft: RecordDraft) -> Answer<Written> {
    let create = move |step: &mut Step<'_, '_>| step.create_record(&group, draft);
    let (record, seq) = api.engine.submit(create).await?;
    Ok(Json(Written {
        record: record.to_string(),
        group: group.to_string(),
        seq,
    }))
}

/// `PATCH /v1/records/{record}`.
pub(super) async fn edit(
    State(api): State<Api>,
    Named(record): Named<String>,
    Json(request): Json<EditRequest>,
) -> Answer<Edited> {
    let engine = api.engine.clone();
    let (record, base, edit) = apart(move || edit_of(&engine, &record, request)).await?;
    let done = api
        .engine
        .submit(move |step| step.edit_record(&record, base.as_ref(), &edit))
        .await?;
    Ok(Json(Edited {
        record: record.to_string(),
        version: done.version.to_string(),
        seq: done.seq,
    }))
}

type EditOf = (RecordId, Option<Version>, Edit);

fn edit_of(engine: &Engine, record: &str, request: EditRequest) -> Result<EditOf, EngineError> {
    let view = View::open(engine)?;
    let (num, row) = view.find(record)?;
    let now = view.reading.content(num, &row)?.unwrap_or_default();
    let (base, edit) = drafts::edit(&view, &row, &now, request)?;
    Ok((row.id, base, edit))
}

/// `POST /v1/import`.
pub(super) async fn import(
    State(api): State<Api>,
    Json(batch): Json<ImportBatch>,
) -> Answer<ImportAnswer> {
    if batch.drafts.len() > IMPORT_BATCH_DRAFTS {
        let expected = format!("{IMPORT_BATCH_DRAFTS} drafts at most");
        return Err(ApiError::invalid("drafts", batch.drafts.len(), &expected).into());
    }
    let dry_run = batch.dry_run;
    let mut jobs = Vec::new();
    for part in parts_of(batch) {
        let engine = api.engine.clone();
        let (group, drafts) = apart(move || read_batch(&engine, part)).await?;
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

/// The drafts as the engine takes them. A bad one costs itself, a failing store all of them.
fn read_batch(engine: &Engine, batch: ImportBatch) -> Result<(GroupId, Drafts), EngineError> {
    let view = View::open(engine)?;
    let group = names::group(view.replica(), &batch.group)?;
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
    let read = |draft| match target.imported(draft) {
        Ok(draft) => Ok(Ok(draft)),
        Err(EngineError::Refused(error)) => Ok(Err(error)),
        Err(error) => Err(error),
    };
    let drafts = batch.drafts.into_iter().map(read);
    Ok((group.id(), drafts.collect::<Result<_, EngineError>>()?))
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
