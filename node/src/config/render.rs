//! From a configuration to a file that people like to edit.

use super::Config;
use super::keys::{KEYS, KeySpec, SECTIONS, SectionSpec};
use std::fmt::Write;

/// Longest line of a comment, in characters.
const WIDTH: usize = 92;

/// Which keys a rendered file sets; the others stand there commented out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those that differ from their default.
    Changed,
    /// All of them.
    Every,
}

/// Renders the file; see [`Config::render_commented`].
pub(super) fn render(config: &Config, shown: Shown) -> String {
    let mut text = String::new();
    comment(
        &mut text,
        "The configuration of a Diwan node. A key that is missing, or stands behind a #, has \
         its default. Check changes with `diwan-node check-config FILE`; they take effect when \
         the node starts.",
    );
    for section in SECTIONS {
        render_section(&mut text, section);
        for key in KEYS.iter().filter(|key| key.section == section.name) {
            render_key(&mut text, key, config, shown);
        }
    }
    text
}

fn render_section(text: &mut String, section: &SectionSpec) {
    text.push('\n');
    comment(text, section.doc);
    if !section.name.is_empty() {
        line(text, &format!("[{}]", section.name));
    }
}

fn render_key(text: &mut String, key: &KeySpec, config: &Config, shown: Shown) {
    let (value, default) = (key.value_in(config), key.default_value());
    text.push('\n');
    comment(text, key.doc);
    comment(
        text,
        &format!(
            "Expected: {}. Default: {default}.",
            key.expected_with_unit()
        ),
    );
    comment(text, &format!("Cost: {}", key.cost));
    comment(text, &format!("Danger: {}", key.danger));
    // A value has no space behind its #, so that it can be told from the words above.
    let mark = if shown == Shown::Every || value != default {
        ""
    } else {
        "#"
    };
    line(text, &format!("{mark}{} = {value}", key.name));
}

impl KeySpec {
    /// What a value looks like, and what it counts.
    pub fn expected_with_unit(&self) -> String {
        match self.unit {
            Some(unit) => format!("{}, in {unit}", self.kind.expected()),
            None => self.kind.expected(),
        }
    }
}

/// Appends a paragraph as comment lines of at most [`WIDTH`].
fn comment(text: &mut String, paragraph: &str) {
    let mut current = String::from("#");
    for word in paragraph.split_whitespace() {
        if current.chars().count() + 1 + word.chars().count() > WIDTH {
            line(text, &current);
            current = String::from("#");
        }
        current.push(' ');
        current.push_str(word);
    }
    line(text, &current);
}

fn line(text: &mut String, content: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{content}");
}
