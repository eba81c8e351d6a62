//! Texts that others wrote, made safe for a terminal, and texts of both directions on one line. Both
//! programs print through here what they did not write themselves.

/// First strong isolate: what follows finds its own direction.
const FSI: char = '\u{2068}';
/// Pop directional isolate: its end.
const PDI: char = '\u{2069}';

/// A text on one line, with nothing in it that a terminal would obey: escape sequences, other
/// control characters and directional overrides become visible replacement characters, line ends and
/// tabs become spaces.
#[must_use]
pub fn line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (character, next) in with_next(text) {
        match character {
            '\r' if next == Some('\n') => {}
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => safe.push(' '),
            other => safe.push(harmless(other)),
        }
    }
    safe
}

/// A text of several lines, made safe as [`line()`] does; its line ends and tabs stay.
#[must_use]
pub fn block(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (character, next) in with_next(text) {
        match character {
            '\r' if next == Some('\n') => {}
            '\n' | '\t' => safe.push(character),
            '\u{2028}' | '\u{2029}' => safe.push('\n'),
            other => safe.push(harmless(other)),
        }
    }
    safe
}

/// The text, isolated when it runs right to left, so that what stands beside it on the line keeps
/// its place. Give it safe text only: an isolate that the text closes itself would be none.
#[must_use]
pub fn isolate(text: &str) -> String {
    if text.chars().any(is_right_to_left) {
        format!("{FSI}{text}{PDI}")
    } else {
        text.to_owned()
    }
}

fn with_next(text: &str) -> impl Iterator<Item = (char, Option<char>)> {
    let following = text.chars().skip(1).map(Some).chain([None]);
    text.chars().zip(following)
}

fn harmless(character: char) -> char {
    let commands = character.is_control()
        // Embeddings, overrides and isolates reorder what stands around them.
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        // Interlinear annotations and tags are invisible and meant for programs.
        || matches!(character, '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}');
    if commands {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

/// Hebrew, Arabic, Syriac, Thaana, N'Ko and their presentation forms.
fn is_right_to_left(character: char) -> bool {
    matches!(character,
        '\u{0590}'..='\u{08FF}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFE}'
        | '\u{10800}'..='\u{10FFF}'
        | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case 36.
    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(
            line("a\u{1b}[31mb\u{7}c\u{9b}2Jd"),
            "a\u{fffd}[31mb\u{fffd}c\u{fffd}2Jd"
        );
        assert_eq!(
            line("safe\u{202e}gpj.exe\u{2069}"),
            "safe\u{fffd}gpj.exe\u{fffd}"
        );
        assert_eq!(line("one\r\ntwo\tthree\u{2028}four"), "one two three four");
        assert_eq!(line("over\rwritten"), "over\u{fffd}written");
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(
            block("one\r\n\ttwo\u{1b}]0;x\u{7}\n"),
            "one\n\ttwo\u{fffd}]0;x\u{fffd}\n"
        );
    }

    #[test]
    fn ordinary_texts_of_any_language_stay_as_they_are() {
        for text in [
            "Procédure d’enquête",
            "دليل التحقيق (v2)",
            "ע\u{200f}ברית",
            "👩🏽‍✈️",
        ] {
            assert_eq!(line(text), text);
            assert_eq!(block(text), text);
        }
    }

    #[test]
    fn only_right_to_left_texts_are_isolated() {
        assert_eq!(isolate("preuve"), "preuve");
        assert_eq!(isolate("دليل TLP"), "\u{2068}دليل TLP\u{2069}");
    }

    #[test]
    fn a_text_cannot_leave_its_isolate() {
        let hostile = isolate(&line("عربي\u{2069}\u{202e}"));
        assert_eq!(hostile.matches(PDI).count(), 1);
        assert!(hostile.ends_with(PDI));
    }
}
