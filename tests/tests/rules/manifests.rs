//! Manifests: every package inherits what the workspace decides, the arrows between packages hold,
//! and every dependency says why it is there.

use super::tree::Repository;
use std::fs;
use toml_edit::{DocumentMut, Item, Table};

/// Keys of `[package]` that the workspace decides.
const INHERITED: &[&str] = &["edition", "license", "publish", "rust-version", "version"];

/// Tables in which a package names dependencies.
const DEPENDENCIES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

/// Our packages, and those of ours that each may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("diwan-core", &[]),
    ("diwan-api", &[]),
    ("diwan-node", &["diwan-api", "diwan-core"]),
    ("diwan-cli", &["diwan-api"]),
    ("diwan-tests", &["diwan-api", "diwan-core", "diwan-node"]),
];

/// What is wrong with one package's manifest.
fn problems(name: &str, manifest: &DocumentMut) -> Vec<String> {
    let mut found = Vec::new();
    let package = manifest.get("package");
    for key in INHERITED {
        if !package.and_then(|p| p.get(key)).is_some_and(inherits) {
            found.push(format!("{name}: write `{key}.workspace = true`"));
        }
    }
    if !manifest.get("lints").is_some_and(inherits) {
        found.push(format!("{name}: write `[lints] workspace = true`"));
    }
    let Some((_, arrows)) = ARROWS.iter().find(|(package, _)| *package == name) else {
        found.push(format!(
            "{name}: unknown package; add it to the table in manifests.rs"
        ));
        return found;
    };
    let tables = DEPENDENCIES
        .iter()
        .filter_map(|key| manifest.get(key)?.as_table());
    for (dependency, item) in tables.flat_map(Table::iter) {
        if !inherits(item) {
            found.push(format!(
                "{name}: declare {dependency} in the workspace, with its reason"
            ));
        }
        if dependency.starts_with("diwan-") && !arrows.contains(&dependency) {
            found.push(format!("{name}: must not use {dependency}"));
        }
    }
    found
}

fn inherits(item: &Item) -> bool {
    item.get("workspace").and_then(Item::as_bool) == Some(true)
}

/// Dependencies of the workspace without a comment behind them. Our own packages need none.
fn without_reason(dependencies: &Table) -> Vec<String> {
    let is_own = |item: &Item| item.get("path").is_some();
    let foreign = dependencies.iter().filter(|(_, item)| !is_own(item));
    foreign
        .filter(|(_, item)| {
            let suffix = item.as_value().and_then(|v| v.decor().suffix()?.as_str());
            let reason = suffix
                .and_then(|s| s.split_once('#'))
                .map_or("", |(_, reason)| reason);
            reason.trim().is_empty()
        })
        .map(|(name, _)| format!("Cargo.toml: say behind {name} why it is there"))
        .collect()
}

/// The fuzz targets: a workspace of their own, because the fuzzer's flags must not touch the node's
/// build.
const APART: &str = "diwan-fuzz";

#[test]
fn every_package_inherits_and_keeps_the_arrows() {
    let repository = Repository::read().unwrap();
    let packages = repository.packages.iter();
    super::none(
        &packages
            .filter(|(name, _)| *name != APART)
            .flat_map(|(name, p)| problems(name, &p.manifest))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_package_is_a_member() {
    let repository = Repository::read().unwrap();
    let workspace = workspace(&repository).unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let members: Vec<_> = members.iter().filter_map(|m| m.as_str()).collect();
    for (name, package) in repository
        .packages
        .iter()
        .filter(|(name, _)| *name != APART)
    {
        assert!(
            members.iter().any(|m| package.dir.as_os_str() == *m),
            "{name} is no member"
        );
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let workspace = workspace(&Repository::read().unwrap()).unwrap();
    super::none(&without_reason(
        workspace["workspace"]["dependencies"].as_table().unwrap(),
    ));
}

fn workspace(repository: &Repository) -> Result<DocumentMut, Box<dyn std::error::Error>> {
    Ok(fs::read_to_string(repository.root.join("Cargo.toml"))?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"diwan-cli\"\nversion.workspace = true\n\
        edition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\
        publish.workspace = true\n[dependencies]\ndiwan-api.workspace = true\n\
        clap = { workspace = true }\n[lints]\nworkspace = true\n";

    fn check(text: &str) -> usize {
        problems("diwan-cli", &text.parse().unwrap()).len()
    }

    #[test]
    fn a_manifest_that_decides_by_itself_is_refused() {
        assert_eq!(check(GOOD), 0);
        for (old, new) in [
            ("version.workspace = true\n", "version = \"2.0.0\"\n"),
            ("license.workspace = true\n", ""),
            ("[lints]\nworkspace = true\n", ""),
            ("workspace = true }", "version = \"4\" }"),
        ] {
            assert_eq!(check(&GOOD.replacen(old, new, 1)), 1, "{old}");
        }
    }

    #[test]
    fn an_arrow_between_packages_is_refused() {
        for package in ["diwan-core", "diwan-node"] {
            assert_eq!(check(&GOOD.replace("diwan-api", package)), 1, "{package}");
        }
        assert_eq!(problems("diwan-new", &GOOD.parse().unwrap()).len(), 1);
    }

    #[test]
    fn a_dependency_without_reason_is_refused() {
        let check =
            |text: &str| without_reason(text.parse::<DocumentMut>().unwrap().as_table()).len();
        assert_eq!(
            check("a = \"1\" # why\nb = { version = \"1\", features = [\n] } # why\n"),
            0
        );
        assert_eq!(check("own = { path = \"x\" }\n"), 0);
        assert_eq!(check("# a title\na = \"1\"\n"), 1);
        assert_eq!(check("a = \"1\" #\nb = \"2\" # why\n"), 1);
    }
}
