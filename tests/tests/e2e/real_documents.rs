//! Real documents go in at one end and are found and read at the other: all of `kb-parallel`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use diwan_api::document::{MarkdownContext, parse_markdown};
use diwan_node::index::Parallel;
use diwan_tests::kit::{Listen, TestNode, converged, copy_tree, one_at_a_time, share, shared_data};
use serde_json::Value;

/// Documents of the corpus, as its manifest counts them.
const DOCUMENTS: usize = 558;

/// One document that is there in the three languages, with a query that its title answers.
const QUESTIONS: [(&str, &str, &str); 3] = [
    (
        "fr",
        "owasp-top10-2021/fr/a02-2021-cryptographic-failures.md",
        "défaillances cryptographiques",
    ),
    (
        "en",
        "owasp-top10-2021/en/a10-2021-server-side-request-forgery-ssrf.md",
        "server-side request forgery",
    ),
    (
        "ar",
        "ms-security-101/ar/1-3-understanding-risk-management.md",
        "إدارة المخاطر",
    ),
];

/// Languages whose records are held against each other.
const TAUGHT: [&str; 3] = ["fr", "en", "ar"];

#[test]
fn the_whole_corpus_is_read_in_another_country() {
    let Some(corpus) = shared_data("kb-parallel") else {
        return;
    };
    let _turn = one_at_a_time();
    let mut fr = TestNode::running("FR", Listen::Tcp);
    let tn = TestNode::running("TN", Listen::Tcp);
    let ma = TestNode::running("MA", Listen::Tcp);
    share("cyber", &[&fr, &tn, &ma]);

    // A copy: one of its files is going to change.
    let copy = fr.scratch("documents");
    copy_tree(&corpus, &copy);
    let report = import(&fr, &copy);
    assert_import(&report, [DOCUMENTS, 0, 0]);
    let manifest = Manifest::read(&corpus);
    assert_eq!(manifest.documents.len(), DOCUMENTS);

    let export = converged("cyber", &[&fr, &tn, &ma]);
    assert_eq!(export.lines().count(), DOCUMENTS);
    assert_eq!(languages_of(&export), manifest.languages());

    fr.stop();
    for (lang, file, query) in QUESTIONS {
        let record = record_of(&report, &copy.join(file));
        let found = ma.search(&[query, "--lang", lang]);
        assert!(found.contains(&record), "{lang}: {query}: {found:?}");
        let shown = ma.show(&record);
        assert_eq!(shown["origin"], "fr", "{shown}");
        assert_eq!(shown["proof"]["node"], fr.peer_id, "{shown}");
        assert!(!shown["title"][lang].as_str().unwrap().is_empty());
        let languages: BTreeSet<&str> = keys(&shown["title"]).collect();
        assert_eq!(&languages, manifest.document(file), "{file}");
    }

    fr.start();
    import_again(&fr, &copy);
    let changed = record_of(&report, &copy.join(QUESTIONS[0].1));
    converged("cyber", &[&fr, &tn, &ma]);
    let body = ma.show(&changed)["body"]["fr"].take();
    assert!(body.as_str().unwrap().contains("Ajouté à Paris."));
}

/// The same again creates nothing; one changed file changes one record.
fn import_again(fr: &TestNode, copy: &Path) {
    assert_import(&import(fr, copy), [0, 0, DOCUMENTS]);
    let file = copy.join(QUESTIONS[0].1);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "\n\nAjouté à Paris.\n").unwrap();
    assert_import(&import(fr, copy), [0, 1, DOCUMENTS - 1]);
}

fn import(node: &TestNode, folder: &Path) -> Value {
    // Their authors published the addresses that they give for questions; the guard asks all the same.
    let reason = "published by their authors";
    let folder = folder.to_str().unwrap();
    node.diwan(&["import", folder, "--group", "cyber", "--override", reason])
}

