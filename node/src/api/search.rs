//! `search`: the index finds records, the store says what they say.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{Hit, SearchAnswer, SearchQuery, SimilarQuery, Texts, Why};
use diwan_core::id::{AgencyId, GroupId};
use diwan_core::record::{Content, WITHDRAWN};
use diwan_core::replica::Replica;

use super::answer::{Answer, Asked, Json, Named, apart};
use super::ask::{Ask, Filter};
use super::list::known_kind;
use super::view::View;
use super::{Api, names, time};
use crate::engine::{EngineError, indexable};
use crate::index::{
    self, Cursor, Expansions, Found, GroupFilter, Index, IndexError, Keyword, Marker, Query,
    Snippet, Sort,
};
use crate::store::{RecordRow, StoreError};
use crate::vocabulary;

/// Hits on a page where no limit is said.
const PAGE: usize = 10;
/// Most hits on a page.
const PAGE_MAX: usize = 200;
/// Characters of a snippet.
const SNIPPET_CHARS: usize = 240;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// How long a search waits for the index to see a write.
const WAIT: Duration = Duration::from_secs(10);
/// How long a search without a sequence waits for the index to catch up.
const CATCH_UP: Duration = Duration::from_secs(2);
/// What `has:` may ask for.
const ATTACHMENT: &str = "attachment";
/// The languages that are preferred where neither the reader nor the query decides.
const FIRST_LANGUAGES: [&str; 3] = ["fr", "en", "ar"];

/// `GET /v1/search`.
pub(super) async fn search(
    State(api): State<Api>,
    Asked(query): Asked<SearchQuery>,
) -> Answer<SearchAnswer> {
    let behind = match query.wait_seq {
        Some(seq) => {
            wait_for(&api, seq).await?;
            false
        }
        None => !catch_up(&api).await,
    };
    let answered = apart(move || answer(&api, query)).await?;
    Ok(Json(SearchAnswer { behind, ..answered }))
}

/// Waits for the index to see what was stored when the question came, so that an officer finds what
/// was just written; while much arrives, the answer comes from what is indexed by then, and while the index is made
/// anew, at once from the older one.
/// Says whether it did.
pub(super) async fn catch_up(api: &Api) -> bool {
    if api.indexer.index().is_older() {
        return false;
    }
    let stored = api.engine.state().store_seq;
    let seen = tokio::time::timeout(CATCH_UP, api.indexer.wait_for(stored)).await;
    seen.unwrap_or(false)
}

async fn wait_for(api: &Api, seq: u64) -> Result<(), ApiError> {
    let seen = tokio::time::timeout(WAIT, api.indexer.wait_for(seq)).await;
    if seen.unwrap_or(false) {
        return Ok(());
    }
    let at = api.indexer.seq();
    let detail = format!("the index is at {at} and does not reach {seq} in time");
    Err(ApiError::new(ErrorCode::Internal).with("detail", detail))
}

fn answer(api: &Api, query: SearchQuery) -> Result<SearchAnswer, EngineError> {
    let started = Instant::now();
    let asked_for = query.q.clone();
    let (query, filters) = read(query)?;
    let view = View::open(&api.engine)?;
    let asked = asked(&view, &query, &filters, api.engine.now_ms())?;
    let index = api.indexer.index();
    let found = index.search_expanded(&asked, expansions(api, &query));
    answered(&view, &query, asked_for, found, started)
}

/// What was found, as officers read it.
pub(super) fn answered(
    view: &View,
    query: &SearchQuery,
    asked_for: String,
    found: Result<Found, IndexError>,
    started: Instant,
) -> Result<SearchAnswer, EngineError> {
    let found = found.map_err(refused)?;
    let mut reading = Reader {
        query,
        expanded: &found.expanded,
        markers: BTreeMap::new(),
    };
    let mut hits = Vec::with_capacity(found.hits.len());
    let mut why = found.why.into_iter();
    for hit in &found.hits {
        let why = why.next().unwrap_or_default();
        // What the store took back since the index's last commit is no hit any more.
        let Some(row) = view.row(hit.num)? else {
            continue;
        };
        let Some(content) = view.reading.content(hit.num, &row)? else {
            continue;
        };
        if content.value(WITHDRAWN).is_some() {
            continue;
        }
        let mut hit = reading.hit(view.replica(), &row, &content, hit.score);
        hit.why = why.into_iter().map(told).collect();
        hits.push(hit);
    }
    Ok(SearchAnswer {
        query: asked_for,
        expanded: each_once(found.expanded.into_iter().map(|(_, word)| word)),
        total: found.total,
        took_ms: started.elapsed().as_secs_f64() * 1000.0,
        hits,
        facets: facets(view.replica(), found.facets),
        next: found.next.map(|cursor| cursor.to_string()),
        behind: false,
    })
}

