//! Documents and judged queries from the shared parallel documents and the training pages. Most documents are kept in French, English
//! and Arabic; every third is kept in one of the three alone. Queries that cross languages are its titles in the others,
//! which nobody of this project translated, and what was written in the others by readers of that one text.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use diwan_api::document::{MarkdownContext, parse_markdown};
use diwan_tests::kit::Random;

/// Languages of the sample.
const LANGUAGES: [&str; 3] = ["fr", "en", "ar"];
/// A source whose titles are names of commands, the same in every language.
const NAMES_ONLY: &str = "tldr-pages";
/// Queries in a document's language that say it in other words, written for this sample: source, slug, language, query.
const PARAPHRASES: &str = include_str!("paraphrases.tsv");
/// Queries in another language, written for this sample by readers of the text that is kept: the same columns.
const ACROSS: &str = include_str!("across.tsv");

/// A document in one or more languages: path by language.
type Documents = BTreeMap<(String, String), BTreeMap<String, PathBuf>>;

/// Makes the sample; says how many queries it has.
pub(crate) fn make(sources: &[PathBuf], folder: &Path) -> Result<usize> {
    fs::create_dir(folder).with_context(|| folder.display().to_string())?;
    let docs = folder.join("docs");
    let mut random = Random::seeded(6);
    let mut lines = vec!["id\tquery\tquery_lang\ttargets\tkind\tnote".to_owned()];
    for (at, ((source, slug), languages)) in documents(sources)?.into_iter().enumerate() {
        let titles: BTreeMap<&str, String> = languages
            .iter()
            .filter_map(|(lang, path)| Some((lang.as_str(), title(path, lang)?)))
            .collect();
        let is_named = source != NAMES_ONLY;
        let kept: Vec<&String> = match is_named && at % 3 == 0 && languages.len() > 1 {
            true => languages
                .keys()
                .nth((at / 3) % languages.len())
                .into_iter()
                .collect(),
            false => languages.keys().collect(),
        };
        let mut targets = Vec::new();
        for lang in &kept {
            let Some(from) = languages.get(*lang) else {
                continue;
            };
            let below = format!("{source}/{lang}/{slug}.md");
            let to = docs.join(&below);
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(from, &to)?;
            targets.push(below);
        }
        let targets = targets.join(";");
        let mut put = |kind: &str, lang: &str, query: &str| {
            let id = format!("q{}", lines.len());
            lines.push(format!(
                "{id}\t{query}\t{lang}\t{targets}\t{kind}\t{source}/{slug}"
            ));
        };
        if is_named {
            for (lang, title) in &titles {
                if !kept.iter().any(|kept| kept.as_str() == *lang) {
                    put("cross", lang, title);
                }
            }
            if let Some(lang) = kept.get(at % kept.len().max(1))
                && let Some(title) = titles.get(lang.as_str())
                && title.split_whitespace().count() > 1
            {
                put("title", lang, &some_words(title, &mut random));
                if let Some(variant) = variant(lang, title) {
                    put("variant", lang, &variant);
                }
                if let Some(typo) = typo(title, &mut random) {
                    put("typo", lang, &typo);
                }
            }
        }
        for (written, kind) in [(PARAPHRASES, "paraphrase"), (ACROSS, "cross")] {
            for (lang, query) in of_document(written, &source, &slug) {
                let is_kept = kept.iter().any(|kept| kept.as_str() == lang);
                if is_kept == (kind == "paraphrase") {
                    put(kind, lang, query);
                }
            }
        }
    }
    fs::write(folder.join("queries.tsv"), lines.join("\n") + "\n")?;
    Ok(lines.len() - 1)
}

/// Language and text of the queries that were written for a document.
fn of_document<'a>(
    written: &'a str,
    source: &str,
    slug: &str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    written.lines().filter_map(move |line| {
        let mut columns = line.split('\t');
        let is_it = columns.next() == Some(source) && columns.next() == Some(slug);
        let query = columns.next().zip(columns.next());
        query.filter(|_| is_it)
    })
}

/// The documents of sources: folders with one folder a language.
fn documents(sources: &[PathBuf]) -> Result<Documents> {
    let mut found = Documents::new();
    for source in sources {
        for lang in LANGUAGES {
            let Ok(files) = fs::read_dir(source.join(lang)) else {
                continue;
            };
            for file in files {
                let path = file?.path();
                let name = |path: &Path| {
                    let name = path.file_stem().and_then(|name| name.to_str());
                    name.map(str::to_owned).context("a name in UTF-8")
                };
                let key = (name(source)?, name(&path)?);
                found.entry(key).or_default().insert(lang.to_owned(), path);
            }
        }
    }
    Ok(found)
}

fn title(path: &Path, lang: &str) -> Option<String> {
    let context = MarkdownContext {
        forced_lang: Some(lang),
        path_lang: None,
        stem: "",
    };
    let page = parse_markdown(&fs::read(path).ok()?, &context).ok()?;
    let plain = page.title.replace(['*', '`', '_', '#', '[', ']'], " ");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    (!plain.is_empty()).then_some(plain)
}

/// A title without one of its words, where it has more than three.
fn some_words(title: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = title.split_whitespace().collect();
    if words.len() > 3 {
        words.remove(random.index(words.len()));
    }
    words.join(" ")
}

/// The title as people type it who do not bother: French without accents; Arabic with other letters for
/// hamza, ta marbuta and alef maqsura, or with vowel signs and a stretched line.
fn variant(lang: &str, title: &str) -> Option<String> {
    let variant: String = match lang {
        "fr" => title
            .to_uppercase()
            .chars()
            .map(|c| match c {
                'É' | 'È' | 'Ê' | 'Ë' => 'E',
                'À' | 'Â' => 'A',
                'Î' | 'Ï' => 'I',
                'Ô' => 'O',
                'Û' | 'Ù' => 'U',
                'Ç' => 'C',
                c => c,
            })
            .collect(),
        "ar" if title.chars().count().is_multiple_of(2) => title
            .chars()
            .map(|c| match c {
                'أ' | 'إ' | 'آ' => 'ا',
                'ة' => 'ه',
                'ى' => 'ي',
                c => c,
            })
            .collect(),
        "ar" => {
            let mut marked = String::new();
            for (at, c) in title.chars().enumerate() {
                marked.push(c);
                if c.is_alphabetic() && at % 3 == 1 {
                    marked.push('\u{64e}');
                }
                if c == 'س' {
                    marked.push('\u{640}');
                }
            }
            marked
        }
        _ => title.to_lowercase(),
    };
    (variant != title).then_some(variant)
}

/// The longest words of a title, a slip in the first of them.
fn typo(title: &str, random: &mut Random) -> Option<String> {
    let mut words: Vec<Vec<char>> = title
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| word.chars().collect())
        .filter(|word: &Vec<char>| word.len() > 3)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.truncate(3);
    let word = words.first_mut().filter(|word| word.len() > 4)?;
    let at = 1 + random.index(word.len() - 2);
    match random.below(3) {
        0 => {
            word.remove(at);
        }
        1 => word.swap(at, at + 1),
        _ => {
            let c = *word.get(at)?;
            word.insert(at, c);
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|word| word.into_iter().collect())
        .collect();
    Some(words.join(" "))
}
