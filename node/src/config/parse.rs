//! From TOML to a configuration, or to every mistake in it.

use super::keys::{KEYS, KeySpec, Kind, SECTIONS};
use super::problem::{Problem, ProblemCode, nearest};
use super::{Config, LogLevel};
use toml_edit::{Array, Document, Item, TableLike};

/// Reads the text; see [`Config::parse`].
pub(super) fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let lines = LineIndex::of(text);
    let document = Document::parse(text).map_err(|error| {
        let line = lines.line_of(error.span().map(|span| span.start));
        let message = error.message().to_owned();
        vec![Problem {
            line,
            key: String::new(),
            code: ProblemCode::Syntax { message },
        }]
    })?;

    let mut reader = Reader {
        lines,
        config: Config::default(),
        problems: Vec::new(),
    };
    reader.read_top(document.as_table());
    reader.check_redial(document.as_table());
    reader.finish()
}

/// What has been read so far, and what was wrong with it.
struct Reader {
    lines: LineIndex,
    config: Config,
    problems: Vec<Problem>,
}

impl Reader {
    fn read_top(&mut self, table: &dyn TableLike) {
        for (name, item) in table.iter() {
            if !SECTIONS.iter().any(|section| section.name == name) {
                self.read_key("", name, item, table);
            } else if let Some(section) = item.as_table_like() {
                for (key, item) in section.iter() {
                    self.read_key(name, key, item, section);
                }
            } else {
                let expected = format!("a section, [{name}]");
                let code = ProblemCode::WrongType {
                    expected,
                    found: item.type_name(),
                };
                self.complain(line_of_item(&self.lines, table, name, item), name, code);
            }
        }
    }

    fn read_key(&mut self, section: &str, name: &str, item: &Item, table: &dyn TableLike) {
        let key_line = line_of_key(&self.lines, table, name, item);
        match KEYS
            .iter()
            .find(|key| key.section == section && key.name == name)
        {
            Some(key) => self.read_value(key, key_line, item),
            None => {
                let path = join(section, name);
                let nearest = nearest_key(section, name);
                self.complain(key_line, &path, ProblemCode::UnknownKey { nearest });
            }
        }
    }

    fn read_value(&mut self, key: &KeySpec, key_line: usize, item: &Item) {
        let path = key.path();
        let line = item
            .span()
            .map_or(key_line, |span| self.lines.line_of(Some(span.start)));
        let read = match &key.kind {
            Kind::Addresses { .. } => match item.as_array() {
                Some(array) => return self.read_addresses(key, line, array),
                None => Err(key.kind.wrong_type(item.type_name())),
            },
            Kind::Integer { min, max, slot } => match item.as_integer() {
                Some(found) => bounded(found, *min, *max)
                    .map(|value| *slot(&mut self.config) = value)
                    .ok_or(ProblemCode::OutOfRange {
                        min: *min,
                        max: *max,
                        found,
                    }),
                None => Err(key.kind.wrong_type(item.type_name())),
            },
            Kind::Level { slot } => match item.as_str() {
                Some(word) => LogLevel::from_word(word)
                    .map(|level| *slot(&mut self.config) = level)
                    .ok_or_else(|| unknown_level(&key.kind, word)),
                None => Err(key.kind.wrong_type(item.type_name())),
            },
            Kind::SocketPath { slot } => match item.as_str() {
                Some(path) if is_socket_path(path) => {
                    path.clone_into(slot(&mut self.config));
                    Ok(())
                }
                Some(path) => Err(ProblemCode::BadPath {
                    path: path.to_owned(),
                    max_bytes: Kind::SOCKET_PATH_MAX_BYTES,
                }),
                None => Err(key.kind.wrong_type(item.type_name())),
            },
        };
        if let Err(code) = read {
            self.complain(line, &path, code);
        }
    }

    fn read_addresses(&mut self, key: &KeySpec, array_line: usize, array: &Array) {
        let Kind::Addresses { check, slot } = &key.kind else {
            return;
        };
        let path = key.path();
        if array.len() > Kind::ADDRESSES_MAX {
            let (max, found) = (Kind::ADDRESSES_MAX, array.len());
            return self.complain(
                array_line,
                &path,
                ProblemCode::TooManyAddresses { max, found },
            );
        }

        let mut addresses = Vec::with_capacity(array.len());
        for value in array {
            let line = value
                .span()
                .map_or(array_line, |span| self.lines.line_of(Some(span.start)));
            let Some(text) = value.as_str() else {
                self.complain(line, &path, key.kind.wrong_type(value.type_name()));
                continue;
            };
            let address = text.to_owned();
            match check(text) {
                Ok(checked) if addresses.contains(&checked) => {
                    self.complain(line, &path, ProblemCode::RepeatedAddress { address });
                }
                Ok(checked) => addresses.push(checked),
                Err(fault) => {
                    self.complain(line, &path, ProblemCode::BadAddress { address, fault });
                }
            }
        }
        *slot(&mut self.config) = addresses;
    }

