//! The query text: words, phrases and exclusions, told apart within bounds.

use tantivy::tokenizer::TokenStream;
use unicode_normalization::char::is_combining_mark;

use super::analysis::{Language, Side, is_invisible, is_letter, is_within_hebrew};
use super::error::IndexError;

/// The longest query text, bytes of UTF-8.
pub const MAX_QUERY_BYTES: usize = 10 * 1024;

/// The most words in a query text.
pub const MAX_QUERY_TERMS: usize = 256;

/// Letters that a prefix has at least.
const PREFIX_LETTERS: usize = 2;

/// A piece of the query text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clause<'a> {
    pub(super) text: &'a str,
    pub(super) phrase: bool,
    pub(super) excluded: bool,
    /// Words that begin so.
    pub(super) prefix: bool,
    /// `OR` stands before or behind it.
    pub(super) either: bool,
}

impl Clause<'_> {
    fn is_or(&self) -> bool {
        self.text == "OR" && !self.phrase && !self.excluded
    }
}

/// Splits the query text into clauses, in bounds.
pub(super) fn parse(text: &str) -> Result<Vec<Clause<'_>>, IndexError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(IndexError::QueryTooLong {
            bytes: text.len(),
            limit: MAX_QUERY_BYTES,
        });
    }
    let terms = analyse(Language::Other, text).len();
    if terms > MAX_QUERY_TERMS {
        return Err(IndexError::TooManyTerms {
            terms,
            limit: MAX_QUERY_TERMS,
        });
    }
    let mut clauses: Vec<Clause<'_>> = Vec::new();
    let mut or = false;
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let (mut clause, after) = next_clause(rest);
        rest = after.trim_start_matches(is_blank);
        if clause.text == "*" && !clause.phrase {
            return Err(IndexError::WildcardAlone);
        }
        // `OR` stands between two: alone at an end it is a word.
        if clause.is_or() && !clauses.is_empty() && !rest.is_empty() && !or {
            or = true;
            continue;
        }
        if std::mem::take(&mut or) {
            clause.either = true;
            if let Some(before) = clauses.last_mut() {
                before.either = true;
            }
        }
        clauses.push(clause);
    }
    Ok(clauses)
}

fn next_clause(text: &str) -> (Clause<'_>, &str) {
    let negated = text
        .strip_prefix('-')
        .filter(|after| after.starts_with(|c: char| is_quote(c) || c.is_alphanumeric()));
    let excluded = negated.is_some();
    let text = negated.unwrap_or(text);
    let opened = text.strip_prefix(is_quote);
    if let Some((phrase, after)) = opened.and_then(split_at_quote) {
        let clause = Clause {
            text: phrase,
            phrase: true,
            excluded,
            prefix: false,
            either: false,
        };
        return (clause, after);
    }
    let text = opened.unwrap_or(text);
    let (word, after) = split_word(text);
    let begun = word
        .strip_suffix('*')
        .filter(|begun| begun.chars().filter(|c| c.is_alphanumeric()).count() >= PREFIX_LETTERS);
    let clause = Clause {
        text: begun.unwrap_or(word),
        phrase: false,
        excluded,
        prefix: begun.is_some(),
        either: false,
    };
    (clause, after)
}

/// What stands before the first quotation mark and behind it; none where there is none.
pub(crate) fn split_at_quote(text: &str) -> Option<(&str, &str)> {
    let at = quote_or(text, |_| false)?;
    let (before, from) = text.split_at_checked(at)?;
    Some((before, from.strip_prefix(is_quote)?))
}

