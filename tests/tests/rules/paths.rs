//! The paths that a Rust file names, in `use` trees and inline, each with the module that it stands
//! in and whether that is test code; and the modules that the file declares.

use super::lexer::{Kind, Token, tokens};
use super::scopes::{Declared, places};

/// A file's outline.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) paths: Vec<NamedPath>,
    pub(super) declared: Vec<Declared>,
}

/// A path as written: `use a::{b, c as d, e::*}` gives `a::b`, `a::c` and `a::e::*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPath {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// Names of the inline modules around it, outermost first.
    pub(super) inside: Vec<String>,
    /// Below `#[cfg(test)]` or `#[test]`.
    pub(super) test: bool,
}

impl NamedPath {
    pub(super) fn text(&self) -> String {
        self.segments.join("::")
    }

    /// The segments from the root of the crate, where the path says so (`crate`, `self`, `super`);
    /// `module` is the file's module. `None` for paths into other crates and to local names.
    pub(super) fn absolute(&self, module: &[String]) -> Option<Vec<String>> {
        let mut rest = self.segments.as_slice();
        let mut at: Vec<String> = match rest.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => module.iter().chain(&self.inside).cloned().collect(),
            _ => return None,
        };
        while let Some((first, tail)) = rest.split_first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = tail;
        }
        at.extend_from_slice(rest);
        Some(at)
    }
}

/// Reads one file's text.
pub(super) fn outline(text: &str) -> Outline {
    let tokens = tokens(text);
    let mut places = places(&tokens);
    let mut outline = Outline {
        paths: Vec::new(),
        declared: std::mem::take(&mut places.declared),
    };
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next_is = |test: fn(&Token) -> bool| tokens.get(at + 1).is_some_and(test);
        let mut found = Vec::new();
        let end = if token.is_word("use") && !next_is(|t| t.is_mark('<')) {
            use_tree(&tokens, at + 1, &[], &mut found)
        } else if token.is_word("extern") && next_is(|t| t.is_word("crate")) {
            use_tree(&tokens, at + 2, &[], &mut found)
        } else {
            inline_path(&tokens, at, &mut found)
        };
        let (inside, test) = places.at(at);
        for segments in found {
            outline.paths.push(NamedPath {
                segments,
                line: token.line,
                inside: inside.to_vec(),
                test,
            });
        }
        at = end;
    }
    outline
}

/// Collects the leaves of a `use` tree that starts at `at`, below `prefix`; gives the index
/// behind it.
fn use_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(at).map(|t| &t.kind) {
            Some(Kind::Word(word)) if word == "as" => {
                at += 2;
                break;
            }
            Some(Kind::Word(word)) => path.push(word.clone()),
            Some(Kind::Mark('*')) => path.push("*".to_owned()),
            Some(Kind::Sep) => {}
            Some(Kind::Mark('{')) => return use_group(tokens, at + 1, &path, found),
            _ => break,
        }
        at += 1;
    }
    // `a::{self}` names `a`.
    if path.len() > 1 && path.last().is_some_and(|s| s == "self") {
        path.pop();
    }
    if !path.is_empty() {
        found.push(path);
    }
    at
}

fn use_group(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Mark('}') => return at + 1,
            Kind::Mark(',') => at += 1,
            // Only text that is no Rust stands still here.
            _ => at = use_tree(tokens, at, prefix, found).max(at + 1),
        }
    }
    at
}

/// Collects `a::b::c` where it starts at `at`; gives the index behind what was read.
fn inline_path(tokens: &[Token], at: usize, found: &mut Vec<Vec<String>>) -> usize {
    let mut segments = Vec::new();
    let mut end = at;
    while let Some(word) = tokens.get(end).and_then(Token::word) {
        segments.push(word.to_owned());
        end += 1;
        let goes_on = tokens.get(end).is_some_and(|t| t.kind == Kind::Sep)
            && tokens.get(end + 1).is_some_and(|t| t.word().is_some());
        if !goes_on {
            break;
        }
        end += 1;
    }
    let before = at.checked_sub(1).and_then(|i| tokens.get(i));
    let is_method = before.is_some_and(|t| t.is_mark('.'));
    // `Vec::<T>::new`: a turbofish ends what the rules care about.
    let is_path = segments.len() > 1
        || segments.len() == 1 && tokens.get(end).is_some_and(|t| t.kind == Kind::Sep);
    if is_path && !is_method {
        found.push(segments);
    }
    end.max(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        outline(text).paths.iter().map(NamedPath::text).collect()
    }

    #[test]
    fn use_trees_are_unfolded() {
        assert_eq!(
            named("pub use crate::{a::b, c::{self, d as e}, f::*}; use ::g; use h as _;"),
            [
                "crate::a::b",
                "crate::c",
                "crate::c::d",
                "crate::f::*",
                "g",
                "h"
            ]
        );
    }

    #[test]
    fn inline_paths_are_found() {
        assert_eq!(
            named("fn f(x: &a::B) -> impl T + use<'_> { <C as d::E>::f(x.g::<h::I>(), j::k!()) }"),
            ["a::B", "d::E", "h::I", "j::k"]
        );
        assert_eq!(
            named("#[derive(clap::Parser)] struct A; Vec::<u8>::new()"),
            ["clap::Parser", "Vec"]
        );
    }

    #[test]
    fn strings_and_comments_name_nothing() {
        assert_eq!(named("// use a::b;\nlet c = \"d::e\"; /* f::g */"), [""; 0]);
    }

    #[test]
    fn test_code_is_told_apart() {
        let text = "
            use a::a;
            #[cfg(test)] use b::b;
            use c::c;
            #[test] fn f() { d::d() }
            #[cfg(test)] mod tests { use e::e; fn g(x: [u8; 4]) { f::f(); } }
            #[cfg(not(test))] use g::g;
            #[tokio::test] async fn h() { h::h() }
            impl X { #[cfg(test)] fn i() -> [u8; 2] { i::i() } fn j() { j::j() } }
        ";
        let tests: Vec<_> = outline(text)
            .paths
            .iter()
            .filter(|p| p.test && p.segments.first() != Some(&"tokio".to_owned()))
            .map(NamedPath::text)
            .collect();
        assert_eq!(tests, ["b::b", "d::d", "e::e", "f::f", "h::h", "i::i"]);
    }

    #[test]
    fn relative_paths_lead_to_the_root() {
        let module = ["sync".to_owned(), "batch".to_owned()];
        let absolute = |text: &str| {
            let outline = outline(text);
            outline
                .paths
                .first()
                .and_then(|p| p.absolute(&module))
                .map(|p| p.join("::"))
        };
        assert_eq!(
            absolute("use crate::log::Range;").as_deref(),
            Some("log::Range")
        );
        assert_eq!(absolute("use super::super::log;").as_deref(), Some("log"));
        assert_eq!(
            absolute("use super::message;").as_deref(),
            Some("sync::message")
        );
        assert_eq!(absolute("use self::x;").as_deref(), Some("sync::batch::x"));
        assert_eq!(
            absolute("mod m { use super::x; }").as_deref(),
            Some("sync::batch::x")
        );
        assert_eq!(absolute("use std::fs;"), None);
    }
}
