//! The index alone: the workload's records in memory, put and committed, beside tantivy with its own analysis and
//! the same fields, in turns.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use diwan_node::index::{Index, Indexable};
use serde::Deserialize;
use tantivy::schema::{
    FAST, INDEXED, IndexRecordOption, STRING, Schema, TEXT, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexWriter, TantivyDocument};

use crate::report::{Report, Row, percentile};
use crate::workload::{Size, not_built};

/// Memory of the writer, bytes: as a node has it while it imports.
pub(crate) const MEMORY_BYTES: usize = 64_000_000;
/// Threads that build postings.
pub(crate) const THREADS: usize = 2;
/// Times that each is measured; medians count.
const ROUNDS: usize = 3;

/// A record of the workload.
#[derive(Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) body: String,
    pub(crate) tags: Vec<String>,
}

impl Line {
    /// All of the workload.
    pub(crate) fn all(workload: &Path) -> Result<Vec<Self>> {
        let text = std::fs::read_to_string(workload)?;
        let lines = text.lines().map(serde_json::from_str);
        Ok(lines.collect::<Result<_, _>>()?)
    }

    /// What the index learns of it.
    pub(crate) fn indexable(&self, num: u64) -> Indexable {
        let english = |text: &String| BTreeMap::from([("en".to_owned(), text.clone())]);
        Indexable {
            num,
            group: [1; 32],
            kind: "guideline".to_owned(),
            origin: [2; 32],
            tlp: "GREEN".to_owned(),
            tags: self.tags.clone(),
            title: english(&self.title),
            summary: english(&self.summary),
            body: english(&self.body),
            ..Indexable::default()
        }
    }

    fn texts(&self) -> [&str; 3] {
        [&self.title, &self.summary, &self.body]
    }
}

/// Runs both in turns.
pub(crate) fn run(size: Size) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let Some(workload) = size.write(folder.path())? else {
        return Ok(not_built());
    };
    let lines = Line::all(&workload)?;
    let n = lines.len() as u64;
    let mut ours = Vec::new();
    let (mut same_fields, mut texts_alone) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let own = |what: &str| folder.path().join(format!("{what}-{round}"));
        ours.push(n as f64 / diwan(&own("diwan"), &lines)?);
        same_fields.push(n as f64 / bare(&own("same"), &lines, true)?);
        texts_alone.push(n as f64 / bare(&own("texts"), &lines, false)?);
    }
    let row = |candidate: &str, rates: &[f64]| Row {
        candidate: candidate.to_owned(),
        n,
        figures: BTreeMap::from([("indexed_s".to_owned(), percentile(rates, 0.5))]),
    };
    let mut report = Report::ours(n, [("indexed_s", percentile(&ours, 0.5))]);
    report.rows.push(row("tantivy, same fields", &same_fields));
    report.rows.push(row("tantivy, three texts", &texts_alone));
    Ok(report)
}

/// Seconds until all of it is durable and searchable.
fn diwan(folder: &Path, lines: &[Line]) -> Result<f64> {
    let mut opened = Index::open(folder, MEMORY_BYTES)?;
    let records: Vec<Indexable> = (1..).zip(lines).map(|(num, l)| l.indexable(num)).collect();
    let began = Instant::now();
    for record in &records {
        opened.writer.put(record)?;
    }
    opened.writer.commit(1)?;
    let taken = began.elapsed().as_secs_f64();
    opened.writer.rest()?;
    Ok(taken)
}

/// The same of tantivy with its default analysis: three texts, and, where wanted, what ours has besides: all words
/// again as they are spelt, keywords that are counted by column, number and time.
fn bare(folder: &Path, lines: &[Line], same_fields: bool) -> Result<f64> {
    let mut schema = Schema::builder();
    let texts = ["title", "summary", "body"].map(|name| schema.add_text_field(name, TEXT));
    let tag = schema.add_text_field("tag", STRING);
    let basic = TextFieldIndexing::default()
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let spelt = TextOptions::default().set_indexing_options(basic);
    let spelt = schema.add_text_field("spelt", spelt);
    let keywords = ["kind", "tlp", "lang", "group", "origin"]
        .map(|name| schema.add_text_field(name, STRING | FAST));
    let num = schema.add_u64_field("num", INDEXED | FAST);
    let times = ["updated_ms", "endorsed"].map(|name| schema.add_u64_field(name, FAST));
    std::fs::create_dir_all(folder)?;
    let index = tantivy::Index::create_in_dir(folder, schema.build())?;
    let mut writer: IndexWriter = index.writer_with_num_threads(THREADS, MEMORY_BYTES)?;
    let began = Instant::now();
    for (number, line) in (1..).zip(lines) {
        let mut document = TantivyDocument::new();
        for (field, text) in texts.into_iter().zip(line.texts()) {
            document.add_text(field, text);
            if same_fields {
                document.add_text(spelt, text);
            }
        }
        for value in &line.tags {
            document.add_text(tag, value);
        }
        if same_fields {
            document.add_u64(num, number);
            for field in times {
                document.add_u64(field, number);
            }
            for field in keywords {
                document.add_text(field, "guideline");
            }
        }
        writer.add_document(document)?;
    }
    writer.commit()?;
    index.reader()?.reload()?;
    let taken = began.elapsed().as_secs_f64();
    writer.wait_merging_threads()?;
    Ok(taken)
}
