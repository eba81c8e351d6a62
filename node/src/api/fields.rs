//! Fields of kinds: from what officers and documents say to a record's content, by the kind's schema,
//! and back. What the schema does not know is shown as it is.

use diwan_api::error::ApiError;
use diwan_api::types::{FieldValue, FieldValues};
use diwan_core::record::{Content, Edit, FieldType, Holds, Kind, valid_lang};

use super::drafts::{in_nfc, items, normalised};
use super::{names, time};
use crate::vocabulary::AddedField;

/// Fields that a record has a place of its own for, and where the content keeps them.
const OWN_PLACE: [(&str, Holds); 8] = [
    ("title", Holds::Texts),
    ("summary", Holds::Texts),
    ("body", Holds::Texts),
    ("themes", Holds::Set),
    ("tags", Holds::Set),
    ("tlp", Holds::Value),
    ("hcode", Holds::Value),
    ("import_key", Holds::Value),
];

/// Fields that verbs write, and nobody's hand.
const VERBS: [&str; 4] = [
    "withdrawn",
    "withdrawn-reason",
    "override",
    "source-version",
];

/// Most minutes of a training: a year.
const MINUTES_MAX: u32 = 525_600;

/// What becomes of a field that the kind's schema does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// An officer wrote it: a slip.
    Refused,
    /// A document has it, which a newer node may have written.
    Kept,
}

/// A field of a kind, its own or one that an owner added.
#[derive(Clone, Copy)]
struct Field<'s> {
    name: &'s str,
    of: FieldType,
}

/// The fields that a record may have.
pub(super) struct Schema<'s> {
    fields: Vec<Field<'s>>,
}

impl<'s> Schema<'s> {
    /// The fields of a kind, and those that the owners of a group added to it.
    pub(super) fn new(kind: Option<&'s Kind>, added: &'s [AddedField]) -> Self {
        let own = kind.into_iter().flat_map(Kind::all_fields);
        let own = own.map(|field| Field {
            name: field.name,
            of: field.of,
        });
        let added = added.iter().map(|field| Field {
            name: &field.name,
            of: field.of,
        });
        Self {
            fields: own.chain(added).collect(),
        }
    }

    /// Adds new values of fields to an edit.
    pub(super) fn change(
        &self,
        given: FieldValues,
        unknown: Unknown,
        edit: &mut Edit,
    ) -> Result<(), ApiError> {
        for (name, value) in given {
            if unknown == Unknown::Refused && VERBS.contains(&name.as_str()) {
                let expected = "a field of the record; `publish` and `withdraw` write this one";
                return Err(ApiError::invalid("field", name, expected));
            }
            // Groups may have fields of one name and of different types.
            let fields = self.fields.iter().filter(|field| field.name == name);
            let mut tried = fields.map(|field| by_schema(*field, value.clone(), edit));
            let first = tried.next();
            let is_done = matches!(first, Some(Ok(()))) || tried.any(|done| done.is_ok());
            match (is_done, first, unknown) {
                (true, ..) => {}
                (false, Some(Err(error)), Unknown::Refused) => return Err(error),
                // A value that this version's schema does not have is kept, too.
                (false, _, Unknown::Kept) => as_it_is(&name, value, edit)?,
                (false, _, Unknown::Refused) => {
                    let known = self.fields.iter().map(|field| field.name);
                    return Err(names::unknown_name("field", &name, known));
                }
            }
        }
        Ok(())
    }
}

/// The fields of a content that have no place of their own. Where one name is used in two places, as no
/// schema of ours does, the second is shown as `name/value` or `name/set`.
pub(super) fn of(content: &Content) -> FieldValues {
    let mut found = FieldValues::new();
    for name in content.fields() {
        let texts = content.texts_of(name);
        let set = content.set_of(name);
        let places = [
            (
                Holds::Texts,
                (!texts.is_empty()).then_some(FieldValue::Texts(texts)),
            ),
            (
                Holds::Value,
                content
                    .value(name)
                    .map(|value| FieldValue::Line(value.to_owned())),
            ),
            (
                Holds::Set,
                (!set.is_empty()).then_some(FieldValue::Lines(set)),
            ),
        ];
        for (holds, value) in places {
            let Some(value) = value else { continue };
            if OWN_PLACE.contains(&(name, holds)) {
                continue;
            }
            let has_place = OWN_PLACE.iter().any(|(own, _)| *own == name);
            let shown = match has_place || found.contains_key(name) {
                true => format!("{name}/{}", word_of(holds)),
                false => name.to_owned(),
            };
            found.insert(shown, value);
        }
    }
    found
}

fn word_of(holds: Holds) -> &'static str {
    match holds {
        Holds::Texts => "texts",
        Holds::Value => "value",
        Holds::Set => "set",
    }
}

