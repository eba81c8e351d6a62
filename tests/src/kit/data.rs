//! The real documents that tests import. They are not part of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder `name` of the shared data: below `DIWAN_SHARED_DATA`, else beside the repository in
/// `../shared/data`. Where it is not there the test that asks has nothing to do, and stderr says so.
#[must_use]
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("DIWAN_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let folder = data.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "SKIPPED: {} is not there; set DIWAN_SHARED_DATA to run this test",
        folder.display()
    );
    None
}

/// A validator that others wrote, as `.ci/run` installs it: the program `name` in the folder
/// `DIWAN_VALIDATORS`. Where it is not there, what it would judge is not judged, and stderr says so.
#[must_use]
pub fn validator(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DIWAN_VALIDATORS").map(PathBuf::from);
    let program = folder.map(|folder| folder.join(name));
    if let Some(program) = program.filter(|program| program.is_file()) {
        return Some(program);
    }
    eprintln!("SKIPPED: {name} does not judge; set DIWAN_VALIDATORS to the folder that has it");
    None
}

/// Copies a folder with all that is in it.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