/// Words as they came, without those that another language writes the same.
fn each_once(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for word in words {
        if !once.contains(&word) {
            once.push(word);
        }
    }
    once
}

/// `GET /v1/records/{record}/similar`.
pub(super) async fn similar(
    State(api): State<Api>,
    Named(record): Named<String>,
    Asked(query): Asked<SimilarQuery>,
) -> Answer<SearchAnswer> {
    let behind = !catch_up(&api).await;
    let answered = apart(move || alike(&api, &record, query)).await?;
    Ok(Json(SearchAnswer { behind, ..answered }))
}

fn alike(api: &Api, record: &str, query: SimilarQuery) -> Result<SearchAnswer, EngineError> {
    let started = Instant::now();
    let view = View::open(&api.engine)?;
    let seen = view.found(record)?;
    let content = view.reading.content(seen.num, &seen.row)?;
    let text = seen.row.id.to_string();
    let record = indexable(seen.num, seen.row, &content.unwrap_or_default());
    let asked_for = SearchQuery {
        kind: query.kind,
        group: query.group,
        limit: query.limit,
        reader: query.reader,
        no_expand: query.no_expand,
        ..SearchQuery::default()
    };
    let asked = Query {
        words: record.is_word,
        ..asked(&view, &asked_for, &[], api.engine.now_ms())?
    };
    let expansions = expansions(api, &asked_for);
    let found = api.indexer.index().similar(&record, &asked, expansions);
    answered(&view, &asked_for, text, found, started)
}

/// What widens a query; none where that is not wanted.
pub(super) fn expansions(api: &Api, query: &SearchQuery) -> Option<Arc<Expansions>> {
    (query.no_expand != Some(true)).then(|| api.expander.expansions())
}

fn told(why: index::Why) -> Why {
    Why {
        part: why.part,
        lang: why.lang.map(str::to_owned),
        score: why.score,
    }
}

/// Every record that officers see and a text finds.
pub(super) fn all(view: &View, index: &Index, text: &str) -> Result<BTreeSet<u64>, EngineError> {
    let query = SearchQuery {
        q: text.to_owned(),
        ..SearchQuery::default()
    };
    let (query, filters) = read(query)?;
    let mut query = Query {
        limit: index::MAX_HITS,
        ..asked(view, &query, &filters, 0)?
    };
    let mut nums = BTreeSet::new();
    loop {
        let found = index.search(&query).map_err(refused)?;
        nums.extend(found.hits.iter().map(|hit| hit.num));
        query.after = found.next;
        if query.after.is_none() {
            return Ok(nums);
        }
    }
}

/// Takes what the text says of fields out of it, and adds it to what was asked for beside it.
pub(super) fn read(mut query: SearchQuery) -> Result<(SearchQuery, Vec<Filter>), ApiError> {
    let Ask { text, filters } = Ask::read(&query.q)?;
    query.q = text;
    for (field, asked) in [
        ("kind", &mut query.kind),
        ("theme", &mut query.theme),
        ("country", &mut query.country),
        ("group", &mut query.group),
        ("tlp", &mut query.tlp),
        ("lang", &mut query.lang),
        ("since", &mut query.since),
    ] {
        if let Some(value) = value(&filters, field) {
            *asked = Some(value.to_owned());
        }
    }
    let mut has = filters.iter().filter(|filter| filter.field == "has");
    match has.find(|filter| filter.value != ATTACHMENT) {
        None => Ok((query, filters)),
        Some(other) => Err(ApiError::invalid("has", &other.value, ATTACHMENT)),
    }
}

/// What a filter that is not excluded says.
fn value<'f>(filters: &'f [Filter], field: &str) -> Option<&'f str> {
    let mut of = filters
        .iter()
        .filter(|filter| filter.field == field && !filter.excluded);
    of.next().map(|filter| filter.value.as_str())
}

/// What is left out: what was excluded, and vocabularies unless a kind is asked for.
fn without(
    view: &View,
    query: &SearchQuery,
    filters: &[Filter],
) -> Result<Vec<(Keyword, String)>, EngineError> {
    let mut without = Vec::new();
    if query.kind.is_none() {
        without.extend(vocabulary::kinds().map(|kind| (Keyword::Kind, kind.to_owned())));
    }
    // A draft and what was published of it are one, unless somebody asks for drafts.
    if query.group.is_none() {
        without.push((Keyword::State, index::PUBLISHED.to_owned()));
    }
    for filter in filters.iter().filter(|filter| filter.excluded) {
        let value = filter.value.as_str();
        match filter.field {
            "kind" => without.push((Keyword::Kind, known_kind(value)?.to_owned())),
            "theme" => {
                let themes = view.words()?.themes(value).into_iter();
                without.extend(themes.map(|theme| (Keyword::Theme, theme)));
            }
            "tag" => without.push((Keyword::Tag, value.to_owned())),
            "lang" => without.push((Keyword::Lang, value.to_ascii_lowercase())),
            "has" => {}
            _ => without.push((Keyword::Tlp, names::tlp(value)?.name().to_owned())),
        }
    }
    Ok(without)
}

