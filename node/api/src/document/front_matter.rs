//! Finding and parsing the front matter of a Markdown text: YAML between `---`, TOML between
//! `+++`, JSON in an HTML comment, or none.

use serde_json::{Map, Value};

use super::fields::Fields;
use super::limits::{FRONT_MATTER_BRACKETS_MAX, FRONT_MATTER_BYTES_MAX};
use super::skip::Warning;

/// A text taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) fields: Fields,
    /// The front matter between its delimiters; empty where there is none.
    pub(crate) block: &'a str,
    /// The text without its front matter.
    pub(crate) body: &'a str,
    pub(crate) warning: Option<Warning>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Yaml,
    Toml,
}

/// Why a block does not parse: its line within the block, from 1, and what is wrong.
type Fault = (usize, String);

/// Takes a clean text (line ends LF) apart. Front matter that does not parse never stops an
/// import: single lines of it are understood, above all its labels, and a warning tells which line
/// is wrong.
pub(crate) fn split(text: &str) -> Parts<'_> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first.trim_end() {
        "---" => delimited(text, rest, Syntax::Yaml),
        "+++" => delimited(text, rest, Syntax::Toml),
        _ => html_comment(text),
    }
}

fn plain(text: &str) -> Parts<'_> {
    Parts {
        fields: Fields::default(),
        block: "",
        body: text,
        warning: None,
    }
}

fn delimited<'a>(text: &'a str, rest: &'a str, syntax: Syntax) -> Parts<'a> {
    let Some((block, body)) = closing_line(rest, syntax) else {
        return unclosed(text, rest);
    };
    // The first line of the block is the second of the file.
    let warning = |(line, detail): Fault| Warning::FrontMatter {
        line: line as u64 + 1,
        detail,
    };
    match parse(block, syntax) {
        Ok(Value::Object(map)) => Parts {
            fields: Fields::from_map(&map),
            block,
            body,
            warning: None,
        },
        Ok(Value::Null) => Parts {
            body,
            ..plain(text)
        },
        // Two thematic breaks around ordinary text.
        Ok(_) => plain(text),
        Err(_) if !starts_with_key(block) => plain(text),
        Err(fault) => {
            let fields = Fields::from_map(&lines_of(block));
            Parts {
                fields,
                block,
                body,
                warning: Some(warning(fault)),
            }
        }
    }
}

/// Splits at the closing line; a single empty line after it belongs to the front matter.
fn closing_line(rest: &str, syntax: Syntax) -> Option<(&str, &str)> {
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        let closes = match syntax {
            Syntax::Yaml => matches!(line.trim_end(), "---" | "..."),
            Syntax::Toml => line.trim_end() == "+++",
        };
        if closes {
            let (block, after) = rest.split_at_checked(end)?;
            let body = after.strip_prefix(line)?;
            return Some((block, body.strip_prefix('\n').unwrap_or(body)));
        }
        end += line.len();
        if end > FRONT_MATTER_BYTES_MAX {
            return None;
        }
    }
    None
}

/// A first line that opens front matter which nothing closes in time. The text stays whole; labels
/// in the lines that follow still count, for the author meant them.
fn unclosed<'a>(text: &'a str, rest: &str) -> Parts<'a> {
    if !starts_with_key(rest) {
        return plain(text);
    }
    let head = rest.split("\n\n").next().unwrap_or(rest);
    let mut end = head.len().min(FRONT_MATTER_BYTES_MAX);
    while !head.is_char_boundary(end) {
        end -= 1;
    }
    let meant = Fields::from_map(&lines_of(head.get(..end).unwrap_or(head)));
    let fields = Fields {
        tlp: meant.tlp,
        hcode: meant.hcode,
        ..Fields::default()
    };
    let detail = format!("no closing line within {FRONT_MATTER_BYTES_MAX} bytes");
    Parts {
        fields,
        block: "",
        body: text,
        warning: Some(Warning::FrontMatter { line: 1, detail }),
    }
}

