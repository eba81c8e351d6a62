//! Rules as data: reading them, and whether a match is a hit.

use std::ops::Range;

use diwan_core::record::Tlp;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::check::Check;

const BUILT_IN: &str = include_str!("rules.toml");
/// Bytes of an agency's own rules.
const TEXT_MAX: usize = 256 * 1024;
/// Rules in one file.
const RULES_MAX: usize = 200;
/// Bytes of one compiled pattern: a rule of an admin must not take the node's memory.
const COMPILED_MAX: usize = 2 * 1024 * 1024;

/// Bytes of the shortest number that a longer match is cut to.
const SHORTEST: usize = 8;
/// Bytes before a place that are looked at for the scheme of a URL.
const URL_BYTES: usize = 2_048;

/// What a hit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing: the rule does not look.
    Off,
    /// The officer is told.
    Warn,
    /// The record does not get out without a reason.
    Block,
}

impl Level {
    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Warn => "warn",
            Level::Block => "block",
        }
    }
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub id: String,
    pub(super) pattern: Regex,
    except: Option<Regex>,
    check: Option<Check>,
    /// Whether digits of a URL are looked at: most are the address of a page.
    in_url: bool,
    /// By label, CLEAR first.
    levels: [Level; 5],
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// More than a rule file may hold.
    #[error("{found} {what}; at most {most} are read")]
    TooMuch {
        /// Bytes or rules.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// Not TOML, or an unknown or missing key; the text names the line.
    #[error("{0}")]
    Toml(String),
    /// A rule that cannot be one.
    #[error("rule `{rule}`: {detail}")]
    Rule {
        /// Its id.
        rule: String,
        /// What is wrong.
        detail: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
    #[serde(default)]
    personal_groups: Vec<String>,
}

/// What a file of rules says.
pub(super) struct Said {
    pub(super) rules: Vec<Rule>,
    /// Names of groups that may hold records about persons.
    pub(super) personal_groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    pattern: String,
    except: Option<String>,
    check: Option<String>,
    #[serde(default)]
    in_url: bool,
    level: Level,
    clear: Option<Level>,
    green: Option<Level>,
    amber: Option<Level>,
    amber_strict: Option<Level>,
    red: Option<Level>,
}

pub(super) fn built_in() -> Result<Vec<Rule>, GuardError> {
    Ok(read(BUILT_IN)?.rules)
}

pub(super) fn read(text: &str) -> Result<Said, GuardError> {
    let too_much = |what, found, most| GuardError::TooMuch { what, found, most };
    if text.len() > TEXT_MAX {
        return Err(too_much("bytes", text.len(), TEXT_MAX));
    }
    let file: File =
        toml_edit::de::from_str(text).map_err(|error| GuardError::Toml(error.to_string()))?;
    if file.rule.len() > RULES_MAX {
        return Err(too_much("rules", file.rule.len(), RULES_MAX));
    }
    let rules = file.rule.into_iter().map(Rule::of);
    Ok(Said {
        rules: rules.collect::<Result<_, _>>()?,
        personal_groups: file.personal_groups,
    })
}

impl Rule {
    fn of(written: Written) -> Result<Self, GuardError> {
        let Written { id, level, .. } = written;
        let refused = |detail: String| GuardError::Rule {
            rule: id.clone(),
            detail,
        };
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if id.is_empty() || id.len() > 64 || !id.bytes().all(good) {
            return Err(refused(
                "an id has small letters, digits and hyphens".to_owned(),
            ));
        }
        let compiled = |pattern: &str| {
            let built = RegexBuilder::new(pattern).size_limit(COMPILED_MAX).build();
            built.map_err(|error| refused(error.to_string()))
        };
        let pattern = compiled(&written.pattern)?;
        if pattern.is_match("") {
            return Err(refused("its pattern fits the empty text".to_owned()));
        }
        let unknown = || refused(format!("check is one of {}", Check::names()));
        let check = written.check.as_deref();
        let check = check.map(|name| Check::of(name).ok_or_else(unknown));
        Ok(Self {
            pattern,
            except: written.except.as_deref().map(compiled).transpose()?,
            check: check.transpose()?,
            in_url: written.in_url,
            levels: [
                written.clear,
                written.green,
                written.amber,
                written.amber_strict,
                written.red,
            ]
            .map(|own| own.unwrap_or(level)),
            id,
        })
    }

    /// What a hit means for a record with a label.
    #[must_use]
    pub fn level(&self, label: Tlp) -> Level {
        let [clear, green, amber, strict, red] = self.levels;
        match label {
            Tlp::Clear => clear,
            Tlp::Green => green,
            Tlp::Amber => amber,
            Tlp::AmberStrict => strict,
            Tlp::Red => red,
        }
    }

    /// The hits in a text, one behind the other.
    pub(super) fn hits<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let mut from = 0;
        std::iter::from_fn(move || {
            while let Some(found) = self.pattern.find_at(text, from) {
                let at = found.range();
                if let Some(hit) = self.hit(text, at.clone()) {
                    from = hit.end.max(from + 1);
                    return Some(hit);
                }
                // A number may begin within what was no number as a whole.
                from = match self.check {
                    Some(_) => after_word(text, at.start).min(at.end),
                    None => at.end,
                };
            }
            None
        })
    }

    /// Of a match, what is a hit: it or, where numbers follow each other, as much of it as is one.
    fn hit(&self, text: &str, at: Range<usize>) -> Option<Range<usize>> {
        let mut end = at.end;
        loop {
            let range = at.start..end;
            if self.holds(text, range.clone()) {
                return Some(range);
            }
            self.check?;
            let found = text.get(range)?;
            let cut = found.rfind(|c: char| !c.is_alphanumeric())?;
            end = at.start + cut;
            if cut < SHORTEST {
                return None;
            }
        }
    }

    /// Whether a match is a hit: not a piece of a longer word or number, and what the rule asks besides.
    fn holds(&self, text: &str, at: Range<usize>) -> bool {
        let found = text.get(at.clone()).unwrap_or_default();
        let before = text
            .get(..at.start)
            .and_then(|text| text.chars().next_back());
        let after = text.get(at.end..).and_then(|text| text.chars().next());
        let goes_on = |inner: Option<char>, outer: Option<char>| {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            inner.is_some_and(is_word) && outer.is_some_and(is_word)
        };
        !goes_on(found.chars().next(), before)
            && !goes_on(found.chars().next_back(), after)
            && self.check.is_none_or(|check| check.holds(found))
            && (self.in_url || !is_in_url(text, at.start))
            && !self
                .except
                .as_ref()
                .is_some_and(|except| except.is_match(found))
    }
}

/// Where the word that begins at a place has ended.
fn after_word(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut chars = rest.char_indices().skip(1);
    let end = chars.find(|(_, c)| !c.is_alphanumeric());
    end.map_or(text.len(), |(at, c)| start + at + c.len_utf8())
}

/// Whether a place is within a URL: what stands before it, back to the last character that parts words,
/// names a scheme.
fn is_in_url(text: &str, at: usize) -> bool {
    let mut from = at.saturating_sub(URL_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..at).unwrap_or_default();
    let parts = |c: char| c.is_whitespace() || "<>\"',;|".contains(c);
    before
        .rsplit(parts)
        .next()
        .is_some_and(|word| word.contains("://"))
}
