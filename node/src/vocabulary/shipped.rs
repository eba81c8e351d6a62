//! The vocabularies that the program ships, as data beside this file.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use diwan_api::document::{Bundle, BundleForm, read_bundle};
use diwan_api::types::{Draft, FieldValue};

use super::concept::{Concept, Scheme};

/// SKOS in Turtle.
const FILES: [&[u8]; 6] = [
    include_bytes!("shipped/themes.ttl"),
    include_bytes!("shipped/crime-types.ttl"),
    include_bytes!("shipped/tlp.ttl"),
    include_bytes!("shipped/handling.ttl"),
    include_bytes!("shipped/countries.ttl"),
    include_bytes!("shipped/languages.ttl"),
];

struct Shipped {
    schemes: Vec<Scheme>,
    concepts: Vec<Concept>,
}

/// The shipped concepts, file by file.
pub(super) fn concepts() -> &'static [Concept] {
    &all().concepts
}

/// The shipped schemes.
pub(super) fn schemes() -> &'static [Scheme] {
    &all().schemes
}

fn all() -> &'static Shipped {
    static SHIPPED: OnceLock<Shipped> = OnceLock::new();
    SHIPPED.get_or_init(|| {
        let mut shipped = Shipped {
            schemes: Vec::new(),
            concepts: Vec::new(),
        };
        for file in FILES {
            // A test reads each of them.
            let bundle = read_bundle(file, BundleForm::Turtle).unwrap_or_default();
            shipped.take(bundle);
        }
        shipped
    })
}

impl Shipped {
    fn take(&mut self, bundle: Bundle) {
        let notations: BTreeMap<String, String> = bundle
            .objects
            .iter()
            .filter_map(|item| Some((item.id.clone(), line(&item.draft, "notation")?)))
            .collect();
        for item in bundle.objects {
            let linked = |relation: &str| {
                let mut links = bundle.links.iter();
                let link = links.find(|(from, rel, _)| *from == item.id && rel == relation);
                link.and_then(|(.., to)| notations.get(to).cloned())
            };
            let notation = line(&item.draft, "notation");
            match item.draft.kind.as_deref() {
                Some("scheme") => self.schemes.push(Scheme {
                    record: None,
                    notation,
                    title: item.draft.title,
                }),
                _ => self.concepts.push(Concept {
                    notation,
                    vocabulary: linked("scheme"),
                    parent: linked("broader"),
                    alternative: texts(&item.draft, "alt"),
                    hidden: texts(&item.draft, "hidden"),
                    definition: item.draft.summary,
                    title: item.draft.title,
                    ..Concept::default()
                }),
            }
        }
    }
}

fn line(draft: &Draft, name: &str) -> Option<String> {
    match draft.fields.get(name) {
        Some(FieldValue::Line(line)) => Some(line.clone()),
        _ => None,
    }
}

fn texts(draft: &Draft, name: &str) -> BTreeMap<String, String> {
    match draft.fields.get(name) {
        Some(FieldValue::Texts(texts)) => texts.clone(),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_read_whole() {
        for file in FILES {
            let bundle = read_bundle(file, BundleForm::Turtle).unwrap();
            assert_eq!(bundle.bad, []);
            assert!(bundle.objects.len() > 4);
        }
        let names: Vec<_> = schemes()
            .iter()
            .filter_map(|one| one.notation.as_deref())
            .collect();
        assert_eq!(
            names,
            [
                "themes",
                "crime-types",
                "tlp",
                "handling",
                "countries",
                "languages"
            ]
        );
    }

    #[test]
    fn every_concept_has_its_notation_and_three_languages() {
        let mut seen = BTreeSet::new();
        for concept in concepts() {
            let name = (
                concept.vocabulary.clone().unwrap(),
                concept.notation.clone().unwrap(),
            );
            let languages: Vec<_> = concept.title.keys().map(String::as_str).collect();
            match name.0.as_str() {
                // Labels are not translated, what they mean is.
                "tlp" | "handling" => assert_eq!(concept.definition.len(), 3, "{name:?}"),
                _ => assert_eq!(languages, ["ar", "en", "fr"], "{name:?}"),
            }
            assert!(seen.insert(name.clone()), "{name:?} twice");
        }
        let parents = concepts().iter().filter_map(|one| one.parent.as_ref());
        for parent in parents {
            assert!(
                concepts()
                    .iter()
                    .any(|one| one.notation.as_ref() == Some(parent))
            );
        }
    }
}
