//! From a document's files to drafts.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use super::Options;
use super::jsonl::{LineContext, ParsedLine, parse_line};
use super::limits::{JSON_LINE_BYTES_MAX, MARKDOWN_FILE_BYTES_MAX};
use super::markdown::{MarkdownContext, parse_markdown};
use super::merge::{SourcedPage, merge};
use super::place::{KeyOf, import_key};
use super::scan::{Document, Shape, SourceFile};
use super::skip::{SkipReason, Skipped, Warned};
use crate::types::Draft;

/// What a document, or a line of one, came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The draft; none where every file of it is in `skipped`, and at the end of a JSON Lines file
    /// that ends in blank lines.
    pub draft: Option<Draft>,
    /// Where the draft comes from: paths as the user named them, `path:line` for JSON Lines.
    pub sources: Vec<String>,
    /// Files or lines that are not in the draft, each with its reason.
    pub skipped: Vec<Skipped>,
    /// What is odd about those that are.
    pub warnings: Vec<Warned>,
    /// How far this moves a progress bar, in bytes; all of a document's sum up to
    /// [`Document::bytes`], as long as its files do not change meanwhile.
    pub bytes: u64,
}

/// Reads a document: one [`Loaded`] for a Markdown text with its translations, one for each line
/// of a JSON Lines file, which is read as the iterator goes. One bad language or line is skipped,
/// the others still count.
#[must_use]
pub fn read(document: &Document, options: &Options) -> Reader {
    let state = match (document.shape, document.files.first()) {
        (Shape::JsonLines, Some(file)) => Lines::open(file, document, options),
        _ => State::Markdown(document.clone()),
    };
    Reader {
        state,
        options: options.clone(),
    }
}

/// Iterator over the drafts of one document; see [`read`].
#[derive(Debug)]
pub struct Reader {
    state: State,
    options: Options,
}

#[derive(Debug)]
enum State {
    Markdown(Document),
    Lines(Lines),
    /// The file could not be opened.
    Refused(Box<Loaded>),
    Done,
}

impl Iterator for Reader {
    type Item = Loaded;

    fn next(&mut self) -> Option<Loaded> {
        let mut loaded = match std::mem::replace(&mut self.state, State::Done) {
            State::Markdown(document) => markdown(&document, &self.options),
            State::Refused(loaded) => *loaded,
            State::Lines(mut lines) => {
                let loaded = lines.next_line()?;
                if !lines.ended {
                    self.state = State::Lines(lines);
                }
                loaded
            }
            State::Done => return None,
        };
        if let Some(draft) = &mut loaded.draft {
            draft.kind = draft.kind.take().or_else(|| self.options.kind.clone());
        }
        Some(loaded)
    }
}

fn markdown(document: &Document, options: &Options) -> Loaded {
    let mut loaded = Loaded {
        bytes: document.bytes(),
        ..Loaded::default()
    };
    let mut pages = Vec::new();
    for file in &document.files {
        let context = MarkdownContext {
            forced_lang: options.lang.as_deref(),
            path_lang: file.lang.as_deref(),
            stem: &file.stem,
        };
        let source = file.source.clone();
        match read_bounded(file).and_then(|bytes| parse_markdown(&bytes, &context)) {
            Ok(page) => pages.push(SourcedPage { source, page }),
            Err(reason) => loaded.skipped.push(Skipped { source, reason }),
        }
    }
    let warned = pages.iter().flat_map(|p| {
        let warned = |warning: &_| Warned {
            source: p.source.clone(),
            warning: Clone::clone(warning),
        };
        p.page.warnings.iter().map(warned)
    });
    loaded.warnings = warned.collect();
    let merged = merge(pages);
    loaded
        .warnings
        .retain(|warned| merged.sources.contains(&warned.source));
    loaded.skipped.extend(merged.skipped);
    loaded.sources = merged.sources;
    loaded.draft = merged.draft.map(|mut draft| {
        if options.separate_languages {
            // Files of one record become records of their own.
            draft.record = None;
            draft.import_key = None;
        }
        draft.import_key.get_or_insert_with(|| document.key.clone());
        draft.file_name = document.files.first().map(|file| file.stem.clone());
        draft
    });
    loaded
}

