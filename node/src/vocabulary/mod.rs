//! The words that records are sorted by: concepts with their labels by language, from the concept schemes
//! that the program ships and from the records of vocabularies (`docs/architecture/vocabularies.md`).
//!
//! What a record says is a notation (`cybercrime`, `TN`, `rsit:fraud="phishing"`); the concept that has
//! this notation gives it labels. Nothing here decides what may be written or seen: whoever asks says whose
//! concepts count.

mod added;
mod concept;
mod follow;
mod glossary;
mod shipped;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diwan_core::id::RecordId;

use crate::index::folded;

pub use added::AddedField;
pub use concept::{Concept, Scheme, Source};
pub use follow::Vocabularies;
pub use glossary::glossary;

/// The vocabulary of themes.
pub const THEMES: &str = "themes";
/// The vocabulary of types of crime.
pub const CRIME_TYPES: &str = "crime-types";
/// The vocabulary of countries.
pub const COUNTRIES: &str = "countries";

/// Whose concepts count.
pub type Sees<'s> = &'s dyn Fn(&Source) -> bool;

/// What is known of vocabularies at a store sequence.
#[derive(Clone, Default)]
pub struct Vocabulary {
    seq: u64,
    /// Records by the store's number.
    records: BTreeMap<u64, Arc<Entry>>,
    /// Numbers of the records of concepts by notation.
    by_notation: BTreeMap<String, BTreeSet<u64>>,
    /// Numbers of the records of schemes.
    schemes: BTreeMap<RecordId, u64>,
}

/// What a record of a vocabulary says.
enum Entry {
    Scheme(Scheme),
    Concept(Concept),
    Field(AddedField),
}

