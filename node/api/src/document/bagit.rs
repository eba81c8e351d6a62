//! BagIt (RFC 8493): an export that says of each of its files what it must hash to, for archives and for
//! whoever carries it by hand.
//!
//! ```text
//! bagit.txt                 version and encoding
//! bag-info.txt              how much, the strictest label
//! manifest-sha256.txt       a hash for each file below data/
//! tagmanifest-sha256.txt    a hash for each file beside it
//! data/records.jsonl        the canonical export
//! data/markdown/…           the same to read, one file a language
//! ```

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::export::{ExportError, JsonlExport, MarkdownExport};
use crate::types::Record;

/// Labels, mildest first.
const LABELS: [&str; 5] = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];
/// Bytes that are hashed at once.
const CHUNK: usize = 64 * 1024;

/// A bag in the making.
#[derive(Debug)]
pub struct BagitExport {
    dir: PathBuf,
    jsonl: JsonlExport,
    markdown: MarkdownExport,
    strictest: usize,
}

impl BagitExport {
    /// Starts a bag in a folder that is missing or empty. It bears no date: the same
    /// records make the same bag.
    ///
    /// # Errors
    /// [`ExportError::Write`] where the folder holds something already or cannot be made.
    pub fn create(dir: &Path) -> Result<Self, ExportError> {
        let failed = |source| ExportError::Write {
            path: dir.to_owned(),
            source,
        };
        let data = dir.join("data");
        fs::create_dir_all(dir).map_err(failed)?;
        if fs::read_dir(dir).map_err(failed)?.next().is_some() {
            let said = "a bag is made in a folder that is missing or empty";
            return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, said)));
        }
        fs::create_dir(&data).map_err(failed)?;
        Ok(Self {
            dir: dir.to_owned(),
            jsonl: JsonlExport::create(&data.join("records.jsonl"))?,
            markdown: MarkdownExport::create(&data.join("markdown"))?,
            strictest: 0,
        })
    }

    /// Writes one record: `line` is the one of the canonical export.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn write(&mut self, line: &[u8], record: &Record) -> Result<(), ExportError> {
        let label = LABELS.iter().position(|label| *label == record.tlp);
        // A label that we do not know may be stricter than those that we do.
        self.strictest = self.strictest.max(label.unwrap_or(LABELS.len() - 1));
        self.jsonl.write(line)?;
        self.markdown.write(record)
    }

    /// Writes the manifests. Returns how many records are in the bag.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn finish(self) -> Result<u64, ExportError> {
        let Self {
            dir,
            jsonl,
            markdown,
            strictest,
        } = self;
        let records = markdown.written();
        jsonl.finish()?;
        let mut files = Vec::new();
        below(&dir.join("data"), "data", &mut files)?;
        files.sort();
        let mut manifest = String::new();
        let mut octets = 0;
        for (name, path) in &files {
            let (hash, bytes) = hash_of(path)?;
            octets += bytes;
            manifest += &format!("{hash}  {}\n", escaped(name));
        }
        let label = LABELS.get(strictest).copied().unwrap_or("RED");
        let info = format!(
            "Payload-Oxum: {octets}.{count}\nBag-Software-Agent: diwan\n\
             Internal-Sender-Description: {records} records, none stricter than TLP:{label}\n",
            count = files.len(),
        );
        let tags = [
            (
                "bagit.txt",
                "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned(),
            ),
            ("bag-info.txt", info),
            ("manifest-sha256.txt", manifest),
        ];
        let mut manifest = String::new();
        for (name, text) in &tags {
            put(&dir, name, text)?;
            manifest += &format!("{}  {name}\n", hex(&Sha256::digest(text.as_bytes())));
        }
        put(&dir, "tagmanifest-sha256.txt", &manifest)?;
        Ok(records)
    }
}

fn put(dir: &Path, name: &str, text: &str) -> Result<(), ExportError> {
    let path = dir.join(name);
    fs::write(&path, text).map_err(|source| ExportError::Write { path, source })
}

/// Every file below a folder, by its name in the bag.
fn below(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type().map_err(failed)?.is_dir() {
            true => below(&entry.path(), &name, files)?,
            false => files.push((name, entry.path())),
        }
    }
    Ok(())
}

fn hash_of(path: &Path) -> Result<(String, u64), ExportError> {
    let failed = |source| ExportError::Write {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk).map_err(failed)?;
        let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((hex(&hasher.finalize()), bytes));
        };
        hasher.update(part);
        bytes += read as u64;
    }
}

fn hex(hash: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(hash)
}

/// A name as a manifest has it (RFC 8493, section 2.1.3).
fn escaped(name: &str) -> String {
    name.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
