//! Trees made for one rule each: what is grouped, what is skipped, which keys result.

use std::path::{Path, PathBuf};

use super::super::{Format, Options, ScanError, SkipReason, Warning, scan};
use super::{Import, put, tree};

#[test]
fn translations_by_folder_and_by_suffix_are_one_document() {
    let dir = tree(&[
        ("x/fr/a.md", "# A\n"),
        ("x/ar/a.md", "# أ\n"),
        ("x/fr/sub/a.md", "# Sous\n"),
        (
            "y/b.md",
            "Ask which other services depend on the server before anybody seizes it and takes it away.\n",
        ),
        ("y/b.fr.md", "# B\n"),
        ("y/b.pt-BR.markdown", "# Outro ficheiro\n"),
    ]);
    let import = Import::all(dir.path());
    let langs: Vec<Vec<&str>> = import
        .drafts()
        .map(|d| d.title.keys().map(String::as_str).collect())
        .collect();
    assert_eq!(
        langs,
        [
            vec!["ar", "fr"],
            vec!["fr"],
            vec!["pt-BR"],
            vec!["en", "fr"]
        ]
    );
}

#[test]
fn separate_languages_make_a_record_of_each_file() {
    let dir = tree(&[
        ("fr/a.md", "# A\n"),
        ("ar/a.md", "# أ\n"),
        ("a.md", "# a\n"),
    ]);
    let options = Options {
        separate_languages: true,
        ..Options::default()
    };
    let import = Import::of(&[dir.path()], &options);
    assert_eq!(import.drafts().count(), 3);
    let together = Import::all(dir.path());
    let mut keys = import.keys();
    keys.extend(together.keys());
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(
        keys.len(),
        5,
        "two documents, three files, no key in common"
    );
}

#[test]
fn keys_are_the_same_however_a_tree_is_named() {
    let dir = tree(&[("kb/fr/a.md", "# A\n"), ("kb/ar/a.md", "# أ\n")]);
    let kb = dir.path().join("kb");
    let whole = Import::all(&kb);
    assert_eq!(whole.keys().len(), 1);
    for other in ["fr", "ar", "fr/a.md", "fr/../ar"] {
        assert_eq!(Import::all(&kb.join(other)).keys(), whole.keys(), "{other}");
    }
    let (fr, ar) = (kb.join("fr"), kb.join("ar"));
    let both = Import::of(&[&fr, &ar], &Options::default());
    assert_eq!((both.keys(), both.loaded.len()), (whole.keys(), 1));
    let forced = Options {
        lang: Some("fr".into()),
        ..Options::default()
    };
    assert_eq!(Import::of(&[&fr], &forced).keys(), whole.keys());
    let moved = tree(&[("elsewhere/kb/ar/a.md", "other text"), ("kb/a.md", "")]);
    assert_eq!(
        Import::all(&moved.path().join("elsewhere/kb")).keys(),
        whole.keys()
    );
    assert_ne!(
        Import::all(dir.path()).keys(),
        whole.keys(),
        "from further up it is another"
    );
}

#[test]
fn roots_of_one_name_do_not_share_keys_and_overlaps_count_once() {
    let dir = tree(&[("x/docs/a.md", "# One\n"), ("y/docs/a.md", "# Two\n")]);
    let (x, y) = (dir.path().join("x/docs"), dir.path().join("y/docs"));
    let import = Import::of(&[&x, &y], &Options::default());
    assert_eq!(import.keys().len(), 2);
    assert_ne!(import.keys()[0], import.keys()[1]);
    let overlap = Import::of(&[&x, &x.join("a.md"), &x], &Options::default());
    assert_eq!((overlap.drafts().count(), overlap.skipped().len()), (1, 0));
}

#[test]
fn what_cannot_be_imported_is_listed_and_the_rest_goes_on() {
    let dir = tree(&[
        ("fr/a.md", "# A\n"),
        ("ar/a.md", " \n"),
        ("fr/secret.md", "---\ntlp: VERY SECRET\n---\nx"),
        ("ar/secret.md", "# س\n"),
        (".git/config.md", "# hidden\n"),
        ("photo.jpg", "JFIF"),
        (
            "bad.md",
            "---\ntitle: a: b\n---\nThe body of a file with bad front matter",
        ),
    ]);
    put(dir.path(), "binary.md", b"\x7fELF\x02\x01\x01\0\0\0");
    put(dir.path(), "big.md", &vec![b'x'; 1024 * 1024 + 1]);
    std::os::unix::fs::symlink(dir.path().join("fr"), dir.path().join("link")).unwrap();
    let import = Import::all(dir.path());
    let mut skipped: Vec<_> = import
        .skipped()
        .into_iter()
        .map(|s| {
            (
                Path::new(&s.source)
                    .strip_prefix(dir.path())
                    .unwrap()
                    .to_str()
                    .unwrap(),
                s.reason.code(),
            )
        })
        .collect();
    skipped.sort_unstable();
    assert_eq!(
        skipped,
        [
            ("ar/a.md", "empty"),
            ("ar/secret.md", "bad-label"),
            ("big.md", "too-large"),
            ("binary.md", "binary"),
            ("fr/secret.md", "bad-label"),
            ("link", "symlink"),
            ("photo.jpg", "not-a-document"),
        ]
    );
    let titles: Vec<_> = import
        .drafts()
        .map(|d| d.title.values().next().unwrap().as_str())
        .collect();
    assert_eq!(titles, ["A", "a: b"]);
    let bad = import
        .loaded
        .iter()
        .flat_map(|l| &l.warnings)
        .next()
        .unwrap();
    assert!(
        matches!(bad.warning, Warning::FrontMatter { line: 2, .. }),
        "{bad:?}"
    );
}

