//! `list`: records by what they are, newest first.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{ListQuery, RecordList, RecordSummary};
use diwan_core::group::GroupChain;
use diwan_core::id::{AgencyId, GroupId};
use diwan_core::record::{Content, LABEL_REVIEW, Tlp, Version, WITHDRAWN, kind, kinds, valid_lang};

use super::answer::{Answer, Asked, Json, apart};
use super::view::{Budget, View};
use super::{Api, names, time};
use crate::engine::{Engine, EngineError};
use crate::store::{RecordRow, RecordState, StoreError};

/// Records on a page where no limit is said.
const PAGE: usize = 50;
/// Most records on a page.
const PAGE_MAX: usize = 1_000;

/// Records whose history is gone through for one page of stale translations.
const REPLAYS: usize = 200;

/// `GET /v1/records`.
pub(super) async fn list(
    State(api): State<Api>,
    Asked(query): Asked<ListQuery>,
) -> Answer<RecordList> {
    apart(move || read(&api.engine, &query)).await.map(Json)
}

fn read(engine: &Engine, query: &ListQuery) -> Result<RecordList, EngineError> {
    let view = View::open(engine)?;
    let theme = query.theme.as_deref();
    let themes = theme.map(|theme| Ok::<_, StoreError>(view.words()?.themes(theme)));
    let filter = Filter::read(&view, query, themes.transpose()?, engine.now_ms())?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let before = query.after.as_deref().map(cursor).transpose()?;
    let mut records = Vec::new();
    let mut next = None;
    let mut last = 0;
    let (mut replays, mut looked_at) = (0, 0);
    let mut budget = Budget::new();
    view.reading
        .newest_records(before.unwrap_or(u64::MAX), |num, row| {
            if !view.shows(&row) || !filter.fits_row(&row) {
                return Ok(ControlFlow::Continue(()));
            }
            // A draft and what was published of it are one, unless somebody asks for drafts.
            if filter.group.is_none() && view.was_published(&row, &mut budget)? {
                return Ok(ControlFlow::Continue(()));
            }
            let content = view.reading.content(num, &row)?;
            let Some(content) = content.filter(|content| filter.fits_content(content)) else {
                return Ok(ControlFlow::Continue(()));
            };
            let stale = match filter.stale {
                Some(_) if replays == REPLAYS => {
                    next = Some(looked_at.to_string());
                    return Ok(ControlFlow::Break(()));
                }
                Some(_) => stale(&view, num, &row, &content, &mut replays)?,
                None => Vec::new(),
            };
            looked_at = num;
            if !filter.fits_stale(&stale) {
                return Ok(ControlFlow::Continue(()));
            }
            if records.len() == limit {
                next = Some(last.to_string());
                return Ok(ControlFlow::Break(()));
            }
            last = num;
            records.push(RecordSummary {
                stale,
                ..summary(&view, row, &content)
            });
            Ok(ControlFlow::Continue(()))
        })?;
    Ok(RecordList { records, next })
}

fn cursor(text: &str) -> Result<u64, ApiError> {
    text.parse()
        .map_err(|_| ApiError::new(ErrorCode::BadCursor))
}

/// What is asked for, resolved.
struct Filter<'q> {
    group: Option<GroupId>,
    /// Without a kind, annotations are left out, which belong to the record that they are about, and
    /// vocabularies.
    kind: Option<&'q str>,
    origin: Option<AgencyId>,
    tlp: Option<Tlp>,
    /// Any of these.
    themes: Option<BTreeSet<String>>,
    tag: Option<&'q str>,
    lang: Option<String>,
    stale: Option<String>,
    /// A day, `YYYY-MM-DD`: such days sort as their text does.
    due: Option<String>,
    /// Fields and what they hold.
    fields: Vec<(&'q str, &'q str)>,
    /// Withdrawn records and no others.
    withdrawn: bool,
}

impl<'q> Filter<'q> {
    fn read(
        view: &View,
        query: &'q ListQuery,
        themes: Option<BTreeSet<String>>,
        now_ms: u64,
    ) -> Result<Self, ApiError> {
        let due = query.due.as_deref();
        let replica = view.replica();
        let group = query.group.as_deref();
        let origin = query.origin.as_deref();
        Ok(Self {
            group: group
                .map(|name| names::group(replica, name).map(GroupChain::id))
                .transpose()?,
            kind: query.kind.as_deref().map(known_kind).transpose()?,
            origin: origin
                .map(|name| names::agency(replica, name))
                .transpose()?,
            tlp: query.tlp.as_deref().map(names::tlp).transpose()?,
            themes,
            tag: query.tag.as_deref(),
            lang: query.lang.as_deref().map(str::to_ascii_lowercase),
            stale: query.stale.as_deref().map(known_lang).transpose()?,
            fields: named_values(query.fields.as_deref().unwrap_or_default())?,
            withdrawn: query.withdrawn,
            due: due.map(|day| time::day("due", day, now_ms)).transpose()?,
        })
    }

