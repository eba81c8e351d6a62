//! Splits a text into words and hands each on folded, in the form of the search engine's
//! tokenizer.

use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::fold::{drop_hamza_marks, fold, is_invisible};
use super::stem::Stemming;
use super::{Language, MAX_WORD_CHARS, Side, arabic, hebrew, spelling};

/// Source bytes of a word that are looked at: letters of four bytes, each under a few marks.
const MAX_WORD_BYTES: usize = MAX_WORD_CHARS * 16;

/// Italian words that do so.
const ELIDED_ITALIAN: [&str; 12] = [
    "l", "un", "d", "c", "s", "dell", "nell", "sull", "all", "dall", "quell", "quest",
];

/// French words that lose their vowel before an apostrophe and say nothing on their own.
const ELIDED: [&str; 13] = [
    "c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu",
];

/// The tokenizer of one language and side.
#[derive(Clone)]
pub(super) struct Words {
    language: Language,
    side: Side,
    stemming: Option<Stemming>,
    is_spelt: bool,
}

impl Words {
    pub(super) fn new(language: Language, side: Side) -> Self {
        Self {
            language,
            side,
            stemming: Stemming::of(language),
            is_spelt: false,
        }
    }

    /// That of spellings.
    pub(super) fn spelt() -> Self {
        Self {
            is_spelt: true,
            ..Self::new(Language::Other, Side::Record)
        }
    }
}

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream {
            text,
            next_byte: 0,
            next_position: 0,
            language: self.language,
            side: self.side,
            stemming: self.stemming,
            is_spelt: self.is_spelt,
            token: Token::default(),
            other_forms: Vec::new(),
            folded: String::new(),
        }
    }
}

/// The words of one text, in order. The forms of one word share its position and offsets.
pub(super) struct WordStream<'a> {
    text: &'a str,
    next_byte: usize,
    next_position: usize,
    language: Language,
    side: Side,
    stemming: Option<Stemming>,
    is_spelt: bool,
    token: Token,
    other_forms: Vec<String>,
    folded: String,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        if let Some(form) = self.other_forms.pop() {
            self.token.text = form;
            return true;
        }
        while let Some(range) = next_word(self.text, self.next_byte) {
            self.next_byte = range.end;
            if !is_particle(self.language, self.text, &range) && self.take(range) {
                return true;
            }
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

impl WordStream<'_> {
    /// Makes the word the current token, unless it carries nothing to search for.
    fn take(&mut self, range: Range<usize>) -> bool {
        let word = self.text.get(range.clone()).unwrap_or_default();
        let position = self.next_position;
        self.next_position += 1;
        if word.len() > MAX_WORD_BYTES {
            return false;
        }
        self.token.text.clear();
        if self.is_spelt {
            let (exact, others) = (&mut self.token.text, &mut self.other_forms);
            spelling::forms(word, &mut self.folded, exact, others);
        } else if let Some(stemming) = self.stemming {
            stemming.stem(word, &mut self.folded, &mut self.token.text);
        } else {
            fold(word, &mut self.folded);
            let (stem, others) = (&mut self.token.text, &mut self.other_forms);
            match self.language {
                Language::Arabic => arabic::forms(&self.folded, self.side, stem, others),
                Language::Hebrew => hebrew::forms(&self.folded, stem, others),
                _ => drop_hamza_marks(&self.folded, stem),
            }
        }
        let text = &self.token.text;
        // Few words have more bytes than that, and the letters of no others are counted.
        let is_long = text.len() > MAX_WORD_CHARS && text.chars().count() > MAX_WORD_CHARS;
        if text.is_empty() || is_long {
            self.other_forms.clear();
            return false;
        }
        self.token.position = position;
        self.token.offset_from = range.start;
        self.token.offset_to = range.end;
        true
    }
}

/// The words of a text as they are written, without those that say nothing on their own.
pub(in crate::index) fn written(
    language: Language,
    text: &str,
) -> impl Iterator<Item = Range<usize>> {
    let mut next_byte = 0;
    let words = std::iter::from_fn(move || {
        let range = next_word(text, next_byte)?;
        next_byte = range.end;
        Some(range)
    });
    words.filter(move |range| !is_particle(language, text, range))
}