impl Vocabulary {
    /// The concepts that have a notation: those shipped first, then records by age.
    fn concepts_of<'v>(
        &'v self,
        notation: &'v str,
        sees: Sees<'v>,
    ) -> impl Iterator<Item = &'v Concept> {
        let shipped = shipped::concepts()
            .iter()
            .filter(move |concept| concept.notation.as_deref() == Some(notation));
        let nums = self.by_notation.get(notation).into_iter().flatten();
        let recorded = nums
            .filter_map(|num| match self.records.get(num).map(AsRef::as_ref) {
                Some(Entry::Concept(concept)) => Some(concept),
                _ => None,
            })
            .filter(move |concept| concept.is_seen(sees));
        shipped.chain(recorded)
    }

    /// A record is of the vocabulary that its scheme is, or that it says to extend.
    fn is_of(&self, concept: &Concept, vocabulary: &str) -> bool {
        let scheme = |id: &RecordId| {
            let num = self.schemes.get(id);
            match num.and_then(|num| self.records.get(num)).map(AsRef::as_ref) {
                Some(Entry::Scheme(scheme)) => scheme.notation.as_deref() == Some(vocabulary),
                _ => false,
            }
        };
        concept.vocabulary.as_deref() == Some(vocabulary) || concept.schemes.iter().any(scheme)
    }

    /// The labels of a notation in a vocabulary.
    #[must_use]
    pub fn labels(
        &self,
        vocabulary: &str,
        notation: &str,
        sees: Sees<'_>,
    ) -> BTreeMap<String, String> {
        let concepts = self.concepts_of(notation, sees);
        labels_of(concepts.filter(|concept| self.is_of(concept, vocabulary)))
    }

    /// The notations that a text means in a vocabulary: itself where it is one, else those that have it for a
    /// label in any language, whatever its case and accents.
    #[must_use]
    pub fn notations(&self, vocabulary: &str, text: &str, sees: Sees<'_>) -> BTreeSet<String> {
        let text = text.trim();
        let mut named = self.concepts_of(text, sees);
        if named.any(|concept| self.is_of(concept, vocabulary)) {
            return BTreeSet::from([text.to_owned()]);
        }
        let wanted = folded(text);
        self.concepts(vocabulary, sees)
            .filter(|concept| concept.labels().any(|(_, label)| folded(label) == wanted))
            .filter_map(|concept| concept.notation.clone())
            .collect()
    }

    /// What tags are called: the labels of the records' concepts that have this notation, and of shipped
    /// types of crime.
    #[must_use]
    pub fn tag_labels(&self, tag: &str, sees: Sees<'_>) -> BTreeMap<String, String> {
        // Letters of countries and languages, labels and codes are no tags.
        let is_tag = |concept: &&Concept| match concept.vocabulary.as_deref() {
            None => concept.record.is_some(),
            Some(vocabulary) => vocabulary == CRIME_TYPES,
        };
        labels_of(self.concepts_of(tag, sees).filter(is_tag))
    }

    /// The concepts of a vocabulary: those shipped first, then records by age.
    pub fn concepts<'v>(
        &'v self,
        vocabulary: &'v str,
        sees: Sees<'v>,
    ) -> impl Iterator<Item = &'v Concept> {
        self.all_concepts(sees)
            .filter(move |concept| self.is_of(concept, vocabulary))
    }

    /// Every concept: those shipped first, then records by age.
    pub fn all_concepts<'v>(&'v self, sees: Sees<'v>) -> impl Iterator<Item = &'v Concept> {
        let recorded = self
            .records
            .values()
            .filter_map(|entry| match entry.as_ref() {
                Entry::Concept(concept) => Some(concept),
                Entry::Scheme(_) | Entry::Field(_) => None,
            });
        shipped::concepts()
            .iter()
            .chain(recorded.filter(move |concept| concept.is_seen(sees)))
    }

    /// Every concept scheme: those shipped first, then records by age.
    pub fn schemes<'v>(&'v self, sees: Sees<'v>) -> impl Iterator<Item = &'v Scheme> {
        let recorded = self
            .records
            .values()
            .filter_map(|entry| match entry.as_ref() {
                Entry::Scheme(scheme) => Some(scheme),
                Entry::Concept(_) | Entry::Field(_) => None,
            });
        let recorded = recorded.filter(move |scheme| scheme.is_seen(sees));
        shipped::schemes().iter().chain(recorded)
    }

    /// How many concepts each scheme that is a record has.
    #[must_use]
    pub fn counts(&self, sees: Sees<'_>) -> BTreeMap<RecordId, u64> {
        let mut counts = BTreeMap::new();
        for concept in self.all_concepts(sees) {
            for scheme in &concept.schemes {
                *counts.entry(*scheme).or_default() += 1;
            }
        }
        counts
    }

    /// The concepts of a scheme that is a record.
    pub fn concepts_in<'v>(
        &'v self,
        scheme: RecordId,
        sees: Sees<'v>,
    ) -> impl Iterator<Item = &'v Concept> {
        self.all_concepts(sees)
            .filter(move |concept| concept.schemes.contains(&scheme))
    }

    /// The fields that owners added to a kind.
    pub fn fields<'v>(
        &'v self,
        kind: &'v str,
        sees: Sees<'v>,
    ) -> impl Iterator<Item = &'v AddedField> {
        self.records
            .values()
            .filter_map(move |entry| match entry.as_ref() {
                Entry::Field(field) if field.of_kind == kind => Some(field),
                _ => None,
            })
            .filter(move |field| sees(&field.record))
    }

    /// The store sequence that it covers.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    fn put(&mut self, num: u64, entry: Option<Entry>) {
        match self.records.remove(&num).as_deref() {
            Some(Entry::Concept(Concept {
                notation: Some(notation),
                ..
            })) => {
                if let Some(nums) = self.by_notation.get_mut(notation) {
                    nums.remove(&num);
                    if nums.is_empty() {
                        self.by_notation.remove(notation);
                    }
                }
            }
            Some(Entry::Scheme(Scheme {
                record: Some(record),
                ..
            })) => {
                self.schemes.remove(&record.id);
            }
            _ => {}
        }
        let Some(entry) = entry else { return };
        match &entry {
            Entry::Concept(Concept {
                notation: Some(notation),
                ..
            }) => {
                let nums = self.by_notation.entry(notation.clone()).or_default();
                nums.insert(num);
            }
            Entry::Scheme(Scheme {
                record: Some(record),
                ..
            }) => {
                self.schemes.insert(record.id, num);
            }
            _ => {}
        }
        self.records.insert(num, Arc::new(entry));
    }
}

/// Preferred labels by language: the first concept gives them, and later ones the languages that it lacks.
fn labels_of<'v>(concepts: impl Iterator<Item = &'v Concept>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for concept in concepts {
        for (lang, label) in &concept.title {
            labels.entry(lang.clone()).or_insert_with(|| label.clone());
        }
    }
    labels
}

/// Whether a kind is one of vocabularies.
#[must_use]
pub fn is_of_vocabulary(kind: &str) -> bool {
    diwan_core::record::kind(kind).is_some_and(|kind| kind.vocabulary)
}

/// The kinds of vocabularies.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    let all = diwan_core::record::kinds().iter();
    all.filter(|kind| kind.vocabulary).map(|kind| kind.name)
}
