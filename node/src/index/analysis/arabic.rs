//! Arabic stems: the article and its clitics before a word, the endings behind it.
//!
//! A light stemmer in the manner of Larkey's: it takes off what is certain and never looks for
//! the root. The Snowball stemmer is not used, because it strips by the length of the whole word,
//! so that تحقيق and تحقيقات, or والشرطة and شرطة, part ways.

use super::Side;
use super::fold::{drop_hamza_marks, is_hamza_mark};

/// Letters that must remain of a word when something is taken off.
const MIN_STEM_LETTERS: usize = 3;

/// The article with the clitics that can precede it; longest first. لل is ل before the article.
const ARTICLES: [&str; 11] = [
    "وبال", "وكال", "فبال", "وال", "فال", "بال", "كال", "ولل", "فلل", "ال", "لل",
];

/// One-letter words written together with a noun without article: and, for, in.
const PROCLITICS: [char; 3] = ['و', 'ل', 'ب'];

/// Endings with the letters that must remain; longest first. Feminine, plural, possessive and
/// adjective endings; ه is also what ta marbuta was folded to. Four letters must remain before
/// ون and ين, which end many stems (قانون, تكوين).
const ENDINGS: [(&str, usize); 15] = [
    ("اتها", 3),
    ("اتهم", 3),
    ("اته", 3),
    ("تها", 3),
    ("تهم", 3),
    ("هما", 4),
    ("ته", 3),
    ("ها", 3),
    ("هم", 4),
    ("ات", 3),
    ("يه", 3),
    ("ون", 4),
    ("ين", 4),
    ("ه", 3),
    ("ي", 3),
];

/// The stem of a folded word, and other stems that the same letters may stand for.
///
/// A word that may start with an unwritten space (وفرنسا, لمكافحة) is known under both readings,
/// on the record's side too. A missing hamza makes the article ambiguous (المانيا for ألمانيا):
/// the query tries the other reading as well.
pub(super) fn forms(folded: &str, side: Side, stem_out: &mut String, others: &mut Vec<String>) {
    others.clear();
    if !folded.starts_with(|c| matches!(c, '\u{620}'..='\u{64a}')) {
        drop_hamza_marks(folded, stem_out);
        return;
    }
    let bare = without_article(folded);
    stem(bare.unwrap_or(folded), stem_out);
    if bare.is_none()
        && let Some(noun) = without_proclitic(folded)
    {
        push_stem(noun, stem_out, others);
    }
    if side == Side::Query {
        if bare.is_some() {
            push_stem(folded, stem_out, others);
        } else {
            let mut unmarked = String::new();
            drop_hamza_marks(folded, &mut unmarked);
            if let Some(noun) = without_article(&unmarked) {
                push_stem(noun, stem_out, others);
            }
        }
    }
}

fn push_stem(word: &str, main: &str, others: &mut Vec<String>) {
    let mut form = String::new();
    stem(word, &mut form);
    if form != main && !others.contains(&form) {
        others.push(form);
    }
}

fn without_article(word: &str) -> Option<&str> {
    ARTICLES
        .iter()
        .filter_map(|article| word.strip_prefix(article))
        .find(|rest| letters(rest) >= MIN_STEM_LETTERS)
}

fn without_proclitic(word: &str) -> Option<&str> {
    word.strip_prefix(PROCLITICS)
        .filter(|rest| !rest.starts_with(is_hamza_mark) && letters(rest) >= MIN_STEM_LETTERS)
}

/// Takes endings off until none fits, so that a stem is its own stem.
fn stem(word: &str, out: &mut String) {
    out.clear();
    drop_hamza_marks(word, out);
    loop {
        let length = letters(out);
        let shorter = ENDINGS.iter().find_map(|(ending, remain)| {
            out.strip_suffix(ending)
                .filter(|_| length >= letters(ending) + remain)
                .map(str::len)
        });
        // A final hamza comes and goes with the ending (قضاء, قضائية).
        let shorter = shorter.or_else(|| {
            out.strip_suffix('ء')
                .filter(|_| length > MIN_STEM_LETTERS)
                .map(str::len)
        });
        match shorter {
            Some(bytes) => out.truncate(bytes),
            None => break,
        }
    }
}

fn letters(word: &str) -> usize {
    word.chars().filter(|&c| !is_hamza_mark(c)).count()
}
