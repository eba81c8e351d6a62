//! The repository as the rules see it: its packages, their Rust files, and the module that each
//! file is.

use super::paths::{self, Outline};
use super::scopes::Declared;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The whole repository.
pub(super) struct Repository {
    pub(super) root: PathBuf,
    /// By name of the package.
    pub(super) packages: BTreeMap<String, Package>,
}

/// A directory with a manifest.
pub(super) struct Package {
    /// Below the repository's root.
    pub(super) dir: PathBuf,
    pub(super) manifest: toml_edit::DocumentMut,
    pub(super) files: Vec<RustFile>,
}

/// A Rust file and its place.
pub(super) struct RustFile {
    /// Below the repository's root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) outline: Outline,
    /// `None`: no crate of the package declares it, so it is never compiled.
    pub(super) place: Option<Place>,
}

/// Where a file hangs in its crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The crate is the package's library (not a program, a test or a bench).
    pub(super) library: bool,
    /// Below `#[cfg(test)]`, or part of an integration test.
    pub(super) test: bool,
    /// Names from the root; empty for the root itself.
    pub(super) module: Vec<String>,
}

impl RustFile {
    /// Whether what stands at `inline_test` runs in tests only.
    pub(super) fn is_test(&self, inline_test: bool) -> bool {
        inline_test || self.place.as_ref().is_some_and(|p| p.test)
    }
}

impl Repository {
    /// Reads the repository that this package belongs to.
    pub(super) fn read() -> Result<Repository, Box<dyn std::error::Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()?;
        let files = listing(&root)?;
        let manifests: Vec<_> = files.iter().filter(|f| f.ends_with("Cargo.toml")).collect();
        let dirs: BTreeSet<_> = manifests.iter().filter_map(|m| m.parent()).collect();
        let mut packages = BTreeMap::new();
        for dir in dirs {
            let text = fs::read_to_string(root.join(dir).join("Cargo.toml"))?;
            let manifest: toml_edit::DocumentMut = text.parse()?;
            let Some(name) = manifest
                .get("package")
                .and_then(|p| p.get("name")?.as_str())
            else {
                continue; // the workspace itself
            };
            let name = name.to_owned();
            let own = files
                .iter()
                .filter(|f| is_rust(f) && owner(f, &manifests) == Some(dir));
            let files = read_files(&root, dir, own)?;
            let dir = dir.to_owned();
            packages.insert(
                name,
                Package {
                    dir,
                    manifest,
                    files,
                },
            );
        }
        Ok(Repository { root, packages })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &RustFile> {
        self.packages.values().flat_map(|p| &p.files)
    }
}

/// All files below `root`, without build outputs and hidden directories, relative and in order.
fn listing(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(root.join(&dir))? {
            let entry = entry?;
            let name = entry.file_name();
            let skipped = name == "target" || name.to_string_lossy().starts_with('.');
            match entry.file_type()?.is_dir() {
                true if !skipped => open.push(dir.join(name)),
                true => {}
                false => files.push(dir.join(name)),
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|e| e == "rs")
}

/// The innermost package around a file.
fn owner<'a>(file: &Path, manifests: &[&'a PathBuf]) -> Option<&'a Path> {
    let around = manifests
        .iter()
        .filter_map(|m| m.parent())
        .filter(|dir| file.starts_with(dir));
    around.max_by_key(|dir| dir.components().count())
}

fn read_files<'a>(
    root: &Path,
    dir: &Path,
    own: impl Iterator<Item = &'a PathBuf>,
) -> io::Result<Vec<RustFile>> {
    let mut files = Vec::new();
    for path in own {
        let text = fs::read_to_string(root.join(path))?;
        let outline = paths::outline(&text);
        let path = path.to_string_lossy().into_owned();
        files.push(RustFile {
            path,
            text,
            outline,
            place: None,
        });
    }
    let outlines = files
        .iter()
        .map(|f| (PathBuf::from(&f.path), &f.outline))
        .collect();
    let places = hang(dir, &outlines);
    for file in &mut files {
        file.place = places.get(Path::new(&file.path)).cloned();
    }
    Ok(files)
}

