//! The whole room on files: real corpora, trees made for one rule each, and the way back.

mod corpora;
mod round_trip;
mod trees;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Loaded, Options, Plan, SkipReason, Skipped, read, scan};

/// A folder of the shared test data; none, said loudly, where this machine does not have it.
fn shared_data(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("DIWAN_SHARED_DATA").map_or(beside, PathBuf::from);
    let path = data.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let message = format!(
        "skipped: {} is missing; set DIWAN_SHARED_DATA\n",
        path.display()
    );
    std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes()).unwrap();
    None
}

/// A folder with the files given, as `(path, text)`.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(dir.path(), path, text.as_bytes());
    }
    dir
}

fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Everything that an import of some paths finds.
struct Import {
    plan: Plan,
    loaded: Vec<Loaded>,
}

impl Import {
    fn of(paths: &[&Path], options: &Options) -> Self {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let plan = scan(&paths, options).unwrap();
        let loaded = plan
            .documents()
            .iter()
            .flat_map(|d| read(d, options))
            .collect();
        Self { plan, loaded }
    }

    fn all(path: &Path) -> Self {
        Self::of(&[path], &Options::default())
    }

    fn skipped(&self) -> Vec<&Skipped> {
        self.plan
            .skipped()
            .iter()
            .chain(self.loaded.iter().flat_map(|l| &l.skipped))
            .collect()
    }

    /// Code of the reason by file name.
    fn reasons(&self) -> BTreeMap<String, &'static str> {
        let name = |s: &Skipped| s.source.rsplit('/').next().unwrap_or_default().to_owned();
        self.skipped()
            .into_iter()
            .map(|s| (name(s), s.reason.code()))
            .collect()
    }

    fn drafts(&self) -> impl Iterator<Item = &crate::types::Draft> {
        self.loaded
            .iter()
            .filter_map(|loaded| loaded.draft.as_ref())
    }

    fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self
            .drafts()
            .map(|draft| draft.import_key.as_deref().unwrap())
            .collect();
        keys.sort_unstable();
        keys
    }
}

#[test]
fn codes_and_arguments_of_reasons_agree() {
    let reason = SkipReason::SameLanguage {
        lang: "fr".into(),
        other: "b".into(),
    };
    let (_, names) = SkipReason::CODES
        .iter()
        .find(|(code, _)| *code == reason.code())
        .unwrap();
    assert_eq!(reason.args().keys().collect::<Vec<_>>(), *names);
    assert_eq!(reason.to_string(), "is in fr, as b of the same document is");
    let mut codes: Vec<_> = SkipReason::CODES.iter().map(|(code, _)| code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), SkipReason::CODES.len());
}
