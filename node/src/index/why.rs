//! Why a hit stands where it stands: what each part of the query gave to its score.

use std::collections::BTreeMap;

use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocSet, TERMINATED, Term};

use super::Hit;
use super::analysis::Language;
use super::error::IndexError;
use super::evaluate::Evaluation;
use super::schema::{ENDORSED, UPDATED_MS};
use super::statistics::Statistics;
use super::words::Reading;
use super::worth::Worth;

/// A part of a hit's score.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// A word of the query; `=word` where it is spelt so, `+` for all words together, `+title` for what of
    /// them its title says, `+passage` for what a passage says together, `theme:…`, `label` for a label of several words; `recency` and `endorsements`.
    pub part: String,
    /// The language that the record was read in, for what depends on it.
    pub lang: Option<&'static str>,
    /// What it adds to the score; of the last two, which the sum is multiplied by, what they add to one.
    pub score: f32,
}

/// What the parts of a query gave to the score of a record.
pub(super) fn why(
    hit: &Hit,
    readings: &[Reading],
    statistics: &Statistics<'_>,
    worth: Worth,
) -> Result<Vec<Why>, IndexError> {
    let Some(at) = find(hit.num, statistics)? else {
        return Ok(Vec::new());
    };
    let mut always = Vec::new();
    let mut by_language: BTreeMap<Language, Vec<Why>> = BTreeMap::new();
    for reading in readings {
        let score = score(reading, at, statistics)?;
        if score > 0.0 {
            let why = Why {
                part: reading.said.clone(),
                lang: reading.language.map(Language::code),
                score,
            };
            match reading.language {
                Some(language) => by_language.entry(language).or_default().push(why),
                None => always.push(why),
            }
        }
    }
    // The record counts in the language that fits it best.
    let sum = |parts: &Vec<Why>| parts.iter().map(|why| why.score).sum::<f32>();
    let best = by_language
        .into_values()
        .max_by(|one, other| sum(one).total_cmp(&sum(other)));
    let mut parts = best.unwrap_or_default();
    parts.extend(always);
    if hit.passage > 0.0 {
        parts.push(Why {
            part: "+passage".to_owned(),
            lang: None,
            score: hit.passage,
        });
    }
    let columns = statistics
        .searcher
        .segment_reader(at.segment_ord)
        .fast_fields();
    let of = |name| Ok::<_, IndexError>(columns.u64(name)?.first(at.doc_id).unwrap_or_default());
    for (part, score) in [
        ("recency", worth.recency(of(UPDATED_MS)?)),
        ("endorsements", Worth::endorsement(of(ENDORSED)?)),
    ] {
        if score > 0.0 {
            parts.push(Why {
                part: part.to_owned(),
                lang: None,
                score,
            });
        }
    }
    Ok(parts)
}

fn find(num: u64, statistics: &Statistics<'_>) -> Result<Option<DocAddress>, IndexError> {
    let Statistics {
        searcher, fields, ..
    } = statistics;
    let term = Term::from_field_u64(fields.num, num);
    for (at, segment) in (0..).zip(searcher.segment_readers()) {
        let index = segment.inverted_index(fields.num)?;
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
            continue;
        };
        while postings.doc() != TERMINATED {
            if !segment.is_deleted(postings.doc()) {
                return Ok(Some(DocAddress::new(at, postings.doc())));
            }
            postings.advance();
        }
    }
    Ok(None)
}

fn score(
    reading: &Reading,
    at: DocAddress,
    statistics: &Statistics<'_>,
) -> Result<f32, IndexError> {
    let segment = at.segment_ord as usize;
    let evaluation = Evaluation::open(&reading.score, segment, statistics)?;
    Ok(evaluation.at(at.doc_id))
}
