//! Records back into files: a tree of Markdown that an import recognises, or JSON Lines.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::filename::{kind_folder, language_folder, stem};
use super::limits::{FRONT_MATTER_BRACKETS_MAX, FRONT_MATTER_BYTES_MAX};
use crate::types::{FieldValue, FieldValues, Record, RecordLink, Texts};

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file or a folder cannot be written.
    #[error("{path} cannot be written: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A symbolic link or a file stands where the export needs a folder of its own; through a link
    /// it would write outside.
    #[error("{path} is not a folder")]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// What the node sent cannot be read.
    #[error("the records cannot be read: {source}")]
    Read {
        /// What went wrong.
        source: io::Error,
    },
    /// The front matter of a record cannot be written.
    #[error("record {record} cannot be written as YAML: {detail}")]
    Yaml {
        /// Its id.
        record: String,
        /// What went wrong.
        detail: String,
    },
}

/// How many digits of a record's id its files bear; more where two records would share a file.
const ID_DIGITS: [usize; 3] = [8, 16, 64];

/// Writes records as Markdown, one file a language: `<dir>/<lang>/<kind>/<title>-<id>.md`.
///
/// The front matter names the record, so that importing the tree again changes nothing. The file
/// name of a record is the same in all languages, so that an import finds its translations.
#[derive(Debug)]
pub struct MarkdownExport {
    dir: PathBuf,
    /// Folders that this export made or checked.
    folders: HashSet<PathBuf>,
    /// Which record bears which file name.
    names: HashMap<String, String>,
    written: u64,
    shortened: u64,
}

impl MarkdownExport {
    /// Starts an export into a folder, which is made where it is missing. Files of an earlier
    /// export are replaced; others are left alone.
    ///
    /// # Errors
    /// [`ExportError::Write`] where the folder cannot be made.
    pub fn create(dir: &Path) -> Result<Self, ExportError> {
        fs::create_dir_all(dir).map_err(|source| write_error(dir, source))?;
        Ok(Self {
            dir: dir.to_owned(),
            folders: HashSet::new(),
            names: HashMap::new(),
            written: 0,
            shortened: 0,
        })
    }

    /// Writes one record in all its languages. A record without any text writes no file.
    ///
    /// # Errors
    /// [`ExportError`] where a file cannot be written; files of the languages before it stay.
    pub fn write(&mut self, record: &Record) -> Result<(), ExportError> {
        let kind = kind_folder(&record.kind);
        let name = self.name(record, &kind);
        let texts = [&record.title, &record.summary, &record.body];
        let of_kind = record.fields.values().filter_map(|value| match value {
            FieldValue::Texts(texts) => Some(texts),
            FieldValue::Line(_) | FieldValue::Lines(_) => None,
        });
        let texts = texts.into_iter().chain(of_kind);
        let langs: BTreeSet<&String> = texts.flat_map(BTreeMap::keys).collect();
        let mut is_whole = true;
        for lang in langs {
            let (page, has_all) = page(record, lang)?;
            is_whole &= has_all;
            let folder = self.folder(&[&language_folder(lang), &kind])?;
            write_replacing(&folder, &format!("{name}.md"), page.as_bytes())?;
        }
        self.written += 1;
        self.shortened += u64::from(!is_whole);
        Ok(())
    }

    /// How many records have fields that no Markdown file's head has room for.
    #[must_use]
    pub fn shortened(&self) -> u64 {
        self.shortened
    }

