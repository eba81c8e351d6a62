//! What the words that records are sorted by mean to this node's officers: whose concepts count, and what
//! they are called.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diwan_api::error::ApiError;
use diwan_api::types::{FieldValue, Labels, Record, Texts};
use diwan_core::group::Role;
use diwan_core::id::{AgencyId, GroupId};
use diwan_core::record::{Content, FIELD, FieldType, check_field, is_reserved, kind, kinds};
use diwan_core::replica::Replica;

use super::names;
use crate::vocabulary::{AddedField, COUNTRIES, Source, THEMES, Vocabulary};

/// Tags that are labels of TLP: nobody says what they mean.
const TLP_TAG: &str = "tlp:";

/// The vocabularies as this node's officers see them.
pub(super) struct Words<'r> {
    pub(super) vocabulary: Arc<Vocabulary>,
    replica: &'r Replica,
}

impl<'r> Words<'r> {
    pub(super) fn new(vocabulary: Arc<Vocabulary>, replica: &'r Replica) -> Self {
        Self {
            vocabulary,
            replica,
        }
    }

    fn role(&self, group: &GroupId, agency: &AgencyId) -> Option<Role> {
        self.replica.group(group)?.chain.role(agency)
    }

    /// Whether a member of one of this agency's groups says it, and is not blocked.
    pub(super) fn of_member(&self, source: &Source) -> bool {
        let me = self.replica.me().agency;
        let blocked = self.replica.trust().is_blocked(&source.origin);
        self.role(&source.group, &me).is_some() && !blocked
    }

    /// Whether an owner of the group says it, and nobody else may edit it but owners: what is shipped, its
    /// owners extend.
    pub(super) fn of_owner(&self, source: &Source) -> bool {
        let is_owner = |agency: &AgencyId| self.role(&source.group, agency) == Some(Role::Owner);
        let editors = source.editors.as_ref();
        is_owner(&source.origin)
            && editors.is_some_and(|editors| editors.iter().all(is_owner))
            && self.of_member(source)
    }

    /// Of what owners say, that of one group and of the agency's own.
    fn of_owner_in(&self, group: &GroupId, source: &Source) -> bool {
        (source.group == *group || self.is_own(&source.group)) && self.of_owner(source)
    }

    fn is_own(&self, group: &GroupId) -> bool {
        let group = self.replica.group(group);
        group.is_some_and(|group| group.chain.is_own())
    }

    /// The themes that a filter means: what was typed, and the notations that have it for a label.
    pub(super) fn themes(&self, text: &str) -> BTreeSet<String> {
        let sees = |source: &Source| self.of_owner(source);
        let mut themes = self.vocabulary.notations(THEMES, text, &sees);
        themes.insert(text.trim().to_owned());
        themes
    }

    /// The theme that is written for a text: the notation that it is a label of, if it is of one only.
    pub(super) fn theme_written(&self, text: String, group: &GroupId) -> String {
        let sees = |source: &Source| self.of_owner_in(group, source);
        let mut themes = self.vocabulary.notations(THEMES, &text, &sees).into_iter();
        match (themes.next(), themes.next()) {
            (Some(only), None) => only,
            _ => text,
        }
    }

    /// The country that a text means: its letters, or its name in French, English or Arabic.
    pub(super) fn country(&self, text: &str) -> Result<String, ApiError> {
        let text = text.trim();
        let is_code = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
        let given = if is_code {
            text.to_ascii_uppercase()
        } else {
            text.to_owned()
        };
        let mut found = self.vocabulary.notations(COUNTRIES, &given, &|_| false);
        let names = || {
            let countries = self.vocabulary.concepts(COUNTRIES, &|_| false);
            let names: Vec<String> = countries
                .flat_map(|one| one.labels().map(|(_, label)| label.to_owned()))
                .collect();
            names
        };
        match found.pop_first() {
            Some(country) => Ok(country),
            // A code that ISO may give some day.
            None if is_code => Ok(given),
            None => Err(names::unknown_name(
                "country",
                text,
                names().iter().map(String::as_str),
            )),
        }
    }

    /// What a theme is called: by what is shipped, then by the owners of a group, or of all of them.
    pub(super) fn theme_labels(&self, theme: &str, group: Option<&GroupId>) -> Texts {
        let sees = |source: &Source| match group {
            Some(group) => self.of_owner_in(group, source),
            None => self.of_owner(source),
        };
        self.vocabulary.labels(THEMES, theme, &sees)
    }

