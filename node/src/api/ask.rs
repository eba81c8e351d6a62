//! The query language: `field:value` and `-field:value` among the words of a search. What is left are words,
//! `"phrases"`, `-words`, `prefix*` and `OR`, which the index reads.

use diwan_api::error::{ApiError, ErrorCode};

use crate::index::{is_blank, is_quote, split_at_quote, split_word};

/// Fields that a query may name.
pub(super) const FIELDS: [&str; 11] = [
    "kind", "theme", "country", "origin", "group", "tlp", "lang", "tag", "since", "until", "has",
];
/// Those of them that may be excluded.
const EXCLUDED: [&str; 6] = ["kind", "theme", "lang", "tag", "tlp", "has"];
/// Bytes of a query: what the index takes.
const BYTES_MAX: usize = crate::index::MAX_QUERY_BYTES;
/// Filters of one query.
const FILTERS_MAX: usize = 32;

/// A query, its filters apart from its words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// Words, phrases and exclusions.
    pub(super) text: String,
    pub(super) filters: Vec<Filter>,
}

/// A condition that the query states.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    /// One of [`FIELDS`].
    pub(super) field: &'static str,
    pub(super) value: String,
    pub(super) excluded: bool,
}

impl Ask {
    /// Takes the filters out of a query. A field is written in small letters, with its value right behind the
    /// colon: `Windows:` and `https://` are words.
    ///
    /// # Errors
    /// [`ErrorCode::BadQuery`] with the character where a field is not known, has no value or cannot be
    /// excluded, and where a quote is not closed.
    pub(super) fn read(query: &str) -> Result<Self, ApiError> {
        let mut ask = Self::default();
        if query.len() > BYTES_MAX {
            // The index says so, with the limit.
            ask.text = query.to_owned();
            return Ok(ask);
        }
        let mut rest = query;
        while !rest.is_empty() {
            // Where a mistake is, counted where there is one.
            let before = query.len() - rest.len();
            let bad = |said: String| {
                let before = query.get(..before).unwrap_or_default();
                bad(before.chars().count() + 1, &said)
            };
            rest = ask.take(rest).map_err(bad)?;
        }
        match ask.filters.len() > FILTERS_MAX {
            true => Err(bad(1, &format!("more than {FILTERS_MAX} fields"))),
            false => Ok(ask),
        }
    }

    /// Takes a phrase, a field, a word or what stands between them, and gives what comes behind it.
    fn take<'q>(&mut self, rest: &'q str) -> Result<&'q str, String> {
        if let Some(inside) = rest.strip_prefix(is_quote) {
            let (phrase, after) = split_at_quote(inside).ok_or("this quote is not closed")?;
            // Marks that no Hebrew word has within it.
            self.text += &format!("\u{201c}{phrase}\u{201d}");
            return Ok(after);
        }
        if let Some(after) = rest.strip_prefix(is_blank) {
            self.text.push(' ');
            return Ok(after);
        }
        let (word, after) = split_word(rest);
        let Some((name, value, excluded)) = field(word, after) else {
            self.text += word;
            return Ok(after);
        };
        let (value, after) =
            value_of(value, after).ok_or("the value of this field is not closed, or empty")?;
        let filter = filter(name, value, excluded)?;
        let is_same = |other: &Filter| other.field == filter.field && !other.excluded;
        if !excluded && self.filters.iter().any(is_same) {
            return Err(format!("“{}:” is said twice", filter.field));
        }
        self.filters.push(filter);
        Ok(after)
    }
}

/// The name and the value of a word that is a field, and whether it is excluded. In `note: words` the colon is
/// one of a sentence.
fn field<'q>(word: &'q str, after: &str) -> Option<(&'q str, &'q str, bool)> {
    let bare = word.strip_prefix('-');
    let (name, value) = bare.unwrap_or(word).split_once(':')?;
    let is_name = name.len() > 1 && name.bytes().all(|b| b.is_ascii_lowercase());
    let is_sentence = value.is_empty() && !after.starts_with(is_quote);
    let is_address = value.starts_with("//");
    (is_name && !is_address && !is_sentence).then_some((name, value, bare.is_some()))
}

