//! The chain that the network exists for: what one event or one need led to, by the relations of the
//! kinds' schemas: exchange, need, action, training, endorsement.

use std::collections::BTreeSet;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{Chain, ChainStep};
use diwan_core::id::RecordId;
use diwan_core::record::{Content, kind};

use super::answer::{Answer, Json, Named, apart};
use super::view::View;
use super::{Api, names};
use crate::engine::{Engine, EngineError};
use crate::store::{RecordRow, StoreError};

/// Steps that are followed: from an exchange to a need, an action, a training and its endorsement.
const STEPS: usize = 4;
/// Records of one chain that are looked at.
const RECORDS: usize = 10_000;

/// `GET /v1/records/{record}/chain`.
pub(super) async fn chain(State(api): State<Api>, Named(record): Named<String>) -> Answer<Chain> {
    apart(move || read(&api.engine, &record)).await.map(Json)
}

fn read(engine: &Engine, text: &str) -> Result<Chain, EngineError> {
    let view = View::open(engine)?;
    let (num, row) = view.find(text)?;
    let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", text);
    let content = view.reading.content(num, &row)?.ok_or_else(unknown)?;
    let step = |link: Link| ChainStep {
        depth: link.depth as u64,
        rel: link.rel,
        to: link.to.to_string(),
        record: link.row.id.to_string(),
        origin: names::short(view.replica(), &link.row.origin),
        title: link.content.texts_of("title"),
        state: state(&link.content),
        kind: link.row.kind,
    };
    Ok(Chain {
        record: row.id.to_string(),
        title: content.texts_of("title"),
        steps: follow(&view, &row.id, &row.kind)?
            .into_iter()
            .map(step)
            .collect(),
        kind: row.kind,
    })
}

/// What a record says of how far it is: a need's or an action's state, an endorsement's result.
fn state(content: &Content) -> Option<String> {
    let value = content.value("state").or_else(|| content.value("result"));
    value.map(str::to_owned)
}

/// A record of a chain.
pub(super) struct Link {
    /// Steps from where the chain begins; 1 for the first.
    depth: usize,
    rel: String,
    /// The record that it links to.
    to: RecordId,
    pub(super) row: RecordRow,
    content: Content,
}

/// What links to a record along the relations of the schemas, and what links to that: each record once,
/// right behind what it links to.
pub(super) fn follow(view: &View, from: &RecordId, kind: &str) -> Result<Vec<Link>, StoreError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([*from]);
    step(view, (from, kind), 1, &mut seen, &mut found)?;
    Ok(found)
}

fn step(
    view: &View,
    (to, to_kind): (&RecordId, &str),
    depth: usize,
    seen: &mut BTreeSet<RecordId>,
    found: &mut Vec<Link>,
) -> Result<(), StoreError> {
    if depth > STEPS {
        return Ok(());
    }
    for (row, content) in view.linking(to)? {
        let Some(rel) = relation(&row, &content, to_kind, to) else {
            continue;
        };
        if seen.len() >= RECORDS || !seen.insert(row.id) {
            continue;
        }
        let (id, kind) = (row.id, row.kind.clone());
        found.push(Link {
            depth,
            rel,
            to: *to,
            row,
            content,
        });
        step(view, (&id, &kind), depth + 1, seen, found)?;
    }
    Ok(())
}

/// By which relation a record links to another as its kind's schema has it, or annotates it.
fn relation(row: &RecordRow, content: &Content, to_kind: &str, to: &RecordId) -> Option<String> {
    let kind = kind(&row.kind)?;
    let fits = |rel: &str| {
        let relation = kind.relation(rel);
        kind.annotation || relation.is_some_and(|relation| relation.to.contains(&to_kind))
    };
    let mut links = content.link_pairs();
    let found = links.find(|(rel, target)| target == to && fits(rel));
    found.map(|(rel, _)| rel.to_owned())
}