/// Follows the declarations of modules from the roots of a package's crates.
fn hang(dir: &Path, outlines: &BTreeMap<PathBuf, &Outline>) -> BTreeMap<PathBuf, Place> {
    let mut places = BTreeMap::new();
    let mut open: Vec<(PathBuf, Place)> = outlines
        .keys()
        .filter_map(|path| Some((path.clone(), root_place(path.strip_prefix(dir).ok()?)?)))
        .collect();
    while let Some((path, place)) = open.pop() {
        let Some(outline) = outlines.get(&path) else {
            continue;
        };
        for declared in &outline.declared {
            let found = candidates(&path, &place, declared);
            let Some(file) = found.into_iter().find(|f| outlines.contains_key(f)) else {
                continue;
            };
            let mut module = place.module.clone();
            module.extend(declared.inside.iter().cloned());
            module.push(declared.name.clone());
            let test = place.test || declared.test;
            open.push((
                file,
                Place {
                    module,
                    test,
                    ..place
                },
            ));
        }
        places.insert(path, place);
    }
    places
}

/// The place of a file that Cargo takes for the root of a crate; `None` for any other.
fn root_place(path: &Path) -> Option<Place> {
    let parts: Vec<_> = path.iter().map(|p| p.to_string_lossy()).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let (library, test) = match parts.as_slice() {
        ["src", "lib.rs"] => (true, false),
        ["build.rs"] | ["src", "main.rs"] => (false, false),
        ["src", "bin" | "examples", _] | ["src", "bin", _, "main.rs"] => (false, false),
        ["examples" | "fuzz_targets", _]
        | [
            "bench" | "breaks" | "mutants" | "search_eval" | "siege" | "sim",
            "main.rs",
        ] => (false, false),
        ["tests" | "benches", _] | ["tests" | "benches", _, "main.rs"] => (false, true),
        _ => return None,
    };
    Some(Place {
        library,
        test,
        module: Vec::new(),
    })
}

/// Where the compiler looks for a declared module's file.
fn candidates(from: &Path, place: &Place, declared: &Declared) -> Vec<PathBuf> {
    let here = from.parent().unwrap_or(Path::new(""));
    let owns_directory = place.module.is_empty() || from.ends_with("mod.rs");
    if let (Some(path), true) = (&declared.path, declared.inside.is_empty()) {
        return vec![here.join(path)];
    }
    let mut below = if owns_directory {
        here.to_owned()
    } else {
        from.with_extension("")
    };
    below.extend(&declared.inside);
    if let Some(path) = &declared.path {
        return vec![below.join(path)];
    }
    let name = &declared.name;
    vec![
        below.join(format!("{name}.rs")),
        below.join(name).join("mod.rs"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hung(files: &[(&str, &str)]) -> Vec<String> {
        let outlines: Vec<_> = files
            .iter()
            .map(|(p, t)| (PathBuf::from(p), paths::outline(t)))
            .collect();
        let outlines = outlines.iter().map(|(p, o)| (p.clone(), o)).collect();
        let line = |(path, place): (PathBuf, Place)| {
            format!(
                "{} {} {}",
                path.display(),
                place.module.join("::"),
                place.test
            )
        };
        let mut lines: Vec<_> = hang(Path::new("p"), &outlines)
            .into_iter()
            .map(line)
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn modules_are_followed_through_files_and_directories() {
        assert_eq!(
            hung(&[
                ("p/src/lib.rs", "mod a; mod b { mod c; }"),
                ("p/src/a/mod.rs", "mod d; #[cfg(test)] mod tests;"),
                ("p/src/a/d.rs", "mod e;"),
                ("p/src/a/d/e.rs", ""),
                ("p/src/a/tests.rs", ""),
                ("p/src/b/c.rs", ""),
            ]),
            [
                "p/src/a/d.rs a::d false",
                "p/src/a/d/e.rs a::d::e false",
                "p/src/a/mod.rs a false",
                "p/src/a/tests.rs a::tests true",
                "p/src/b/c.rs b::c false",
                "p/src/lib.rs  false",
            ]
        );
    }

    #[test]
    fn a_file_that_nobody_declares_has_no_place() {
        assert_eq!(
            hung(&[
                ("p/tests/e2e.rs", "mod e2e { mod used; }"),
                ("p/tests/e2e/used.rs", ""),
                ("p/tests/e2e/forgotten.rs", ""),
            ]),
            ["p/tests/e2e.rs  true", "p/tests/e2e/used.rs e2e::used true"]
        );
    }

    #[test]
    fn a_file_belongs_to_the_innermost_package() {
        let manifests = [
            PathBuf::from("node/Cargo.toml"),
            PathBuf::from("node/core/Cargo.toml"),
        ];
        let manifests: Vec<_> = manifests.iter().collect();
        let owner = |f: &str| owner(Path::new(f), &manifests).map(|p| p.display().to_string());
        assert_eq!(owner("node/core/src/id.rs").as_deref(), Some("node/core"));
        assert_eq!(owner("node/src/home.rs").as_deref(), Some("node"));
        assert_eq!(owner("cli/src/main.rs"), None);
    }
}
