//! The walk over a folder: which files are there, and which of them are documents.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::Format;
use super::limits::{MARKDOWN_FILE_BYTES_MAX, TREE_DEPTH_MAX, TREE_FILES_MAX};
use super::place::name_of;
use super::root::Root;
use super::scan::{ScanError, Shape};
use super::skip::{SkipReason, Skipped};

/// A file that is to be imported.
pub(crate) struct Found {
    /// Where to open it.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) shape: Shape,
    /// Names of the folders between the root's folder and the file.
    pub(crate) dirs: Vec<String>,
    pub(crate) name: String,
}

/// A walk over one root after the other.
pub(crate) struct Walk {
    format: Format,
    /// Absolute paths, so that overlapping roots give each file once.
    seen: HashSet<PathBuf>,
    skipped: Vec<Skipped>,
    files: usize,
}

/// A folder that is still to be read.
struct Folder {
    path: PathBuf,
    /// Names of the folders between the root's folder and here, this one included.
    dirs: Vec<String>,
}

/// What one root gave so far.
#[derive(Default)]
struct Harvest {
    found: Vec<Found>,
    folders: Vec<Folder>,
    /// There was a file that is a document, or would be one if it could be read.
    any: bool,
}

impl Walk {
    pub(crate) fn new(format: Format) -> Self {
        Self {
            format,
            seen: HashSet::new(),
            skipped: Vec::new(),
            files: 0,
        }
    }

    /// All files below a root that are to be imported; the others are noted as skipped.
    ///
    /// # Errors
    /// A folder given that cannot be read or has no document in it.
    pub(crate) fn root(&mut self, root: &Root) -> Result<Vec<Found>, ScanError> {
        let mut harvest = Harvest::default();
        let start = Folder {
            path: root.given.clone(),
            dirs: root.lead.clone(),
        };
        if !root.metadata.is_dir() {
            let shape = self.shape_of(&root.given, true);
            let folder = Folder {
                path: PathBuf::new(),
                ..start
            };
            self.file(
                root,
                &root.given,
                &root.metadata,
                shape,
                &folder,
                &mut harvest,
            );
            return Ok(harvest.found);
        }
        let path = || root.given.to_string_lossy().into_owned();
        let entries = read_sorted(&root.given);
        let entries = entries.map_err(|error| ScanError::Unreadable {
            path: path(),
            detail: error.to_string(),
        })?;
        self.folder(root, &start, entries, &mut harvest)?;
        while let Some(folder) = harvest.folders.pop() {
            match read_sorted(&folder.path) {
                Ok(entries) => self.folder(root, &folder, entries, &mut harvest)?,
                Err(error) => {
                    harvest.any = true;
                    self.skip(
                        &folder.path,
                        SkipReason::Unreadable {
                            detail: error.to_string(),
                        },
                    );
                }
            }
        }
        if harvest.any {
            Ok(harvest.found)
        } else {
            Err(ScanError::NothingFound { path: path() })
        }
    }

    /// The files that were passed over, in the order of their paths.
    pub(crate) fn into_skipped(mut self) -> Vec<Skipped> {
        self.skipped.sort_by(|a, b| a.source.cmp(&b.source));
        self.skipped
    }

    fn folder(
        &mut self,
        root: &Root,
        folder: &Folder,
        entries: Vec<fs::DirEntry>,
        harvest: &mut Harvest,
    ) -> Result<(), ScanError> {
        for entry in entries {
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            self.files += 1;
            if self.files > TREE_FILES_MAX {
                return Err(ScanError::TooManyFiles {
                    limit: TREE_FILES_MAX,
                });
            }
            let path = entry.path();
            match entry.metadata() {
                Err(error) => {
                    harvest.any = true;
                    self.skip(
                        &path,
                        SkipReason::Unreadable {
                            detail: error.to_string(),
                        },
                    );
                }
                Ok(metadata) if metadata.is_symlink() => self.skip(&path, SkipReason::Symlink),
                Ok(metadata) if metadata.is_dir() => {
                    if folder.dirs.len() >= TREE_DEPTH_MAX {
                        self.skip(
                            &path,
                            SkipReason::TooDeep {
                                limit: TREE_DEPTH_MAX,
                            },
                        );
                        continue;
                    }
                    let mut dirs = folder.dirs.clone();
                    dirs.push(name_of(&name));
                    harvest.folders.push(Folder { path, dirs });
                }
                Ok(metadata) => {
                    let shape = self.shape_of(&path, false);
                    self.file(root, &path, &metadata, shape, folder, harvest);
                }
            }
        }
        Ok(())
    }

    /// Takes what is neither a folder nor a link.
    fn file(
        &mut self,
        root: &Root,
        path: &Path,
        metadata: &Metadata,
        shape: Option<Shape>,
        folder: &Folder,
        harvest: &mut Harvest,
    ) {
        // Reading a pipe or a device might never end.
        let Some(shape) = shape.filter(|_| metadata.is_file()) else {
            return self.skip(path, SkipReason::NotADocument);
        };
        harvest.any = true;
        let name = path.file_name().map(name_of).unwrap_or_default();
        let mut absolute = root.dir.clone();
        absolute.extend(&folder.dirs);
        absolute.push(&name);
        if !self.seen.insert(absolute) {
            return;
        }
        let bytes = metadata.len();
        if shape == Shape::Markdown && bytes > MARKDOWN_FILE_BYTES_MAX {
            return self.skip(
                path,
                SkipReason::TooLarge {
                    bytes,
                    limit: MARKDOWN_FILE_BYTES_MAX,
                },
            );
        }
        let dirs = folder.dirs.clone();
        harvest.found.push(Found {
            path: path.to_owned(),
            bytes,
            shape,
            dirs,
            name,
        });
    }

    fn skip(&mut self, path: &Path, reason: SkipReason) {
        self.skipped.push(Skipped {
            source: path.to_string_lossy().into_owned(),
            reason,
        });
    }

    fn shape_of(&self, path: &Path, named_directly: bool) -> Option<Shape> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let by_name = match extension.as_deref() {
            Some("md" | "markdown") => Some(Shape::Markdown),
            Some("jsonl" | "ndjson") => Some(Shape::JsonLines),
            _ => None,
        };
        let wanted = match self.format {
            Format::Auto => return by_name,
            Format::Markdown => Shape::Markdown,
            Format::JsonLines => Shape::JsonLines,
            // Bundles are no documents: `client::bundles` reads them.
            Format::Bundles => return None,
        };
        (named_directly || by_name == Some(wanted)).then_some(wanted)
    }
}

fn read_sorted(dir: &Path) -> std::io::Result<Vec<fs::DirEntry>> {
    let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}
