//! The chain that the network exists for: what one event or one need led to, by the relations of the
//! kinds' schemas: exchange, need, action, training, endorsement.

use std::collections::BTreeSet;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{Chain, ChainStep, Texts};
use diwan_core::id::RecordId;
use diwan_core::record::{Content, kind};

use super::answer::{Answer, Json, Named, apart};
use super::view::{Budget, View};
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
        title: link.title,
        state: link.state,
        kind: link.row.kind,
    };
    let mut budget = Budget::new();
    let steps = follow(&view, &row.id, &row.kind, &mut budget)?;
    Ok(Chain {
        record: row.id.to_string(),
        title: content.texts_of("title"),
        steps: steps.into_iter().map(step).collect(),
        is_short: budget.is_short,
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
    title: Texts,
    state: Option<String>,
}

/// What links to a record along the relations of the schemas, and what links to that: each record once,
/// right behind what it links to.
pub(super) fn follow(
    view: &View,
    from: &RecordId,
    kind: &str,
    budget: &mut Budget,
) -> Result<Vec<Link>, StoreError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([*from]);
    descend(view, (from, kind), (&mut seen, budget), 1, &mut found)?;
    Ok(found)
}

fn descend(
    view: &View,
    to: (&RecordId, &str),
    (seen, budget): (&mut BTreeSet<RecordId>, &mut Budget),
    depth: usize,
    found: &mut Vec<Link>,
) -> Result<(), StoreError> {
    for link in linked_to(view, to, seen, depth, budget)? {
        if seen.len() >= RECORDS {
            budget.is_short = true;
            return Ok(());
        }
        // One that links to several stands behind the first of them.
        if !seen.insert(link.row.id) {
            continue;
        }
        let (id, kind) = (link.row.id, link.row.kind.clone());
        found.push(link);
        if depth < STEPS {
            descend(view, (&id, &kind), (seen, budget), depth + 1, found)?;
        }
    }
    Ok(())
}

/// The records that link to one as their kinds' schemas have it and were not seen before.
fn linked_to(
    view: &View,
    (to, to_kind): (&RecordId, &str),
    seen: &BTreeSet<RecordId>,
    depth: usize,
    budget: &mut Budget,
) -> Result<Vec<Link>, StoreError> {
    let mut found = Vec::new();
    let wanted = |row: &RecordRow| {
        let may_link = kind(&row.kind).is_some_and(|kind| {
            let mut relations = kind.relations.iter();
            kind.annotation || relations.any(|relation| relation.to.contains(&to_kind))
        });
        may_link && !seen.contains(&row.id)
    };
    let look = |row: RecordRow, content: &Content| {
        if let Some(rel) = relation(&row, content, to_kind, to) {
            found.push(Link {
                depth,
                rel,
                to: *to,
                title: content.texts_of("title"),
                state: state(content),
                row,
            });
        }
    };
    view.linking(to, budget, wanted, look)?;
    Ok(found)
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
