//! Where a document stands in its tree: which part of its path names a language, and the key that
//! the rest gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use super::tag::Tag;

/// Stands where a language stood in a path that is the same for all languages.
const ANY_LANGUAGE: &str = "*";

/// The context of the hash behind import keys.
const KEY_CONTEXT: &str = "diwan 2026 import key of a document";

/// Length of an import key in bytes.
const KEY_BYTES: usize = 16;

/// A file's place below its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path with its language replaced by a placeholder: equal for translations.
    pub(crate) neutral: String,
    /// The path as it is.
    pub(crate) whole: String,
    /// The language that the path names.
    pub(crate) lang: Option<Tag>,
    /// File name without extension and language.
    pub(crate) stem: String,
}

/// Finds the language in the path `label/dirs…/file_name`. A suffix (`a.fr.md`) goes before a
/// folder; of several folders the outermost counts that does not directly contain another
/// language's. With a language `forced` only that one is a language, other folders are folders.
pub(crate) fn place(label: &str, dirs: &[String], file_name: &str, forced: Option<&Tag>) -> Place {
    let language = |part: &str| as_language(part, forced);
    let (stem, extension) = file_name.rsplit_once('.').unwrap_or((file_name, ""));
    let suffix = stem
        .rsplit_once('.')
        .and_then(|(stem, part)| Some((stem, language(part)?)));
    let (stem, suffix) = match suffix {
        Some((stem, tag)) if !stem.is_empty() => (stem, Some(tag)),
        _ => (stem, None),
    };
    let languages: Vec<Option<Tag>> = dirs.iter().map(|dir| language(dir)).collect();
    let folder = match &suffix {
        Some(tag) => languages
            .iter()
            .position(|found| found.as_ref() == Some(tag)),
        None => (0..dirs.len()).find(|i| {
            languages.get(*i).is_some_and(Option::is_some)
                && !languages.get(i + 1).is_some_and(Option::is_some)
        }),
    };
    let neutral_dirs = dirs.iter().enumerate().map(|(i, dir)| {
        if folder == Some(i) {
            ANY_LANGUAGE
        } else {
            dir.as_str()
        }
    });
    let neutral_dirs: Vec<&str> = neutral_dirs.collect();
    let dot = if extension.is_empty() { "" } else { "." };
    let join = |dirs: &[&str], file: &str| {
        let parts = std::iter::once(label)
            .chain(dirs.iter().copied())
            .chain([file]);
        parts.collect::<Vec<_>>().join("/")
    };
    let dirs: Vec<&str> = dirs.iter().map(String::as_str).collect();
    let folder_tag = folder.and_then(|i| languages.get(i).cloned().flatten());
    Place {
        neutral: join(&neutral_dirs, &format!("{stem}{dot}{extension}")),
        whole: join(&dirs, file_name),
        lang: suffix.or(folder_tag),
        stem: stem.to_owned(),
    }
}

/// The language that a part of a path names.
pub(crate) fn as_language(part: &str, forced: Option<&Tag>) -> Option<Tag> {
    let tag = Tag::from_path_part(part)?;
    forced.is_none_or(|forced| *forced == tag).then_some(tag)
}

/// What a path or an id is hashed as, so that one can never be taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyOf {
    /// A document in all its languages.
    Document,
    /// One language of a document, imported separately.
    File,
    /// A line that says its own id.
    LineId,
    /// A line that has a title only.
    LineTitle,
}

