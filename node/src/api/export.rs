//! `export`: records as canonical JSON Lines.
//!
//! A line is a pure function of the entries and chains that a node holds, and lines are sorted by
//! id: two nodes that are equal export the same bytes. Annotations are lines of their own.

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::ExportQuery;
use diwan_core::id::{GroupId, RecordId};
use futures::stream;
use tokio::sync::mpsc;

use super::answer::{Asked, Refusal, apart};
use super::search;
use super::view::View;
use super::{Api, names};
use crate::engine::EngineError;

/// Bytes after which lines are sent on.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that wait for a slow reader: then the export waits for it too.
const CHUNKS_AHEAD: usize = 4;

type Chunk = Result<Bytes, EngineError>;

/// `GET /v1/export`.
pub(super) async fn export(
    State(api): State<Api>,
    Asked(query): Asked<ExportQuery>,
) -> Result<Response, Refusal> {
    let (view, wanted) = apart(move || select(&api, &query)).await?;
    let (chunks, queue) = mpsc::channel(CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write(&view, &wanted, &chunks) {
            tracing::error!(%error, "an export broke off");
            // An answer that ends in an error is cut, so that nobody takes it for the whole.
            let _ = chunks.blocking_send(Err(error));
        }
    });
    let chunks = stream::unfold(queue, |mut queue| async move {
        queue.recv().await.map(|chunk| (chunk, queue))
    });
    let content_type = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((content_type, Body::from_stream(chunks)).into_response())
}

/// What to export: records by id, of one group or of all.
struct Wanted {
    records: Vec<(RecordId, u64)>,
    group: Option<GroupId>,
}

fn select(api: &Api, query: &ExportQuery) -> Result<(View, Wanted), EngineError> {
    let view = View::open(&api.engine)?;
    let group = match &query.group {
        Some(name) => Some(names::group(view.replica(), name)?.id()),
        None => None,
    };
    let mut records = view.reading.records_by_id()?;
    if let Some(text) = &query.query {
        let found: BTreeSet<u64> = search::all(&view, api.indexer.index(), text)?;
        records.retain(|(_, num)| found.contains(num));
    }
    Ok((view, Wanted { records, group }))
}

fn write(view: &View, wanted: &Wanted, chunks: &mpsc::Sender<Chunk>) -> Result<(), EngineError> {
    let mut lines = Vec::new();
    for (_, num) in &wanted.records {
        let row = view.row(*num)?;
        let Some(row) = row.filter(|row| wanted.group.is_none_or(|group| group == row.group))
        else {
            continue;
        };
        let Some(seen) = view.seen(*num, row)? else {
            continue;
        };
        let Some(content) = view.content(&seen)? else {
            continue;
        };
        let record = view.canonical(&seen, &content)?;
        serde_json::to_writer(&mut lines, &record).map_err(unwritten)?;
        lines.push(b'\n');
        if lines.len() >= CHUNK_BYTES {
            let chunk = std::mem::take(&mut lines);
            if chunks.blocking_send(Ok(chunk.into())).is_err() {
                return Ok(()); // the reader went away
            }
        }
    }
    if !lines.is_empty() {
        let _ = chunks.blocking_send(Ok(lines.into()));
    }
    Ok(())
}

fn unwritten(error: serde_json::Error) -> EngineError {
    ApiError::new(ErrorCode::Internal)
        .with("detail", error)
        .into()
}
