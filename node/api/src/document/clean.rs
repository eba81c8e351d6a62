//! The form that texts take before they are stored: one line end, NFC, no invisible characters
//! that change what a reader sees or what a search finds.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Brings a text into the stored form. The result is its own clean form.
///
/// - CRLF, CR and the Unicode line and paragraph separators become LF.
/// - Control characters other than LF and tab go, and so do zero-width spaces and byte order
///   marks. The zero-width joiner and non-joiner stay: Persian, Urdu and emoji are spelt with them.
/// - Of the characters that steer the direction of text only isolates stay, and only where they
///   balance within their line: others can make a text read differently from what it says.
/// - Text is in Unicode normalisation form C.
pub(crate) fn clean(text: &str) -> String {
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let visible = without_invisible(text);
    let balanced = without_open_isolates(&visible);
    if is_nfc(&balanced) {
        balanced.into_owned()
    } else {
        balanced.nfc().collect()
    }
}

/// [`clean`], on one line without white space around it.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts a text to `limit` bytes at a character; says whether it was longer.
pub(crate) fn cut(text: &mut String, limit: usize) -> bool {
    if text.len() <= limit {
        return false;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.truncate(text.trim_end().len());
    true
}

fn without_invisible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_changed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                out.push('\n');
            }
            '\u{2028}' | '\u{2029}' => out.push('\n'),
            _ if is_changed(c) => {}
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// ASCII that stays as it is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}

fn is_changed(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        ' '..='\u{7e}' => false,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{2028}'..='\u{202e}' => true,
        _ => c.is_control(),
    }
}

fn is_isolate(c: char) -> bool {
    ('\u{2066}'..='\u{2069}').contains(&c)
}

fn without_open_isolates(text: &str) -> Cow<'_, str> {
    if !text.contains(is_isolate) {
        return Cow::Borrowed(text);
    }
    let kept = text.split_inclusive('\n').map(|line| {
        if isolates_balance(line) {
            Cow::Borrowed(line)
        } else {
            Cow::Owned(line.replace(is_isolate, ""))
        }
    });
    Cow::Owned(kept.collect())
}

fn isolates_balance(line: &str) -> bool {
    let mut open = 0_usize;
    for c in line.chars().filter(|c| is_isolate(*c)) {
        open = match (c, open) {
            ('\u{2069}', 0) => return false,
            ('\u{2069}', _) => open - 1,
            _ => open + 1,
        };
    }
    open == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn invisible_characters_go_and_what_spells_words_stays() {
        for (written, stored) in [
            ("a\r\nb\rc\u{2028}d", "a\nb\nc\nd"),
            ("a\u{0}\u{7}\u{85}b\tc", "ab\tc"),
            ("mot\u{200b}de\u{feff}passe", "motdepasse"),
            (
                "می\u{200c}خواهم \u{1f468}\u{200d}\u{1f469}",
                "می\u{200c}خواهم \u{1f468}\u{200d}\u{1f469}",
            ),
            ("e\u{301}te\u{301}", "été"),
            ("\u{202e}cod.exe\u{202c}", "cod.exe"),
            ("a\u{200f}b", "ab"),
            (
                "see \u{2068}TLP:RED\u{2069} here",
                "see \u{2068}TLP:RED\u{2069} here",
            ),
            ("\u{2067}open\nnext \u{2069}", "open\nnext "),
            ("\u{2069}\u{2066}", ""),
        ] {
            assert_eq!(clean(written), stored, "{written:?}");
        }
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let mut text = "شرطة".to_owned();
        assert!(cut(&mut text, 5));
        assert_eq!(text, "شر");
        assert!(!cut(&mut text, 4));
    }

    proptest! {
        #[test]
        fn a_clean_text_is_its_own_clean_form(
            text in "[a-z\u{0}-\u{1f}\u{85}\u{300}-\u{304}\u{61c}\u{627}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}\u{feff}]{0,40}"
        ) {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once);
        }
    }
}
