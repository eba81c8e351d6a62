//! Core has no clock, files, sockets, threads, environment or randomness: time and entropy are
//! inputs, so a week of network trouble is one fast test.

use super::paths::NamedPath;
use super::tree::{Repository, RustFile};

/// What core may depend on. None of these opens a file or a socket by itself; Automerge draws
/// actor ids, which the record room sets itself before anything is written.
const DEPENDENCIES: &[&str] = &[
    "automerge",
    "blake3",
    "data-encoding",
    "ed25519-dalek",
    "minicbor",
    // Hashes bytes in memory (Automerge names a change by its SHA-256).
    "sha2",
    "similar",
    "thiserror",
    "zeroize",
    "zstd",
];

/// Paths that lead to a device. `Duration` and `io::Read` on memory are fine.
const DEVICES: &[&[&str]] = &[
    &["std", "env"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "os"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["std", "time", "UNIX_EPOCH"],
    &["futures"],
    &["getrandom"],
    &["rand"],
    &["rand_core"],
    &["rustix"],
    &["tokio"],
];

/// Paths in a file's production code that lead to a device.
fn problems(file: &RustFile) -> Vec<String> {
    let production = file.outline.paths.iter().filter(|p| !file.is_test(p.test));
    production
        .filter(|path| reaches_device(path))
        .map(|path| {
            format!(
                "{}:{}: core must not use `{}`",
                file.path,
                path.line,
                path.text()
            )
        })
        .collect()
}

/// Below a device's path, or above it: `use std::time;` and `use std::*;` would hide a clock.
fn reaches_device(path: &NamedPath) -> bool {
    let named: Vec<&str> = path
        .segments
        .iter()
        .map(String::as_str)
        .filter(|s| *s != "*")
        .collect();
    DEVICES
        .iter()
        .any(|device| device.starts_with(&named) || named.starts_with(device))
}

fn unknown_dependencies<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names
        .filter(|name| !DEPENDENCIES.contains(name))
        .map(|name| {
            format!(
                "node/core/Cargo.toml: {name}: show that it has no device, then add it to purity.rs"
            )
        })
        .collect()
}

#[test]
fn core_has_no_devices() {
    let repository = Repository::read().unwrap();
    let core = &repository.packages["diwan-core"];
    let mut found: Vec<_> = core.files.iter().flat_map(problems).collect();
    let dependencies = core.manifest["dependencies"].as_table().unwrap();
    found.extend(unknown_dependencies(
        dependencies.iter().map(|(name, _)| name),
    ));
    super::none(&found);
}

#[cfg(test)]
mod tests {
    use super::super::paths::outline;
    use super::*;

    fn check(text: &str) -> usize {
        let (path, text, outline) = ("f.rs".to_owned(), text.to_owned(), outline(text));
        problems(&RustFile {
            path,
            text,
            outline,
            place: None,
        })
        .len()
    }

    #[test]
    fn devices_are_refused() {
        for text in [
            "use std::time::SystemTime;",
            "use std::{collections::BTreeMap, time::{Duration, Instant}};",
            "use std::time;",
            "use std::time::*;",
            "use std::*;",
            "fn f() { std::fs::read(x); }",
            "use std::net::IpAddr;",
            "fn f() { let k = getrandom::fill(&mut b); }",
            "fn f() { ::std::thread::spawn(g); }",
            "#[tokio::main] fn f() {}",
        ] {
            assert_eq!(check(text), 1, "{text}");
        }
    }

    #[test]
    fn what_is_no_device_passes() {
        assert_eq!(
            check("use std::{collections::BTreeMap, io::Read, time::Duration};"),
            0
        );
        assert_eq!(
            check("#[cfg(test)] mod tests { use std::time::Instant; }"),
            0
        );
        assert_eq!(check("// std::fs\nconst A: &str = \"std::env\";"), 0);
    }

    #[test]
    fn an_unknown_dependency_is_refused() {
        assert_eq!(
            unknown_dependencies(["minicbor", "tokio"].into_iter()).len(),
            1
        );
    }
}
