//! Real documents as they are: `shared/data`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Options, Warning};
use super::{Import, put, shared_data};

#[test]
fn the_parallel_corpus_becomes_558_documents() {
    let Some(corpus) = shared_data("kb-parallel") else {
        return;
    };
    let import = Import::all(&corpus);
    // The table of contents of the corpus is the only file that is no document.
    assert_eq!(
        import.reasons(),
        BTreeMap::from([("manifest.tsv".into(), "not-a-document")])
    );
    assert_eq!(import.loaded.len(), 558);
    assert_eq!(
        import.loaded.iter().map(|l| l.sources.len()).sum::<usize>(),
        3407
    );
    assert_eq!(
        import.keys().into_iter().collect::<BTreeSet<_>>().len(),
        558
    );

    // The manifest says which languages each document has; nothing of ours is asked.
    let manifest = std::fs::read_to_string(corpus.join("manifest.tsv")).unwrap();
    let mut expected: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for line in manifest.lines().skip(1) {
        let mut columns = line.split('\t');
        let (source, slug) = (columns.next().unwrap(), columns.next().unwrap());
        let lang = columns.next().unwrap().to_owned();
        expected.entry((source, slug)).or_default().insert(lang);
    }
    for loaded in &import.loaded {
        let mut parts = loaded.sources[0].rsplit('/');
        let slug = parts.next().unwrap().trim_end_matches(".md");
        let source = parts.nth(1).unwrap();
        let draft = loaded.draft.as_ref().unwrap();
        let found: BTreeSet<String> = draft.title.keys().cloned().collect();
        assert_eq!(found, expected[&(source, slug)], "{source}/{slug}");
        assert!(
            draft
                .title
                .values()
                .all(|title| !title.is_empty() && !title.contains("</a>"))
        );
    }
    let warnings: Vec<_> = import.loaded.iter().flat_map(|l| &l.warnings).collect();
    let claims = warnings
        .iter()
        .filter(|w| matches!(w.warning, Warning::ClaimedLanguage { .. }));
    assert_eq!(
        claims.collect::<Vec<_>>(),
        Vec::<&&super::super::Warned>::new()
    );
    assert_eq!(
        import.plan.total_bytes(),
        import.loaded.iter().map(|l| l.bytes).sum::<u64>()
    );
}

#[test]
fn training_pages_are_imported_from_a_single_language_folder() {
    let Some(pages) = shared_data("training-lea") else {
        return;
    };
    let import = Import::all(&pages);
    assert_eq!((import.loaded.len(), import.skipped().len()), (13, 0));
    assert!(import.drafts().all(|draft| draft.title.keys().eq(["en"])));
    assert_eq!(Import::all(&pages.join("en")).keys(), import.keys());
}

/// `(file, language, title)` of every quirk that is imported.
const QUIRKS: &[(&str, &str, &str)] = &[
    (
        "15-Prendre en compte les bases légales dans l’implémentation technique.md",
        "fr",
        "Fiche n°15 : Prendre en compte les bases légales dans l’implémentation technique",
    ),
    (
        "arabic-presentation-forms.md",
        "ar-AE",
        "مستوى المخاطر العالية",
    ),
    ("claims-ar-is-english__frontends.md", "en", "Frontends"),
    (
        "claims-ar-is-english__multi-factor-authentication.md",
        "en",
        "Multifactor Authentication",
    ),
    ("claims-ar-is-english__notebooks.md", "en", "Notebooks"),
    (
        "half-translated-fr.md",
        "fr",
        "La criminalistique numérique et la collecte de preuves",
    ),
    (
        "toml-front-matter-crlf.md",
        "fr",
        "Code de conduite Contributor Covenant",
    ),
    ("utf16-labs-README.md", "en", "Labs"),
    (
        "utf8-bom.md",
        "es",
        "Los Diez Riesgos de Seguridad de Aplicaciones Web Más Críticos",
    ),
];

#[test]
fn no_quirk_stops_an_import() {
    let Some(quirks) = shared_data("quirks") else {
        return;
    };
    let import = Import::all(&quirks);
    assert_eq!(
        import.reasons(),
        BTreeMap::from([
            (
                "claims-fr-is-english__security-best-practices.md".into(),
                "untranslated"
            ),
            ("empty-file.md".into(), "empty"),
            ("quirks.tsv".into(), "not-a-document"),
        ])
    );
    let found: Vec<_> = import
        .loaded
        .iter()
        .filter_map(|loaded| {
            let draft = loaded.draft.as_ref()?;
            let (lang, title) = draft.title.first_key_value()?;
            Some((
                loaded.sources[0].rsplit('/').next()?,
                lang.as_str(),
                title.as_str(),
            ))
        })
        .collect();
    assert_eq!(found, QUIRKS);
    for draft in import.drafts() {
        for text in draft.body.values() {
            assert!(!text.contains(['\r', '\u{feff}', '\u{200b}', '\u{202b}', '\0']));
            assert!(unicode_normalization::is_nfc(text));
        }
    }
    let warnings: Vec<_> = import.loaded.iter().flat_map(|l| &l.warnings).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0].warning, Warning::TextInFrontMatter);
    assert!(warnings[0].source.ends_with("half-translated-fr.md"));
}

#[test]
fn english_in_the_arabic_tree_is_not_arabic() {
    let Some(quirks) = shared_data("quirks") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    for name in ["frontends", "notebooks", "multi-factor-authentication"] {
        let bytes = std::fs::read(quirks.join(format!("claims-ar-is-english__{name}.md"))).unwrap();
        put(dir.path(), &format!("ar/{name}.md"), &bytes);
    }
    let english = std::fs::read(quirks.join("claims-ar-is-english__notebooks.md")).unwrap();
    put(dir.path(), "en/notebooks.md", &english);
    let import = Import::all(dir.path());
    assert!(import.drafts().all(|draft| draft.title.keys().eq(["en"])));
    assert_eq!(import.drafts().count(), 3);
    assert_eq!(
        import.reasons(),
        BTreeMap::from([("notebooks.md".into(), "same-language")])
    );
    let warned = import.loaded.iter().flat_map(|l| &l.warnings);
    let claimed = Warning::ClaimedLanguage {
        claimed: "ar".into(),
        detected: "en".into(),
    };
    assert_eq!(warned.filter(|w| w.warning == claimed).count(), 2);
}

#[test]
fn a_language_that_is_forced_is_not_doubted() {
    let Some(quirks) = shared_data("quirks") else {
        return;
    };
    let options = Options {
        lang: Some("fr".into()),
        ..Options::default()
    };
    let import = Import::of(
        &[&quirks.join("claims-ar-is-english__frontends.md")],
        &options,
    );
    assert!(import.drafts().all(|draft| draft.title.keys().eq(["fr"])));
}