    /// The two waits bound one another. Where one keeps its default, the other is to blame.
    fn check_redial(&mut self, top: &dyn TableLike) {
        let sync = &self.config.sync;
        let (found, least) = (sync.redial_max_s, sync.redial_min_s);
        let Some(section) = top.get("sync").and_then(Item::as_table_like) else {
            return;
        };
        // A value that was refused is not judged a second time by the default in its place.
        let refused = |key: &str| self.problems.iter().any(|problem| problem.key == key);
        if found >= least || refused("sync.redial_min_s") || refused("sync.redial_max_s") {
            return;
        }
        let line = ["redial_max_s", "redial_min_s"]
            .into_iter()
            .find_map(|name| Some((name, section.get(name)?)))
            .map_or(1, |(name, item)| {
                line_of_key(&self.lines, section, name, item)
            });
        let other = "sync.redial_min_s".to_owned();
        let code = ProblemCode::BelowOther {
            other,
            least,
            found,
        };
        self.complain(line, "sync.redial_max_s", code);
    }

    fn complain(&mut self, line: usize, key: &str, code: ProblemCode) {
        self.problems.push(Problem {
            line,
            key: key.to_owned(),
            code,
        });
    }

    fn finish(mut self) -> Result<Config, Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(self.config);
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(self.problems)
    }
}

fn bounded(found: i64, min: u32, max: u32) -> Option<u32> {
    u32::try_from(found)
        .ok()
        .filter(|value| (min..=max).contains(value))
}

fn is_socket_path(path: &str) -> bool {
    (1..=Kind::SOCKET_PATH_MAX_BYTES).contains(&path.len()) && !path.chars().any(char::is_control)
}

fn unknown_level(kind: &Kind, word: &str) -> ProblemCode {
    let levels = LogLevel::ALL.map(LogLevel::as_str);
    ProblemCode::UnknownWord {
        expected: kind.expected(),
        found: word.to_owned(),
        nearest: nearest(&word.to_lowercase(), levels).map(str::to_owned),
    }
}

/// The key or section that was meant by one that does not exist: most likely a neighbour, then a
/// key that stands in the wrong section, then anything similar.
fn nearest_key(section: &str, name: &str) -> Option<String> {
    let name = name.to_lowercase().replace('-', "_");
    let neighbours = KEYS
        .iter()
        .filter(|key| key.section == section)
        .map(|key| key.name);
    let sections = SECTIONS
        .iter()
        .filter(|_| section.is_empty())
        .map(|section| section.name);
    let neighbours = neighbours.chain(sections).filter(|known| !known.is_empty());
    if let Some(neighbour) = nearest(&name, neighbours) {
        return Some(join(section, neighbour));
    }
    let elsewhere = nearest(&name, KEYS.iter().map(|key| key.name))?;
    KEYS.iter()
        .find(|key| key.name == elsewhere)
        .map(KeySpec::path)
}

fn join(section: &str, name: &str) -> String {
    match section {
        "" => name.to_owned(),
        section => format!("{section}.{name}"),
    }
}

fn line_of_key(lines: &LineIndex, table: &dyn TableLike, name: &str, item: &Item) -> usize {
    let key = table.key(name).and_then(toml_edit::Key::span);
    lines.line_of(key.or_else(|| item.span()).map(|span| span.start))
}

fn line_of_item(lines: &LineIndex, table: &dyn TableLike, name: &str, item: &Item) -> usize {
    match item.span() {
        Some(span) => lines.line_of(Some(span.start)),
        None => line_of_key(lines, table, name, item),
    }
}

/// Where each line begins, so that a place in the text becomes a line at little cost.
struct LineIndex {
    newlines: Vec<usize>,
}

impl LineIndex {
    fn of(text: &str) -> Self {
        Self {
            newlines: text.match_indices('\n').map(|(at, _)| at).collect(),
        }
    }

    /// The line of the byte at `offset`, from 1; the last line for a place that is not known.
    fn line_of(&self, offset: Option<usize>) -> usize {
        let offset = offset.unwrap_or(usize::MAX);
        1 + self.newlines.partition_point(|newline| *newline < offset)
    }
}
