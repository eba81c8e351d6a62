//! Texts as they stand on a terminal: safe, isolated, and of a known width.

use unicode_width::UnicodeWidthStr;

pub(crate) use diwan_api::text::{block, isolate, line};

/// Columns that the text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isolates_take_no_room() {
        assert_eq!(width(&isolate("دليل")), 4);
        assert_eq!(width("été"), 3);
    }
}
