//! Names of exported files: taken from what other agencies wrote, so nothing of them is trusted.

use super::limits::FILE_NAME_BYTES_MAX;
use super::tag::Tag;

/// Letters and digits of a text in lower case, hyphens for the rest, cut to `bytes`. Never empty,
/// never hidden, never a path.
pub(crate) fn slug(text: &str, bytes: usize) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        let next = if c.is_alphanumeric() { c } else { '-' };
        if slug.len() + next.len_utf8() > bytes {
            break;
        }
        if next != '-' || !(slug.is_empty() || slug.ends_with('-')) {
            slug.push(next);
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    if slug.is_empty() {
        "untitled".to_owned()
    } else {
        slug
    }
}

/// The stem of a record's files: its title, and the first `digits` of its id.
pub(crate) fn stem(title: &str, record: &str, digits: usize) -> String {
    let id: String = record
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(digits)
        .collect();
    // Room for the hyphen and for `.md`.
    let room = FILE_NAME_BYTES_MAX.saturating_sub(id.len() + 4);
    format!("{}-{id}", slug(title, room))
}

/// The folder of a language: its tag where an import recognises that as a language folder, else
/// a private tag that it recognises. The front matter has the tag itself.
pub(crate) fn language_folder(lang: &str) -> String {
    match Tag::from_path_part(lang) {
        Some(tag) if tag.as_str() == lang => lang.to_owned(),
        _ => {
            let hash = blake3::hash(lang.as_bytes()).to_hex();
            format!("und-x-{}", hash.get(..8).unwrap_or_default())
        }
    }
}

/// The folder of a kind; one that could be taken for a language is lengthened.
pub(crate) fn kind_folder(kind: &str) -> String {
    let folder = slug(kind, FILE_NAME_BYTES_MAX);
    if Tag::from_path_part(&folder).is_some() {
        format!("kind-{folder}")
    } else {
        folder
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_titles_make_harmless_names() {
        for (title, name) in [
            ("Saisie à froid : étapes", "saisie-à-froid-étapes-0123abcd"),
            ("../../etc/passwd", "etc-passwd-0123abcd"),
            (".hidden\u{0}\u{202e}gpj.exe", "hidden-gpj-exe-0123abcd"),
            ("ضبط الأدلة", "ضبط-الأدلة-0123abcd"),
            ("///", "untitled-0123abcd"),
            ("", "untitled-0123abcd"),
        ] {
            assert_eq!(stem(title, "0123abcdef", 8), name);
        }
        assert_eq!(language_folder("pt-BR"), "pt-BR");
        assert!(language_folder("../x").starts_with("und-x-"));
        assert!(Tag::from_path_part(&language_folder("xyz")).is_some());
        assert_eq!(kind_folder("it"), "kind-it");
        assert_eq!(kind_folder("../a"), "a");
    }

    proptest! {
        #[test]
        fn a_name_is_one_bounded_path_part(title in "\\PC{0,120}|.{0,40}", id in "[0-9a-f]{64}") {
            let name = format!("{}.md", stem(&title, &id, 64));
            prop_assert!(name.len() <= FILE_NAME_BYTES_MAX);
            let parts: Vec<_> = std::path::Path::new(&name).components().collect();
            prop_assert!(matches!(parts[..], [std::path::Component::Normal(_)]));
            prop_assert!(!name.starts_with('.') && !name.chars().any(char::is_control));
        }
    }
}