/// The question to the index: what is asked for, and of that what officers see.
pub(super) fn asked(
    view: &View,
    query: &SearchQuery,
    filters: &[Filter],
    now_ms: u64,
) -> Result<Query, EngineError> {
    let replica = view.replica();
    let sort = match query.sort.as_deref() {
        None | Some("relevance") => Sort::Relevance,
        Some("date") => Sort::Date,
        Some(other) => {
            let known = ["relevance", "date"];
            return Err(names::unknown_name("sort", other, known.into_iter()).into());
        }
    };
    let groups = match &query.group {
        Some(name) => vec![names::group(replica, name)?.id().0],
        None => names::groups(replica).map(|chain| chain.id().0).collect(),
    };
    let since = query.since.as_deref();
    let themes = query.theme.as_deref();
    let themes = themes.map(|theme| Ok::<_, StoreError>(view.words()?.themes(theme)));
    let after = query.after.as_deref();
    let tlp = query.tlp.as_deref().map(names::tlp).transpose()?;
    Ok(Query {
        text: query.q.clone(),
        kind: query
            .kind
            .as_deref()
            .map(known_kind)
            .transpose()?
            .map(str::to_owned),
        themes: themes.transpose()?.map(Vec::from_iter).unwrap_or_default(),
        words: query
            .kind
            .as_deref()
            .is_some_and(vocabulary::is_of_vocabulary),
        without: without(view, query, filters)?,
        tag: value(filters, "tag").map(str::to_owned),
        lang: query.lang.clone(),
        tlp: tlp.map(|tlp| tlp.name().to_owned()),
        origins: origins(replica, query.country.as_deref(), value(filters, "origin"))?,
        since_ms: since
            .map(|day| time::day_start_ms("since", day))
            .transpose()?,
        until_ms: value(filters, "until")
            .map(|day| time::day_start_ms("until", day).map(|start| start + DAY_MS))
            .transpose()?,
        groups: GroupFilter::Only(groups),
        sort,
        limit: query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX),
        after: after
            .map(|text| text.parse::<Cursor>().map_err(refused))
            .transpose()?,
        facets: query.facets == Some(true),
        // Records of this version have no attachments: none of them is wanted.
        only: value(filters, "has").map(|_| Arc::default()),
        now_ms,
        explain: query.explain == Some(true),
    })
}

/// The agencies whose records are wanted; none where all are.
fn origins(
    replica: &Replica,
    country: Option<&str>,
    origin: Option<&str>,
) -> Result<Option<Vec<[u8; 32]>>, ApiError> {
    let origin = origin
        .map(|name| names::agency(replica, name))
        .transpose()?;
    let country = country.map(|code| code.trim().to_ascii_uppercase());
    if let Some(code) = &country
        && !(code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()))
    {
        return Err(ApiError::invalid("country", code, "two letters such as TN"));
    }
    let is_blocked = |agency: &AgencyId| replica.trust().is_blocked(agency);
    if country.is_none() && origin.is_none() && !replica.agencies().keys().any(is_blocked) {
        return Ok(None);
    }
    let wanted = replica.agencies().values().filter(|chain| {
        let of_country = country
            .as_ref()
            .is_none_or(|code| *code == chain.genesis().country);
        let of_origin = origin.is_none_or(|origin| origin == chain.id());
        of_country && of_origin && !is_blocked(&chain.id())
    });
    Ok(Some(wanted.map(|chain| chain.id().0).collect()))
}

pub(super) fn refused(error: IndexError) -> ApiError {
    match error {
        IndexError::BadCursor => ApiError::new(ErrorCode::BadCursor),
        IndexError::QueryTooLong { .. }
        | IndexError::TooManyTerms { .. }
        | IndexError::WildcardAlone => ApiError::new(ErrorCode::BadQuery).with("detail", error),
        IndexError::Io(_) | IndexError::Busy(_) | IndexError::Damaged(_) => {
            ApiError::new(ErrorCode::Internal).with("detail", error)
        }
    }
}

