//! Rust text as tokens: enough of the language to find paths, modules and attributes without
//! being fooled by comments, strings, lifetimes and raw identifiers.

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword, without `r#`.
    Word(String),
    /// `::`
    Sep,
    /// Any other punctuation, one character each.
    Mark(char),
    /// The inside of a string literal, escapes as written.
    Text(String),
    /// A number, a character or a lifetime: nothing that a rule looks at.
    Other,
}

/// One token and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(w) if w == word)
    }

    pub(super) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// The tokens of `text`. Text that is no Rust gives some tokens, never a failure: the compiler
/// refuses it elsewhere.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
    };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let line = lexer.line;
        match lexer.token() {
            Some(kind) => tokens.push(Token { kind, line }),
            None => return tokens,
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(i, c)| self.peek(i) == Some(c))
    }

    fn skip_blank(&mut self) {
        loop {
            if self.starts_with("//") {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.next();
                }
            } else if self.starts_with("/*") {
                self.skip_block_comment();
            } else if self.peek(0).is_some_and(char::is_whitespace) {
                self.next();
            } else {
                return;
            }
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0;
        loop {
            let step = if self.starts_with("/*") {
                depth += 1;
                2
            } else if self.starts_with("*/") {
                depth -= 1;
                2
            } else {
                1
            };
            for _ in 0..step {
                if self.next().is_none() {
                    return;
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn token(&mut self) -> Option<Kind> {
        let c = self.peek(0)?;
        if c == '"' {
            return Some(self.string());
        }
        if c == '\'' {
            return Some(self.quote());
        }
        if c.is_ascii_digit() {
            self.take_word();
            return Some(Kind::Other);
        }
        if is_word_char(c) {
            return Some(self.word_or_prefixed());
        }
        self.next();
        if c == ':' && self.peek(0) == Some(':') {
            self.next();
            return Some(Kind::Sep);
        }
        Some(Kind::Mark(c))
    }

    fn take_word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| is_word_char(*c)) {
            word.push(c);
            self.next();
        }
        word
    }

    /// A word, or the literal that it is the prefix of: `b"…"`, `r#"…"#`, `b'…'`, `r#word`.
    fn word_or_prefixed(&mut self) -> Kind {
        let word = self.take_word();
        let raw = matches!(word.as_str(), "r" | "br" | "cr");
        match self.peek(0) {
            Some('"') if raw => self.raw_string(0),
            Some('"') if matches!(word.as_str(), "b" | "c") => self.string(),
            Some('\'') if word == "b" => self.quote(),
            Some('#') if raw => {
                let hashes = (0..).take_while(|i| self.peek(*i) == Some('#')).count();
                if self.peek(hashes) == Some('"') {
                    self.raw_string(hashes)
                } else {
                    self.next();
                    Kind::Word(self.take_word())
                }
            }
            _ => Kind::Word(word),
        }
    }

    fn string(&mut self) -> Kind {
        self.next();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => break,
                '\\' => {
                    text.push(c);
                    text.extend(self.next());
                }
                _ => text.push(c),
            }
        }
        Kind::Text(text)
    }

    fn raw_string(&mut self, hashes: usize) -> Kind {
        let end = format!("\"{}", "#".repeat(hashes));
        for _ in 0..=hashes {
            self.next();
        }
        let mut text = String::new();
        while !self.starts_with(&end) {
            match self.next() {
                Some(c) => text.push(c),
                None => return Kind::Text(text),
            }
        }
        for _ in 0..=hashes {
            self.next();
        }
        Kind::Text(text)
    }

    /// A character literal or a lifetime: only the literal has a second quote close by.
    fn quote(&mut self) -> Kind {
        self.next();
        if self.peek(0) == Some('\\') {
            self.next();
            self.next();
            while self.next().is_some_and(|c| c != '\'') {}
        } else if self.peek(1) == Some('\'') {
            self.next();
            self.next();
        } else {
            self.take_word();
        }
        Kind::Other
    }
}

fn is_word_char(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text)
            .iter()
            .filter_map(|t| t.word().map(str::to_owned))
            .collect()
    }

    #[test]
    fn comments_and_literals_hold_no_words() {
        let text = r##"
            a // b
            /* c /* d */ e */ f "g \" h" r#"i " j"# b"k" 'l' '\'' b'm' '\u{6e}' 0xFF_u8 1.5
        "##;
        assert_eq!(words(text), ["a", "f"]);
    }

    #[test]
    fn lifetimes_do_not_open_a_literal() {
        assert_eq!(
            words("fn f<'a>(x: &'a str, y: &'static T) {}"),
            ["fn", "f", "x", "str", "y", "T"]
        );
    }

    #[test]
    fn raw_identifiers_lose_their_prefix() {
        assert_eq!(words("r#use::r#mod"), ["use", "mod"]);
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let found = tokens("a\n/*\n*/ b \"\n\" c");
        let lines: Vec<_> = found
            .iter()
            .filter(|t| t.word().is_some())
            .map(|t| t.line)
            .collect();
        assert_eq!(lines, [1, 3, 4]);
    }

    #[test]
    fn a_path_separator_is_one_token() {
        let kinds: Vec<_> = tokens("a::b:c").into_iter().map(|t| t.kind).collect();
        let word = |w: &str| Kind::Word(w.to_owned());
        assert_eq!(
            kinds,
            [word("a"), Kind::Sep, word("b"), Kind::Mark(':'), word("c")]
        );
    }

    #[test]
    fn text_that_never_ends_still_ends() {
        for text in ["\"a", "r#\"a", "/* a", "'", "b'", "r#", "'\\"] {
            let _ = tokens(text);
        }
    }
}
