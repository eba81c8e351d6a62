//! A text as the rules look at it: digits of other scripts as 0 to 9, every space a space, every hyphen a
//! hyphen, and nothing invisible. A number that was pasted from a chat carries all of these.

use std::borrow::Cow;

/// The plain text, and where its parts were.
pub(super) struct Plain<'a> {
    text: Cow<'a, str>,
    /// (offset in the plain text, offset in the original), where they part.
    moves: Vec<(usize, usize)>,
}

impl<'a> Plain<'a> {
    pub(super) fn of(original: &'a str) -> Self {
        if original.is_ascii() {
            return Self {
                text: Cow::Borrowed(original),
                moves: Vec::new(),
            };
        }
        let mut text = String::with_capacity(original.len());
        let mut moves = Vec::new();
        for (at, c) in original.char_indices() {
            if let Some(plain) = plain(c) {
                text.push(plain);
                if plain == c {
                    continue;
                }
            }
            let next = at.saturating_add(c.len_utf8());
            moves.push((text.len(), next));
        }
        Self {
            text: Cow::Owned(text),
            moves,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Line and character of an offset in the plain text, both from 1, as the original counts them.
    pub(super) fn place(&self, original: &str, offset: usize) -> (u64, u64) {
        let moved = self.moves.partition_point(|(at, _)| *at <= offset);
        let moved = moved.checked_sub(1).and_then(|at| self.moves.get(at));
        let (plain, was) = moved.copied().unwrap_or_default();
        let at = was.saturating_add(offset.saturating_sub(plain));
        let before = original.get(..at).unwrap_or(original);
        let line = before.matches('\n').count() as u64 + 1;
        let last = before.rsplit('\n').next().unwrap_or(before);
        (line, last.chars().count() as u64 + 1)
    }
}

/// The character that stands for this one; none for what is not seen.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
        // Full-width forms of ASCII (Unicode block Halfwidth and Fullwidth Forms).
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        // Soft hyphen, joiners, direction marks, embeddings and isolates, the byte order mark.
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        '\u{2060}'..='\u{2069}' | '\u{feff}' => return None,
        c => c,
    })
}

fn digit(c: char, zero: char) -> char {
    let value = u32::from(c) - u32::from(zero);
    char::from_digit(value, 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_goes_and_places_stay() {
        let original = "سطر\nهاتف \u{202a}+٢١٦\u{a0}98\u{2011}1\u{202c} x";
        let plain = Plain::of(original);
        assert_eq!(plain.text(), "سطر\nهاتف +216 98-1 x");
        let plus = plain.text().find('+').unwrap();
        assert_eq!(plain.place(original, plus), (2, 7));
        let last = plain.text().find('x').unwrap();
        assert_eq!(plain.place(original, last), (2, 18));
        assert_eq!(Plain::of("a\nbc").place("a\nbc", 3), (2, 2));
    }
}
