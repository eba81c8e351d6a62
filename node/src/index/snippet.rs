//! The passage of a text that speaks most of a query.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use tantivy::tokenizer::TokenStream;

use super::analysis::{Language, Side, written};
use super::clauses::{is_blank, parse};
use super::headings::{lines, unmarked};

const ELLIPSIS: char = '…';

/// Windows that are compared at most: a word that a long text repeats everywhere says little
/// about where to look.
const MAX_WINDOWS: usize = 1000;

/// Words that are remembered while a page of answers is made, and the bytes of the longest.
const KNOWN_WORDS: usize = 10_000;
const KNOWN_BYTES: usize = 100;

/// A passage with the query's words marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The passage on one line, with an ellipsis where the text goes on.
    pub text: String,
    /// Byte ranges of the matching words in `text`, rising, on character boundaries.
    pub ranges: Vec<(usize, usize)>,
}

/// Finds the words of one query in texts of one language.
pub struct Marker {
    language: Language,
    wanted: HashSet<String>,
    /// Letters that the words asked for begin with.
    first: HashSet<u8>,
    /// Words of texts that were looked at, and which of those asked for each is.
    known: HashMap<String, Option<String>>,
}

impl Marker {
    /// For a query, and texts of the language of a BCP 47 tag. A query that
    /// [`search`](super::Index::search) would refuse marks nothing.
    #[must_use]
    pub fn new(query_text: &str, lang: &str) -> Self {
        let language = Language::of_tag(lang);
        let wanted = query_terms(language, query_text);
        Self {
            language,
            first: wanted
                .iter()
                .filter_map(|term| term.bytes().next())
                .collect(),
            wanted,
            known: HashMap::new(),
        }
    }

    /// The passage of `text` that speaks most of the query, with the query's words marked; at most `max_chars`
    /// characters.
    pub fn snippet(&mut self, text: &str, max_chars: usize) -> Snippet {
        let text = &in_one_line(text);
        let matches = self.matches(text);
        // Room for an ellipsis at both ends.
        let passage = if text.chars().nth(max_chars).is_none() {
            0..text.len()
        } else {
            best_passage(text, &matches, max_chars.saturating_sub(2))
        };
        render(text, &passage, &matches)
    }

    fn matches(&mut self, text: &str) -> Vec<Match> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let mut matches = Vec::new();
        for bytes in written(self.language, text) {
            let word = text.get(bytes.clone()).unwrap_or_default();
            if let Some(term) = self.asked_for(word) {
                matches.push(Match { bytes, term });
            }
        }
        matches
    }

    /// Which of the words asked for a word is, in any of its forms. Most are none by their first letter.
    fn asked_for(&mut self, word: &str) -> Option<String> {
        if self.language.keeps_first_letter() && word.is_ascii() {
            let first = word.bytes().next()?.to_ascii_lowercase();
            if !self.first.contains(&first) {
                return None;
            }
        }
        if let Some(known) = self.known.get(word) {
            return known.clone();
        }
        let mut found = None;
        let mut analyser = self.language.analyser(Side::Record);
        analyser.token_stream(word).process(&mut |token| {
            if found.is_none() && self.wanted.contains(&token.text) {
                found = Some(token.text.clone());
            }
        });
        if self.known.len() < KNOWN_WORDS && word.len() <= KNOWN_BYTES {
            self.known.insert(word.to_owned(), found.clone());
        }
        found
    }
}

/// A word of the text that the query asks for.
struct Match {
    bytes: Range<usize>,
    term: String,
}

fn query_terms(language: Language, query_text: &str) -> HashSet<String> {
    let mut terms = HashSet::new();
    let mut analyser = language.analyser(Side::Query);
    for clause in parse(query_text).unwrap_or_default() {
        if !clause.excluded {
            analyser.token_stream(clause.text).process(&mut |token| {
                terms.insert(token.text.clone());
            });
        }
    }
    terms
}

/// The first of the windows with the most different terms, cut between words.
fn best_passage(text: &str, matches: &[Match], max_chars: usize) -> Range<usize> {
    let mut best = (0, 0..0);
    for (at, first) in matches.iter().enumerate().take(MAX_WINDOWS) {
        let start = first.bytes.start;
        let end = end_of(text, start, max_chars);
        let mut terms = HashSet::new();
        let mut last = start;
        for within in matches.iter().skip(at).take_while(|m| m.bytes.end <= end) {
            terms.insert(within.term.as_str());
            last = within.bytes.end;
        }
        if terms.len() > best.0 {
            best = (terms.len(), start..last);
        }
    }
    let core = best.1;
    let used = text.get(core.clone()).unwrap_or_default().chars().count();
    // A third of what is left introduces the words, the rest follows them.
    let lead = max_chars.saturating_sub(used) / 3;
    let before = text.get(..core.start).unwrap_or_default();
    let earliest = match lead.checked_sub(1) {
        None => core.start,
        Some(skip) => before
            .char_indices()
            .rev()
            .nth(skip)
            .map_or(0, |(at, _)| at),
    };
    let start = word_start(text, earliest, core.start);
    let end = end_of(text, start, max_chars);
    start..word_end(text, end, core.end)
}

/// The byte at most `chars` characters behind `start`.
fn end_of(text: &str, start: usize, chars: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    rest.char_indices()
        .nth(chars)
        .map_or(text.len(), |(at, _)| start + at)
}