    /// How many records were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    fn name(&mut self, record: &Record, kind: &str) -> String {
        let title = ["fr", "en", "ar"]
            .iter()
            .find_map(|lang| record.title.get(*lang));
        let title = title
            .or_else(|| record.title.values().next())
            .map_or("", String::as_str);
        let mut name = String::new();
        for digits in ID_DIGITS {
            name = stem(title, &record.record, digits);
            let owner = self.names.entry(format!("{kind}/{name}"));
            if *owner.or_insert_with(|| record.record.clone()) == record.record {
                break;
            }
        }
        name
    }

    /// A folder below the export's own, made where it is missing.
    fn folder(&mut self, parts: &[&str]) -> Result<PathBuf, ExportError> {
        let mut path = self.dir.clone();
        for part in parts {
            path.push(part);
            if self.folders.contains(&path) {
                continue;
            }
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let is_folder = fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir());
                    if !is_folder {
                        return Err(ExportError::NotAFolder { path });
                    }
                }
                Err(source) => return Err(write_error(&path, source)),
            }
            self.folders.insert(path.clone());
        }
        Ok(path)
    }
}

/// Writes all records as Markdown; says how many there were. See [`MarkdownExport`].
///
/// # Errors
/// [`ExportError`] at the first file that cannot be written.
pub fn export_markdown(
    records: impl IntoIterator<Item = Record>,
    dir: &Path,
) -> Result<u64, ExportError> {
    let mut export = MarkdownExport::create(dir)?;
    for record in records {
        export.write(&record)?;
    }
    Ok(export.written())
}

/// The front matter of one language of a record.
#[derive(Serialize)]
struct FrontMatter<'a> {
    /// First, so that whoever opens the file sees it before anything else.
    tlp: &'a str,
    record: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    import_key: Option<&'a str>,
    kind: &'a str,
    lang: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    themes: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    hcode: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: &'a FieldValues,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    links: &'a [RecordLink],
    origin: &'a str,
    version: &'a str,
}

/// A page, and whether its head has all fields of the kind: texts that would make it longer than an import
/// reads are left out, and stay as they are when it is imported.
fn page(record: &Record, lang: &str) -> Result<(String, bool), ExportError> {
    let mut fields = of_page(record, lang);
    let text = page_with(record, lang, &fields)?;
    let head = text.split("\n---\n").next().unwrap_or_default();
    let brackets = head.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    if head.len() < FRONT_MATTER_BYTES_MAX && brackets <= FRONT_MATTER_BRACKETS_MAX {
        return Ok((text, true));
    }
    fields.retain(|_, value| !matches!(value, FieldValue::Texts(_)));
    Ok((page_with(record, lang, &fields)?, false))
}

/// Fields that a page of a language has: texts in its own language only.
fn of_page(record: &Record, lang: &str) -> FieldValues {
    let own = |texts: &Texts| {
        let text = texts.get(lang)?.clone();
        Some(FieldValue::Texts(Texts::from([(lang.to_owned(), text)])))
    };
    let of_page = |(name, value): (&String, &FieldValue)| {
        let value = match value {
            FieldValue::Texts(texts) => own(texts)?,
            other => other.clone(),
        };
        Some((name.clone(), value))
    };
    record.fields.iter().filter_map(of_page).collect()
}

fn page_with(record: &Record, lang: &str, fields: &FieldValues) -> Result<String, ExportError> {
    let front_matter = FrontMatter {
        tlp: &record.tlp,
        record: &record.record,
        import_key: record.import_key.as_deref(),
        kind: &record.kind,
        lang,
        title: record.title.get(lang),
        summary: record.summary.get(lang),
        themes: &record.themes,
        tags: &record.tags,
        hcode: record.hcode.as_deref(),
        fields,
        links: &record.links,
        origin: &record.origin,
        version: &record.version,
    };
    let yaml = serde_norway::to_string(&front_matter).map_err(|error| ExportError::Yaml {
        record: record.record.clone(),
        detail: error.to_string(),
    })?;
    let body = record.body.get(lang).map_or("", String::as_str);
    Ok(format!("---\n{yaml}---\n\n{body}{}", footer(&record.tlp)))
}

/// The label as the last line of a page: whoever sees its end sees it too. An import takes it off again.
fn footer(tlp: &str) -> String {
    format!("\n<!-- TLP:{tlp} -->\n")
}

