//! What a record says, as plain values: multilingual texts, single values, sets and links.
//!
//! Fields are data: a field that this version does not know is kept, merged and shown all the
//! same. A key is `field.rest`, where the rest is a language, an item or a record id.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::kinds::ABOUT;
use crate::id::RecordId;
use crate::limits;

/// TLP 2.0 (FIRST, August 2022). The order is strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tlp {
    /// No limit on disclosure.
    Clear,
    /// Limited to the community.
    Green,
    /// Limited to those who need to know, and their clients.
    Amber,
    /// Limited to those who need to know.
    AmberStrict,
    /// Not for disclosure.
    Red,
}

impl Tlp {
    /// All labels, mildest first.
    pub const ALL: [Tlp; 5] = [
        Tlp::Clear,
        Tlp::Green,
        Tlp::Amber,
        Tlp::AmberStrict,
        Tlp::Red,
    ];

    /// The label without its `TLP:`, never translated.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tlp::Clear => "CLEAR",
            Tlp::Green => "GREEN",
            Tlp::Amber => "AMBER",
            Tlp::AmberStrict => "AMBER+STRICT",
            Tlp::Red => "RED",
        }
    }

    /// The label of a name, with or without `TLP:`, in any case. `WHITE` is TLP 1.0's `CLEAR`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Tlp> {
        let name = name.trim().to_ascii_uppercase();
        let name = name.strip_prefix("TLP:").unwrap_or(&name);
        let name = if name == "WHITE" { "CLEAR" } else { name };
        Self::ALL.into_iter().find(|label| label.name() == name)
    }
}

/// Content that breaks a bound or has a key that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// A text or a value is too long.
    #[error("{field} has {bytes} bytes, at most {limit} are allowed")]
    TooLong {
        /// The key.
        field: String,
        /// Found.
        bytes: usize,
        /// Allowed.
        limit: usize,
    },
    /// Too many of something.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// A key is not `field.rest`.
    #[error("{0:?} is no key of a field")]
    Key(String),
    /// A language is no BCP 47 tag.
    #[error("{0:?} is no language tag")]
    Lang(String),
    /// The label is no TLP 2.0 label.
    #[error("{0:?} is no TLP label")]
    Tlp(String),
    /// A link does not end in a record id.
    #[error("{0:?} is no link")]
    Link(String),
}

/// The plain content of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Content {
    /// `field.language` to text.
    #[n(0)]
    pub texts: BTreeMap<String, String>,
    /// Field to value.
    #[n(1)]
    pub values: BTreeMap<String, String>,
    /// `field.item`.
    #[n(2)]
    pub sets: BTreeSet<String>,
    /// `relation.record`.
    #[n(3)]
    pub links: BTreeSet<String>,
}

impl Content {
    /// The texts of a field, by language.
    #[must_use]
    pub fn texts_of(&self, field: &str) -> BTreeMap<String, String> {
        let of_field =
            |(key, text): (&String, &String)| Some((rest_of(key, field)?.to_owned(), text.clone()));
        self.texts.iter().filter_map(of_field).collect()
    }

    /// Sets a field's texts, by language.
    pub fn set_texts(&mut self, field: &str, texts: &BTreeMap<String, String>) {
        for (lang, text) in texts {
            self.texts.insert(format!("{field}.{lang}"), text.clone());
        }
    }

    /// The items of a set, sorted.
    #[must_use]
    pub fn set_of(&self, field: &str) -> Vec<String> {
        self.sets
            .iter()
            .filter_map(|key| rest_of(key, field))
            .map(str::to_owned)
            .collect()
    }