/// The first beginning of a word from `earliest` on, at the latest `latest`.
fn word_start(text: &str, earliest: usize, latest: usize) -> usize {
    if earliest == 0 {
        return 0;
    }
    let lead = text.get(earliest..latest).unwrap_or_default();
    lead.find(char::is_whitespace).map_or(latest, |at| {
        let blank = lead.get(at..).unwrap_or_default();
        latest - blank.trim_start().len()
    })
}

/// The last end of a word up to `latest`, at the earliest `earliest`; `latest` itself where no
/// word ends before it.
fn word_end(text: &str, latest: usize, earliest: usize) -> usize {
    if latest == text.len() {
        return latest;
    }
    let tail = text.get(earliest..latest).unwrap_or_default();
    tail.rfind(char::is_whitespace)
        .map_or(latest, |at| earliest + at)
}

/// A text as one reads it: on one line, one space between words, headings without their marks.
fn in_one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (is_heading, line) in lines(text) {
        let said = if is_heading { unmarked(line) } else { line };
        for word in said.split(is_blank).filter(|word| !word.is_empty()) {
            if !shown.is_empty() {
                shown.push(' ');
            }
            shown.push_str(word);
        }
    }
    shown
}

fn render(text: &str, passage: &Range<usize>, matches: &[Match]) -> Snippet {
    let mut out = String::new();
    if passage.start > 0 {
        out.push(ELLIPSIS);
    }
    let shift = out.len();
    out.push_str(text.get(passage.clone()).unwrap_or_default());
    if passage.end < text.len() {
        out.push(ELLIPSIS);
    }
    let ranges = matches
        .iter()
        .map(|m| &m.bytes)
        .filter(|bytes| passage.start <= bytes.start && bytes.end <= passage.end)
        .map(|bytes| {
            let start = bytes.start - passage.start + shift;
            (start, start + bytes.len())
        })
        .collect();
    Snippet { text: out, ranges }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Marker, Snippet};

    fn snippet(query: &str, lang: &str, text: &str, max_chars: usize) -> Snippet {
        Marker::new(query, lang).snippet(text, max_chars)
    }

    fn marked(query: &str, lang: &str, text: &str) -> Vec<String> {
        let found = snippet(query, lang, text, 80);
        found
            .ranges
            .iter()
            .map(|&(from, to)| found.text[from..to].to_owned())
            .collect()
    }

    #[test]
    fn matches_are_marked_in_every_language() {
        assert_eq!(
            marked("enquete", "fr", "Mener l’enquête, les enquêtes."),
            ["enquête", "enquêtes"]
        );
        assert_eq!(
            marked("investigate", "en", "The officers investigated."),
            ["investigated"]
        );
        assert_eq!(
            marked("شرطة", "ar", "تدريب الشُّرْطَة والشرطة"),
            ["الشُّرْطَة", "والشرطة"]
        );
        assert_eq!(marked("فرنسا", "ar-TN", "تونس وفرنسا"), ["وفرنسا"]);
    }

    #[test]
    fn excluded_words_are_not_marked() {
        assert_eq!(marked("arme -drogue", "fr", "drogue et arme"), ["arme"]);
    }

    #[test]
    fn the_passage_with_the_most_words_is_chosen() {
        let filler = "rien à voir ici ".repeat(40);
        let text = format!("arme {filler} trafic d'armes à feu {filler}");
        let found = snippet("trafic arme feu", "fr", &text, 60);
        assert!(
            found.text.contains("trafic d'armes à feu"),
            "{}",
            found.text
        );
        assert!(found.text.starts_with('…') && found.text.ends_with('…'));
        assert_eq!(found.ranges.len(), 3);
    }

    #[test]
    fn without_a_match_the_text_begins() {
        let found = snippet("absent", "en", "First\u{1b}line\nand then more of it", 22);
        assert_eq!(found.text, "First line and then…");
        assert!(found.ranges.is_empty());
    }

    #[test]
    fn marks_of_headings_and_blanks_are_not_shown() {
        let text =
            "#osint\n\n##  Saisie du téléphone\n\n  - couper \t le réseau # avant la saisie\n";
        let found = snippet("saisie réseau", "fr", text, 200);
        assert_eq!(
            found.text,
            "#osint Saisie du téléphone - couper le réseau # avant la saisie"
        );
        let words = found.ranges.iter().map(|&(from, to)| &found.text[from..to]);
        assert_eq!(words.collect::<Vec<_>>(), ["Saisie", "réseau", "saisie"]);
        let code = snippet("saisie", "fr", "```\n# saisie\n```", 200);
        assert_eq!(code.text, "``` # saisie ```");
        let cut = snippet("téléphone", "fr", text, 20);
        assert_eq!(cut.ranges.len(), 1, "{}", cut.text);
        assert_eq!(&cut.text[cut.ranges[0].0..cut.ranges[0].1], "téléphone");
    }

    proptest! {
        #[test]
        fn ranges_lie_on_words_within_bounds(
            text in any::<String>(),
            words in prop::collection::vec("[a-c]{1,2}|الف|é", 0..60),
            query in "[a-c ]{0,5}|الف|é",
            max_chars in 0usize..90,
        ) {
            for text in [text, words.join(" ")] {
                for lang in ["fr", "ar", "el"] {
                    let found = snippet(&query, lang, &text, max_chars);
                    prop_assert!(found.text.chars().count() <= max_chars.max(2));
                    let mut last = 0;
                    for (from, to) in found.ranges {
                        prop_assert!(from >= last && found.text.get(from..to).is_some());
                        last = to;
                    }
                }
            }
        }
    }
}