/// A word up to a blank or a quotation mark, and what comes from there on.
pub(crate) fn split_word(text: &str) -> (&str, &str) {
    let end = quote_or(text, is_blank).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Where the first quotation mark is, or whatever else ends a piece. One within a Hebrew word (`דו"ח`) is of the
/// word, as in texts.
fn quote_or(text: &str, ends: impl Fn(char) -> bool) -> Option<usize> {
    let mut letter = ' ';
    for (at, c) in text.char_indices() {
        let is_quote = is_quote(c) && !is_within_hebrew(letter, c, text.get(at + c.len_utf8()..));
        if is_quote || ends(c) {
            return Some(at);
        }
        // A mark is of the letter before it.
        if is_letter(c) || !(is_combining_mark(c) || is_invisible(c)) {
            letter = c;
        }
    }
    None
}

pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

pub(crate) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

/// A term of the query with its place in the text.
pub(super) struct QueryTerm {
    pub(super) text: String,
    /// Which word it is; forms of one word share it.
    pub(super) position: usize,
    /// Byte at which the word begins.
    pub(super) offset: usize,
    /// Byte behind its end.
    pub(super) end: usize,
}

/// Whether a piece of the query has a word in any language.
pub(super) fn is_worded(text: &str) -> bool {
    let mut languages = Language::ALL.into_iter();
    languages.any(|language| !analyse(language, text).is_empty())
}

/// The terms that a language makes of a piece of the query.
pub(super) fn analyse(language: Language, text: &str) -> Vec<QueryTerm> {
    let mut analyser = language.analyser(Side::Query);
    let mut terms = Vec::new();
    analyser.token_stream(text).process(&mut |token| {
        terms.push(QueryTerm {
            text: token.text.clone(),
            position: token.position,
            offset: token.offset_from,
            end: token.offset_to,
        });
    });
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{IndexError, MAX_QUERY_BYTES, MAX_QUERY_TERMS, parse};

    /// Clauses as `word`, `"phrase"`, with `-` where excluded.
    fn clauses(text: &str) -> Vec<String> {
        let shown = |clause: super::Clause<'_>| {
            let minus = if clause.excluded { "-" } else { "" };
            let quote = if clause.phrase { "\"" } else { "" };
            let end = if clause.prefix { "*" } else { "" };
            let either = if clause.either { "|" } else { "" };
            format!("{minus}{quote}{}{quote}{end}{either}", clause.text)
        };
        parse(text).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn words_phrases_and_exclusions_are_told_apart() {
        assert_eq!(clauses("a b"), ["a", "b"]);
        assert_eq!(
            clauses("\"a b\"c -d -\"e f\""),
            ["\"a b\"", "c", "-d", "-\"e f\""]
        );
        assert_eq!(clauses("“a b” e-mail"), ["\"a b\"", "e-mail"]);
        assert_eq!(clauses("مكافحة -الإرهاب"), ["مكافحة", "-الإرهاب"]);
    }

    #[test]
    fn beginnings_and_alternatives_are_told_apart() {
        assert_eq!(clauses("cyber* ab*"), ["cyber*", "ab*"]);
        assert_eq!(clauses("a OR \"b c\" d"), ["a|", "\"b c\"|", "d"]);
        assert_eq!(clauses("OR a OR"), ["OR", "a", "OR"]);
        assert_eq!(
            clauses("דו\"ח \"דוֹ\"\u{200f}ח שנתי\" -צה\"ל שלום\"ab\""),
            [
                "דו\"ח",
                "\"דוֹ\"\u{200f}ח שנתי\"",
                "-צה\"ל",
                "שלום",
                "\"ab\""
            ]
        );
        assert!(matches!(parse("a * b"), Err(IndexError::WildcardAlone)));
    }

    #[test]
    fn stray_signs_are_harmless() {
        assert_eq!(clauses("a - b -- c"), ["a", "-", "b", "--", "c"]);
        assert_eq!(clauses("a \"b c"), ["a", "b", "c"]);
        assert_eq!(clauses("a\u{0}b\u{1b}\u{7f}"), ["a", "b"]);
        assert!(clauses(" \t\u{0} ").is_empty());
    }

    #[test]
    fn the_text_is_bounded() {
        let long = "a".repeat(MAX_QUERY_BYTES + 1);
        assert!(matches!(
            parse(&long),
            Err(IndexError::QueryTooLong { bytes: 10_241, .. })
        ));
        assert!(parse(&"a ".repeat(MAX_QUERY_TERMS)).is_ok());
        let many = "a-".repeat(MAX_QUERY_TERMS + 1);
        assert!(matches!(
            parse(&many),
            Err(IndexError::TooManyTerms { terms: 257, .. })
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(text in r#"([-"“ a\x00é'ش]|\PC){0,40}"#) {
            match parse(&text) {
                Ok(clauses) => {
                    for clause in clauses {
                        prop_assert!(text.contains(clause.text));
                    }
                }
                // The one mistake there is.
                Err(error) => {
                    let is_alone = matches!(error, IndexError::WildcardAlone);
                    prop_assert!(is_alone && text.contains('*'));
                }
            }
        }
    }
}