/// A comment at the top that holds a JSON object, as translation tools leave it.
fn html_comment(text: &str) -> Parts<'_> {
    let parsed = || {
        let inside = text.trim_start().strip_prefix("<!--")?;
        let (comment, body) = inside.split_once("-->")?;
        if comment.len() > FRONT_MATTER_BYTES_MAX {
            return None;
        }
        let (start, end) = (comment.find('{')?, comment.rfind('}')?);
        let map: Map<String, Value> = serde_json::from_str(comment.get(start..=end)?).ok()?;
        let body = body.strip_prefix('\n').unwrap_or(body);
        Some(Parts {
            fields: Fields::from_map(&map),
            block: comment,
            body,
            warning: None,
        })
    };
    parsed().unwrap_or_else(|| plain(text))
}

fn parse(block: &str, syntax: Syntax) -> Result<Value, Fault> {
    // Depth itself could be hidden behind brackets in quotes.
    if block.bytes().filter(|b| matches!(b, b'[' | b'{')).count() > FRONT_MATTER_BRACKETS_MAX {
        return Err((1, format!("more than {FRONT_MATTER_BRACKETS_MAX} brackets")));
    }
    match syntax {
        Syntax::Yaml => yaml(block),
        Syntax::Toml => toml(block),
    }
}

fn yaml(block: &str) -> Result<Value, Fault> {
    super::yaml::parse(block).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        (line, short(&error.to_string()))
    })
}

fn toml(block: &str) -> Result<Value, Fault> {
    let document: toml_edit::DocumentMut =
        block.parse().map_err(|error: toml_edit::TomlError| {
            let start = error.span().map_or(0, |span| span.start);
            let line = block.bytes().take(start).filter(|b| *b == b'\n').count() + 1;
            (line, short(error.message()))
        })?;
    Ok(Value::Object(toml_table(document.as_table())))
}

fn toml_table(table: &dyn toml_edit::TableLike) -> Map<String, Value> {
    table
        .iter()
        .map(|(key, item)| (key.to_owned(), toml_item(item)))
        .collect()
}

fn toml_item(item: &toml_edit::Item) -> Value {
    match item {
        toml_edit::Item::Value(value) => toml_value(value),
        toml_edit::Item::Table(table) => Value::Object(toml_table(table)),
        toml_edit::Item::ArrayOfTables(tables) => tables
            .iter()
            .map(|table| Value::Object(toml_table(table)))
            .collect(),
        toml_edit::Item::None => Value::Null,
    }
}

fn toml_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::String(text.value().clone()),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(truth) => (*truth.value()).into(),
        toml_edit::Value::Datetime(time) => Value::String(time.value().to_string()),
        toml_edit::Value::Array(items) => items.iter().map(toml_value).collect(),
        toml_edit::Value::InlineTable(table) => Value::Object(toml_table(table)),
    }
}

/// Lines of the form `key: value` or `key = value`, whatever stands around them. A key that comes
/// again adds to a list, so that no label is lost.
fn lines_of(block: &str) -> Map<String, Value> {
    let mut map = Map::new();
    for line in block.lines() {
        let Some((key, value)) = key_and_value(line) else {
            continue;
        };
        let value = Value::String(value.trim_matches(['"', '\'', '[', ']', ' ']).to_owned());
        match map.get_mut(&key) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                map.insert(key, value);
            }
        }
    }
    map
}

fn key_and_value(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once([':', '='])?;
    let key = key.trim().trim_matches(['"', '\'']);
    let is_key = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    is_key.then(|| (key.to_ascii_lowercase(), value.trim()))
}

fn starts_with_key(block: &str) -> bool {
    let mut lines = block
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .next()
        .is_some_and(|line| key_and_value(line).is_some() || line.starts_with('['))
}

