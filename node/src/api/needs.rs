//! `needs`: capacity gaps by country and theme, and what answers each: the chain from a need to the
//! actions, trainings and endorsements that it led to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use axum::extract::State;
use diwan_api::types::{NeedsAnswer, NeedsQuery, NeedsRow};
use diwan_core::id::RecordId;
use diwan_core::record::{Content, kind};

use super::Api;
use super::answer::{Answer, Asked, Json, apart};
use super::view::View;
use crate::engine::{Engine, EngineError};
use crate::store::{RecordRow, StoreError};

/// States of a need that is no gap any more.
const CLOSED: [&str; 2] = ["closed", "answered"];
/// Steps from a need along the links of the chain that are followed: action, training, endorsement.
const STEPS: usize = 3;
/// Records of one need's chain that are looked at.
const CHAIN: usize = 10_000;

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

/// What answers a need: what links to it along the relations of the schemas, and what links to that.
fn answers(view: &View, need: &RecordId) -> Result<Answers, StoreError> {
    let mut answers = Answers::default();
    let mut seen = BTreeSet::from([*need]);
    let mut last = vec![("need".to_owned(), *need)];
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for (to_kind, to) in &last {
            for (row, content) in view.linking(to)? {
                if seen.len() < CHAIN
                    && answers_to(&row, &content, to_kind, to)
                    && seen.insert(row.id)
                {
                    let of_kind = answers.0.entry(row.kind.clone()).or_default();
                    of_kind.insert(row.id);
                    next.push((row.kind, row.id));
                }
            }
        }
        last = next;
    }
    Ok(answers)
}

/// Whether a record links to another as its kind's schema has it, or is an annotation about it.
fn answers_to(row: &RecordRow, content: &Content, to_kind: &str, to: &RecordId) -> bool {
    let Some(kind) = kind(&row.kind) else {
        return false;
    };
    content.link_pairs().any(|(rel, target)| {
        let fits = kind
            .relation(rel)
            .is_some_and(|relation| relation.to.contains(&to_kind));
        target == *to && (fits || kind.annotation)
    })
}
