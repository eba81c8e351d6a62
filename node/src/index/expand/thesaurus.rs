//! Concepts by their labels: what a label in a query is called in other languages, and what else.

use std::collections::HashMap;

use super::super::analysis::Language;
use super::{Alternative, Expanded, Label, Stem, stems};

/// Words of a label that are looked for together.
const WORDS_MAX: usize = 6;
/// Concepts that one label stands for and that are taken.
const CONCEPTS_MAX: usize = 3;
/// Labels of a concept that are added in one language.
const LABELS_MAX: usize = 3;
/// What the preferred label in another language weighs beside the words themselves.
const PREFERRED: f32 = 0.25;
/// What other labels weigh there.
const OTHERS: f32 = 0.08;
/// What other labels in the query's own language weigh: a thesaurus names narrower and broader things so, too.
const SYNONYMS: f32 = 0.02;
/// The same for terms of the glossary, whose labels are words for one thing.
const GLOSSARY_SYNONYMS: f32 = 0.2;

/// The labels of concepts, as they are indexed.
#[derive(Default)]
pub struct Thesaurus {
    concepts: Vec<Entry>,
    by_label: HashMap<(Language, String), Vec<u32>>,
}

/// A concept.
struct Entry {
    labels: Vec<Known>,
    /// The theme that records are given by it.
    theme: Option<String>,
    /// What other labels in the query's own language weigh.
    synonyms: f32,
}

/// A label.
struct Known {
    language: Language,
    terms: Vec<String>,
    shown: String,
    preferred: bool,
}

