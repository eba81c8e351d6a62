//! What every Rust file keeps to: a length that can be read, no unsafe code, no unfinished code,
//! reasons where a rule is set aside, and a place in a crate.

use super::lexer::{Kind, Token, tokens};
use super::scopes::attribute;
use super::tree::{Repository, RustFile};

/// Past this a file holds a second subject. No exemptions.
const MAX_LINES: usize = 600;

/// Macros that stand for code not written.
const UNFINISHED: &[&str] = &["todo", "unimplemented"];

fn problems(file: &RustFile) -> Vec<String> {
    let mut found = Vec::new();
    let lines = file.text.lines().count();
    if lines > MAX_LINES {
        found.push(format!(
            "{}: {lines} lines, more than {MAX_LINES}; split it by subject",
            file.path
        ));
    }
    if file.place.is_none() {
        found.push(format!(
            "{}: no crate declares this file, so it never runs",
            file.path
        ));
    }
    for (line, fault) in faults(&file.text) {
        found.push(format!("{}:{line}: {fault}", file.path));
    }
    found
}

/// Lines with what must not be there.
fn faults(text: &str) -> Vec<(usize, &'static str)> {
    let tokens = tokens(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if let Some((inside, end)) = attribute(&tokens, at) {
            let last = tokens.get(end - 1).map_or(token.line, |t| t.line);
            found
                .extend(attribute_fault(inside, &lines, token.line, last).map(|f| (token.line, f)));
        }
        if token.is_word("unsafe") {
            found.push((token.line, "`unsafe` is forbidden"));
        }
        let is_macro = tokens.get(at + 1).is_some_and(|t| t.is_mark('!'));
        if is_macro && token.word().is_some_and(|w| UNFINISHED.contains(&w)) {
            found.push((token.line, "unfinished code"));
        }
    }
    found
}

/// `inside` is an attribute that stands on the lines from `first` to `last`.
fn attribute_fault(
    inside: &[Token],
    lines: &[&str],
    first: usize,
    last: usize,
) -> Option<&'static str> {
    let gives_text = inside
        .iter()
        .any(|t| matches!(&t.kind, Kind::Text(t) if !t.trim().is_empty()));
    match inside.first()?.word()? {
        "ignore" if !gives_text => Some("`#[ignore]` without its reason"),
        "allow" | "expect" if !gives_text && !is_explained(lines, first, last) => {
            Some("`#[allow]` without its reason: a comment above or beside it, or `reason = \"…\"`")
        }
        _ => None,
    }
}

/// A comment, not documentation, stands above the attribute or behind it.
fn is_explained(lines: &[&str], first: usize, last: usize) -> bool {
    let line = |number: usize| number.checked_sub(1).and_then(|i| lines.get(i)).copied();
    let above = line(first - 1).unwrap_or_default().trim_start();
    let behind = line(last)
        .and_then(|l| l.rsplit_once(']'))
        .map_or("", |(_, rest)| rest)
        .trim_start();
    let is_comment =
        |text: &str| text.starts_with("//") && !text.starts_with("///") && !text.starts_with("//!");
    is_comment(above) || is_comment(behind)
}

#[test]
fn every_file_keeps_the_habits() {
    let repository = Repository::read().unwrap();
    super::none(&repository.files().flat_map(problems).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::super::paths::outline;
    use super::super::tree::Place;
    use super::*;

    fn file(text: &str, place: Option<Place>) -> RustFile {
        RustFile {
            path: "f.rs".to_owned(),
            text: text.to_owned(),
            outline: outline(text),
            place,
        }
    }

    #[test]
    fn a_file_beyond_the_length_is_refused() {
        let root = Some(Place {
            library: true,
            test: false,
            module: Vec::new(),
        });
        assert_eq!(
            problems(&file(&"\n".repeat(MAX_LINES), root.clone())).len(),
            0
        );
        assert_eq!(problems(&file(&"\n".repeat(MAX_LINES + 1), root)).len(), 1);
    }

    #[test]
    fn a_forgotten_file_is_refused() {
        assert_eq!(problems(&file("", None)).len(), 1);
    }

    #[test]
    fn faults_are_found_on_their_line() {
        for text in [
            "\nfn f() { unsafe { g() } }",
            "\nfn f() { todo!() }",
            "\nfn f() { unimplemented!(\"later\") }",
            "\n#[allow(dead_code)]\nfn f() {}",
            "\n#![allow(dead_code)]",
            "/// What it is.\n#[allow(dead_code)]\nfn f() {}",
            "\n#[ignore]\n#[test] fn f() {}",
            "\n#[ignore = \"\"]\n#[test] fn f() {}",
        ] {
            let found: Vec<_> = faults(text).iter().map(|(line, _)| *line).collect();
            assert_eq!(found, [2], "{text}");
        }
    }

    #[test]
    fn reasons_are_accepted() {
        for text in [
            "#[allow(dead_code, reason = \"the other half is Windows\")]",
            "// The other half is Windows.\n#[allow(dead_code)]",
            "#[allow(dead_code)] // the other half is Windows",
            "#[allow(\n    dead_code,\n)] // the other half is Windows",
            "#[ignore = \"run by its sibling\"]",
            "// unsafe todo!() #[allow(dead_code)]",
            "const A: &str = \"unsafe #[ignore]\";",
        ] {
            assert_eq!(faults(text), [], "{text}");
        }
    }
}