/// The first line of a parser's message; the rest quotes the document.
fn short(message: &str) -> String {
    let mut line = message.lines().next().unwrap_or_default().to_owned();
    super::clean::cut(&mut line, 200);
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_syntax_gives_the_same_fields() {
        for text in [
            "---\ntitle: T\nlang: fr\ntags: [a, b]\n---\n\nBody\n",
            "---\ntitle: 'T'\nlang: fr\ntags:\n- a\n- b\n...\nBody\n",
            "+++\ntitle = \"T\"\nlang = \"fr\"\ntags = [\"a\", \"b\"]\n+++\n\nBody\n",
            "<!--\nMETA:\n{\"title\": \"T\", \"language_code\": \"fr\", \"tags\": [\"a\", \"b\"]}\n-->\nBody\n",
        ] {
            let parts = split(text);
            assert_eq!(parts.fields.title.as_deref(), Some("T"), "{text}");
            assert_eq!(parts.fields.lang.as_deref(), Some("fr"), "{text}");
            assert_eq!(parts.fields.tags, ["a", "b"], "{text}");
            assert_eq!((parts.body, parts.warning), ("Body\n", None), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_front_matter_is_body() {
        for text in [
            "",
            "---",
            "---\n",
            "---\nA line between two rules\n---\nText",
            "<!-- note -->\nText",
            "<!-- {not json} -->\nText",
            "# Heading\n---\ntitle: no\n---\n",
            "---\n- item\n---\nText",
        ] {
            assert_eq!(split(text), plain(text), "{text:?}");
        }
        assert_eq!(split("---\n---\nText").body, "Text");
    }

    #[test]
    fn malformed_front_matter_keeps_its_lines_and_names_the_wrong_one() {
        let parts = split("---\ntitle: Fraud: a guide\nlang: fr\ntlp: RED\n---\nBody");
        assert_eq!(parts.fields.title.as_deref(), Some("Fraud: a guide"));
        assert_eq!(parts.fields.tlp, ["RED"]);
        assert_eq!(parts.body, "Body");
        assert!(
            matches!(parts.warning, Some(Warning::FrontMatter { line: 2, .. })),
            "{parts:?}"
        );
        let parts = split("+++\ntitle = \"T\"\ntlp = RED\n+++\nBody");
        assert_eq!(
            (parts.fields.title.as_deref(), &*parts.fields.tlp),
            (Some("T"), &["RED".to_owned()][..])
        );
        assert!(
            matches!(parts.warning, Some(Warning::FrontMatter { line: 3, .. })),
            "{parts:?}"
        );
    }

    #[test]
    fn a_label_counts_even_where_nothing_closes_the_front_matter() {
        let text = "---\ntitle: T\ntlp: RED\n\nBody";
        let parts = split(text);
        assert_eq!(parts.fields.tlp, ["RED"]);
        assert_eq!((parts.fields.title, parts.body), (None, text));
        let long = format!(
            "---\ntlp: AMBER\nnote: {}\n---\nBody",
            "x".repeat(FRONT_MATTER_BYTES_MAX)
        );
        assert_eq!(split(&long).fields.tlp, ["AMBER"]);
        assert!(split(&long).warning.is_some());
    }

    #[test]
    fn a_label_written_twice_is_read_twice() {
        assert_eq!(
            split("---\ntlp: CLEAR\ntlp: RED\n---\n").fields.tlp,
            ["CLEAR", "RED"]
        );
    }

    #[test]
    fn bombs_are_refused_before_they_are_parsed() {
        let mut bomb = "---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..30 {
            let alias = format!("*a{}, ", i - 1);
            bomb.push_str(&format!("a{i}: &a{i} [{}]\n", alias.repeat(9)));
        }
        bomb.push_str("title: T\n---\nBody");
        let parts = split(&bomb);
        assert!(matches!(parts.warning, Some(Warning::FrontMatter { .. })));
        assert_eq!(
            (parts.fields.title.as_deref(), parts.body),
            (Some("T"), "Body")
        );
        let deep = format!("---\na: {}\n---\nBody", "[".repeat(60_000));
        assert!(split(&deep).warning.is_some());
        // Bold text and lists in a block of text are none.
        let bold = "---\nsummary: |\n  **Seize** first\n  * then *copy* R&D\n---\nBody";
        assert!(
            split(bold)
                .fields
                .summary
                .is_some_and(|s| s.contains("copy"))
        );
        assert_eq!(split(bold).warning, None);
    }

    proptest! {
        #[test]
        fn any_text_splits(text in "(---|\\+\\+\\+|<!--)?\n?([a-z]{0,4}[:=] ?[&*\\[{\"']?[a-z]{0,3}\n|---\n|\\PC{0,20}\n){0,12}") {
            let parts = split(&text);
            prop_assert!(text.ends_with(parts.body));
        }
    }
}
