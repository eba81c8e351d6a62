//! What the words that records are sorted by mean to this node's officers: whose concepts count, and what
//! they are called.

use std::collections::BTreeMap;
use std::sync::Arc;

use diwan_api::types::{FieldValue, Labels, Record, Texts};
use diwan_core::group::Role;
use diwan_core::id::{AgencyId, GroupId};
use diwan_core::record::{FieldType, kind};
use diwan_core::replica::Replica;

use crate::vocabulary::{AddedField, COUNTRIES, THEMES, Vocabulary};

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

    /// Whether a member of one of this agency's groups says it, and is not blocked.
    pub(super) fn of_member(&self, group: &GroupId, origin: &AgencyId) -> bool {
        let of_group = self
            .replica
            .group(group)
            .is_some_and(|group| group.chain.role(&self.replica.me().agency).is_some());
        of_group && !self.replica.trust().is_blocked(origin)
    }

    /// Whether an owner of the group says it: what is shipped, its owners extend.
    pub(super) fn of_owner(&self, group: &GroupId, origin: &AgencyId) -> bool {
        let role = self.replica.group(group);
        let role = role.and_then(|group| group.chain.role(origin));
        role == Some(Role::Owner) && self.of_member(group, origin)
    }

    /// The theme that a text means: its notation, or a label in any language.
    pub(super) fn theme(&self, text: &str) -> String {
        self.vocabulary
            .notation(THEMES, text, &|group, origin| self.of_owner(group, origin))
    }

    /// The country that a text means: its letters, or its name in any language.
    pub(super) fn country(&self, text: &str) -> String {
        let text = text.trim();
        match text.len() {
            2 => text.to_ascii_uppercase(),
            _ => self.vocabulary.notation(COUNTRIES, text, &|_, _| false),
        }
    }

    /// What a theme is called.
    pub(super) fn theme_labels(&self, theme: &str) -> Texts {
        let sees = |group: &GroupId, origin: &AgencyId| self.of_owner(group, origin);
        self.vocabulary.labels(Some(THEMES), theme, &sees)
    }

    /// What a country is called.
    pub(super) fn country_labels(&self, country: &str) -> Texts {
        let labels = self
            .vocabulary
            .labels(Some(COUNTRIES), country, &|_, _| false);
        labels
    }

    /// What a tag is called, where it is the notation of a concept.
    fn tag_labels(&self, tag: &str) -> Texts {
        let sees = |group: &GroupId, origin: &AgencyId| self.of_member(group, origin);
        self.vocabulary.labels(None, tag, &sees)
    }

    /// The fields that a kind has besides its own where it is written in a group. A draft of the own group
    /// may have those of every group: it is published there later.
    pub(super) fn fields(&self, of_kind: &str, group: &GroupId) -> Vec<AddedField> {
        let is_own = self
            .replica
            .group(group)
            .is_some_and(|group| group.chain.is_own());
        let sees =
            |of: &GroupId, origin: &AgencyId| (is_own || of == group) && self.of_owner(of, origin);
        let mut fields: Vec<AddedField> = Vec::new();
        for field in self.vocabulary.fields(of_kind, &sees) {
            if !fields.iter().any(|known| known.name == field.name) {
                fields.push(field.clone());
            }
        }
        fields
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
            put(THEMES, theme, self.theme_labels(theme));
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
        if !named.contains_key(&word) {
            let texts = labels(&word);
            named.insert(word, texts);
        }
    }
    named.retain(|_, texts: &mut Texts| !texts.is_empty());
    named
}