/// The body of an exported page without the label at its end.
pub(crate) fn without_footer(body: &str) -> &str {
    let end = body
        .strip_suffix(" -->\n")
        .and_then(|rest| rest.rsplit_once("\n<!-- TLP:"));
    match end {
        Some((body, label)) if label.bytes().all(|b| b.is_ascii_uppercase() || b == b'+') => body,
        _ => body,
    }
}

/// Writes records as JSON Lines, byte for byte as the node sends them.
///
/// The file appears under its name when it is complete, so that an interrupted export leaves what
/// was there before.
#[derive(Debug)]
pub struct JsonlExport {
    path: PathBuf,
    temporary: PathBuf,
    file: io::BufWriter<File>,
    lines: u64,
    finished: bool,
}

impl JsonlExport {
    /// Starts an export into a file.
    ///
    /// # Errors
    /// [`ExportError::Write`] where its folder does not take a new file.
    pub fn create(path: &Path) -> Result<Self, ExportError> {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.ok_or_else(|| {
            write_error(
                path,
                io::Error::new(io::ErrorKind::InvalidInput, "not a file name"),
            )
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let (temporary, file) = create_temporary(folder, &name)?;
        let file = io::BufWriter::new(file);
        Ok(Self {
            path: path.to_owned(),
            temporary,
            file,
            lines: 0,
            finished: false,
        })
    }

    /// Writes some bytes, whole lines or parts of them.
    ///
    /// # Errors
    /// [`ExportError::Write`], for instance where the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.lines += bytes.iter().filter(|b| **b == b'\n').count() as u64;
        self.file
            .write_all(bytes)
            .map_err(|source| write_error(&self.path, source))
    }

    /// Puts the file in its place, durably; says how many lines it has.
    ///
    /// # Errors
    /// [`ExportError::Write`]; then what was there before is still there.
    pub fn finish(mut self) -> Result<u64, ExportError> {
        let done = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.temporary, &self.path));
        done.map_err(|source| write_error(&self.path, source))?;
        self.finished = true;
        Ok(self.lines)
    }
}

impl Drop for JsonlExport {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing is lost where this fails: the name says that the file is temporary.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Copies canonical JSON Lines into a file; says how many lines there were. See [`JsonlExport`].
///
/// # Errors
/// [`ExportError`] where the lines cannot be read or written.
pub fn export_jsonl(mut lines: impl Read, path: &Path) -> Result<u64, ExportError> {
    let mut export = JsonlExport::create(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = lines
            .read(&mut buffer)
            .map_err(|source| ExportError::Read { source })?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return export.finish();
        }
        export.write(bytes)?;
    }
}

/// Writes a file under a temporary name and renames it, so that nobody reads half of it and a
/// symbolic link of its name is replaced rather than followed.
fn write_replacing(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
    let path = folder.join(name);
    let (temporary, mut file) = create_temporary(folder, name)?;
    let done = file
        .write_all(bytes)
        .and_then(|()| fs::rename(&temporary, &path));
    done.map_err(|source| {
        // The rename or the write failed; whether this works changes nothing.
        let _ = fs::remove_file(&temporary);
        write_error(&path, source)
    })
}

fn create_temporary(folder: &Path, name: &str) -> Result<(PathBuf, File), ExportError> {
    let path = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    // Left behind by a process of the same number that was killed.
    let _ = fs::remove_file(&path);
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    file.map(|file| (path.clone(), file))
        .map_err(|source| write_error(&path, source))
}

fn write_error(path: &Path, source: io::Error) -> ExportError {
    ExportError::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_ends_a_page_and_an_import_takes_it_off_once() {
        for body in ["", "a", "a\n", "a\n\n<!-- TLP:RED -->\n"] {
            let page = body.to_owned() + &footer("AMBER+STRICT");
            assert!(page.ends_with("\n<!-- TLP:AMBER+STRICT -->\n"));
            assert_eq!(without_footer(&page), body);
        }
        for other in [
            "a <!-- TLP:RED -->\n",
            "<!-- note -->\n",
            "\n<!-- TLP: red -->\n",
        ] {
            assert_eq!(without_footer(other), other);
        }
    }
}