    /// The names of the fields that hold anything, wherever.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<&str> {
        let keys = self.texts.keys().chain(&self.sets);
        let of_keys = keys.filter_map(|key| key.split('.').next());
        of_keys
            .chain(self.values.keys().map(String::as_str))
            .collect()
    }

    /// Replaces a set.
    pub fn set_set<'a>(&mut self, field: &str, items: impl IntoIterator<Item = &'a String>) {
        self.sets.retain(|key| rest_of(key, field).is_none());
        self.sets
            .extend(items.into_iter().map(|item| format!("{field}.{item}")));
    }

    /// A single value.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(String::as_str)
    }

    /// The label; the strictest where there is none or an unknown one: fail closed.
    #[must_use]
    pub fn tlp(&self) -> Tlp {
        self.value("tlp")
            .and_then(Tlp::from_name)
            .unwrap_or(Tlp::Red)
    }

    /// Links as (relation, record), sorted.
    pub fn link_pairs(&self) -> impl Iterator<Item = (&str, RecordId)> {
        self.links.iter().filter_map(|key| {
            let (rel, record) = key.split_once('.')?;
            Some((rel, record.parse().ok()?))
        })
    }

    /// The record that an annotation is about; none where this is none.
    #[must_use]
    pub fn about(&self) -> Option<RecordId> {
        let mut links = self.link_pairs();
        links.find_map(|(rel, record)| (rel == ABOUT).then_some(record))
    }

    /// Adds a link.
    pub fn add_link(&mut self, rel: &str, record: &RecordId) {
        self.links.insert(format!("{rel}.{record}"));
    }

    /// The languages that any text has.
    #[must_use]
    pub fn languages(&self) -> BTreeSet<String> {
        let lang = |key: &String| key.split_once('.').map(|(_, lang)| lang.to_owned());
        self.texts.keys().filter_map(lang).collect()
    }

    /// The keys that differ between two contents, such as `body.fr`, sorted.
    #[must_use]
    pub fn changed_keys(&self, other: &Content) -> Vec<String> {
        let mut changed = BTreeSet::new();
        changed.extend(map_differences(&self.texts, &other.texts));
        changed.extend(map_differences(&self.values, &other.values));
        let field = |key: &String| key.split('.').next().unwrap_or_default().to_owned();
        changed.extend(self.sets.symmetric_difference(&other.sets).map(field));
        if self.links != other.links {
            changed.insert("links".to_owned());
        }
        changed.into_iter().collect()
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`ContentError`] names the first key that breaks one.
    pub fn check(&self) -> Result<(), ContentError> {
        let within = |name, count, limit| match count > limit {
            true => Err(ContentError::TooMany(name)),
            false => Ok(()),
        };
        within("texts", self.texts.len(), limits::TEXTS)?;
        within("values", self.values.len(), limits::VALUES)?;
        within("items of sets", self.sets.len(), limits::SET_ITEMS)?;
        within("links", self.links.len(), limits::LINKS)?;
        for (key, text) in &self.texts {
            check_text(key, text)?;
        }
        for (key, value) in &self.values {
            check_field(key)?;
            check_value(key, value)?;
        }
        self.sets.iter().try_for_each(|key| check_item(key))?;
        self.links.iter().try_for_each(|key| check_link(key))
    }
}

/// Whether a text is a plausible BCP 47 tag: subtags of letters and digits, the first of letters.
#[must_use]
pub fn valid_lang(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let first = subtags.next().unwrap_or_default();
    let good = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.len() <= limits::LANG_BYTES
        && (2..=8).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(good)
}

fn check_text(key: &str, text: &str) -> Result<(), ContentError> {
    check_text_key(key)?;
    check_length(key, text.len(), text_limit(key))
}

/// Bytes that the text of a key may have.
pub(super) fn text_limit(key: &str) -> usize {
    match key.split('.').next() {
        Some("title") => limits::TITLE_BYTES,
        Some("summary") => limits::SUMMARY_BYTES,
        _ => limits::TEXT_BYTES,
    }
}

/// `field.language`.
pub(super) fn check_text_key(key: &str) -> Result<(), ContentError> {
    let (field, lang) = split(key)?;
    check_field(field)?;
    match valid_lang(lang) {
        true => Ok(()),
        false => Err(ContentError::Lang(lang.to_owned())),
    }
}

/// A single value of a field.
pub(super) fn check_value(field: &str, value: &str) -> Result<(), ContentError> {
    check_length(field, value.len(), limits::VALUE_BYTES)?;
    match field == "tlp" && Tlp::from_name(value).is_none() {
        true => Err(ContentError::Tlp(value.to_owned())),
        false => Ok(()),
    }
}

/// `field.item` of a set.
pub(super) fn check_item(key: &str) -> Result<(), ContentError> {
    let (field, item) = split(key)?;
    check_field(field)?;
    check_length(key, item.len(), limits::VALUE_BYTES)
}

/// `relation.record`.
pub(super) fn check_link(key: &str) -> Result<(), ContentError> {
    let (rel, record) = split(key)?;
    check_field(rel)?;
    match record.parse::<RecordId>() {
        Ok(_) => Ok(()),
        Err(_) => Err(ContentError::Link(key.to_owned())),
    }
}

/// Checks a field's name: small letters, digits, `_` and `-`, 1 to [`limits::FIELD_NAME_BYTES`].
///
/// # Errors
/// [`ContentError::Key`].
pub fn check_field(field: &str) -> Result<(), ContentError> {
    let good = !field.is_empty()
        && field.len() <= limits::FIELD_NAME_BYTES
        && field
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
    if good {
        Ok(())
    } else {
        Err(ContentError::Key(field.chars().take(64).collect()))
    }
}

fn check_length(field: &str, bytes: usize, limit: usize) -> Result<(), ContentError> {
    match bytes > limit {
        true => Err(ContentError::TooLong {
            field: field.to_owned(),
            bytes,
            limit,
        }),
        false => Ok(()),
    }
}

fn split(key: &str) -> Result<(&str, &str), ContentError> {
    key.split_once('.')
        .ok_or_else(|| ContentError::Key(key.chars().take(64).collect()))
}

fn rest_of<'a>(key: &'a str, field: &str) -> Option<&'a str> {
    key.strip_prefix(field)?.strip_prefix('.')
}

fn map_differences<'a>(
    a: &'a BTreeMap<String, String>,
    b: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = String> + 'a {
    let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter()
        .filter(|key| a.get(*key) != b.get(*key))
        .cloned()
}
