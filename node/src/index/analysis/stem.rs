//! Snowball stemmers, and what they must see of a word to work: most take a folded one.
//!
//! Most endings are the same without their accents. Portuguese nouns have a few that their stemmer knows with the
//! accent alone: those get it back, whether or not the writer set it. Greek nouns in -ία keep a vowel of their
//! ending in some cases, which goes as well. Turkish suffixes follow the vowels of the word, and its dotless i is
//! one of them: a word is stemmed as it is written, and folded after that.

use frostem::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

use super::Language;
use super::fold::{drop_hamza_marks, fold, is_invisible};

/// Endings of folded Portuguese words, and as the stemmer knows them.
const ACCENTED: [(&str, &str); 3] = [("cao", "ção"), ("coes", "ções"), ("sao", "são")];
/// Letters that remain of a Greek stem before its last vowel goes.
const GREEK_LETTERS: usize = 3;

/// How the words of a language are stemmed.
#[derive(Clone, Copy)]
pub(super) struct Stemming {
    language: Language,
    stemmer: Stemmer,
}

impl Stemming {
    /// None where there is no such stemmer, or rules of our own.
    pub(super) fn of(language: Language) -> Option<Self> {
        let algorithm = match language {
            Language::French => Algorithm::French,
            Language::English => Algorithm::English,
            Language::Spanish => Algorithm::Spanish,
            Language::Italian => Algorithm::Italian,
            Language::Portuguese => Algorithm::Portuguese,
            Language::German => Algorithm::German,
            Language::Greek => Algorithm::Greek,
            Language::Turkish => Algorithm::Turkish,
            Language::Arabic | Language::Hebrew | Language::Other => return None,
        };
        Some(Self {
            language,
            stemmer: Stemmer::new(algorithm),
        })
    }

    /// The stem of a word as it is written; `scratch` is overwritten.
    pub(super) fn stem(self, word: &str, scratch: &mut String, stem: &mut String) {
        stem.clear();
        if self.language == Language::Turkish {
            let lower = lower_turkish(word);
            fold(&self.stemmer.stem(&lower), scratch);
            drop_hamza_marks(scratch, stem);
            return;
        }
        fold(word, scratch);
        let is_portuguese = self.language == Language::Portuguese;
        for (plain, accented) in ACCENTED.iter().filter(|_| is_portuguese) {
            if scratch.ends_with(plain) {
                scratch.truncate(scratch.len() - plain.len());
                scratch.push_str(accented);
                break;
            }
        }
        let stemmed = self.stemmer.stem(scratch);
        if stemmed.is_ascii() {
            stem.push_str(&stemmed);
        } else {
            let mut folded = String::new();
            fold(&stemmed, &mut folded);
            drop_hamza_marks(&folded, stem);
        }
        if self.language == Language::Greek
            && let Some(shorter) = stem.strip_suffix('ι')
            && shorter.chars().count() >= GREEK_LETTERS
        {
            stem.truncate(shorter.len());
        }
    }
}

fn lower_turkish(word: &str) -> String {
    let mut lower = String::with_capacity(word.len());
    for c in word.nfc().filter(|c| !is_invisible(*c)) {
        match c {
            'I' => lower.push('ı'),
            'İ' => lower.push('i'),
            c => lower.extend(c.to_lowercase()),
        }
    }
    lower
}