/// The counts, and that nothing was left out but the corpus' own table of contents.
#[track_caller]
fn assert_import(report: &Value, [created, updated, unchanged]: [usize; 3]) {
    let skipped = report["skipped"].as_array().unwrap();
    let reasons: Vec<_> = skipped
        .iter()
        .map(|s| s["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["not-a-document"], "{:?}", report["skipped"]);
    assert!(
        skipped[0]["source"]
            .as_str()
            .unwrap()
            .ends_with("manifest.tsv")
    );
    let counts = ["created", "updated", "unchanged"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(
        counts,
        [created, updated, unchanged].map(|count| count as u64)
    );
    assert_eq!(report["records"].as_array().unwrap().len(), DOCUMENTS);
}

fn record_of(report: &Value, file: &Path) -> String {
    let file = file.to_str().unwrap();
    let mut records = report["records"].as_array().unwrap().iter();
    let made_of = |record: &&Value| record["sources"].as_array().unwrap().contains(&file.into());
    let record = records
        .find(made_of)
        .unwrap_or_else(|| panic!("{file} was not imported"));
    record["record"].as_str().unwrap().to_owned()
}

/// Records by language, of a canonical export.
fn languages_of(export: &str) -> BTreeMap<String, usize> {
    let mut languages = BTreeMap::new();
    for line in export.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        for lang in keys(&record["title"]) {
            *languages.entry(lang.to_owned()).or_default() += 1;
        }
    }
    languages
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().unwrap().keys().map(String::as_str)
}

/// What the corpus says of itself: the languages of each document, by `source/slug`.
struct Manifest {
    documents: BTreeMap<String, BTreeSet<&'static str>>,
}

impl Manifest {
    fn read(corpus: &Path) -> Self {
        let text = fs::read_to_string(corpus.join("manifest.tsv")).unwrap();
        let text: &'static str = text.leak();
        let mut documents: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let mut columns = line.split('\t');
            let mut next = || columns.next().unwrap();
            let (source, slug, lang) = (next(), next(), next());
            documents
                .entry(format!("{source}/{slug}"))
                .or_default()
                .insert(lang);
        }
        Self { documents }
    }

    /// The languages of the document that `SOURCE/LANG/SLUG.md` belongs to.
    fn document(&self, file: &str) -> &BTreeSet<&'static str> {
        let parts: Vec<_> = file.trim_end_matches(".md").split('/').collect();
        &self.documents[&format!("{}/{}", parts[0], parts[2])]
    }

    fn languages(&self) -> BTreeMap<String, usize> {
        let mut languages = BTreeMap::new();
        for lang in self.documents.values().flatten() {
            *languages.entry((*lang).to_owned()).or_default() += 1;
        }
        languages
    }
}

/// Files as real trees hold them: none stops an import.
#[test]
fn no_quirk_stops_an_import() {
    let Some(quirks) = shared_data("quirks") else {
        return;
    };
    let fr = TestNode::running("FR", Listen::Tcp);
    let report = fr.diwan(&["import", quirks.to_str().unwrap(), "--group", "own"]);
    let skipped = report["skipped"].as_array().unwrap();
    let files = fs::read_dir(&quirks).unwrap().count();
    let imported = report["records"].as_array().unwrap().iter();
    let imported: usize = imported
        .map(|r| r["sources"].as_array().unwrap().len())
        .sum();
    assert_eq!(imported + skipped.len(), files, "{report}");
    for skipped in skipped {
        for field in ["source", "reason", "message"] {
            assert!(!skipped[field].as_str().unwrap().is_empty(), "{skipped}");
        }
    }
    let exported = fr.export("own").lines().count();
    assert_eq!(report["created"], exported, "{report}");
}

/// Which records say the same in two languages, where each is kept in one, and one in three is in one language alone.
#[test]
fn translations_that_nobody_named_are_found() {
    let Some(corpus) = shared_data("kb-parallel") else {
        return;
    };
    let manifest = Manifest::read(&corpus);
    let mut parallel = Parallel::default();
    let mut there: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (at, (document, languages)) in manifest.documents.iter().enumerate() {
        let (source, slug) = document.split_once('/').unwrap();
        let kept: Vec<usize> = (0..TAUGHT.len())
            .filter(|lang| languages.contains(TAUGHT[*lang]))
            .collect();
        let alone = (at % 3 == 0 && !kept.is_empty()).then(|| kept[(at / 3) % kept.len()]);
        for lang in kept {
            if alone.is_some_and(|alone| alone != lang) {
                continue;
            }
            let tag = TAUGHT[lang];
            let file = corpus.join(source).join(tag).join(format!("{slug}.md"));
            let context = MarkdownContext {
                forced_lang: Some(tag),
                path_lang: None,
                stem: "",
            };
            let page = parse_markdown(&fs::read(file).unwrap(), &context).unwrap();
            there.insert((at, lang));
            let body = page.body.unwrap_or_default();
            parallel.take(
                (at * TAUGHT.len() + lang) as u64,
                tag,
                &[&page.title, &body],
            );
        }
    }
    let pairs = parallel.pairs();
    let document = |num: u64| num / TAUGHT.len() as u64;
    let is_right = |(one, other): &&(u64, u64)| document(*one) == document(*other);
    let wrong = pairs.len() - pairs.iter().filter(is_right).count();
    assert!(
        wrong * 100 <= pairs.len(),
        "{wrong} of {} wrong",
        pairs.len()
    );
    // Many commands' pages are a line about another name of the same, with three words to go by.
    let is_text = |at: usize| {
        let name = manifest.documents.keys().nth(at);
        name.is_some_and(|name| !name.starts_with("tldr-pages/"))
    };
    let right = pairs.iter().filter(is_right);
    let texts = right.filter(|(one, _)| is_text(usize::try_from(document(*one)).unwrap()));
    let right = texts.count();
    let possible: usize = (0..manifest.documents.len())
        .filter(|at| is_text(*at))
        .map(|at| there.iter().filter(|(of, _)| *of == at).count())
        .map(|languages| languages * languages.saturating_sub(1) / 2)
        .sum();
    assert!(right * 100 >= possible * 85, "{right} of {possible}");
}
