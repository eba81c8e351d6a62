//! Words as they are spelt: what tells an exact hit from one that shares its stem, and finds a word in a
//! language whose stemmer needs the accents that somebody left out.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;

use super::MAX_WORD_CHARS;
use super::fold::{drop_hamza_marks, fold, is_invisible};
use super::words::next_word;

/// What stands behind a word that was spelt otherwise, so that `cote` is not taken for `côte`.
const FOLDED: char = '\u{1}';

/// The spellings that a word of a query is looked for in: its own, and those that differ in accents, vowel
/// signs or letter variants.
pub(in crate::index) fn spellings(word: &str) -> (String, Vec<String>) {
    let (mut exact, mut folded) = (String::new(), String::new());
    spell(word, &mut exact, &mut folded);
    let mut others = Vec::with_capacity(2);
    others.push(format!("{folded}{FOLDED}"));
    if folded != exact {
        others.push(folded);
    }
    (exact, others)
}

/// In lower case, and folded.
fn spell(word: &str, exact: &mut String, folded: &mut String) {
    exact.clear();
    folded.clear();
    if word.is_ascii() {
        exact.push_str(word);
        exact.make_ascii_lowercase();
        folded.push_str(exact);
        return;
    }
    let lower = word.nfc().filter(|c| !is_invisible(*c));
    exact.extend(lower.flat_map(char::to_lowercase));
    let mut marked = String::new();
    fold(word, &mut marked);
    drop_hamza_marks(&marked, folded);
}

/// The tokenizer of all languages: each word as it is spelt, and folded where that differs.
#[derive(Clone, Default)]
pub(in crate::index) struct Spelling;

impl Tokenizer for Spelling {
    type TokenStream<'a> = SpellingStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> SpellingStream<'a> {
        SpellingStream {
            text,
            next_byte: 0,
            next_position: 0,
            token: Token::default(),
            folded: String::new(),
            is_folded_next: false,
        }
    }
}

/// The words of one text, in order.
pub(in crate::index) struct SpellingStream<'a> {
    text: &'a str,
    next_byte: usize,
    next_position: usize,
    token: Token,
    folded: String,
    is_folded_next: bool,
}

impl TokenStream for SpellingStream<'_> {
    fn advance(&mut self) -> bool {
        if std::mem::take(&mut self.is_folded_next) {
            self.token.text.clear();
            self.token.text.push_str(&self.folded);
            self.token.text.push(FOLDED);
            return true;
        }
        while let Some(range) = next_word(self.text, self.next_byte) {
            self.next_byte = range.end;
            let word = self.text.get(range.clone()).unwrap_or_default();
            if word.len() > MAX_WORD_CHARS * 4 {
                continue;
            }
            spell(word, &mut self.token.text, &mut self.folded);
            if self.token.text.is_empty() || self.folded.is_empty() {
                continue;
            }
            self.is_folded_next = self.folded != self.token.text;
            self.token.position = self.next_position;
            self.next_position += 1;
            self.token.offset_from = range.start;
            self.token.offset_to = range.end;
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