/// The import key of a document, in hexadecimal: a hash, so that no path leaves the agency.
pub(crate) fn import_key(of: KeyOf, parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
    hasher.update(match of {
        KeyOf::Document => b"document",
        KeyOf::File => b"file",
        KeyOf::LineId => b"line id",
        KeyOf::LineTitle => b"line title",
    });
    for part in parts {
        // The length before each part keeps ("a", "b") and ("ab", "") apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut key = [0; KEY_BYTES];
    hasher.finalize_xof().fill(&mut key);
    data_encoding::HEXLOWER.encode(&key)
}

/// A name of a file or folder as keys see it. File systems differ in how they store accents.
pub(crate) fn name_of(part: &std::ffi::OsStr) -> String {
    part.to_string_lossy().nfc().collect()
}

/// Labels of root folders: the name of each, with as many of the folders above it as tell it from
/// the others given.
pub(crate) fn labels(dirs: &BTreeSet<PathBuf>) -> BTreeMap<PathBuf, String> {
    let names = |dir: &Path| -> Vec<String> {
        let normal = dir.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name_of(name)),
            _ => None,
        });
        normal.collect()
    };
    let all: Vec<Vec<String>> = dirs.iter().map(|dir| names(dir)).collect();
    let tail = |names: &[String], n: usize| {
        names
            .get(names.len().saturating_sub(n)..)
            .unwrap_or_default()
            .join("/")
    };
    let label = |own: &Vec<String>| {
        let is_shared = |n: usize| {
            all.iter()
                .filter(|other| *other != own)
                .any(|other| tail(other, n) == tail(own, n))
        };
        let length = (1..own.len()).find(|n| !is_shared(*n)).unwrap_or(own.len());
        tail(own, length)
    };
    dirs.iter().cloned().zip(all.iter().map(label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Place {
        at_forced(path, None)
    }

    fn at_forced(path: &str, forced: Option<&str>) -> Place {
        let mut dirs: Vec<String> = path.split('/').map(str::to_owned).collect();
        let name = dirs.pop().unwrap();
        place("kb", &dirs, &name, forced.and_then(Tag::parse).as_ref())
    }

    #[test]
    fn folders_and_suffixes_name_languages() {
        for (path, neutral, lang) in [
            ("guide/fr/a.md", "kb/guide/*/a.md", Some("fr")),
            ("guide/pt-BR/x/a.md", "kb/guide/*/x/a.md", Some("pt-BR")),
            ("a.fr.md", "kb/a.md", Some("fr")),
            ("a.md", "kb/a.md", None),
            ("v1.2.md", "kb/v1.2.md", None),
            (".fr.md", "kb/.fr.md", None),
            ("fr/a.fr.md", "kb/*/a.md", Some("fr")),
            ("it/a.fr.md", "kb/it/a.md", Some("fr")),
            // The outermost language, unless it directly contains another.
            ("fr/tools/it/a.md", "kb/*/tools/it/a.md", Some("fr")),
            ("it/fr/a.md", "kb/it/*/a.md", Some("fr")),
        ] {
            let place = at(path);
            assert_eq!(place.neutral, neutral, "{path}");
            assert_eq!(place.lang.as_ref().map(Tag::as_str), lang, "{path}");
            assert_eq!(place.whole, format!("kb/{path}"));
        }
        assert_eq!(at("guide/a.fr.md").stem, "a");
    }

    #[test]
    fn a_forced_language_is_the_only_one() {
        assert_eq!(at_forced("it/a.md", Some("en")).neutral, "kb/it/a.md");
        assert_eq!(
            at_forced("fr/a.md", Some("fr")).neutral,
            at("ar/a.md").neutral
        );
    }

    #[test]
    fn keys_tell_documents_apart_and_never_change() {
        let key = |of, path: &str| import_key(of, &[path]);
        assert_eq!(
            key(KeyOf::Document, "kb/*/a.md"),
            "77efa2f3b4bfb75afeb25787d2d9cc12"
        );
        assert_ne!(
            key(KeyOf::Document, "kb/*/a.md"),
            key(KeyOf::File, "kb/*/a.md")
        );
        assert_ne!(
            key(KeyOf::Document, "kb/*/a.md"),
            key(KeyOf::Document, "kb/a.md")
        );
        assert_ne!(
            import_key(KeyOf::LineId, &["a", "b"]),
            import_key(KeyOf::LineId, &["ab", ""])
        );
    }

    #[test]
    fn roots_of_one_name_are_told_apart() {
        let given = |paths: &[&str]| -> Vec<String> {
            labels(&paths.iter().map(PathBuf::from).collect())
                .into_values()
                .collect()
        };
        assert_eq!(given(&["/x/docs"]), ["docs"]);
        assert_eq!(given(&["/x/docs", "/x/other"]), ["docs", "other"]);
        assert_eq!(
            given(&["/x/docs", "/y/docs", "/x/docs"]),
            ["x/docs", "y/docs"]
        );
        assert_eq!(given(&["/docs", "/x/docs"]), ["docs", "x/docs"]);
        assert_eq!(given(&["/"]), [""]);
    }
}