    fn fits_row(&self, row: &RecordRow) -> bool {
        let is_apart = kind(&row.kind).is_some_and(|kind| kind.annotation || kind.vocabulary);
        self.group.is_none_or(|group| group == row.group)
            && self.kind.map_or(!is_apart, |kind| kind == row.kind)
            && self.origin.is_none_or(|origin| origin == row.origin)
    }

    fn fits_stale(&self, stale: &[String]) -> bool {
        let asked = self.stale.as_ref();
        asked.is_none_or(|lang| stale.iter().any(|tag| is_of(tag, lang)))
    }

    fn fits_content(&self, content: &Content) -> bool {
        let has = |field: &str, item: Option<&str>| {
            item.is_none_or(|item| content.sets.contains(&format!("{field}.{item}")))
        };
        (self.withdrawn == content.value(WITHDRAWN).is_some())
            && self.tlp.is_none_or(|tlp| tlp == content.tlp())
            && self
                .fields
                .iter()
                .all(|(name, value)| holds(content, name, value))
            && self
                .themes
                .as_ref()
                .is_none_or(|themes| themes.iter().any(|theme| has("themes", Some(theme))))
            && has("tags", self.tag)
            && self.lang.as_ref().is_none_or(|lang| speaks(content, lang))
            && self.due.as_ref().is_none_or(|day| is_due(content, day))
    }
}

fn named_values(text: &str) -> Result<Vec<(&str, &str)>, ApiError> {
    let each = text.lines().map(|line| {
        let refused = || ApiError::invalid("field", line, "NAME=VALUE");
        line.split_once('=').ok_or_else(refused)
    });
    each.collect()
}

/// Whether a field holds a value, or has it in its set; letters of either case.
fn holds(content: &Content, name: &str, value: &str) -> bool {
    let is_it = |text: &str| text.eq_ignore_ascii_case(value);
    content.value(name).is_some_and(is_it) || content.set_of(name).iter().any(|item| is_it(item))
}

/// The translations of a record that are older than their source. One that was never edited has none.
fn stale(
    view: &View,
    num: u64,
    row: &RecordRow,
    content: &Content,
    replays: &mut usize,
) -> Result<Vec<String>, StoreError> {
    if row.state == RecordState::Plain || content.languages().len() < 2 {
        return Ok(Vec::new());
    }
    let Some(seen) = view.seen(num, row.clone())? else {
        return Ok(Vec::new());
    };
    *replays += 1;
    let translations = view.translations(&seen, content, None)?.into_iter();
    let stale = translations.filter(|translation| translation.stale);
    Ok(stale.map(|translation| translation.lang).collect())
}

/// A language that a filter names.
fn known_lang(tag: &str) -> Result<String, ApiError> {
    match valid_lang(tag) {
        true => Ok(tag.to_ascii_lowercase()),
        false => Err(ApiError::invalid(
            "stale",
            tag,
            "a language tag such as fr, en, ar or pt-BR",
        )),
    }
}

/// Whether a tag is of a language; `fr` finds `fr-CA` too.
fn is_of(tag: &str, lang: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    tag == lang || tag.split('-').next() == Some(lang)
}

/// Whether a record or its label is to be reviewed, or it has expired, by a day.
fn is_due(content: &Content, day: &str) -> bool {
    let by_then = |field| content.value(field).is_some_and(|value| value <= day);
    by_then("review") || by_then("expires") || by_then(LABEL_REVIEW)
}

/// A kind that a filter names. One that only other agencies' newer nodes know is not offered here.
pub(super) fn known_kind(name: &str) -> Result<&str, ApiError> {
    let all = || kinds().iter().map(|kind| kind.name);
    match kind(name) {
        Some(kind) => Ok(kind.name),
        None => Err(names::unknown_name("kind", name, all())),
    }
}

/// Whether a text is in a language.
fn speaks(content: &Content, lang: &str) -> bool {
    content.languages().iter().any(|tag| is_of(tag, lang))
}

fn summary(view: &View, row: RecordRow, content: &Content) -> RecordSummary {
    RecordSummary {
        record: row.id.to_string(),
        group: row.group.to_string(),
        group_name: names::group_name(view.replica(), &row.group),
        kind: row.kind,
        origin: names::short(view.replica(), &row.origin),
        tlp: content.tlp().name().to_owned(),
        title: content.texts_of("title"),
        languages: content.languages().into_iter().collect(),
        stale: Vec::new(),
        themes: content.set_of("themes"),
        review: content.value("review").map(str::to_owned),
        label_review: content.value(LABEL_REVIEW).map(str::to_owned),
        expires: content.value("expires").map(str::to_owned),
        version: Version::from(row.version).to_string(),
        updated: time::rfc3339(row.updated_ms),
    }
}
