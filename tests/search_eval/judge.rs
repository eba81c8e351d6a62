//! Judged queries, and what an answer is worth.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

/// A query and the documents that answer it.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) lang: String,
    /// Paths below the folder of documents.
    pub(crate) targets: Vec<String>,
    pub(crate) kind: String,
}

/// How often a right document was the first hit, one of five, one of ten, and the mean of one over its
/// place (zero where it is not among ten).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) n: u64,
    pub(crate) success1: f64,
    pub(crate) success5: f64,
    pub(crate) success10: f64,
    pub(crate) mrr10: f64,
}

/// Figures by kind, and by the languages of query and target.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Judged {
    pub(crate) by_kind: BTreeMap<String, Figures>,
    pub(crate) by_pair: BTreeMap<String, Figures>,
}

/// Reads the queries: a header, then a line each.
pub(crate) fn read(path: &Path) -> Result<Vec<Query>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut queries = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || (at == 0 && line.starts_with("id\t")) {
            continue;
        }
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, text, lang, targets, kind, ..] = columns.as_slice() else {
            bail!(
                "{}:{}: expected id, query, query_lang, targets and kind, a tab between them",
                path.display(),
                at + 1
            );
        };
        let targets = targets.split(';').map(|path| path.trim().to_owned());
        queries.push(Query {
            id: (*id).to_owned(),
            text: (*text).to_owned(),
            lang: (*lang).to_owned(),
            targets: targets.filter(|path| !path.is_empty()).collect(),
            kind: (*kind).to_owned(),
        });
    }
    Ok(queries)
}

/// The half that a query belongs to: all queries for a document, whatever its language, to the same one.
pub(crate) fn half(query: &Query) -> &'static str {
    let name = query
        .targets
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let slug = name.rsplit('/').next().unwrap_or_default();
    let sum = slug.bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    match (sum >> 3) % 2 {
        0 => "tune",
        _ => "test",
    }
}

/// The place of the first hit that has a right document in it, from 0.
pub(crate) fn place(query: &Query, found: &[Vec<String>]) -> Option<usize> {
    let is_right = |files: &Vec<String>| files.iter().any(|file| query.targets.contains(file));
    found.iter().position(is_right)
}

/// Puts every query. What answers gives hits, each with the files that it stands for.
pub(crate) fn judge(
    queries: &[Query],
    mut answer: impl FnMut(&Query) -> Result<Vec<Vec<String>>>,
) -> Result<Judged> {
    let mut judged = Judged::default();
    for query in queries {
        let place = place(query, &answer(query)?);
        let pair = format!("{}→{}", query.lang, target_lang(query));
        for (figures, name) in [
            (&mut judged.by_kind, query.kind.clone()),
            (&mut judged.by_pair, pair),
        ] {
            figures.entry(name).or_default().take(place);
        }
    }
    for figures in judged
        .by_kind
        .values_mut()
        .chain(judged.by_pair.values_mut())
    {
        figures.mean();
    }
    Ok(judged)
}

/// The language of the targets, where all are of one, by the folder that they lie in.
fn target_lang(query: &Query) -> String {
    let lang = |path: &String| {
        let mut parts = path.split('/').rev().skip(1);
        parts
            .find(|part| matches!(part.len(), 2 | 5))
            .unwrap_or("?")
            .to_owned()
    };
    let mut langs: Vec<String> = query.targets.iter().map(lang).collect();
    langs.sort();
    langs.dedup();
    match langs.as_slice() {
        [only] => only.clone(),
        _ if langs.contains(&query.lang) => query.lang.clone(),
        _ => "?".to_owned(),
    }
}

impl Figures {
    fn take(&mut self, place: Option<usize>) {
        let within = |limit: usize| f64::from(u8::from(place.is_some_and(|place| place < limit)));
        self.n += 1;
        self.success1 += within(1);
        self.success5 += within(5);
        self.success10 += within(10);
        let place = place.filter(|place| *place < 10);
        self.mrr10 += place.map_or(0.0, |place| 1.0 / (place as f64 + 1.0));
    }

    fn mean(&mut self) {
        let n = (self.n as f64).max(1.0);
        for sum in [
            &mut self.success1,
            &mut self.success5,
            &mut self.success10,
            &mut self.mrr10,
        ] {
            *sum /= n;
        }
    }
}
