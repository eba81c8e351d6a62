//! Finding a record from another country, in three languages, and seeing who wrote it.

use std::collections::BTreeSet;

use diwan_api::client::import::Report;
use diwan_api::message::primary;
use diwan_api::types::{Hit, ListQuery, RecordSummary, SearchQuery, Texts};
use serde::Serialize;

use super::documents::{Documents, QUERIES, SOUGHT};
use super::fault::DemoError;
use super::node::{Node, Trio};
use super::share::GROUP;
use super::tell::Teller;

/// Records of one page of the list.
const PAGE: usize = 1_000;
/// How many records are tried until one is found by its own titles: of very many with the same
/// words in their titles none may come first.
const TRIED: usize = 20;
/// Hits that are looked at.
const HITS: usize = 10;
/// Words of a title that one would type.
const WORDS: usize = 8;

/// What a node holds, as its list tells.
#[derive(Debug)]
pub(super) struct Shelf {
    records: Vec<RecordSummary>,
}

/// A query and what it found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Found {
    /// Language of the query.
    pub(super) lang: String,
    /// The query.
    pub(super) query: String,
    /// Record id.
    pub(super) record: String,
    /// Its title in that language.
    pub(super) title: String,
}

impl Shelf {
    /// Reads the whole list of a node.
    pub(super) async fn read(node: &Node) -> Result<Self, DemoError> {
        let mut query = ListQuery {
            group: Some(GROUP.to_owned()),
            limit: Some(PAGE),
            ..ListQuery::default()
        };
        let mut records = Vec::new();
        loop {
            let page = node.client().list(&query).await;
            let page = page.map_err(DemoError::of(node.short()))?;
            records.extend(page.records);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(Self { records });
            }
        }
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// All languages of all records.
    pub(super) fn languages(&self) -> BTreeSet<String> {
        let all = self
            .records
            .iter()
            .flat_map(|r| r.languages.iter().cloned());
        all.collect()
    }

    /// The records with most of the three languages in their titles first, then those whose titles
    /// say most.
    pub(super) fn most_multilingual(&self) -> Vec<&RecordSummary> {
        let mut records: Vec<_> = self.records.iter().collect();
        records.sort_by_cached_key(|record| {
            let queries = title_queries(&record.title);
            let words: usize = queries.iter().map(|(_, q)| q.split(' ').count()).sum();
            (
                std::cmp::Reverse((queries.len(), words)),
                record.record.clone(),
            )
        });
        records
    }
}

/// Searches at the third node in each language.
pub(super) async fn search(
    teller: &mut Teller<'_>,
    documents: &Documents,
    report: &Report,
    shelf: &Shelf,
    trio: Trio<'_>,
) -> Result<Vec<Found>, DemoError> {
    teller.step("demo-step-search");
    teller.say("demo-search-what", &[]);
    let found = match documents {
        Documents::Sample => sought(report, trio.ma).await?,
        Documents::Own(_) => any(shelf, trio.ma).await?,
    };
    let found = found.ok_or(DemoError::Untrue {
        short: trio.ma.short(),
        law: "demo-law-found",
    })?;
    for one in &found {
        teller.diwan(trio.ma, &["search", &one.query, "--lang", &one.lang]);
        tell_found(teller, one);
    }
    teller.say("demo-search-same", &[("count", found.len().into())]);
    Ok(found)
}

fn tell_found(teller: &Teller<'_>, found: &Found) {
    teller.say(
        "demo-found",
        &[
            ("record", short_id(&found.record).into()),
            ("title", found.title.as_str().into()),
        ],
    );
}

/// The beginning of an id, long enough to be typed back.
pub(super) fn short_id(id: &str) -> String {
    id.chars().take(12).collect()
}

/// The sample's document, which each query must find first.
async fn sought(report: &Report, node: &Node) -> Result<Option<Vec<Found>>, DemoError> {
    let mut records = report.records.iter();
    let record = records.find(|r| r.sources.iter().any(|source| source.ends_with(SOUGHT)));
    let Some(record) = record else {
        return Ok(None);
    };
    let queries = QUERIES.map(|(lang, query)| (lang.to_owned(), query.to_owned()));
    by_all(node, &record.record, &queries, 1).await
}