/// Facets under the names that people know: agencies and groups are ids in the index.
fn facets(
    replica: &Replica,
    found: BTreeMap<String, Vec<(String, u64)>>,
) -> BTreeMap<String, BTreeMap<String, u64>> {
    let name = |facet: &str, value: String| match facet {
        "origin" => value
            .parse::<AgencyId>()
            .map_or(value, |agency| names::short(replica, &agency)),
        "group" => value
            .parse::<GroupId>()
            .map_or(value, |group| names::group_name(replica, &group)),
        _ => value,
    };
    let mut facets: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (origin, count) in found.get("origin").into_iter().flatten() {
        let agency = origin.parse::<AgencyId>().ok();
        if let Some(chain) = agency.and_then(|agency| replica.agencies().get(&agency)) {
            let countries = facets.entry("country".to_owned()).or_default();
            *countries
                .entry(chain.genesis().country.clone())
                .or_default() += count;
        }
    }
    for (facet, values) in found {
        let counts: &mut BTreeMap<String, u64> = facets.entry(facet.clone()).or_default();
        for (value, count) in values {
            // Two agencies may share a short name, and two groups a name.
            *counts.entry(name(&facet, value)).or_default() += count;
        }
    }
    facets
}

/// Whoever reads the hits: which language suits, and which part of the text.
struct Reader<'a> {
    query: &'a SearchQuery,
    /// Words that were added to it, with their languages.
    expanded: &'a [(String, String)],
    /// What finds the words in texts of a language.
    markers: BTreeMap<String, Marker>,
}

impl Reader<'_> {
    fn hit(&mut self, replica: &Replica, row: &RecordRow, content: &Content, score: f32) -> Hit {
        let titles = content.texts_of("title");
        let lang = self.language(content);
        let snippet = self.snippet(content, &lang);
        Hit {
            record: row.id.to_string(),
            group: row.group.to_string(),
            group_name: names::group_name(replica, &row.group),
            kind: row.kind.clone(),
            title: in_language(&titles, &lang).unwrap_or_default(),
            lang,
            languages: content.languages().into_iter().collect(),
            snippet: snippet.text,
            marks: snippet.ranges,
            score,
            why: Vec::new(),
            origin: names::short(replica, &row.origin),
            tlp: content.tlp().name().to_owned(),
            updated: time::rfc3339(row.updated_ms),
        }
    }

    /// The reader's language where the record has it; else the one in which most words were found;
    /// else one that is widely read.
    fn language(&mut self, content: &Content) -> String {
        let languages = content.languages();
        let has = |wanted: &str| languages.iter().find(|tag| is_language(tag, wanted));
        if let Some(tag) = self.query.reader.as_deref().and_then(has) {
            return tag.clone();
        }
        if languages.len() == 1 {
            return languages.into_iter().next().unwrap_or_default();
        }
        let mut words = |tag: &String| -> usize {
            let fields = ["title", "summary", "body"];
            let texts = fields
                .iter()
                .filter_map(|f| content.texts.get(&format!("{f}.{tag}")));
            texts.map(|text| self.passage(tag, text).ranges.len()).sum()
        };
        let widely = |tag: &String| {
            let place = FIRST_LANGUAGES
                .iter()
                .position(|first| is_language(tag, first));
            place.unwrap_or(FIRST_LANGUAGES.len())
        };
        let best = languages
            .iter()
            .min_by_key(|tag| (Reverse(words(tag)), widely(tag)));
        best.cloned().unwrap_or_default()
    }

    /// The passage of the body or of the summary that speaks most of the query.
    fn snippet(&mut self, content: &Content, lang: &str) -> Snippet {
        let fields = ["body", "summary"].into_iter();
        let texts = fields.filter_map(|field| content.texts.get(&format!("{field}.{lang}")));
        let passages = texts.map(|text| self.passage(lang, text));
        let best = passages.reduce(|best, next| match next.ranges.len() > best.ranges.len() {
            true => next,
            false => best,
        });
        best.unwrap_or_default()
    }

    fn passage(&mut self, lang: &str, text: &str) -> Snippet {
        if let Some(marker) = self.markers.get_mut(lang) {
            return marker.snippet(text, SNIPPET_CHARS);
        }
        let of_language = self.expanded.iter().filter(|(of, _)| is_language(lang, of));
        let words = of_language.map(|(_, word)| word.as_str());
        let words: Vec<&str> = std::iter::once(self.query.q.as_str())
            .chain(words)
            .collect();
        let marker = Marker::new(&words.join(" "), lang);
        let marker = self.markers.entry(lang.to_owned()).or_insert(marker);
        marker.snippet(text, SNIPPET_CHARS)
    }
}

fn in_language(texts: &Texts, lang: &str) -> Option<String> {
    let first = || FIRST_LANGUAGES.iter().find_map(|lang| texts.get(*lang));
    let found = texts
        .get(lang)
        .or_else(first)
        .or_else(|| texts.values().next());
    found.cloned()
}

/// Whether a tag is the language asked for, or a variety of it.
fn is_language(tag: &str, wanted: &str) -> bool {
    let primary = tag.split('-').next().unwrap_or_default();
    tag.eq_ignore_ascii_case(wanted) || primary.eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_told_once() {
        let words = ["TLP", "phone", "TLP"].map(str::to_owned);
        assert_eq!(each_once(words.into_iter()), ["TLP", "phone"]);
    }
}
