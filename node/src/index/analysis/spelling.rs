//! Words as they are spelt: what tells an exact hit from one that shares its stem, and finds a word in a
//! language whose stemmer needs the accents that somebody left out.

use unicode_normalization::UnicodeNormalization;

use super::fold::{drop_hamza_marks, fold, is_invisible};

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

/// The spellings of a word of a record: its own, and the folded one where it is another.
pub(super) fn forms(word: &str, folded: &mut String, exact: &mut String, others: &mut Vec<String>) {
    others.clear();
    spell(word, exact, folded);
    if folded != exact {
        others.push(format!("{folded}{FOLDED}"));
    }
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
