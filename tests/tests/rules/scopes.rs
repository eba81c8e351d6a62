//! Where in a file each token stands: in which inline modules, and in test code or not; and the
//! modules that the file declares.

use super::lexer::{Kind, Token};

/// `mod name;`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) inside: Vec<String>,
    pub(super) test: bool,
    /// The file of `#[path = "…"]`.
    pub(super) path: Option<String>,
}

/// For every token the inline modules around it and whether it is test code.
#[derive(Default)]
pub(super) struct Places {
    /// Index of the first token, modules, test code: each holds until the next.
    spans: Vec<(usize, Vec<String>, bool)>,
    pub(super) declared: Vec<Declared>,
}

impl Places {
    /// The place of the token with this index.
    pub(super) fn at(&self, index: usize) -> (&[String], bool) {
        let next = self.spans.partition_point(|(start, ..)| *start <= index);
        match next.checked_sub(1).and_then(|i| self.spans.get(i)) {
            Some((_, inside, test)) => (inside, *test),
            None => (&[], false),
        }
    }
}

/// A module or a test item that is open while the file is read.
struct Scope {
    /// Brackets open outside of it.
    depth: usize,
    module: Option<String>,
    test: bool,
    /// Its own bracket has been opened; until then a `;` ends it.
    opened: bool,
}

/// Reads the scopes of a file.
pub(super) fn places(tokens: &[Token]) -> Places {
    let mut reader = Reader::default();
    let mut at = 0;
    while at < tokens.len() {
        at = match attribute(tokens, at) {
            Some((inside, end)) => {
                reader.attribute(at, inside);
                end
            }
            None => {
                reader.token(tokens, at);
                at + 1
            }
        };
    }
    reader.places
}

#[derive(Default)]
struct Reader {
    places: Places,
    scopes: Vec<Scope>,
    /// Brackets open.
    depth: usize,
    /// Of the last `#[path = "…"]`, until a declaration takes it.
    path: Option<String>,
}

impl Reader {
    fn attribute(&mut self, at: usize, inside: &[Token]) {
        if is_test_attribute(inside) {
            self.enter(at, None, true);
        }
        self.path = path_attribute(inside).or(self.path.take());
    }

    fn token(&mut self, tokens: &[Token], at: usize) {
        match tokens.get(at).map(|t| &t.kind) {
            Some(Kind::Word(word)) if word == "mod" => {
                let name = tokens.get(at + 1).and_then(Token::word);
                match (name, tokens.get(at + 2).map(|t| &t.kind)) {
                    (Some(name), Some(Kind::Mark('{'))) => {
                        self.enter(at, Some(name.to_owned()), false);
                    }
                    (Some(name), Some(Kind::Mark(';'))) => self.declare(name),
                    _ => {}
                }
            }
            Some(Kind::Mark('{')) => {
                for scope in self.scopes.iter_mut().filter(|s| s.depth == self.depth) {
                    scope.opened = true;
                }
                self.depth += 1;
            }
            Some(Kind::Mark('(' | '[')) => self.depth += 1,
            Some(Kind::Mark(')' | ']')) => self.depth = self.depth.saturating_sub(1),
            Some(Kind::Mark('}')) => {
                self.depth = self.depth.saturating_sub(1);
                let depth = self.depth;
                self.leave(at, |s| s.depth > depth || (s.opened && s.depth == depth));
            }
            Some(Kind::Mark(';')) => {
                let depth = self.depth;
                self.leave(at, |s| s.depth == depth && !s.opened);
            }
            _ => {}
        }
    }

    fn declare(&mut self, name: &str) {
        let (inside, test) = self.here();
        let (name, path) = (name.to_owned(), self.path.take());
        self.places.declared.push(Declared {
            name,
            inside,
            test,
            path,
        });
    }

    fn enter(&mut self, at: usize, module: Option<String>, test: bool) {
        let depth = self.depth;
        self.scopes.push(Scope {
            depth,
            module,
            test,
            opened: false,
        });
        self.mark(at);
    }

    fn leave(&mut self, at: usize, ended: impl Fn(&Scope) -> bool) {
        let before = self.scopes.len();
        self.scopes.retain(|scope| !ended(scope));
        if self.scopes.len() < before {
            self.mark(at);
        }
    }

    /// From the token `at` on, the place is what the open scopes say.
    fn mark(&mut self, at: usize) {
        let (inside, test) = self.here();
        self.places.spans.push((at, inside, test));
    }

    fn here(&self) -> (Vec<String>, bool) {
        let inside = self
            .scopes
            .iter()
            .filter_map(|s| s.module.clone())
            .collect();
        (inside, self.scopes.iter().any(|s| s.test))
    }
}

/// The inside of the outer attribute that starts at `at` (`#[…]`), and the index behind it.
pub(super) fn attribute(tokens: &[Token], at: usize) -> Option<(&[Token], usize)> {
    let is = |i: usize, mark| tokens.get(i).is_some_and(|t| t.is_mark(mark));
    if !is(at, '#') {
        return None;
    }
    let start = at + 1 + usize::from(is(at + 1, '!'));
    if !is(start, '[') {
        return None;
    }
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            Kind::Mark('[') => depth += 1,
            Kind::Mark(']') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((tokens.get(start + 1..i)?, i + 1));
        }
    }
    None
}

fn is_test_attribute(inside: &[Token]) -> bool {
    let has = |word| inside.iter().any(|t| t.is_word(word));
    match inside.first().and_then(Token::word) {
        Some("cfg") => has("test") && !has("not"),
        Some("test") => true,
        // `#[tokio::test]`
        _ => {
            inside.get(1).is_some_and(|t| t.kind == Kind::Sep)
                && inside.get(2).is_some_and(|t| t.is_word("test"))
        }
    }
}

fn path_attribute(inside: &[Token]) -> Option<String> {
    match (inside.first()?, &inside.get(2)?.kind) {
        (first, Kind::Text(path)) if first.is_word("path") => Some(path.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    #[test]
    fn modules_are_found_with_their_place() {
        let text = "mod a; mod b { #[cfg(test)] mod c; } #[path = \"x/d.rs\"] pub mod d;";
        let declared = places(&tokens(text)).declared;
        let line =
            |d: &Declared| format!("{}/{} {} {:?}", d.inside.join("/"), d.name, d.test, d.path);
        assert_eq!(
            declared.iter().map(line).collect::<Vec<_>>(),
            [
                "/a false None",
                "b/c true None",
                "/d false Some(\"x/d.rs\")",
            ]
        );
    }
}