/// A value, in quotes where it has several words, and what comes behind it.
fn value_of<'q>(value: &str, after: &'q str) -> Option<(String, &'q str)> {
    if !value.is_empty() {
        return Some((value.to_owned(), after));
    }
    let inside = after.strip_prefix(is_quote)?;
    let (value, after) = split_at_quote(inside)?;
    let value = value.trim();
    (!value.is_empty()).then(|| (value.to_owned(), after))
}

fn filter(name: &str, value: String, excluded: bool) -> Result<Filter, String> {
    let Some(field) = FIELDS.into_iter().find(|field| *field == name) else {
        let nearest = FIELDS
            .into_iter()
            .min_by_key(|field| strsim::damerau_levenshtein(field, name));
        let nearest = nearest.unwrap_or_default();
        let said =
            format!("“{name}:” is no field; did you mean “{nearest}:”? In quotes it is words");
        return Err(said);
    };
    if excluded && !EXCLUDED.contains(&field) {
        let said = format!("“{field}:” cannot be excluded; {} can", EXCLUDED.join(", "));
        return Err(said);
    }
    Ok(Filter {
        field,
        value,
        excluded,
    })
}

fn bad(at: usize, said: &str) -> ApiError {
    ApiError::new(ErrorCode::BadQuery).with("detail", format!("character {at}: {said}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text, and filters as they are written.
    fn read(query: &str) -> (String, Vec<String>) {
        let ask = Ask::read(query).unwrap();
        let shown = |filter: &Filter| {
            let minus = if filter.excluded { "-" } else { "" };
            format!("{minus}{}={}", filter.field, filter.value)
        };
        (ask.text, ask.filters.iter().map(shown).collect())
    }

    fn said(query: &str) -> String {
        Ask::read(query).unwrap_err().args["detail"].clone()
    }

    #[test]
    fn fields_are_told_from_words() {
        let (text, filters) =
            read("saisie kind:training -tlp:RED theme:\"money laundering\" -mobile");
        assert_eq!(
            text.split_whitespace().collect::<Vec<_>>(),
            ["saisie", "-mobile"]
        );
        assert_eq!(
            filters,
            ["kind=training", "-tlp=RED", "theme=money laundering"]
        );
        for words in [
            "A03:2021 – Injection",
            "voir https://a.example/b",
            "Windows: mise à jour",
            "\"kind:training\"",
            "TLP:AMBER",
            "conseils : documenter",
            "kinds of attacks: malware",
        ] {
            assert!(read(words).1.is_empty(), "{words}");
        }
    }

    #[test]
    fn a_quotation_mark_within_a_hebrew_word_is_of_the_word() {
        let (text, filters) = read("דו\"ח kind:training \"דו\"ח שנתי\"");
        assert_eq!(text.trim(), "דו\"ח  “דו\"ח שנתי”");
        assert_eq!(filters, ["kind=training"]);
        assert!(said("דו\"ח \"שנתי").starts_with("character 6: this quote"));
    }

    #[test]
    fn mistakes_are_named_with_their_character() {
        assert!(said("saisie \"mobile").starts_with("character 8: this quote"));
        assert!(said("ضبط kindd:training").starts_with("character 5:"));
        assert!(said("kindd:training").contains("“kind:”"));
        assert!(said("a kind:\"b").starts_with("character 3: the value of this field"));
        assert!(said("-since:2026-01-01").contains("cannot be excluded"));
        assert!(said("kind:x -kind:y kind:z").starts_with("character 16: “kind:” is said twice"));
        assert!(said(&"-kind:x ".repeat(40)).contains("32"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in r#"([-"“”הא: a\x00é'ش]|kind:|tag:|\PC){0,40}"#) {
            // The index reads as a phrase what was read as one here.
            if let Ok(ask) = Ask::read(&text) && ask.filters.is_empty() {
                prop_assert_eq!(Ask::read(&ask.text).map(|again| again.text).ok(), Some(ask.text));
            }
        }
    }
}
