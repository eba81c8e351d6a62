//! A mistake in a configuration file: where, what, and what was probably meant.

use super::{AddressFault, Kind};
use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its line, from 1.
    pub line: usize,
    /// The key at fault with its section; empty where the text is not TOML.
    pub key: String,
    /// What is wrong.
    pub code: ProblemCode,
}

/// What is wrong with a key or its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemCode {
    /// The file is not TOML from here on.
    Syntax {
        /// What the TOML reader said, in English.
        message: String,
    },
    /// There is no such key or section.
    UnknownKey {
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The value has another type.
    WrongType {
        /// What is expected.
        expected: String,
        /// The TOML type that was found.
        found: &'static str,
    },
    /// The number is too small or too large.
    OutOfRange {
        /// The least that is accepted.
        min: u32,
        /// The most that is accepted.
        max: u32,
        /// What was found.
        found: i64,
    },
    /// The word is none of those known.
    UnknownWord {
        /// What is expected.
        expected: String,
        /// What was found.
        found: String,
        /// The word that was probably meant.
        nearest: Option<String>,
    },
    /// The address will not do.
    BadAddress {
        /// The address.
        address: String,
        /// Why.
        fault: AddressFault,
    },
    /// The address stands in the list twice.
    RepeatedAddress {
        /// The address.
        address: String,
    },
    /// The list is too long.
    TooManyAddresses {
        /// The longest that is accepted.
        max: usize,
        /// How long it is.
        found: usize,
    },
    /// The path is empty, too long, or holds control characters.
    BadPath {
        /// The path.
        path: String,
        /// The longest that is accepted, in bytes.
        max_bytes: usize,
    },
    /// The value must not be below that of another key.
    BelowOther {
        /// The other key.
        other: String,
        /// The other key's value.
        least: u32,
        /// What was found.
        found: u32,
    },
}

impl Problem {
    /// The problem's stable name, which a message catalogue renders with [`Problem::args`].
    pub fn code_name(&self) -> &'static str {
        match &self.code {
            ProblemCode::Syntax { .. } => "config-syntax",
            ProblemCode::UnknownKey { nearest: None } => "config-unknown-key",
            ProblemCode::UnknownKey { nearest: Some(_) } => "config-misspelt-key",
            ProblemCode::WrongType { .. } => "config-wrong-type",
            ProblemCode::OutOfRange { .. } => "config-out-of-range",
            ProblemCode::UnknownWord { nearest: None, .. } => "config-unknown-word",
            ProblemCode::UnknownWord {
                nearest: Some(_), ..
            } => "config-misspelt-word",
            ProblemCode::BadAddress { .. } => "config-bad-address",
            ProblemCode::RepeatedAddress { .. } => "config-repeated-address",
            ProblemCode::TooManyAddresses { .. } => "config-too-many-addresses",
            ProblemCode::BadPath { .. } => "config-bad-path",
            ProblemCode::BelowOther { .. } => "config-below-other",
        }
    }

    /// What a message says besides: names and values, without control characters. `line` and
    /// `key` are always among them.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        let mut args = vec![
            ("line", self.line.to_string()),
            ("key", printable(&self.key)),
        ];
        match &self.code {
            ProblemCode::Syntax { message } => args.push(("message", printable(message))),
            ProblemCode::UnknownKey { nearest } => {
                args.extend(nearest.clone().map(|name| ("nearest", name)));
            }
            ProblemCode::WrongType { expected, found } => {
                args.push(("expected", expected.clone()));
                args.push(("found", (*found).to_owned()));
            }
            ProblemCode::OutOfRange { min, max, found } => {
                args.push(("min", min.to_string()));
                args.push(("max", max.to_string()));
                args.push(("found", found.to_string()));
            }
            ProblemCode::UnknownWord {
                expected,
                found,
                nearest,
            } => {
                args.push(("expected", expected.clone()));
                args.push(("found", printable(found)));
                args.extend(nearest.clone().map(|word| ("nearest", word)));
            }
            ProblemCode::BadAddress { address, fault } => {
                args.push(("address", printable(address)));
                args.push(("fault", fault.code().to_owned()));
                args.push(("part", printable(fault.part().unwrap_or_default())));
            }
            ProblemCode::RepeatedAddress { address } => args.push(("address", printable(address))),
            ProblemCode::TooManyAddresses { max, found } => {
                args.push(("max", max.to_string()));
                args.push(("found", found.to_string()));
            }
            ProblemCode::BadPath { path, max_bytes } => {
                args.push(("path", printable(path)));
                args.push(("max", max_bytes.to_string()));
            }
            ProblemCode::BelowOther {
                other,
                least,
                found,
            } => {
                args.push(("other", other.clone()));
                args.push(("least", least.to_string()));
                args.push(("found", found.to_string()));
            }
        }
        args
    }
}

impl fmt::Display for Problem {
    /// One line of English, beginning with the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = printable(&self.key);
        write!(f, "line {}: ", self.line)?;
        match &self.code {
            ProblemCode::Syntax { message } => write!(f, "{}", printable(message)),
            ProblemCode::UnknownKey {
                nearest: Some(name),
            } => {
                write!(f, "there is no key `{key}`; did you mean `{name}`?")
            }
            ProblemCode::UnknownKey { nearest: None } => write!(f, "there is no key `{key}`"),
            ProblemCode::WrongType { expected, found } => {
                write!(f, "`{key}` must be {expected}, not of type {found}")
            }
            ProblemCode::OutOfRange { min, max, found } => {
                write!(f, "`{key}` must be from {min} to {max}, not {found}")
            }
            ProblemCode::UnknownWord {
                expected,
                found,
                nearest,
            } => {
                write!(
                    f,
                    "`{key}` must be {expected}, not \"{}\"",
                    printable(found)
                )?;
                match nearest {
                    Some(word) => write!(f, "; did you mean \"{word}\"?"),
                    None => Ok(()),
                }
            }
            ProblemCode::BadAddress { address, fault } => write!(
                f,
                "`{key}` holds \"{}\": {fault}; an example is \"/ip4/203.0.113.7/tcp/4001\"",
                printable(address)
            ),
            ProblemCode::RepeatedAddress { address } => {
                write!(f, "`{key}` holds \"{}\" twice", printable(address))
            }
            ProblemCode::TooManyAddresses { max, found } => {
                write!(
                    f,
                    "`{key}` holds {found} addresses; at most {max} are possible"
                )
            }
            ProblemCode::BadPath { path, max_bytes } => write!(
                f,
                "`{key}` must be a path of 1 to {max_bytes} bytes without control characters, \
                 not \"{}\"",
                printable(path)
            ),
            ProblemCode::BelowOther {
                other,
                least,
                found,
            } => {
                write!(f, "`{key}` is {found}, below `{other}`, which is {least}")
            }
        }
    }
}

/// Whatever was proposed for `word` among `known`, if it is near enough to have been meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are no misspelling of ours, and measuring them takes long.
    const WORD_MAX_BYTES: usize = 64;
    /// One edit is forgiven in this many letters, two at least.
    const LETTERS_AN_EDIT: usize = 3;

    if word.len() > WORD_MAX_BYTES {
        return None;
    }
    let forgiven = (word.chars().count() / LETTERS_AN_EDIT).max(2);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= forgiven)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

impl Kind {
    /// The code of a value of the wrong type.
    pub(super) fn wrong_type(&self, found: &'static str) -> ProblemCode {
        ProblemCode::WrongType {
            expected: self.expected(),
            found,
        }
    }
}

/// Text from the file, fit for a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}