/// Any record that words of its own titles find.
async fn any(shelf: &Shelf, node: &Node) -> Result<Option<Vec<Found>>, DemoError> {
    for record in shelf.most_multilingual().into_iter().take(TRIED) {
        let queries = title_queries(&record.title);
        if let Some(found) = by_all(node, &record.record, &queries, HITS).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What was found, where every query has the record among its first hits; otherwise nothing.
async fn by_all(
    node: &Node,
    record: &str,
    queries: &[(String, String)],
    within: usize,
) -> Result<Option<Vec<Found>>, DemoError> {
    let mut found = Vec::new();
    for (lang, query) in queries {
        let hits = hits(node, lang, query, within).await?;
        let Some(hit) = hits.into_iter().find(|hit| hit.record == record) else {
            return Ok(None);
        };
        found.push(Found {
            lang: lang.clone(),
            query: query.clone(),
            record: hit.record,
            title: hit.title,
        });
    }
    Ok((!found.is_empty()).then_some(found))
}

async fn hits(node: &Node, lang: &str, query: &str, limit: usize) -> Result<Vec<Hit>, DemoError> {
    let query = SearchQuery {
        q: query.to_owned(),
        reader: Some(lang.to_owned()),
        lang: Some(lang.to_owned()),
        limit: Some(limit),
        ..SearchQuery::default()
    };
    let answer = node.client().search(&query).await;
    Ok(answer.map_err(DemoError::of(node.short()))?.hits)
}

/// A language and what somebody would type who remembers the title in it: French, English and
/// Arabic, as far as they are there, else any language.
fn title_queries(titles: &Texts) -> Vec<(String, String)> {
    let wanted: Vec<_> = QUERIES
        .iter()
        .filter_map(|(lang, _)| titles.iter().find(|(tag, _)| primary(tag) == *lang))
        .collect();
    let chosen = match wanted.is_empty() {
        true => titles.iter().take(1).collect(),
        false => wanted,
    };
    let queries = chosen.into_iter().map(|(tag, title)| {
        let words = title.split(|c: char| !c.is_alphanumeric());
        let words: Vec<_> = words.filter(|w| !w.is_empty()).take(WORDS).collect();
        (tag.clone(), words.join(" "))
    });
    queries.filter(|(_, query)| !query.is_empty()).collect()
}

/// Shows at the third node who wrote the record, and by which signature that is known.
pub(super) async fn prove_origin(
    teller: &mut Teller<'_>,
    found: &[Found],
    trio: Trio<'_>,
) -> Result<(), DemoError> {
    teller.step("demo-step-proof");
    teller.say("demo-proof-what", &[]);
    let untrue = || DemoError::Untrue {
        short: trio.ma.short(),
        law: "demo-law-proof",
    };
    let id = &found.first().ok_or_else(untrue)?.record;
    teller.diwan(trio.ma, &["show", &short_id(id)]);
    let record = trio.ma.client().show(id, None).await;
    let record = record.map_err(DemoError::of(trio.ma.short()))?;
    for (lang, title) in &record.title {
        teller.say(
            "demo-show-title",
            &[
                ("lang", lang.as_str().into()),
                ("title", title.as_str().into()),
            ],
        );
    }
    let proof = record.proof.ok_or_else(untrue)?;
    let as_expected = proof.fingerprint == trio.fr.fingerprint()
        && proof.node == trio.fr.peer_id()
        && proof.verified;
    if !as_expected {
        return Err(untrue());
    }
    teller.say(
        "demo-proof",
        &[
            ("agency", proof.agency_name.into()),
            ("fingerprint", proof.fingerprint.into()),
            ("peer", proof.node.into()),
            ("seq", proof.seq.into()),
            ("entry", proof.entry.into()),
        ],
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(titles: &[(&str, &str)]) -> Texts {
        let owned = titles
            .iter()
            .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()));
        owned.collect()
    }

    #[test]
    fn a_title_becomes_what_one_would_type() {
        let queries = title_queries(&titles(&[
            ("ar", "دليل: \"الحفظ\""),
            ("de", "Sicherung"),
            ("fr-FR", "L’appel -- à l'aide!"),
        ]));
        let expected = [("fr-FR", "L appel à l aide"), ("ar", "دليل الحفظ")];
        assert_eq!(queries, expected.map(|(l, q)| (l.to_owned(), q.to_owned())));
    }

    #[test]
    fn without_the_three_languages_any_title_serves() {
        let queries = title_queries(&titles(&[("de", "Eine Sache"), ("it", "Una cosa")]));
        assert_eq!(queries, [("de".to_owned(), "Eine Sache".to_owned())]);
        assert_eq!(title_queries(&titles(&[("fr", "—")])), []);
        assert_eq!(title_queries(&titles(&[])), []);
    }
}