#[test]
fn an_unreadable_file_does_not_take_its_translations_with_it() {
    let dir = tree(&[("fr/a.md", "# A\n"), ("ar/a.md", "# أ\n")]);
    let plan = scan(&[dir.path().to_owned()], &Options::default()).unwrap();
    std::fs::remove_file(dir.path().join("ar/a.md")).unwrap();
    let loaded: Vec<_> = super::read(&plan.documents()[0], &Options::default()).collect();
    assert!(loaded[0].draft.as_ref().unwrap().title.keys().eq(["fr"]));
    assert!(matches!(
        loaded[0].skipped[0].reason,
        SkipReason::Unreadable { .. }
    ));
}

#[test]
fn paths_without_any_document_are_errors() {
    let dir = tree(&[
        ("full/a.md", "# A\n"),
        ("empty/.keep", ""),
        ("other/x.png", ""),
    ]);
    let at = |name: &str| dir.path().join(name);
    let fails = |path: PathBuf, options: &Options| scan(&[at("full"), path], options).unwrap_err();
    let name = |path: &str| at(path).to_string_lossy().into_owned();
    let options = Options::default();
    assert_eq!(
        fails(at("gone"), &options),
        ScanError::Missing { path: name("gone") }
    );
    for path in ["empty", "other"] {
        assert_eq!(
            fails(at(path), &options),
            ScanError::NothingFound { path: name(path) }
        );
    }
    let french = Options {
        lang: Some("french".into()),
        ..Options::default()
    };
    assert!(matches!(
        fails(at("full"), &french),
        ScanError::BadLanguage { .. }
    ));
    // A file that is named is listed with its reason.
    let png = scan(&[at("other/x.png")], &options).unwrap();
    assert_eq!(png.skipped()[0].reason, SkipReason::NotADocument);
    // A folder whose only document is too large has one.
    put(dir.path(), "dump/big.md", &vec![b'x'; 1024 * 1024 + 1]);
    assert_eq!(
        scan(&[at("dump")], &options).unwrap().skipped()[0]
            .reason
            .code(),
        "too-large"
    );
}

#[test]
fn the_format_decides_what_is_read() {
    let dir = tree(&[
        ("a.md", "# A\n"),
        ("b.ndjson", "{\"title\":\"B\",\"lang\":\"fr\"}\n"),
        ("c.txt", "# C\n"),
    ]);
    let titles = |path: &str, format| {
        let options = Options {
            format,
            kind: Some("training".into()),
            ..Options::default()
        };
        let import = Import::of(&[&dir.path().join(path)], &options);
        assert!(
            import
                .drafts()
                .all(|d| d.kind.as_deref() == Some("training"))
        );
        import
            .drafts()
            .flat_map(|d| d.title.values().cloned())
            .collect::<Vec<_>>()
    };
    assert_eq!(titles("", Format::Auto), ["A", "B"]);
    assert_eq!(titles("", Format::Markdown), ["A"]);
    assert_eq!(titles("", Format::JsonLines), ["B"]);
    assert_eq!(titles("c.txt", Format::Markdown), ["C"]);
    assert!(titles("c.txt", Format::Auto).is_empty());
}

#[test]
fn json_lines_are_read_one_by_one() {
    let long = format!("{{\"title\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
    let lines = format!(
        "\u{feff}{{\"id\":\"1\",\"title\":\"One\",\"lang\":\"en\"}}\r\n\n{long}\nnot json\n\
         {{\"title\":\"Same\",\"lang\":\"en\"}}\n{{\"title\":\"Same\",\"lang\":\"en\"}}\n\n"
    );
    let dir = tree(&[("a.jsonl", &lines)]);
    let import = Import::all(dir.path());
    let titles: Vec<_> = import.drafts().map(|d| d.title["en"].as_str()).collect();
    assert_eq!(titles, ["One", "Same", "Same"]);
    let mut keys = import.keys();
    keys.dedup();
    assert_eq!(keys.len(), 3);
    assert_eq!(Import::all(dir.path()).keys(), import.keys());
    let reasons: Vec<_> = import.reasons().into_iter().collect();
    assert_eq!(
        reasons,
        [
            ("a.jsonl:3".into(), "too-large"),
            ("a.jsonl:4".into(), "bad-json")
        ]
    );
    assert_eq!(import.plan.total_bytes(), lines.len() as u64);
    assert_eq!(
        import.loaded.iter().map(|l| l.bytes).sum::<u64>(),
        lines.len() as u64
    );
}