impl Thesaurus {
    /// Takes the labels of a concept (language, label, whether it is the preferred one there), and the theme that
    /// it is, if it is one.
    pub fn add<'l>(
        &mut self,
        labels: impl Iterator<Item = (&'l str, &'l str, bool)>,
        theme: Option<&str>,
    ) {
        self.enter(labels, theme, SYNONYMS);
    }

    /// Takes the labels of a term of the glossary, as [`Thesaurus::add`] does.
    pub fn add_term<'l>(&mut self, labels: impl Iterator<Item = (&'l str, &'l str, bool)>) {
        self.enter(labels, None, GLOSSARY_SYNONYMS);
    }

    fn enter<'l>(
        &mut self,
        labels: impl Iterator<Item = (&'l str, &'l str, bool)>,
        theme: Option<&str>,
        synonyms: f32,
    ) {
        let Ok(number) = u32::try_from(self.concepts.len()) else {
            return;
        };
        let mut known = Vec::new();
        for (tag, label, preferred) in labels {
            let language = Language::of_tag(tag);
            let terms: Vec<String> = stems(language, label)
                .into_iter()
                .map(|word| word.stem)
                .collect();
            if terms.is_empty() || terms.len() > WORDS_MAX {
                continue;
            }
            let key = (language, terms.join(" "));
            let concepts = self.by_label.entry(key).or_default();
            if concepts.last() != Some(&number) {
                concepts.push(number);
            }
            known.push(Known {
                language,
                terms,
                shown: label.to_owned(),
                preferred,
            });
        }
        self.concepts.push(Entry {
            labels: known,
            theme: theme.map(str::to_owned),
            synonyms,
        });
    }

    /// How many concepts it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.concepts.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.concepts.is_empty()
    }

    /// Adds what the labels among the words are called otherwise: the longest labels first, no word twice.
    pub(super) fn expand(&self, language: Language, words: &[Stem], expanded: &mut Expanded) {
        let mut at = 0;
        while at < words.len() {
            let longest = WORDS_MAX.min(words.len() - at);
            let found = (1..=longest).rev().find_map(|count| {
                let span = words.get(at..at + count)?;
                let key: Vec<&str> = span.iter().map(|word| word.stem.as_str()).collect();
                let concepts = self.by_label.get(&(language, key.join(" ")))?;
                Some((span, concepts))
            });
            match found {
                None => at += 1,
                Some((span, concepts)) => {
                    for concept in concepts.iter().take(CONCEPTS_MAX) {
                        self.add_labels(language, span, *concept, expanded);
                    }
                    at += span.len();
                }
            }
        }
    }

    fn add_labels(&self, language: Language, span: &[Stem], concept: u32, expanded: &mut Expanded) {
        let Some(entry) = self.concepts.get(concept as usize) else {
            return;
        };
        let Entry {
            labels,
            theme,
            synonyms,
        } = entry;
        if let Some(theme) = theme
            && !expanded.themes.contains(theme)
        {
            expanded.themes.push(theme.clone());
        }
        let mut taken: HashMap<Language, usize> = HashMap::new();
        for label in labels {
            let is_same = label.terms.iter().eq(span.iter().map(|word| &word.stem));
            let count = taken.entry(label.language).or_default();
            if (label.language == language && is_same) || *count >= LABELS_MAX {
                continue;
            }
            *count += 1;
            let weight = match (label.language == language, label.preferred) {
                (true, _) => *synonyms,
                (false, true) => PREFERRED,
                (false, false) => OTHERS,
            };
            let (Some(first), [only]) = (span.first(), label.terms.as_slice()) else {
                expanded.labels.push(Label {
                    language: label.language,
                    terms: label.terms.clone(),
                    shown: label.shown.clone(),
                    weight,
                });
                continue;
            };
            let alternative = Alternative {
                language: label.language,
                term: only.clone(),
                shown: label.shown.clone(),
                weight: weight * span.len() as f32,
            };
            expanded.add(first.offset, alternative);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Expansions;
    use super::*;

    fn thesaurus() -> Expansions {
        let mut thesaurus = Thesaurus::default();
        let concept = [
            ("fr", "Armes à feu", true),
            ("en", "Firearms", true),
            ("ar", "الأسلحة النارية", true),
            ("en", "Gun", false),
        ];
        thesaurus.add(concept.into_iter(), Some("firearms"));
        thesaurus.add(
            [("fr", "Feu", true), ("en", "Fire", true)].into_iter(),
            None,
        );
        Expansions {
            thesaurus,
            ..Expansions::default()
        }
    }

    fn told(text: &str) -> Vec<String> {
        let expanded = thesaurus().of(text);
        let words = expanded.words.values().flatten().map(|word| &word.shown);
        let labels = expanded.labels.iter().map(|label| &label.shown);
        words.chain(labels).cloned().collect()
    }

    #[test]
    fn a_label_is_called_otherwise_in_other_languages() {
        assert_eq!(
            told("trafic d'armes à feu"),
            ["Firearms", "Gun", "الأسلحة النارية"]
        );
        assert_eq!(told("ARMES A FEU"), ["Firearms", "Gun", "الأسلحة النارية"]);
        assert_eq!(told("الاسلحة النارية"), ["Firearms", "Gun", "Armes à feu"]);
        assert_eq!(told("le feu"), ["Fire"]);
        assert_eq!(told("rien de tel"), Vec::<String>::new());
    }

    #[test]
    fn several_words_go_together_and_one_goes_beside_the_word() {
        let expanded = thesaurus().of("armes à feu");
        assert_eq!(expanded.labels.len(), 1, "the Arabic label");
        assert_eq!(expanded.labels[0].terms.len(), 2);
        assert_eq!(expanded.words[&0].len(), 2, "two English words");
        assert_eq!(expanded.themes, ["firearms"]);
    }

    #[test]
    fn terms_of_the_glossary_stand_for_each_other_more_than_labels_of_a_thesaurus() {
        let mut thesaurus = Thesaurus::default();
        thesaurus.add_term([("fr", "effacer", true), ("fr", "supprimer", false)].into_iter());
        thesaurus.add(
            [("fr", "police", true), ("fr", "gendarmerie", false)].into_iter(),
            None,
        );
        let known = Expansions {
            thesaurus,
            ..Expansions::default()
        };
        let weight = |text: &str| known.of(text).words[&0][0].weight;
        assert_eq!(weight("supprimer"), GLOSSARY_SYNONYMS);
        assert_eq!(weight("gendarmerie"), SYNONYMS);
        assert!(weight("effacer") > weight("police"));
    }
}
