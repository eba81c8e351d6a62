//! What stands at the top of the repository: few things, so that a newcomer sees the parts.

use super::tree::Repository;
use std::fs;

const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENCE",
    "README.md",
    "cli",
    "clippy.toml",
    "config-examples",
    "deny.toml",
    "docs",
    "node",
    "rustfmt.toml",
    "tests",
];

/// Git's own, and build outputs that it ignores.
const UNTRACKED: &[&str] = &[".git", "target"];

fn strangers<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names
        .filter(|name| !TOP.contains(name) && !UNTRACKED.contains(name))
        .map(|name| format!("{name}: not at the top; it belongs to a room, tests/ or docs/"))
        .collect()
}

#[test]
fn nothing_else_stands_at_the_top() {
    let root = Repository::read().unwrap().root;
    let entries = fs::read_dir(root).unwrap();
    let names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    super::none(&strangers(names.iter().map(String::as_str)));
}

#[test]
fn a_stranger_is_refused() {
    assert_eq!(
        strangers(["README.md", "target", "scripts", ".github"].into_iter()).len(),
        2
    );
}