fn by_schema(field: Field<'_>, value: FieldValue, edit: &mut Edit) -> Result<(), ApiError> {
    let name = field.name;
    match (field.of.holds(), value) {
        (Holds::Texts, FieldValue::Texts(texts)) => {
            for (lang, text) in normalised(texts)? {
                let text = (!text.trim().is_empty()).then_some(text);
                edit.texts.insert(format!("{name}.{lang}"), text);
            }
        }
        (Holds::Value, FieldValue::Line(line)) => {
            let line = line.trim();
            let value = (!line.is_empty()).then(|| checked(field, line));
            edit.values.insert(name.to_owned(), value.transpose()?);
        }
        (Holds::Set, FieldValue::Lines(lines)) => put_set(field, &lines, edit)?,
        (Holds::Set, FieldValue::Line(line)) => put_set(field, &[line], edit)?,
        (Holds::Texts | Holds::Value, other) | (Holds::Set, other @ FieldValue::Texts(_)) => {
            return Err(ApiError::invalid(name, said(&other), &expected(field)));
        }
    }
    Ok(())
}

fn put_set(field: Field<'_>, lines: &[String], edit: &mut Edit) -> Result<(), ApiError> {
    let items = items(lines);
    let items = items.iter().map(|item| checked(field, item));
    edit.sets
        .insert(field.name.to_owned(), items.collect::<Result<_, _>>()?);
    Ok(())
}

fn as_it_is(name: &str, value: FieldValue, edit: &mut Edit) -> Result<(), ApiError> {
    let (name, place) = match name.split_once('/') {
        Some((name, place)) => (name, Some(place)),
        None => (name, None),
    };
    let holds = match &value {
        FieldValue::Texts(_) => Holds::Texts,
        FieldValue::Line(_) => Holds::Value,
        FieldValue::Lines(_) => Holds::Set,
    };
    let is_own =
        |(own, own_holds): &(&str, Holds)| *own == name && (*own_holds == holds || place.is_none());
    if OWN_PLACE.iter().any(is_own) || place.is_some_and(|place| place != word_of(holds)) {
        let expected = format!("{name} beside the fields, not among them");
        return Err(ApiError::invalid("fields", name, &expected));
    }
    match value {
        FieldValue::Texts(texts) => {
            let texts = normalised(texts)?.into_iter();
            let texts = texts.map(|(lang, text)| (format!("{name}.{lang}"), Some(text)));
            edit.texts.extend(texts);
        }
        FieldValue::Line(line) => {
            edit.values.insert(name.to_owned(), Some(in_nfc(line)));
        }
        FieldValue::Lines(lines) => {
            let items = items(&lines).into_iter().collect();
            edit.sets.insert(name.to_owned(), items);
        }
    }
    Ok(())
}

/// A value, or an item of a set, in its one spelling.
fn checked(field: Field<'_>, text: &str) -> Result<String, ApiError> {
    let refused = || ApiError::invalid(field.name, text, &expected(field));
    match field.of {
        FieldType::Text => Err(refused()),
        FieldType::Line => match text.chars().any(char::is_control) {
            true => Err(refused()),
            false => Ok(in_nfc(text.to_owned())),
        },
        FieldType::Date => time::day_start_ms(field.name, text).map(|_| text.to_owned()),
        FieldType::Minutes => {
            let minutes = text.parse::<u32>().ok();
            let minutes = minutes.filter(|minutes| (1..=MINUTES_MAX).contains(minutes));
            minutes
                .map(|minutes| minutes.to_string())
                .ok_or_else(refused)
        }
        FieldType::Word(words) => {
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            word.map(|word| (*word).to_owned()).ok_or_else(refused)
        }
        FieldType::Country | FieldType::Countries => {
            let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
            good.then(|| text.to_ascii_uppercase()).ok_or_else(refused)
        }
        FieldType::Language | FieldType::Languages => {
            let tag = text.to_ascii_lowercase();
            valid_lang(&tag).then_some(tag).ok_or_else(refused)
        }
    }
}

/// A value as it was said, for a refusal.
fn said(value: &FieldValue) -> String {
    match value {
        FieldValue::Line(line) => line.clone(),
        FieldValue::Lines(lines) => lines.join(", "),
        FieldValue::Texts(texts) => texts.keys().cloned().collect::<Vec<_>>().join(", "),
    }
}

