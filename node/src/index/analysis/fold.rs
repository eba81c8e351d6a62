//! Folding: the spelling differences that no search should see.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// Writes the folded word to `out`: compatibility forms resolved, lower case, without accents,
/// vowel signs, tatweel and invisible characters, Arabic letter variants and digits unified.
///
/// The hamza marks that the decomposition sets free stay in place: they tell an alef that belongs
/// to the word (آليات) from the article's. [`drop_hamza_marks`] removes them.
pub(super) fn fold(word: &str, out: &mut String) {
    out.clear();
    if word.is_ascii() {
        out.push_str(word);
        out.make_ascii_lowercase();
        return;
    }
    for c in word.nfkd().flat_map(char::to_lowercase) {
        if !is_dropped(c) {
            push_folded(c, out);
        }
    }
}

/// Copies a folded word without its hamza marks.
pub(super) fn drop_hamza_marks(folded: &str, out: &mut String) {
    if folded.is_ascii() {
        out.push_str(folded);
        return;
    }
    out.extend(folded.chars().filter(|&c| !is_hamza_mark(c)));
}

/// Madda and hamza above or below a letter, as decomposition leaves them.
pub(super) fn is_hamza_mark(c: char) -> bool {
    matches!(c, '\u{653}'..='\u{655}')
}

/// Characters without a shape that may stand inside a word: joiners, direction controls, soft
/// hyphen, variation selectors, and the tatweel, which only stretches the line.
pub(in crate::index) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{640}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn is_dropped(c: char) -> bool {
    if is_invisible(c) {
        return true;
    }
    if is_combining_mark(c) {
        // Accents, Hebrew points and Arabic vowel signs can be left out in writing. The marks
        // of other classes (Indic and Thai vowels, the Japanese voicing mark) are letters.
        return !is_hamza_mark(c) && matches!(canonical_combining_class(c), 10..=36 | 200..=240);
    }
    // What compatibility forms decompose to beside letters: spaces, brackets, slashes.
    !c.is_alphanumeric()
}

fn push_folded(c: char, out: &mut String) {
    match c {
        'œ' => out.push_str("oe"),
        'æ' => out.push_str("ae"),
        'ß' => out.push_str("ss"),
        'þ' => out.push_str("th"),
        'ø' => out.push('o'),
        'ł' => out.push('l'),
        'đ' | 'ð' => out.push('d'),
        // Turkish writes four letters i; people type whichever their keyboard has.
        'ı' => out.push('i'),
        'ς' => out.push('σ'),
        // Hebrew letters at the end of a word.
        'ך' => out.push('כ'),
        'ם' => out.push('מ'),
        'ן' => out.push('נ'),
        'ף' => out.push('פ'),
        'ץ' => out.push('צ'),
        // Alef wasla, alef maqsura and Persian ya, ta marbuta, Persian kaf.
        '\u{671}' => out.push('ا'),
        '\u{649}' | '\u{6cc}' => out.push('ي'),
        'ة' => out.push('ه'),
        '\u{6a9}' => out.push('ك'),
        '\u{660}'..='\u{669}' => push_digit(c, '\u{660}', out),
        '\u{6f0}'..='\u{6f9}' => push_digit(c, '\u{6f0}', out),
        _ => out.push(c),
    }
}

fn push_digit(c: char, zero: char, out: &mut String) {
    let value = u32::from(c).wrapping_sub(u32::from(zero));
    out.extend(char::from_digit(value, 10));
}
