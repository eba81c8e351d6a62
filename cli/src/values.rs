//! Values on the command line that are more than a word. Parsers fail with the key of the message
//! that says what they expect.

use std::io::Read as _;
use std::path::Path;

use diwan_api::error::{ApiError, ErrorCode};
use diwan_api::types::{Editors, FieldValue, FieldValues, MemberRole, RecordLink, Texts};

use crate::error::CliError;

/// Most bytes of a text that is read from a file or from stdin: more than a record may hold, so
/// that the node's refusal names the true limit.
const TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// `fr=text`, or `text` in the interface language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LangText {
    /// The language said.
    pub(crate) lang: Option<String>,
    /// What follows.
    pub(crate) text: String,
}

/// Parses [`LangText`]. What stands before the first `=` is a language if it has the form of one.
#[expect(clippy::unnecessary_wraps, reason = "clap's form of a value parser")]
pub(crate) fn lang_text(value: &str) -> Result<LangText, String> {
    Ok(match value.split_once('=') {
        Some((lang, text)) if is_language(lang) => LangText {
            lang: Some(lang.to_owned()),
            text: text.to_owned(),
        },
        _ => LangText {
            lang: None,
            text: value.to_owned(),
        },
    })
}

/// `agency` or `agency:role`.
pub(crate) fn member(value: &str) -> Result<MemberRole, String> {
    let (agency, role) = match value.split_once(':') {
        Some((agency, role)) => (agency, Some(role.to_owned())),
        None => (value, None),
    };
    if agency.is_empty() || role.as_deref() == Some("") {
        return Err("expected-member".to_owned());
    }
    Ok(MemberRole {
        agency: agency.to_owned(),
        role,
    })
}

/// `relation=id`.
pub(crate) fn link(value: &str) -> Result<RecordLink, String> {
    match value.split_once('=') {
        Some((rel, record)) if !rel.is_empty() && !record.is_empty() => Ok(RecordLink {
            rel: rel.to_owned(),
            record: record.to_owned(),
        }),
        _ => Err("expected-link".to_owned()),
    }
}

/// `name=value`, or `name.lang=text` of a field that has texts by language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldArg {
    name: String,
    lang: Option<String>,
    value: String,
}

/// Parses [`FieldArg`].
pub(crate) fn field(value: &str) -> Result<FieldArg, String> {
    let (name, value) = value.split_once('=').ok_or("expected-field")?;
    let (name, lang) = match name.split_once('.') {
        Some((name, lang)) => (name, Some(lang.to_owned())),
        None => (name, None),
    };
    if name.is_empty() || lang.as_deref().is_some_and(|lang| !is_language(lang)) {
        return Err("expected-field".to_owned());
    }
    Ok(FieldArg {
        name: name.to_owned(),
        lang,
        value: value.to_owned(),
    })
}

/// Fields as they are sent: one value, a list where a name comes again, texts where languages are said.
pub(crate) fn fields(values: &[FieldArg]) -> Result<FieldValues, CliError> {
    let mut fields = FieldValues::new();
    for arg in values {
        let again = || ApiError::invalid("field", &arg.name, "values, or texts by language");
        let known = fields.remove(&arg.name);
        let value = match (&arg.lang, known) {
            (None, None) => FieldValue::Line(arg.value.clone()),
            (None, Some(FieldValue::Line(first))) => {
                FieldValue::Lines(vec![first, arg.value.clone()])
            }
            (None, Some(FieldValue::Lines(mut lines))) => {
                lines.push(arg.value.clone());
                FieldValue::Lines(lines)
            }
            (Some(lang), known @ (None | Some(FieldValue::Texts(_)))) => {
                let mut texts = match known {
                    Some(FieldValue::Texts(texts)) => texts,
                    _ => Texts::new(),
                };
                if texts.insert(lang.clone(), text_of(&arg.value)?).is_some() {
                    return Err(ApiError::invalid("language", lang, "each language once").into());
                }
                FieldValue::Texts(texts)
            }
            _ => return Err(again().into()),
        };
        fields.insert(arg.name.clone(), value);
    }
    Ok(fields)
}

/// `group`, `origin`, or agencies with commas between them.
pub(crate) fn editors(value: &str) -> Result<Editors, String> {
    match value {
        "group" => Ok(Editors::Group),
        "origin" => Ok(Editors::Origin),
        _ => {
            let agencies: Vec<_> = value.split(',').map(|a| a.trim().to_owned()).collect();
            if agencies.iter().any(String::is_empty) {
                return Err("expected-editors".to_owned());
            }
            Ok(Editors::Listed(agencies))
        }
    }
}

/// A TLP label as the node names it: `green` and `TLP:GREEN` are `GREEN`.
#[expect(clippy::unnecessary_wraps, reason = "clap's form of a value parser")]
pub(crate) fn tlp(value: &str) -> Result<String, String> {
    let label = value.trim().to_ascii_uppercase();
    Ok(label.strip_prefix("TLP:").unwrap_or(&label).to_owned())
}

