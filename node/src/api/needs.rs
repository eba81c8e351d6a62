//! `needs`: capacity gaps by country and theme, and what answers each: the chain from a need to the
//! actions, trainings and endorsements that it led to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use axum::extract::State;
use diwan_api::types::{NeedsAnswer, NeedsQuery, NeedsRow};
use diwan_core::id::RecordId;
use diwan_core::record::Content;

use super::answer::{Answer, Asked, Json, apart};
use super::view::View;
use super::{Api, chain};
use crate::engine::{Engine, EngineError};
use crate::store::StoreError;

/// States of a need that is no gap any more.
const CLOSED: [&str; 2] = ["closed", "answered"];

/// `GET /v1/needs`.
pub(super) async fn needs(
    State(api): State<Api>,
    Asked(query): Asked<NeedsQuery>,
) -> Answer<NeedsAnswer> {
    apart(move || read(&api.engine, &query)).await.map(Json)
}

fn read(engine: &Engine, query: &NeedsQuery) -> Result<NeedsAnswer, EngineError> {
    let view = View::open(engine)?;
    let mut needs = Vec::new();
    view.reading.newest_records(u64::MAX, |num, row| {
        if row.kind == "need"
            && view.shows(&row)
            && let Some(content) = view.reading.content(num, &row)?
        {
            needs.push((row.id, content));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut cells = BTreeMap::<(String, String), Cell>::new();
    for (need, content) in &needs {
        let country = content.value("country").unwrap_or_default();
        let mut themes = content.set_of("themes");
        if themes.is_empty() {
            themes.push(String::new());
        }
        let wanted = |theme: &String| query.theme.as_ref().is_none_or(|asked| asked == theme);
        let asked = query.country.as_deref();
        if asked.is_some_and(|asked| !asked.eq_ignore_ascii_case(country)) {
            continue;
        }
        themes.retain(wanted);
        if themes.is_empty() {
            continue;
        }
        let answers = answers(&view, need)?;
        for theme in themes {
            let cell = cells.entry((country.to_owned(), theme)).or_default();
            cell.take(content, &answers);
        }
    }
    let row = |((country, theme), cell): ((String, String), Cell)| NeedsRow {
        country,
        theme,
        needs: cell.needs,
        open: cell.open,
        actions: cell.answers.of("action"),
        trainings: cell.answers.of("training"),
        endorsements: cell.answers.of("endorsement"),
    };
    Ok(NeedsAnswer {
        rows: cells.into_iter().map(row).collect(),
    })
}

/// What a cell of the matrix counts. An answer to two of its needs is one answer.
#[derive(Default)]
struct Cell {
    needs: u64,
    open: u64,
    answers: Answers,
}

impl Cell {
    fn take(&mut self, need: &Content, answers: &Answers) {
        let state = need.value("state").unwrap_or("open");
        self.needs += 1;
        self.open += u64::from(!CLOSED.contains(&state));
        for (kind, records) in &answers.0 {
            self.answers
                .0
                .entry(kind.clone())
                .or_default()
                .extend(records);
        }
    }
}

/// Records that answer a need, by kind.
#[derive(Default)]
struct Answers(BTreeMap<String, BTreeSet<RecordId>>);

impl Answers {
    fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).map_or(0, |records| records.len() as u64)
    }
}

/// What answers a need.
fn answers(view: &View, need: &RecordId) -> Result<Answers, StoreError> {
    let mut answers = Answers::default();
    for link in chain::follow(view, need, "need")? {
        let of_kind = answers.0.entry(link.row.kind).or_default();
        of_kind.insert(link.row.id);
    }
    Ok(answers)
}
