//! `needs`: capacity gaps by country and theme, and what answers each: the chain from a need to the
//! actions, trainings and endorsements that it led to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use axum::extract::State;
use diwan_api::types::{NeedsAnswer, NeedsQuery, NeedsRow};
use diwan_core::id::RecordId;
use diwan_core::record::{Content, WITHDRAWN};

use super::answer::{Answer, Asked, Json, apart};
use super::view::{Budget, View};
use super::words::named;
use super::{Api, chain};
use crate::engine::{Engine, EngineError};
use crate::store::{RecordRow, StoreError};
use crate::vocabulary::{COUNTRIES, THEMES};

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
    let words = view.words()?;
    let country = query.country.as_deref().map(|name| words.country(name));
    let asked = Wanted {
        themes: query.theme.as_deref().map(|theme| words.themes(theme)),
        country: country.transpose()?,
    };
    let (mut needs, mut budget) = (Vec::new(), Budget::new());
    view.reading.newest_records(u64::MAX, |num, row| {
        if row.kind == "need"
            && view.shows(&row)
            && let Some(content) = view.reading.content(num, &row)?
            && content.value(WITHDRAWN).is_none()
            && !view.was_published(&row, &mut budget)?
        {
            needs.extend(Need::of(&view, &row, &content, &asked));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut cells = BTreeMap::<(String, String), Cell>::new();
    // The oldest first: what is looked at does not change with each new need.
    for need in needs.iter().rev() {
        let answers = answers(&view, &need.id, &mut budget)?;
        for theme in &need.themes {
            let place = (need.country.clone(), theme.clone());
            cells.entry(place).or_default().take(need, &answers);
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
    let rows: Vec<NeedsRow> = cells.into_iter().map(row).collect();
    let themes = rows.iter().map(|row| row.theme.clone());
    let countries = rows.iter().map(|row| row.country.clone());
    let labels = [
        (
            THEMES,
            named(themes, |theme| words.theme_labels(theme, None)),
        ),
        (
            COUNTRIES,
            named(countries, |name| words.country_labels(name)),
        ),
    ];
    Ok(NeedsAnswer {
        labels: labels
            .into_iter()
            .filter(|(_, named)| !named.is_empty())
            .map(|(name, named)| (name.to_owned(), named))
            .collect(),
        rows,
        is_short: budget.is_short,
    })
}

/// What is asked for.
struct Wanted {
    /// Any of these.
    themes: Option<BTreeSet<String>>,
    country: Option<String>,
}

/// What is asked of a need.
struct Need {
    id: RecordId,
    country: String,
    themes: Vec<String>,
    is_open: bool,
}

impl Need {
    /// None where it is not asked for. A need that names no country is its origin's.
    fn of(view: &View, row: &RecordRow, content: &Content, asked: &Wanted) -> Option<Self> {
        let origin = || {
            let chain = view.replica().agency(&row.origin);
            chain.map(|chain| chain.genesis().country.clone())
        };
        let country = content.value("country").map(str::to_owned);
        let country = country.or_else(origin).unwrap_or_default();
        let mut themes = content.set_of("themes");
        if themes.is_empty() {
            themes.push(String::new());
        }
        themes.retain(|theme| {
            asked
                .themes
                .as_ref()
                .is_none_or(|asked| asked.contains(theme))
        });
        let wanted = asked.country.as_ref();
        let is_asked = wanted.is_none_or(|asked| asked.eq_ignore_ascii_case(&country));
        let state = content.value("state").unwrap_or("open");
        (is_asked && !themes.is_empty()).then(|| Self {
            id: row.id,
            country,
            themes,
            is_open: !CLOSED.contains(&state),
        })
    }
}

/// What a cell of the matrix counts. An answer to two of its needs is one answer.
#[derive(Default)]
struct Cell {
    needs: u64,
    open: u64,
    answers: Answers,
}

impl Cell {
    fn take(&mut self, need: &Need, answers: &Answers) {
        self.needs += 1;
        self.open += u64::from(need.is_open);
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
fn answers(view: &View, need: &RecordId, budget: &mut Budget) -> Result<Answers, StoreError> {
    let mut answers = Answers::default();
    for link in chain::follow(view, need, "need", budget)? {
        let of_kind = answers.0.entry(link.row.kind).or_default();
        of_kind.insert(link.row.id);
    }
    Ok(answers)
}