/// A BCP 47 tag by its form: a primary language of two or three letters, and short subtags.
pub(crate) fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    parts
        .next()
        .is_some_and(|p| matches!(p.len(), 2 | 3) && letters(p))
        && parts.all(|p| matches!(p.len(), 1..=8) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Titles as they are written, by language.
pub(crate) fn titles(values: &[LangText], default_lang: &str) -> Result<Texts, CliError> {
    gather(values, default_lang, |text| Ok(text.to_owned()))
}

/// Longer texts by language: `@FILE` is what the file holds, `-` what comes on stdin.
pub(crate) fn texts(values: &[LangText], default_lang: &str) -> Result<Texts, CliError> {
    gather(values, default_lang, text_of)
}

/// A text: `@FILE` is what the file holds, `-` what comes on stdin.
pub(crate) fn text_of(value: &str) -> Result<String, CliError> {
    match value.strip_prefix('@') {
        Some(path) => read_text(Path::new(path)),
        None if value == "-" => read_from(std::io::stdin().lock(), Path::new("-")),
        None => Ok(value.to_owned()),
    }
}

/// The text of a file, in bounds.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    let file = std::fs::File::open(path).map_err(|e| CliError::read(path, e))?;
    read_from(file, path)
}

fn read_from(source: impl std::io::Read, path: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    source
        .take(TEXT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|e| CliError::read(path, e))?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err(ApiError::new(ErrorCode::TooLarge)
            .with("field", path.display())
            .with("bytes", format_args!("more than {TEXT_BYTES_MAX}"))
            .with("limit", TEXT_BYTES_MAX)
            .into());
    }
    Ok(text)
}

fn gather(
    values: &[LangText],
    default_lang: &str,
    content: impl Fn(&str) -> Result<String, CliError>,
) -> Result<Texts, CliError> {
    let mut texts = Texts::new();
    for value in values {
        let lang = value.lang.as_deref().unwrap_or(default_lang);
        if texts.contains_key(lang) {
            return Err(ApiError::invalid("language", lang, "each language once").into());
        }
        texts.insert(lang.to_owned(), content(&value.text)?);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> (Option<String>, String) {
        let parsed = lang_text(value).unwrap();
        (parsed.lang, parsed.text)
    }

    fn given(args: &[&str]) -> Result<FieldValues, CliError> {
        let args: Vec<_> = args.iter().map(|arg| field(arg).unwrap()).collect();
        fields(&args)
    }

    #[test]
    fn a_field_is_a_value_a_set_or_texts_by_language() {
        let fields = given(&[
            "duration=90",
            "countries=TN",
            "outcome.fr=Trois lacunes",
            "countries=DZ",
            "outcome.ar=a=b",
        ]);
        let fields = fields.unwrap();
        assert_eq!(fields["duration"], FieldValue::Line("90".to_owned()));
        let both = vec!["TN".to_owned(), "DZ".to_owned()];
        assert_eq!(fields["countries"], FieldValue::Lines(both));
        let texts = [("ar", "a=b"), ("fr", "Trois lacunes")];
        let texts = texts.map(|(lang, text)| (lang.to_owned(), text.to_owned()));
        assert_eq!(fields["outcome"], FieldValue::Texts(texts.into()));
        assert!(given(&["outcome.fr=a", "outcome.fr=b"]).is_err());
        assert!(given(&["outcome.fr=a", "outcome=b"]).is_err());
    }

    #[test]
    fn a_language_is_taken_only_where_one_stands() {
        let with = |lang: &str, text: &str| (Some(lang.to_owned()), text.to_owned());
        assert_eq!(of("fr=Saisie"), with("fr", "Saisie"));
        assert_eq!(of("zh-Hant=a=b"), with("zh-Hant", "a=b"));
        assert_eq!(of("fr="), with("fr", ""));
        for plain in [
            "Saisie",
            "e=mc2",
            "https://x.org/?a=b",
            "a b=c",
            "=x",
            "four=x",
        ] {
            assert_eq!(of(plain), (None, plain.to_owned()));
        }
    }

    #[test]
    fn a_language_said_twice_is_refused() {
        let values: Vec<_> = ["fr=a", "b"]
            .iter()
            .map(|v| lang_text(v).unwrap())
            .collect();
        assert!(titles(&values, "fr").is_err());
        let texts = titles(&values, "ar").unwrap();
        assert_eq!(
            texts,
            [("ar".into(), "b".into()), ("fr".into(), "a".into())].into()
        );
    }

    #[test]
    fn bodies_come_from_files_and_titles_never_do() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "texte\n").unwrap();
        let value = [lang_text(&format!("fr=@{}", file.path().display())).unwrap()];
        assert_eq!(texts(&value, "en").unwrap()["fr"], "texte\n");
        assert!(titles(&value, "en").unwrap()["fr"].starts_with('@'));
        let missing = [lang_text("fr=@/no/such/file").unwrap()];
        assert_eq!(texts(&missing, "en").unwrap_err().code(), "unknown-path");
    }

    #[test]
    fn members_links_editors_and_labels() {
        assert_eq!(member("tn:owner").unwrap().role.as_deref(), Some("owner"));
        assert_eq!(member("tn").unwrap().role, None);
        assert!(member(":owner").is_err() && member("tn:").is_err());
        assert_eq!(link("need=abcdef").unwrap().rel, "need");
        assert!(link("abcdef").is_err() && link("=a").is_err());
        assert_eq!(editors("origin").unwrap(), Editors::Origin);
        assert_eq!(
            editors("fr, tn").unwrap(),
            Editors::Listed(vec!["fr".into(), "tn".into()])
        );
        assert!(editors("fr,,tn").is_err());
        assert_eq!(tlp("tlp:amber+strict").unwrap(), "AMBER+STRICT");
    }
}
