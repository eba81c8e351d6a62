//! `history`: the versions of a record.

use axum::extract::State;
use diwan_api::types::{History, VersionInfo};
use diwan_core::id::NodeKey;
use diwan_core::record::{Content, Version};

use super::answer::{Answer, Json, Named, apart};
use super::view::{Seen, View};
use super::{Api, names, time};
use crate::engine::{Engine, EngineError};
use crate::net::peer_text;
use crate::store::StoreError;

/// `GET /v1/records/{record}/history`.
pub(super) async fn history(
    State(api): State<Api>,
    Named(record): Named<String>,
) -> Answer<History> {
    apart(move || read(&api.engine, &record)).await.map(Json)
}

fn read(engine: &Engine, text: &str) -> Result<History, EngineError> {
    let view = View::open(engine)?;
    let seen = view.found(text)?;
    Ok(History {
        record: seen.row.id.to_string(),
        versions: versions(&view, &seen)?,
    })
}

/// Every version of a record, the first one first.
pub(super) fn versions(view: &View, seen: &Seen) -> Result<Vec<VersionInfo>, StoreError> {
    let told = view.history(seen)?;
    let version = |version: &Version, node: &NodeKey, wall_ms, changed| VersionInfo {
        version: version.to_string(),
        agency: names::short_of_node(view.replica(), node),
        author: peer_text(node.as_bytes()),
        time: time::rfc3339(wall_ms),
        changed,
    };
    let id = seen.row.id;
    let first = version(
        &Version::first(&id),
        &seen.header.writer.node,
        seen.header.wall_ms,
        Content::default().changed_keys(&seen.genesis.content),
    );
    let later = told
        .steps
        .into_iter()
        .map(|step| version(&step.version, &step.writer.node, step.wall_ms, step.changed));
    Ok(std::iter::once(first).chain(later).collect())
}
