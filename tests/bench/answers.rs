//! What the same answers cost a program around bare tantivy: total, ten hits, the text of each with a snippet, in
//! process, with its own analysis.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::QueryParser;
use tantivy::schema::{STORED, Schema, TEXT, Value as _};
use tantivy::snippet::SnippetGenerator;
use tantivy::{IndexWriter, TantivyDocument};

use crate::index::{Line, MEMORY_BYTES, THREADS};
use crate::report::{Row, percentile};

/// Hits of an answer, as our own has where nothing is said.
const HITS: usize = 10;

/// Indexes the workload in a folder and puts the queries, of which the first few only warm up.
pub(crate) fn bare(
    folder: &Path,
    workload: &Path,
    queries: &[String],
    warm_up: usize,
) -> Result<Row> {
    let mut schema = Schema::builder();
    let [title, summary, body] =
        ["title", "summary", "body"].map(|name| schema.add_text_field(name, TEXT | STORED));
    std::fs::create_dir_all(folder)?;
    let index = tantivy::Index::create_in_dir(folder, schema.build())?;
    let mut writer: IndexWriter = index.writer_with_num_threads(THREADS, MEMORY_BYTES)?;
    let lines = Line::all(workload)?;
    for line in &lines {
        let mut document = TantivyDocument::new();
        document.add_text(title, &line.title);
        document.add_text(summary, &line.summary);
        document.add_text(body, &line.body);
        writer.add_document(document)?;
    }
    writer.commit()?;
    writer.wait_merging_threads()?;

    let searcher = index.reader()?.searcher();
    let parser = QueryParser::for_index(&index, vec![title, summary, body]);
    let (mut times, mut shown) = (Vec::new(), 0);
    for (at, query) in queries.iter().enumerate() {
        let began = Instant::now();
        let query = parser.parse_query(query)?;
        let top = TopDocs::with_limit(HITS).order_by_score();
        let (top, total) = searcher.search(&query, &(top, Count))?;
        let snippets = SnippetGenerator::create(&searcher, &*query, body)?;
        for (_, address) in top {
            let document: TantivyDocument = searcher.doc(address)?;
            let text = document.get_first(body).and_then(|value| value.as_str());
            let snippet = snippets.snippet(text.context("a stored text")?);
            shown += snippet.fragment().len() + total;
        }
        if at >= warm_up {
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    anyhow::ensure!(shown > 0, "bare tantivy found nothing");
    let figures = [("search_p50_ms", 0.5), ("search_p99_ms", 0.99)];
    let figures = figures.map(|(name, q)| (name.to_owned(), percentile(&times, q)));
    Ok(Row {
        candidate: "tantivy, same answer".to_owned(),
        n: lines.len() as u64,
        figures: figures.into(),
    })
}
