//! Saved searches: what is new of them since the officer looked last. Each officer has its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use diwan_api::error::ApiError;
use diwan_api::types::{
    SearchQuery, WatchAdd, WatchAnswer, WatchInfo, WatchList, WatchQuery, WatchSeen,
};

use super::answer::{Answer, Asked, Json, Named, apart};
use super::drafts::in_nfc;
use super::gate::Officer;
use super::search::{answered, asked, catch_up, expansions, read, refused};
use super::view::View;
use super::{Api, time};
use crate::engine::{EngineError, unknown_watch};
use crate::index::Query;
use crate::store::WatchRow;

/// Bytes of a name.
const NAME_MAX: usize = 100;
/// Journal lines that are read at a time.
const LINES: usize = 100_000;
/// Hits on a page.
const PAGE: usize = 100;

/// `GET /v1/watches`.
pub(super) async fn list(State(api): State<Api>, officer: Officer) -> Answer<WatchList> {
    apart(move || all(&api, officer.uid)).await.map(Json)
}

fn all(api: &Api, uid: u32) -> Result<WatchList, EngineError> {
    let watches = api.engine.read()?.watches(uid)?;
    let watches = watches.into_iter().map(|(name, row)| info(name, &row));
    Ok(WatchList {
        watches: watches.collect(),
    })
}

fn info(name: String, row: &WatchRow) -> WatchInfo {
    WatchInfo {
        name,
        query: row.query.clone(),
        since: time::rfc3339(row.seen_ms),
    }
}

/// `POST /v1/watches`. What matches by now is not new.
pub(super) async fn add(
    State(api): State<Api>,
    officer: Officer,
    Json(request): Json<WatchAdd>,
) -> Answer<WatchList> {
    let name = named(&request.name);
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        let expected = format!("one line of {NAME_MAX} bytes at most");
        return Err(ApiError::invalid("name", name, &expected).into());
    }
    let row = WatchRow {
        query: request.query,
        seen_ms: api.engine.now_ms(),
        seq: api.engine.state().store_seq,
    };
    let (checked, query) = (api.clone(), row.query.clone());
    // A query that would be refused later is refused now.
    apart(move || {
        let view = View::open(&checked.engine)?;
        let (_, asked) = question(&view, &query, None, None)?;
        let nothing = Query { limit: 0, ..asked };
        let found = checked.indexer.index().search(&nothing);
        found.map_err(refused)?;
        Ok::<_, EngineError>(())
    })
    .await?;
    let uid = officer.uid;
    api.engine
        .submit(move |step| step.put_watch(uid, &name, &row))
        .await?;
    apart(move || all(&api, uid)).await.map(Json)
}

/// `GET /v1/watches/{name}`.
pub(super) async fn show(
    State(api): State<Api>,
    Named(name): Named<String>,
    officer: Officer,
    Asked(query): Asked<WatchQuery>,
) -> Answer<WatchAnswer> {
    catch_up(&api).await;
    apart(move || news(&api, officer.uid, &name, query))
        .await
        .map(Json)
}

fn news(api: &Api, uid: u32, name: &str, query: WatchQuery) -> Result<WatchAnswer, EngineError> {
    let started = Instant::now();
    let (name, row) = saved(api, uid, name)?;
    // What the index has not seen yet is new the next time.
    let seq = api.indexer.seq();
    let view = View::open(&api.engine)?;
    let (asked_for, asked) = question(&view, &row.query, query.reader, query.after)?;
    let mut new = changed(&view, row.seq, seq)?;
    if let Some(only) = &asked.only {
        new.retain(|num| only.contains(num));
    }
    let asked = Query {
        only: Some(Arc::new(new)),
        ..asked
    };
    let index = api.indexer.index();
    let found = index.search_expanded(&asked, expansions(api, &asked_for));
    let text = row.query.clone();
    let found = answered(&view, &asked_for, text, found, started)?;
    Ok(WatchAnswer {
        watch: info(name, &row),
        seq,
        found,
    })
}

/// What a saved search asks, newest first.
fn question(
    view: &View,
    text: &str,
    reader: Option<String>,
    after: Option<String>,
) -> Result<(SearchQuery, Query), EngineError> {
    let query = SearchQuery {
        q: text.to_owned(),
        reader,
        after,
        sort: Some("date".to_owned()),
        limit: Some(PAGE),
        ..SearchQuery::default()
    };
    let (query, filters) = read(query)?;
    let asked = asked(view, &query, &filters, 0)?;
    Ok((query, asked))
}

/// Records that came or changed behind a store sequence, up to another.
fn changed(view: &View, behind: u64, until: u64) -> Result<BTreeSet<u64>, EngineError> {
    let (mut nums, mut at) = (BTreeSet::new(), behind);
    while at < until {
        let lines = view.reading.journal_behind(at, LINES)?;
        let Some((last, _)) = lines.last() else {
            break;
        };
        at = *last;
        let within = lines.iter().filter(|(seq, _)| *seq <= until);
        nums.extend(within.map(|(_, num)| *num));
    }
    Ok(nums)
}

fn saved(api: &Api, uid: u32, name: &str) -> Result<(String, WatchRow), EngineError> {
    let name = named(name);
    let mut watches = api.engine.read()?.watches(uid)?.into_iter();
    let found = watches.find(|(of, _)| *of == name);
    Ok(found.ok_or_else(|| unknown_watch(&name))?)
}

/// `POST /v1/watches/{name}/seen`.
pub(super) async fn seen(
    State(api): State<Api>,
    Named(name): Named<String>,
    officer: Officer,
    Json(seen): Json<WatchSeen>,
) -> Answer<WatchList> {
    let (name, uid, now_ms) = (named(&name), officer.uid, api.engine.now_ms());
    api.engine
        .submit(move |step| step.see_watch(uid, &name, seen.seq, now_ms))
        .await?;
    apart(move || all(&api, uid)).await.map(Json)
}

/// `POST /v1/watches/{name}/remove`.
pub(super) async fn remove(
    State(api): State<Api>,
    Named(name): Named<String>,
    officer: Officer,
) -> Answer<WatchList> {
    let (name, uid) = (named(&name), officer.uid);
    api.engine
        .submit(move |step| step.remove_watch(uid, &name))
        .await?;
    apart(move || all(&api, uid)).await.map(Json)
}

/// A name as it is kept.
fn named(name: &str) -> String {
    in_nfc(name.trim().to_owned())
}