/// What a field holds, in words.
fn expected(field: Field<'_>) -> String {
    match field.of {
        FieldType::Text => format!("text by language, such as {}.fr", field.name),
        FieldType::Line => "one line".to_owned(),
        FieldType::Date => "a day as YYYY-MM-DD".to_owned(),
        FieldType::Minutes => format!("minutes, 1 to {MINUTES_MAX}"),
        FieldType::Word(words) => words.join(", "),
        FieldType::Country | FieldType::Countries => {
            "a country's two letters, such as TN".to_owned()
        }
        FieldType::Language | FieldType::Languages => {
            "a language tag such as fr, en, ar or pt-BR".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use diwan_api::types::Texts;
    use diwan_core::record::kind;

    use super::*;

    fn line(text: &str) -> FieldValue {
        FieldValue::Line(text.to_owned())
    }

    fn lines(items: &[&str]) -> FieldValue {
        FieldValue::Lines(items.iter().map(|item| (*item).to_owned()).collect())
    }

    fn texts(lang: &str, text: &str) -> FieldValue {
        FieldValue::Texts(Texts::from([(lang.to_owned(), text.to_owned())]))
    }

    fn given(pairs: &[(&str, FieldValue)]) -> FieldValues {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        owned.collect()
    }

    /// What a content comes to say when fields are given for a kind.
    fn after(
        name: &str,
        pairs: &[(&str, FieldValue)],
        unknown: Unknown,
    ) -> Result<Content, ApiError> {
        let mut edit = Edit::default();
        Schema::new(kind(name), &[]).change(given(pairs), unknown, &mut edit)?;
        Ok(edit.on(&Content::default()))
    }

    #[test]
    fn each_type_takes_its_own_in_one_spelling() {
        let content = after(
            "training",
            &[
                ("level", line(" Advanced ")),
                ("duration", line("090")),
                ("audience", texts("FR", "Enque\u{302}teurs")),
                ("review", line("2027-03-01")),
            ],
            Unknown::Refused,
        );
        let content = content.unwrap();
        assert_eq!(content.value("level"), Some("advanced"));
        assert_eq!(content.value("duration"), Some("90"));
        assert_eq!(content.texts_of("audience")["fr"], "Enquêteurs");
        let exchange = [
            ("start", line("2026-03-09")),
            ("host", line("fr")),
            ("countries", lines(&["tn", "DZ", "tn"])),
        ];
        let content = after("exchange", &exchange, Unknown::Refused).unwrap();
        assert_eq!(content.value("host"), Some("FR"));
        assert_eq!(content.set_of("countries"), ["DZ", "TN"]);
        let shown = of(&content);
        assert_eq!(shown["countries"], lines(&["DZ", "TN"]));
        assert_eq!(shown["start"], line("2026-03-09"));
    }

    #[test]
    fn what_is_no_value_is_refused_by_the_name_of_its_field() {
        for (name, field, value) in [
            ("training", "level", line("expert")),
            ("training", "duration", line("-5")),
            ("training", "duration", line("0")),
            ("training", "audience", line("Enquêteurs")),
            ("training", "level", lines(&["basic"])),
            ("exchange", "start", line("2026-02-30")),
            ("exchange", "host", line("FRA")),
            ("exchange", "place", line("Paris\nLyon")),
            ("exchange", "countries", lines(&["TN", "T1"])),
        ] {
            let refused = after(name, &[(field, value)], Unknown::Refused).unwrap_err();
            assert_eq!(refused.args["field"], field);
        }
        let refused = after("training", &[("levl", line("basic"))], Unknown::Refused);
        assert_eq!(refused.unwrap_err().args["nearest"], "level");
    }

    #[test]
    fn what_a_newer_node_wrote_is_shown_and_comes_back_the_same() {
        let mut content = Content {
            values: BTreeMap::from([
                ("ballistics".to_owned(), "9 mm".to_owned()),
                ("title".to_owned(), "in the wrong place".to_owned()),
                ("tlp".to_owned(), "GREEN".to_owned()),
            ]),
            ..Content::default()
        };
        content.set_set("ballistics", &["a".to_owned()]);
        content.set_texts(
            "title",
            &Texts::from([("fr".to_owned(), "Titre".to_owned())]),
        );
        let shown = of(&content);
        let names: Vec<_> = shown.keys().map(String::as_str).collect();
        assert_eq!(names, ["ballistics", "ballistics/set", "title/value"]);
        let mut edit = Edit::default();
        let schema = Schema::new(kind("guideline"), &[]);
        schema
            .change(shown.clone(), Unknown::Kept, &mut edit)
            .unwrap();
        assert_eq!(of(&edit.on(&Content::default())), shown);
        let refused = after("guideline", &[("title", line("a"))], Unknown::Kept);
        assert!(refused.is_err(), "a title has a place of its own");
        for (name, value) in [
            ("tlp/value", line("CLEAR")),
            ("hcode/value", line("H0")),
            ("title/texts", texts("fr", "a")),
            ("tags/set", lines(&["a"])),
            ("ballistics/set", line("a")),
        ] {
            let refused = after("guideline", &[(name, value)], Unknown::Kept);
            assert!(refused.is_err(), "{name} has a place of its own");
        }
    }

    #[test]
    fn a_document_keeps_values_that_only_newer_schemas_have() {
        let given = [
            ("severity", line("blocking")),
            ("country", texts("fr", "Tunisie")),
        ];
        let content = after("need", &given, Unknown::Kept).unwrap();
        assert_eq!(content.value("severity"), Some("blocking"));
        assert_eq!(content.texts_of("country")["fr"], "Tunisie");
        assert!(after("need", &given[..1], Unknown::Refused).is_err());
    }
}
