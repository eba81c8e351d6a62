//! What the demonstration says: numbered steps, plain sentences, and the commands that do the same.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use diwan_api::message::{Catalogue, Value};
use diwan_api::text::{isolate, line};

use super::node::Node;

/// What stands before everything that belongs to a step.
const INDENT: &str = "   ";
/// Least time between two lines about one long piece of work.
const NEWS_EVERY: Duration = Duration::from_secs(5);

/// The narrator.
pub(super) struct Teller<'c> {
    catalogue: &'c Catalogue,
    /// With `--json` the standard output is for the document alone.
    to_stderr: bool,
    styled: bool,
    step: usize,
    title: String,
    all_shown: bool,
    last_news: Instant,
}

impl<'c> Teller<'c> {
    pub(super) fn new(catalogue: &'c Catalogue, json: bool) -> Self {
        let terminal = match json {
            true => io::stderr().is_terminal(),
            false => io::stdout().is_terminal(),
        };
        Self {
            catalogue,
            to_stderr: json,
            styled: terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
            step: 0,
            title: String::new(),
            all_shown: false,
            last_news: Instant::now(),
        }
    }

    /// All steps have been shown; what follows has a title and no number.
    pub(super) fn end(&mut self, key: &str) {
        self.all_shown = true;
        self.title = self.text(key, &[]);
    }

    /// Whether all steps have been shown.
    pub(super) fn all_shown(&self) -> bool {
        self.all_shown
    }

    /// The step that is being shown, as its heading names it.
    pub(super) fn step_title(&self) -> &str {
        &self.title
    }

    /// A text of the catalogue; its values may come from anywhere and are made safe here.
    pub(super) fn text(&self, key: &str, values: &[(&str, Value<'_>)]) -> String {
        let safe: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, safe(value)))
            .collect();
        self.catalogue.text(key, &safe)
    }

    /// What happened, of an error.
    pub(super) fn error_text(&self, error: &diwan_api::error::ApiError) -> String {
        line(&self.catalogue.error(error).0)
    }

    /// A text without indent: the beginning and the end.
    pub(super) fn plain(&self, key: &str, values: &[(&str, Value<'_>)]) {
        self.print(&self.text(key, values));
    }

    /// Begins the next step.
    pub(super) fn step(&mut self, key: &str) {
        self.step += 1;
        self.title = format!("{}. {}", self.step, self.text(key, &[]));
        self.print("");
        self.print(&self.styled("1", &self.title));
    }

    /// Says something within a step.
    pub(super) fn say(&self, key: &str, values: &[(&str, Value<'_>)]) {
        for text in self.text(key, values).lines() {
            self.print(format!("{INDENT}{text}").trim_end());
        }
    }

    /// Shows a command of the officers' program, as one would type it for this node.
    pub(super) fn diwan(&self, node: &Node, words: &[&str]) {
        let home = node.home().display().to_string();
        let mut all = vec!["diwan", "--home", &home];
        all.extend(words);
        self.command(&all);
    }

    /// Shows a command. It is there to be copied: no invisible characters stand in it, and none are
    /// needed, for it begins with a Latin word and quotes what runs the other way.
    pub(super) fn command(&self, words: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| quoted(&line(word))).collect();
        self.verbatim(&words.join(" "));
    }

    /// Shows a command that is quoted already.
    pub(super) fn verbatim(&self, typed: &str) {
        self.print(&self.styled("36", &format!("{INDENT}$ {typed}")));
    }

    /// Says how far a long piece of work is, now and then.
    pub(super) fn news(&mut self, key: &str, values: &[(&str, Value<'_>)]) {
        if self.last_news.elapsed() >= NEWS_EVERY {
            self.last_news = Instant::now();
            self.say(key, values);
        }
    }

    /// An empty line.
    pub(super) fn space(&self) {
        self.print("");
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.styled {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Whoever closed the output does not want to read on; the demonstration still ends in order.
    fn print(&self, text: &str) {
        let _ = match self.to_stderr {
            true => writeln!(io::stderr(), "{text}"),
            false => writeln!(io::stdout(), "{text}"),
        };
    }
}

fn safe<'v>(value: &Value<'v>) -> Value<'v> {
    match value {
        Value::String(text) => Value::from(isolate(&line(text))),
        other => other.clone(),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_said_has_a_text() {
        let catalogue = Catalogue::english();
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo");
        let mut said = 0;
        for entry in std::fs::read_dir(dir).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let is_key = |text: &&str| {
                text.starts_with("demo-")
                    && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            };
            for key in source.split('"').filter(is_key).filter(|k| *k != "demo-") {
                assert!(catalogue.has(key), "{key}");
                said += 1;
            }
        }
        assert!(said > 60, "{said} keys found");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(quoted("fr=@/tmp/a-b_c.md"), "fr=@/tmp/a-b_c.md");
        assert_eq!(quoted("preuve numérique"), "'preuve numérique'");
        assert_eq!(quoted("l'étranger"), r"'l'\''étranger'");
        assert_eq!(quoted("$(rm)"), "'$(rm)'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn values_cannot_command_the_terminal_nor_turn_the_line() {
        let catalogue = Catalogue::english();
        let teller = Teller::new(&catalogue, true);
        let said = teller.text(
            "demo-show-title",
            &[("lang", "ar".into()), ("title", "\u{1b}[2Jدليل".into())],
        );
        assert!(!said.contains('\u{1b}'), "{said:?}");
        assert!(said.contains("\u{2068}\u{fffd}[2Jدليل\u{2069}"), "{said:?}");
    }
}
