//! Which lines of a Markdown text are headings: what a text is about, and where its parts begin.

/// The lines that are not empty, trimmed, and whether each is a heading. One in fenced code is none (CommonMark 0.31,
/// sections 4.2 and 4.5).
pub(super) fn lines(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut is_code = false;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(move |line| {
        is_code ^= line.starts_with("```") || line.starts_with("~~~");
        (!is_code && line.starts_with('#'), line)
    })
}

/// The headings alone.
pub(super) fn headings(text: &str) -> impl Iterator<Item = &str> {
    lines(text).filter_map(|(is_heading, line)| is_heading.then_some(line))
}

/// What a heading says: without the signs that make it one, where a blank stands behind them.
pub(super) fn unmarked(heading: &str) -> &str {
    let said = heading.trim_start_matches('#');
    if said.starts_with(char::is_whitespace) {
        said
    } else {
        heading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_no_headings() {
        let text = "# One\n\n```sh\n# no\n```\n## Two\n~~~\n# no\n~~~\ntext #3\n";
        assert_eq!(headings(text).collect::<Vec<_>>(), ["# One", "## Two"]);
        assert_eq!(headings("").count(), 0);
    }
}
