//! The catalogue against the sources: no word is missing, none is left over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use diwan_api::error::ErrorCode;
use diwan_api::message::{self, Catalogue};

/// Families whose keys are made of a prefix and a word that the node sends.
const FAMILIES: [&str; 7] = [
    "state-",
    "role-",
    "facet-",
    "why-",
    "trust-means-",
    "reason-",
    "alarm-",
];
/// Families that other tests hold against what they belong to.
const CHECKED_ELSEWHERE: [&str; 6] = ["cmd-", "arg-", "skip-", "warn-", "node-cmd-", "node-arg-"];

fn sources_below(folder: &Path, into: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            sources_below(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

/// All sources that may speak to people.
fn sources() -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for folder in ["cli/src", "node/api/src", "node/src"] {
        sources_below(&root.join(folder), &mut sources);
    }
    assert!(sources.len() > 20, "the sources are somewhere else");
    sources
}

#[test]
fn every_word_of_the_catalogue_is_said_somewhere() {
    let sources = sources().concat();
    let literal = |key: &str| sources.contains(&format!("\"{key}\""));
    let unused: Vec<_> = message::keys("en")
        .into_iter()
        .filter(|key| {
            !CHECKED_ELSEWHERE
                .iter()
                .chain(&FAMILIES)
                .any(|f| key.starts_with(f))
        })
        .filter(|key| match key.strip_prefix("error-") {
            Some(code) => !ErrorCode::ALL.iter().any(|c| c.name() == code) && !literal(code),
            None => !literal(key),
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn everything_that_is_said_is_in_the_catalogue() {
    let mut said = BTreeSet::new();
    let sources = sources();
    for source in &sources {
        let code = source.split("#[cfg(test)]").next().unwrap();
        for call in [
            ".say(",
            ".note(",
            "fact(",
            "unreadable(",
            "Bar::bytes(out.view(),",
        ] {
            let arguments = code.split(call).skip(1).map(str::trim_start);
            said.extend(arguments.filter_map(|a| a.strip_prefix('"')?.split('"').next()));
        }
    }
    assert!(said.len() > 50, "{said:?}");
    let catalogue = Catalogue::english();
    let missing: Vec<_> = said.into_iter().filter(|key| !catalogue.has(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
