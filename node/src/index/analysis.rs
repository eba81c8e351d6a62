//! Text to terms: what makes two spellings the same word.
//!
//! A text is split into words, each word is folded (case, accents, Arabic letter variants,
//! digits), and only then stemmed: a stemmer that sees accents keeps apart what people type
//! without them. Every language has an analyser; the same one serves the records, the queries
//! and the snippets, so that they agree by construction. Beside the stems, a record's words are known as they
//! are spelt ([`spelling()`]).

mod arabic;
mod fold;
mod hebrew;
mod spelling;
mod stem;
mod words;

use tantivy::tokenizer::{TextAnalyzer, TokenStream};

pub(super) use fold::is_invisible;
pub(super) use spelling::spellings;
use words::Words;
pub(super) use words::{is_letter, is_within_hebrew, written};

/// Words longer than this, in characters after folding, are dropped: they are noise (encoded
/// data, separator lines) that nobody types and that would fill the term dictionary.
pub(super) const MAX_WORD_CHARS: usize = 64;

/// The languages with rules of their own; every other one shares [`Language::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Language {
    French,
    English,
    Arabic,
    Spanish,
    Italian,
    Portuguese,
    German,
    Greek,
    Turkish,
    Hebrew,
    Other,
}

/// Which side of a match is analysed. The query side may try more readings of an ambiguous word,
/// because they cost nothing on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Record,
    Query,
}

impl Language {
    pub(super) const ALL: [Self; 11] = [
        Self::French,
        Self::English,
        Self::Arabic,
        Self::Spanish,
        Self::Italian,
        Self::Portuguese,
        Self::German,
        Self::Greek,
        Self::Turkish,
        Self::Hebrew,
        Self::Other,
    ];

    /// The language whose rules fit a BCP 47 tag, by its primary subtag.
    pub(super) fn of_tag(tag: &str) -> Self {
        let primary = primary_subtag(tag);
        let code = match primary.as_str() {
            // What Hebrew was called until 1989.
            "iw" => "he",
            code => code,
        };
        let known = Self::ALL.into_iter().find(|of| of.code() == code);
        known.unwrap_or(Self::Other)
    }

    /// Suffix of this language's fields and name of its analyser.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
            Self::Arabic => "ar",
            Self::Spanish => "es",
            Self::Italian => "it",
            Self::Portuguese => "pt",
            Self::German => "de",
            Self::Greek => "el",
            Self::Turkish => "tr",
            Self::Hebrew => "he",
            Self::Other => "other",
        }
    }

    /// Whether a word in ASCII and its stem begin with the same letter.
    pub(super) fn keeps_first_letter(self) -> bool {
        // Snowball's rules for these look for endings.
        matches!(
            self,
            Self::French
                | Self::English
                | Self::Spanish
                | Self::Italian
                | Self::Portuguese
                | Self::German
        )
    }

    /// The analyser of this language.
    pub(super) fn analyser(self, side: Side) -> TextAnalyzer {
        TextAnalyzer::builder(Words::new(self, side)).build()
    }
}

/// The analyser of spellings, the same in all languages.
pub(super) fn spelling() -> TextAnalyzer {
    TextAnalyzer::builder(Words::spelt()).build()
}

/// The words of a text folded, one space between: what is the same whatever its case and accents.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut words = String::new();
    Language::Other
        .analyser(Side::Query)
        .token_stream(text)
        .process(&mut |token| {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&token.text);
        });
    words
}

/// The language part of a BCP 47 tag, in lower case: `fr` of `fr-CA`.
pub(super) fn primary_subtag(tag: &str) -> String {
    tag.split(['-', '_'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