/// An elided French or Italian word (`l'`, `qu'`, `dell'`) or the English possessive `'s`: grammar that hangs
/// on a word by an apostrophe. It takes no position, so phrases read across it.
fn is_particle(language: Language, text: &str, range: &Range<usize>) -> bool {
    let word = text.get(range.clone()).unwrap_or_default();
    let after = || text.get(range.end..).unwrap_or_default();
    let before = || text.get(..range.start).unwrap_or_default();
    match language {
        Language::French | Language::Italian => {
            let elided = match language {
                Language::French => &ELIDED[..],
                _ => &ELIDED_ITALIAN[..],
            };
            after()
                .strip_prefix(is_apostrophe)
                .is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
                && elided
                    .iter()
                    .any(|elided| word.eq_ignore_ascii_case(elided))
        }
        Language::English => {
            word.eq_ignore_ascii_case("s")
                && before()
                    .strip_suffix(is_apostrophe)
                    .is_some_and(|rest| rest.ends_with(char::is_alphanumeric))
        }
        _ => false,
    }
}

/// The next word at or after a byte offset.
///
/// Words are those of UAX #29 (Unicode Text Segmentation), split once more at signs between letters (`exemple.org`,
/// `l'enquête`, `a_b`), so that each part is found alone. What it joins is joined here: combining marks and
/// invisible characters belong to the letter before them, and a Hebrew quotation mark between letters to its word
/// (`צה״ל`, rules WB7b and WB7c). Scripts without spaces come as it cuts them, most in words of one character, and
/// their phrases are runs of such words.
fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let skipped = rest.bytes().take_while(|byte| is_ascii_gap(*byte)).count();
    let rest = rest.get(skipped..)?;
    let from = from + skipped;
    let mut chars = rest.char_indices();
    let (start, first) = chars.find(|&(_, c)| is_letter(c))?;
    let from = from + start;
    let rest = rest.get(start..)?;
    if is_unspaced(first) {
        let word = rest.split_word_bounds().next()?;
        let end = word.find(|c| !is_letter(c) && !is_combining_mark(c) && !is_invisible(c));
        return Some(from..from + end.unwrap_or(word.len()));
    }
    // Most letters are plain ones, which need no table.
    let plain = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let mut end = plain.max(first.len_utf8());
    let behind = rest.get(end..).unwrap_or_default();
    let (word_end, mut letter) = (end, first);
    for (at, c) in behind.char_indices() {
        let after = at + c.len_utf8();
        let is_within = is_within_hebrew(letter, c, behind.get(after..));
        // Most words end with a sign of ASCII, which needs no table.
        if is_ascii_sign(c) && !is_within {
            break;
        }
        let is_mark = is_combining_mark(c) && !is_invisible(c);
        if is_unspaced(c) && !is_mark {
            break;
        }
        if is_letter(c) || is_mark || is_within {
            end = word_end + after;
        } else if !is_invisible(c) {
            break;
        }
        if is_letter(c) {
            letter = c;
        }
    }
    Some(from..from + end)
}

/// Whether a sign behind a letter belongs to a Hebrew word: `"` and `'`, as they are or of its own, before another
/// letter of it.
pub(in crate::index) fn is_within_hebrew(letter: char, sign: char, behind: Option<&str>) -> bool {
    let is_sign = matches!(sign, '"' | '\'' | '\u{2019}' | '\u{5f3}' | '\u{5f4}');
    let next = behind.unwrap_or_default().trim_start_matches(is_invisible);
    is_sign && is_hebrew(letter) && next.starts_with(is_hebrew)
}

fn is_hebrew(c: char) -> bool {
    matches!(c, '\u{5d0}'..='\u{5ea}' | '\u{5ef}'..='\u{5f2}' | '\u{fb1d}'..='\u{fb4f}')
}

fn is_ascii_sign(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric()
}

/// A byte that is a character by itself, and in no word.
fn is_ascii_gap(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric()
}

/// A letter or a digit; some vowel signs that are written on others call themselves so, too.
pub(in crate::index) fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && (c.is_ascii() || !is_combining_mark(c))
}

/// A letter of a script that puts no spaces between words: Thai, Lao, Burmese, Khmer, Tai, kana, ideographs.
fn is_unspaced(c: char) -> bool {
    !c.is_numeric()
        && matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{1950}'..='\u{19ff}' | '\u{1a20}'..='\u{1aaf}' | '\u{3041}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{aa60}'..='\u{aadf}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}'
        | '\u{20000}'..='\u{3ffff}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '\u{2019}' | '\u{2018}' | '\u{ff07}' | '\u{b4}' | '`'
    )
}
