//! The paths that a user gives: what each stands for in the keys of its documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::place::{as_language, name_of};
use super::scan::ScanError;
use super::tag::Tag;

/// A path that the user gave.
pub(crate) struct Root {
    pub(crate) given: PathBuf,
    /// The folder that keys start from, absolute: what was given, the folder of a file given, or
    /// the one above where that is a language folder.
    pub(crate) dir: PathBuf,
    /// Folders between `dir` and what was given: the language folder, or none.
    pub(crate) lead: Vec<String>,
    pub(crate) metadata: fs::Metadata,
}

impl Root {
    /// Looks at all paths given.
    ///
    /// # Errors
    /// The first that is missing or cannot be read.
    pub(crate) fn find_all(
        paths: &[PathBuf],
        forced: Option<&Tag>,
    ) -> Result<Vec<Self>, ScanError> {
        // Thousands of files of one folder may be given one by one.
        let mut seen = BTreeMap::new();
        let mut is_language = |dir: &Path| {
            *seen
                .entry(dir.to_owned())
                .or_insert_with(|| is_language_folder(dir, forced))
        };
        paths
            .iter()
            .map(|path| Self::find(path, &mut is_language))
            .collect()
    }

    fn find(given: &Path, is_language: &mut impl FnMut(&Path) -> bool) -> Result<Self, ScanError> {
        let path = given.to_string_lossy().into_owned();
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => ScanError::Missing { path: path.clone() },
            _ => ScanError::Unreadable {
                path: path.clone(),
                detail: error.to_string(),
            },
        };
        let metadata = fs::metadata(given).map_err(unreadable)?;
        // A link keeps the name that the user knows it by, as long as no `..` has to be resolved.
        let climbs = given.components().any(|part| part == Component::ParentDir);
        let absolute = if climbs {
            fs::canonicalize(given)
        } else {
            std::path::absolute(given)
        };
        let mut dir = absolute.map_err(unreadable)?;
        if !metadata.is_dir() {
            dir.pop();
        }
        let mut lead = Vec::new();
        if let (true, Some(name)) = (is_language(&dir), dir.file_name()) {
            lead.push(name_of(name));
            dir.pop();
        }
        Ok(Self {
            given: given.to_owned(),
            dir,
            lead,
            metadata,
        })
    }
}

/// Whether a folder is one of several languages rather than one that is called like a language and
/// holds them.
fn is_language_folder(dir: &Path, forced: Option<&Tag>) -> bool {
    let is_language = |name: &std::ffi::OsStr| as_language(&name_of(name), forced).is_some();
    if !dir.file_name().is_some_and(is_language) {
        return false;
    }
    let Ok(entries) = fs::read_dir(dir) else {
        return true;
    };
    let mut folders = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    !folders.any(|entry| is_language(&entry.file_name()))
}
