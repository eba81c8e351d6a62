//! Words of the field and of its manuals in French, English and Arabic: what a node knows across languages before
//! anybody imported a thesaurus and before any record teaches.

/// A term a line: French, English and Arabic, the preferred label first and others behind ` | `.
const TERMS: &str = include_str!("shipped/glossary.tsv");
/// The languages of the columns.
const LANGUAGES: [&str; 3] = ["fr", "en", "ar"];

/// The labels of each term: language, label, and whether it is the preferred one there.
pub fn glossary()
-> impl Iterator<Item = impl Iterator<Item = (&'static str, &'static str, bool)> + Clone> {
    TERMS.lines().map(|line| {
        let columns = LANGUAGES.into_iter().zip(line.split('\t'));
        columns.flat_map(|(lang, labels)| {
            let each = labels.split(" | ").enumerate();
            each.map(move |(at, label)| (lang, label, at == 0))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_term_has_a_preferred_label_in_each_language_and_is_there_once() {
        let mut seen = BTreeSet::new();
        for (line, labels) in (1..).zip(glossary()) {
            let preferred: Vec<_> = labels
                .clone()
                .filter(|(.., preferred)| *preferred)
                .collect();
            let languages: Vec<_> = preferred.iter().map(|(lang, ..)| *lang).collect();
            assert_eq!(languages, LANGUAGES, "line {line}");
            assert!(
                seen.insert(preferred[0].1.to_lowercase()),
                "line {line}: {}",
                preferred[0].1
            );
            let is_arabic =
                |label: &str| label.chars().any(|c| ('\u{621}'..='\u{64a}').contains(&c));
            for (lang, label, _) in labels {
                assert_eq!(label.trim(), label, "line {line}");
                assert!(!label.is_empty(), "line {line}");
                assert!(lang == "ar" || !is_arabic(label), "line {line}: {label}");
            }
        }
        assert!(seen.len() > 4_000);
    }
}
