use std::collections::BTreeMap;

use super::*;
use crate::error::ErrorCode;

/// The values that each error carries, as its doc comment in `error.rs` promises them.
fn promised_values() -> BTreeMap<String, Vec<String>> {
    let source = include_str!("../error.rs");
    let mut values = Vec::new();
    let mut promised = BTreeMap::new();
    for line in source.lines().map(str::trim) {
        if let Some((_, list)) = line.split_once("Args: ") {
            values = list
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect();
        } else if let Some((_, rest)) = line.split_once(" = \"")
            && let Some((name, _)) = rest.split_once("\", ")
        {
            promised.insert(name.to_owned(), std::mem::take(&mut values));
        }
    }
    promised
}

#[test]
fn every_error_has_a_message_and_a_hint_that_use_only_its_values() {
    let catalogue = Catalogue::english();
    let promised = promised_values();
    for code in ErrorCode::ALL {
        let names = promised.get(code.name()).expect("documented");
        let values: Vec<_> = names
            .iter()
            .map(|n| (n.as_str(), Value::from("x")))
            .collect();
        let key = format!("error-{}", code.name());
        for attribute in [None, Some("hint")] {
            let formatted = catalogue
                .format(&key, attribute, &values)
                .unwrap_or_else(|| panic!("{key} {attribute:?} is missing"));
            assert!(
                formatted.complete,
                "{key} {attribute:?} wants other values than {names:?}"
            );
        }
    }
}

#[test]
fn the_files_of_every_language_parse_and_hold_no_key_twice() {
    for language in languages() {
        for source in sources(&language) {
            let parsed = FluentResource::try_new(source.to_owned());
            assert!(
                parsed.is_ok(),
                "{language}: {:?}",
                parsed.err().map(|(_, e)| e)
            );
        }
        let mut keys = keys(&language);
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count, "{language} has a key twice");
        assert!(
            keys.iter().all(|key| Catalogue::english().has(key)),
            "{language}"
        );
    }
}

#[test]
fn a_language_without_messages_speaks_english() {
    assert!(languages().contains(&"en".to_owned()));
    let catalogue = Catalogue::of("zz");
    assert_eq!(catalogue.language(), "en");
    assert!(catalogue.has("error-internal"));
}

#[test]
fn a_key_that_nobody_wrote_is_shown_as_it_is() {
    assert_eq!(Catalogue::english().text("no-such-key", &[]), "no-such-key");
    assert!(!Catalogue::english().has("no-such-key"));
}

#[test]
fn the_language_comes_from_the_flag_then_from_the_locale() {
    assert_eq!(language_of(Some("ar"), Some("fr_FR.UTF-8")), "ar");
    assert_eq!(language_of(None, Some("fr_FR.UTF-8")), "fr-FR");
    assert_eq!(language_of(None, Some("ar_TN.UTF-8@euro")), "ar-TN");
    assert_eq!(language_of(None, Some("C.UTF-8")), "en");
    assert_eq!(language_of(None, Some("POSIX")), "en");
    assert_eq!(language_of(Some("../etc"), None), "en");
    assert_eq!(language_of(None, None), "en");
    assert_eq!(primary("fr-FR"), "fr");
}

#[test]
fn an_error_is_worded_with_its_values() {
    let error = ApiError::new(ErrorCode::UnknownGroup).with("name", "cyber");
    let (message, hint) = Catalogue::english().error(&error);
    assert!(message.contains("cyber"), "{message}");
    assert!(hint.contains("diwan group list"), "{hint}");
}
