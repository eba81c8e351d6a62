//! The documents that a demonstration shares: those of the sample, or what the user named.

use std::path::{Path, PathBuf};

use diwan_api::document::{self, Options, ScanError};
use diwan_api::error::{ApiError, ErrorCode};
use include_dir::{Dir, DirEntry, include_dir};

use super::fault::DemoError;
use super::place::Place;

/// The sample knowledge base, one folder a language.
static SAMPLE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample");

/// The document of the sample that is looked for, its path below a language's folder.
pub(super) const SOUGHT: &str = "guidelines/expedited-preservation-request.md";

/// What somebody would type who looks for it, by language.
pub(super) const QUERIES: [(&str, &str); 3] = [
    ("fr", "conservation rapide de données"),
    ("en", "expedited preservation"),
    ("ar", "الحفظ العاجل"),
];

/// What is imported.
#[derive(Clone, Debug)]
pub(super) enum Documents {
    /// The sample knowledge base.
    Sample,
    /// A file or folder of the user's.
    Own(PathBuf),
}

impl Documents {
    /// Looks whether there is anything to import, before any node is made for it.
    ///
    /// # Errors
    /// [`not_importable`].
    pub(super) fn find(import: Option<&Path>) -> Result<Self, ApiError> {
        let Some(path) = import else {
            return Ok(Self::Sample);
        };
        let path = std::path::absolute(path).map_err(|error| {
            ApiError::new(ErrorCode::UnknownPath)
                .with("path", path.display())
                .with("detail", error)
        })?;
        let found = document::scan(std::slice::from_ref(&path), &Options::default());
        found.map_err(|error| not_importable(&error))?;
        Ok(Self::Own(path))
    }

    /// Where they are; the sample is written out first, so that one can look at it.
    ///
    /// # Errors
    /// [`DemoError::File`].
    pub(super) fn lay_out(&self, place: &Place) -> Result<PathBuf, DemoError> {
        match self {
            Self::Own(path) => Ok(path.clone()),
            Self::Sample => write_sample(place),
        }
    }
}

/// A path that nothing can be imported from, as an error for people.
pub(super) fn not_importable(error: &ScanError) -> ApiError {
    match error {
        ScanError::Missing { path } => ApiError::new(ErrorCode::UnknownPath).with("path", path),
        ScanError::NothingFound { path } => ApiError::invalid(
            "--import",
            path,
            "a folder with Markdown (.md) or JSON Lines (.jsonl)",
        ),
        other => ApiError::invalid("--import", other, "a folder that can be read"),
    }
}

/// Writes the languages' folders of the sample.
fn write_sample(place: &Place) -> Result<PathBuf, DemoError> {
    let root = place.dir().join("sample");
    let mut waiting: Vec<&Dir<'_>> = SAMPLE.dirs().collect();
    while let Some(dir) = waiting.pop() {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(below) => waiting.push(below),
                DirEntry::File(file) => {
                    let path = root.join(file.path());
                    let below = Path::new("sample").join(file.path());
                    let path = place
                        .file(&below.to_string_lossy())
                        .map_err(DemoError::file(&path))?;
                    std::fs::write(&path, file.contents()).map_err(DemoError::file(&path))?;
                }
            }
        }
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_one_record_a_document_in_three_languages() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::make(Some(dir.path())).unwrap();
        let root = Documents::Sample.lay_out(&place).unwrap();
        let plan = document::scan(&[root], &Options::default()).unwrap();
        assert!(plan.documents().len() >= 30);
        assert!(plan.skipped().is_empty(), "{:?}", plan.skipped());
        for document in plan.documents() {
            assert_eq!(document.files().len(), 3, "{document:?}");
        }
    }

    #[test]
    fn the_document_sought_is_in_the_sample() {
        for (language, _) in QUERIES {
            assert!(SAMPLE.get_file(format!("{language}/{SOUGHT}")).is_some());
        }
    }

    #[test]
    fn what_holds_no_document_is_refused_before_anything_starts() {
        let dir = tempfile::tempdir().unwrap();
        let empty = Documents::find(Some(dir.path())).unwrap_err();
        assert_eq!(empty.code, ErrorCode::InvalidValue);
        let missing = Documents::find(Some(&dir.path().join("no"))).unwrap_err();
        assert_eq!(missing.code, ErrorCode::UnknownPath);
    }
}