    /// What a country is called.
    pub(super) fn country_labels(&self, country: &str) -> Texts {
        self.vocabulary.labels(COUNTRIES, country, &|_| false)
    }

    /// What a tag is called, where it is the notation of a concept.
    fn tag_labels(&self, tag: &str) -> Texts {
        if tag
            .get(..TLP_TAG.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(TLP_TAG))
        {
            return Texts::new();
        }
        let sees = |source: &Source| self.of_member(source);
        self.vocabulary.tag_labels(tag, &sees)
    }

    /// The fields that a kind has besides its own where it is written in a group. A draft of the own group
    /// may have those of every group: it is published there later.
    pub(super) fn fields(&self, of_kind: &str, group: &GroupId) -> Vec<AddedField> {
        let is_own = self.is_own(group);
        let sees = |source: &Source| match is_own {
            true => self.of_owner(source),
            false => self.of_owner_in(group, source),
        };
        self.vocabulary.fields(of_kind, &sees).cloned().collect()
    }

    /// What the words of a record are called.
    pub(super) fn labels(&self, record: &Record, group: &GroupId) -> Labels {
        let mut labels = Labels::new();
        let mut put = |vocabulary: &str, word: &str, texts: Texts| {
            if !texts.is_empty() {
                let words = labels.entry(vocabulary.to_owned()).or_default();
                words.insert(word.to_owned(), texts);
            }
        };
        for theme in &record.themes {
            put(THEMES, theme, self.theme_labels(theme, Some(group)));
        }
        for tag in &record.tags {
            put("tags", tag, self.tag_labels(tag));
        }
        let added = self.fields(&record.kind, group);
        for (name, value) in &record.fields {
            let known = kind(&record.kind).and_then(|kind| kind.field(name));
            let own = added.iter().find(|field| field.name == *name);
            if let Some(field) = own {
                put("fields", name, field.title.clone());
            }
            let of = known.map(|field| field.of).or(own.map(|field| field.of));
            if matches!(of, Some(FieldType::Country | FieldType::Countries)) {
                for country in lines(value) {
                    put(COUNTRIES, country, self.country_labels(country));
                }
            }
        }
        labels
    }

    /// A record of a vocabulary is not written where it would have no effect.
    pub(super) fn check(&self, of: &str, content: &Content) -> Result<(), ApiError> {
        if let Some(named) = content.value("vocabulary") {
            let sees = |source: &Source| self.of_member(source);
            let schemes = self.vocabulary.schemes(&sees);
            let known: Vec<&str> = schemes.filter_map(|one| one.notation.as_deref()).collect();
            if !known.contains(&named) {
                return Err(names::unknown_name("vocabulary", named, known.into_iter()));
            }
        }
        if of != FIELD {
            return Ok(());
        }
        let (name, of_kind) = (content.value("notation"), content.value("of-kind"));
        let of_kind = of_kind.unwrap_or_default();
        let Some(of_kind) = kind(of_kind) else {
            let known = kinds().iter().map(|kind| kind.name);
            return Err(names::unknown_name("of-kind", of_kind, known));
        };
        let name = name.unwrap_or_default();
        match check_field(name).is_ok() && !is_reserved(name) && of_kind.field(name).is_none() {
            true => Ok(()),
            false => {
                let expected = "a new name of small letters, digits and hyphens";
                Err(ApiError::invalid("notation", name, expected))
            }
        }
    }
}

/// The values of a field that are no texts.
fn lines(value: &FieldValue) -> Vec<&str> {
    match value {
        FieldValue::Line(line) => vec![line],
        FieldValue::Lines(lines) => lines.iter().map(String::as_str).collect(),
        FieldValue::Texts(_) => Vec::new(),
    }
}

/// Labels of words, without those that have none.
pub(super) fn named(
    words: impl Iterator<Item = String>,
    labels: impl Fn(&str) -> Texts,
) -> BTreeMap<String, Texts> {
    let mut named = BTreeMap::new();
    for word in words {
        if let Entry::Vacant(place) = named.entry(word) {
            let texts = labels(place.key());
            place.insert(texts);
        }
    }
    named.retain(|_, texts: &mut Texts| !texts.is_empty());
    named
}
