//! What a user would pick instead: tantivy with its default analysis, and SQLite's full-text search. Each file
//! is a document.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{STORED, STRING, Schema, TEXT, Value as _};
use tantivy::{Index, TantivyDocument};

/// A program that answers with files.
pub(crate) trait Baseline {
    fn name(&self) -> String;
    fn search(&self, query: &str, limit: usize) -> Result<Vec<Vec<String>>>;
}

/// Every Markdown file below a folder, by its path below it.
pub(crate) fn files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut next = vec![folder.to_owned()];
    while let Some(dir) = next.pop() {
        for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                next.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                let name = path
                    .strip_prefix(folder)?
                    .to_str()
                    .context("a name in UTF-8")?;
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                found.push((name.to_owned(), text));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// tantivy, default tokenizer and query parser.
pub(crate) struct Tantivy {
    index: Index,
    parser: QueryParser,
    path: tantivy::schema::Field,
}

impl Tantivy {
    pub(crate) fn of(docs: &Path) -> Result<Self> {
        let mut schema = Schema::builder();
        let path = schema.add_text_field("path", STRING | STORED);
        let text = schema.add_text_field("text", TEXT);
        let index = Index::create_in_ram(schema.build());
        let mut writer = index.writer::<TantivyDocument>(50_000_000)?;
        for (name, content) in files(docs)? {
            let mut document = TantivyDocument::default();
            document.add_text(path, name);
            document.add_text(text, content);
            writer.add_document(document)?;
        }
        writer.commit()?;
        let parser = QueryParser::for_index(&index, vec![text]);
        Ok(Self {
            index,
            parser,
            path,
        })
    }
}

impl Baseline for Tantivy {
    fn name(&self) -> String {
        "tantivy default".to_owned()
    }

    fn search(&self, query: &str, limit: usize) -> Result<Vec<Vec<String>>> {
        // Words alone: signs would mean something, and a word with a hyphen is a phrase to it.
        let (query, _) = self.parser.parse_query_lenient(&words(query, 1).join(" "));
        let searcher = self.index.reader()?.searcher();
        let top = searcher.search(&query, &TopDocs::with_limit(limit).order_by_score())?;
        let mut found = Vec::new();
        for (_, address) in top {
            let document: TantivyDocument = searcher.doc(address)?;
            let name = document
                .get_first(self.path)
                .and_then(|value| value.as_str());
            found.push(vec![name.unwrap_or_default().to_owned()]);
        }
        Ok(found)
    }
}

/// SQLite FTS5 with one of its tokenizers, words as alternatives, ranked by BM25.
pub(crate) struct Fts5 {
    database: rusqlite::Connection,
    tokenizer: &'static str,
}

impl Fts5 {
    pub(crate) fn of(docs: &Path, tokenizer: &'static str) -> Result<Self> {
        let database = rusqlite::Connection::open_in_memory()?;
        database.execute_batch(&format!(
            "CREATE VIRTUAL TABLE docs USING fts5(path UNINDEXED, text, tokenize='{tokenizer}')"
        ))?;
        for (name, text) in files(docs)? {
            database.execute("INSERT INTO docs VALUES (?1, ?2)", (name, text))?;
        }
        Ok(Self {
            database,
            tokenizer,
        })
    }
}

impl Baseline for Fts5 {
    fn name(&self) -> String {
        format!("FTS5 {}", self.tokenizer)
    }

    fn search(&self, query: &str, limit: usize) -> Result<Vec<Vec<String>>> {
        // A trigram index finds nothing shorter than three letters.
        let least = if self.tokenizer == "trigram" { 3 } else { 1 };
        let words = words(query, least).into_iter();
        let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = self
            .database
            .prepare("SELECT path FROM docs WHERE docs MATCH ?1 ORDER BY rank LIMIT ?2")?;
        let limit = i64::try_from(limit)?;
        let rows = asked.query_map((words.join(" OR "), limit), |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(vec![row?])).collect()
    }
}

/// The words of a query that have so many letters.
fn words(query: &str, least: usize) -> Vec<&str> {
    let words = query.split(|c: char| !c.is_alphanumeric() && !is_mark(c));
    words.filter(|word| word.chars().count() >= least).collect()
}

/// Arabic vowel signs and tatweel stand inside words.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{640}' | '\u{64b}'..='\u{655}')
}
