//! Judged queries against one node, beside two programs that a user would pick instead, on the same
//! documents in the same run: which of the right documents come first.

mod baselines;
mod judge;
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use diwan_api::client::Client;
use diwan_api::types::SearchQuery;
use diwan_tests::kit::{Listen, TestNode, shared_data};
use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Runtime;

use baselines::{Baseline, Fts5, Tantivy};
use judge::{Figures, Judged, Query};

/// Hits that are looked at.
const HITS: usize = 10;
/// Between two looks at whether the node has learned.
const POLL: Duration = Duration::from_millis(500);

/// Judged queries against one node, beside other programs.
#[derive(Parser)]
#[command(name = "search-eval", version)]
struct Args {
    /// Folder of Markdown documents.
    #[arg(long, required_unless_present = "sample")]
    docs: Option<PathBuf>,
    /// Judged queries: id, query, query_lang, targets (below the folder, `;` between them), kind, note.
    #[arg(long, required_unless_present = "sample")]
    queries: Option<PathBuf>,
    /// Makes documents and queries from the shared data in this folder, which must not exist, and ends.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["docs", "queries"])]
    sample: Option<PathBuf>,
    /// Each file is a record of its own instead of one record for all translations.
    #[arg(long)]
    separate_languages: bool,
    /// Vocabularies that the node has besides its own; those of the shared data where nothing is said.
    #[arg(long, value_name = "DIR")]
    skos: Option<PathBuf>,
    /// Queries are put as they are.
    #[arg(long)]
    no_expand: bool,
    /// Only queries of this half of the documents: `tune` or `test`.
    #[arg(long)]
    half: Option<String>,
    /// Says of each query of a kind that fails what came instead.
    #[arg(long, value_name = "KIND")]
    failures: Option<String>,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document {
    documents: usize,
    queries: usize,
    by_kind: BTreeMap<String, Figures>,
    by_pair: BTreeMap<String, Figures>,
    baselines: BTreeMap<String, Judged>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if let Some(folder) = &args.sample {
        let Some(data) = shared_data("kb-parallel") else {
            return Ok(ExitCode::FAILURE);
        };
        let parallel = fs::read_dir(&data)?.map(|source| Ok(source?.path()));
        let mut sources: Vec<PathBuf> = parallel.collect::<Result<_>>()?;
        sources.extend(shared_data("training-lea"));
        let made = sample::make(&sources, folder)?;
        tell(&format!("{made} queries: {}\n", folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(docs), Some(queries)) = (&args.docs, &args.queries) else {
        bail!("--docs and --queries, or --sample");
    };
    let docs = fs::canonicalize(docs).with_context(|| docs.display().to_string())?;
    let mut asked = judge::read(queries)?;
    if let Some(half) = &args.half {
        asked.retain(|query| judge::half(query) == half);
    }
    let node = TestNode::running("FR", Listen::AnyTcp);
    let skos = args.skos.clone().or_else(|| shared_data("skos"));
    let node_asked = Asked {
        records: load(&node, &docs, skos.as_deref(), args.separate_languages)?,
        client: Client::unix(node.home().join("run").join("node.sock")),
        runtime: Runtime::new()?,
        no_expand: args.no_expand,
    };
    let ours = judge::judge(&asked, |query| node_asked.answer(query))?;
    let mut baselines = BTreeMap::new();
    let (tantivy, fts5) = (
        Tantivy::of(&docs)?,
        [Fts5::of(&docs, "unicode61")?, Fts5::of(&docs, "trigram")?],
    );
    let all: [&dyn Baseline; 3] = [&tantivy, &fts5[0], &fts5[1]];
    for baseline in all {
        let judged = judge::judge(&asked, |query| baseline.search(&query.text, HITS))?;
        baselines.insert(baseline.name(), judged);
    }
    if let Some(kind) = &args.failures {
        for query in asked.iter().filter(|query| query.kind == *kind) {
            let found = node_asked.answer(query)?;
            if judge::place(query, &found).is_none_or(|place| place >= HITS) {
                let first: Vec<_> = found.iter().take(3).collect();
                tell(&format!("{} {:?} {:?}\n", query.id, query.text, first));
            }
        }
    }
    let document = Document {
        documents: node_asked.records.values().map(Vec::len).sum(),
        queries: asked.len(),
        by_kind: ours.by_kind,
        by_pair: ours.by_pair,
        baselines,
    };
    match args.json {
        true => tell(&format!("{}\n", serde_json::to_string(&document)?)),
        false => table(&document),
    }
    Ok(ExitCode::SUCCESS)
}

/// Imports documents and vocabularies as an officer does. By record, the files that it was made of.
fn load(
    node: &TestNode,
    docs: &Path,
    skos: Option<&Path>,
    separate: bool,
) -> Result<BTreeMap<String, Vec<String>>> {
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path in UTF-8");
    let folder = text(docs)?;
    let mut import = vec!["import", &folder, "--group", "own", "--kind", "guideline"];
    if separate {
        import.push("--separate-languages");
    }
    let report = node.diwan(&import);
    let mut records = BTreeMap::new();
    for record in report
        .get("records")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let id = record.get("record").and_then(Value::as_str);
        let id = id.context("a record")?;
        let sources = record.get("sources").and_then(Value::as_array);
        let sources = sources.into_iter().flatten();
        let below = sources.filter_map(|source| {
            let path = source.as_str()?.strip_prefix(&folder)?;
            Some(path.trim_start_matches('/').to_owned())
        });
        records.insert(id.to_owned(), below.collect());
    }
    if let Some(skos) = skos {
        node.diwan(&["import", &text(skos)?, "--group", "own", "--format", "skos"]);
    }
    node.indexed();
    // What widens searches is learned behind the index.
    let learned = |status: &Value| status.pointer("/index/learned") == status.get("store_seq");
    while !learned(&node.diwan(&["status"])) {
        std::thread::sleep(POLL);
    }
    Ok(records)
}

/// A node's answers, as files.
struct Asked {
    client: Client,
    runtime: Runtime,
    records: BTreeMap<String, Vec<String>>,
    no_expand: bool,
}

impl Asked {
    fn answer(&self, query: &Query) -> Result<Vec<Vec<String>>> {
        let asked = SearchQuery {
            q: query.text.clone(),
            limit: Some(HITS),
            no_expand: self.no_expand.then_some(true),
            ..SearchQuery::default()
        };
        let answer = self.runtime.block_on(self.client.search(&asked));
        let hits = answer.with_context(|| query.text.clone())?.hits;
        let files = hits
            .iter()
            .map(|hit| self.records.get(&hit.record).cloned());
        Ok(files.map(Option::unwrap_or_default).collect())
    }
}

fn table(document: &Document) {
    let head = ["", "n", "success@1", "@5", "@10", "MRR@10"];
    let mut text = format!(
        "{} documents, {} queries\n{:<28}{:>5}{:>11}{:>8}{:>8}{:>8}\n",
        document.documents, document.queries, head[0], head[1], head[2], head[3], head[4], head[5]
    );
    let mut rows = |title: &str, figures: &BTreeMap<String, Figures>| {
        text += &format!("\n{title}\n");
        for (name, of) in figures {
            text += &format!(
                "  {name:<26}{:>5}{:>11.3}{:>8.3}{:>8.3}{:>8.3}\n",
                of.n, of.success1, of.success5, of.success10, of.mrr10
            );
        }
    };
    rows("diwan", &document.by_kind);
    rows("diwan, by languages", &document.by_pair);
    for (name, judged) in &document.baselines {
        rows(name, &judged.by_kind);
    }
    tell(&text);
}

#[expect(clippy::print_stdout, reason = "a program's answer")]
fn tell(text: &str) {
    print!("{text}");
}