/// Reads a whole file that has at most [`MARKDOWN_FILE_BYTES_MAX`], whatever it had when it was
/// found.
fn read_bounded(file: &SourceFile) -> Result<Vec<u8>, SkipReason> {
    let unreadable = |error: io::Error| SkipReason::Unreadable {
        detail: error.to_string(),
    };
    let mut bytes = Vec::new();
    let opened = File::open(&file.path).map_err(unreadable)?;
    opened
        .take(MARKDOWN_FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

/// A JSON Lines file while it is read.
#[derive(Debug)]
struct Lines {
    reader: BufReader<File>,
    source: String,
    /// The path that keys of lines without an id start from.
    key_path: String,
    forced_lang: Option<String>,
    path_lang: Option<String>,
    line: u64,
    /// How often a title came so far, among lines that have no id.
    titles: HashMap<String, u32>,
    ended: bool,
}

impl Lines {
    fn open(file: &SourceFile, document: &Document, options: &Options) -> State {
        match File::open(&file.path) {
            Ok(opened) => State::Lines(Self {
                reader: BufReader::new(opened),
                source: file.source.clone(),
                key_path: document.key.clone(),
                forced_lang: options.lang.clone(),
                path_lang: file.lang.clone(),
                line: 0,
                titles: HashMap::new(),
                ended: false,
            }),
            Err(error) => {
                let reason = SkipReason::Unreadable {
                    detail: error.to_string(),
                };
                let skipped = vec![Skipped {
                    source: file.source.clone(),
                    reason,
                }];
                State::Refused(Box::new(Loaded {
                    skipped,
                    bytes: file.bytes,
                    ..Loaded::default()
                }))
            }
        }
    }

    /// The next line that is not blank; none at the end.
    fn next_line(&mut self) -> Option<Loaded> {
        let mut bytes = 0;
        loop {
            let line = match read_line(&mut self.reader) {
                Ok(line) => line,
                Err(error) => {
                    self.ended = true;
                    let reason = SkipReason::Unreadable {
                        detail: error.to_string(),
                    };
                    return Some(self.skipped(self.source.clone(), reason, bytes));
                }
            };
            if line.bytes == 0 {
                let rest = Loaded {
                    bytes,
                    ..Loaded::default()
                };
                self.ended = true;
                return (bytes > 0).then_some(rest);
            }
            self.line += 1;
            bytes += line.bytes;
            if !line.text.trim_ascii().is_empty() {
                return Some(self.parsed(&line, bytes));
            }
        }
    }

    fn parsed(&mut self, line: &Line, bytes: u64) -> Loaded {
        if self.line == 1 && line.text.contains(&0) {
            self.ended = true;
            return self.skipped(self.source.clone(), SkipReason::Binary, bytes);
        }
        let source = format!("{}:{}", self.source, self.line);
        if line.text.len() > JSON_LINE_BYTES_MAX {
            let reason = SkipReason::TooLarge {
                bytes: line.bytes,
                limit: JSON_LINE_BYTES_MAX as u64,
            };
            return self.skipped(source, reason, bytes);
        }
        let context = LineContext {
            forced_lang: self.forced_lang.as_deref(),
            path_lang: self.path_lang.as_deref(),
            file: &self.key_path,
            line: self.line,
        };
        match parse_line(&line.text, &context) {
            Ok(ParsedLine {
                mut draft,
                warnings,
                keyed_by_title,
            }) => {
                if keyed_by_title {
                    draft.import_key = draft.import_key.map(|key| self.key_of_repeated(key));
                }
                let warned = |warning| Warned {
                    source: source.clone(),
                    warning,
                };
                let warnings = warnings.into_iter().map(warned).collect();
                let sources = vec![source.clone()];
                Loaded {
                    draft: Some(draft),
                    sources,
                    skipped: Vec::new(),
                    warnings,
                    bytes,
                }
            }
            Err(reason) => self.skipped(source, reason, bytes),
        }
    }

    /// Two lines of one title are two documents: the second has a key of its own.
    fn key_of_repeated(&mut self, key: String) -> String {
        let count = self.titles.entry(key.clone()).or_default();
        *count = count.saturating_add(1);
        if *count == 1 {
            key
        } else {
            import_key(KeyOf::LineTitle, &[&key, &count.to_string()])
        }
    }

    fn skipped(&self, source: String, reason: SkipReason, bytes: u64) -> Loaded {
        Loaded {
            skipped: vec![Skipped { source, reason }],
            bytes,
            ..Loaded::default()
        }
    }
}

struct Line {
    /// The line without its end; of a line beyond [`JSON_LINE_BYTES_MAX`] only its beginning.
    text: Vec<u8>,
    /// How much of the file it takes.
    bytes: u64,
}

/// Reads one line, and of a line that is too long no more than is needed to see that.
fn read_line(reader: &mut BufReader<File>) -> io::Result<Line> {
    let mut text = Vec::new();
    let limit = JSON_LINE_BYTES_MAX as u64 + 2;
    let mut bytes = reader.by_ref().take(limit).read_until(b'\n', &mut text)? as u64;
    let cut = bytes == limit && text.last() != Some(&b'\n');
    while text.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
        text.pop();
    }
    if cut {
        bytes += skip_line(reader)?;
    }
    Ok(Line { text, bytes })
}

fn skip_line(reader: &mut BufReader<File>) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(skipped);
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(taken);
        skipped += taken as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}
