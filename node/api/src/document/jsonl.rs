//! One line of JSON Lines: a draft, an exported record, or a plain record in one language.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::clean::{clean, clean_line, cut};
use super::fields::{as_fields, hex_id, slug, split_list, tag};
use super::guess::judge;
use super::heading::first_heading;
use super::label::{highest_code, strictest_tlp};
use super::limits::{
    GLOBAL_ID_CHARS_MIN, JSON_LINE_BYTES_MAX, LANGUAGES_MAX, LINKS_MAX, RECORD_TEXT_BYTES_MAX,
    SUMMARY_BYTES_MAX, TAGS_MAX, TITLE_BYTES_MAX,
};
use super::merge::sorted;
use super::place::{KeyOf, import_key};
use super::skip::{SkipReason, Warning};
use super::tag::Tag;
use crate::types::{Draft, RecordLink, Texts};

/// What is known of a line besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct LineContext<'a> {
    /// The language of plain texts, whatever the line says.
    pub forced_lang: Option<&'a str>,
    /// The language that the file's path says, for plain texts of lines that say none.
    pub path_lang: Option<&'a str>,
    /// The file's path below its root, from which keys are made.
    pub file: &'a str,
    /// Line number, from 1.
    pub line: u64,
}

/// A line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedLine {
    /// The record to write.
    pub draft: Draft,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
    /// Its import key comes from nothing better than its title.
    pub keyed_by_title: bool,
}

/// The fields of all three shapes; what else a line holds is ignored.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    id: Option<Scalar>,
    lang: Option<String>,
    kind: Option<String>,
    title: Option<Text>,
    summary: Option<Text>,
    body: Option<Text>,
    themes: Option<List>,
    tags: Option<List>,
    tlp: Option<List>,
    hcode: Option<List>,
    fields: Option<serde_json::Value>,
    links: Option<Vec<RecordLink>>,
    record: Option<String>,
    import_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(u64),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "neither a text nor a map of languages to texts")]
enum Text {
    Plain(String),
    ByLanguage(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "neither a text nor a list of texts")]
enum List {
    One(String),
    Many(Vec<String>),
}

impl List {
    fn texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }

    fn tags(self) -> Vec<String> {
        match self {
            Self::One(text) => split_list(&text).collect(),
            Self::Many(texts) => texts.iter().filter_map(|text| tag(text)).collect(),
        }
    }
}

/// Reads one line of at most [`super::limits::JSON_LINE_BYTES_MAX`]:
/// - a [`Draft`], or a [`crate::types::Record`] as an export writes it: texts by language;
/// - a plain record `{"id", "title", "summary", "body", "tags", "lang"}`: texts in one language,
///   which is told from the text where the line does not say it.
///
/// An `id` of [`GLOBAL_ID_CHARS_MIN`] or more characters gives the same import key in every file,
/// a shorter one within its file only; a line without any is known by its file and title.
///
/// # Errors
/// [`SkipReason::BadJson`], or why the record cannot be imported.
pub fn parse_line(bytes: &[u8], context: &LineContext<'_>) -> Result<ParsedLine, SkipReason> {
    let bad = |detail: String| SkipReason::BadJson {
        line: context.line,
        detail,
    };
    if bytes.len() > JSON_LINE_BYTES_MAX {
        return Err(SkipReason::TooLarge {
            bytes: bytes.len() as u64,
            limit: JSON_LINE_BYTES_MAX as u64,
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line: Line = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    let mut warnings = Vec::new();
    let record = line.record.as_deref().and_then(|id| hex_id(id, 16..=128));
    let plain_lang = plain_language(&line, context, &mut warnings);
    let texts = |text: Option<Text>| by_language(text, &plain_lang).map_err(bad);
    let mut draft = Draft {
        kind: line.kind.as_deref().and_then(slug),
        title: texts(line.title)?,
        summary: texts(line.summary)?,
        body: texts(line.body)?,
        themes: sorted(
            line.themes
                .into_iter()
                .flat_map(List::tags)
                .filter_map(|t| slug(&t)),
            TAGS_MAX,
        ),
        tags: sorted(line.tags.into_iter().flat_map(List::tags), TAGS_MAX),
        tlp: strictest_tlp(labels(line.tlp).iter().map(String::as_str))?,
        hcode: highest_code(labels(line.hcode).iter().map(String::as_str))?,
        fields: line.fields.as_ref().map(as_fields).unwrap_or_default(),
        links: sorted(
            line.links.into_iter().flatten().filter_map(|l| link(&l)),
            LINKS_MAX,
        ),
        record,
        import_key: None,
        file_name: None,
        override_reason: None,
    };
    if draft.record.is_none() {
        name(&mut draft, &mut warnings);
        if draft.title.is_empty() {
            return Err(bad("neither a title nor a body".to_owned()));
        }
    }
    check_size(&draft)?;
    let own_key = line
        .import_key
        .as_deref()
        .and_then(|key| hex_id(key, 32..=32));
    let mut keyed_by_title = false;
    draft.import_key = own_key.or_else(|| match (&line.id, &draft.record) {
        (Some(id), _) => Some(key_of_id(id, context.file)),
        // An export of a record that was never imported.
        (None, Some(_)) => None,
        (None, None) => {
            keyed_by_title = true;
            let first = draft.title.iter().next();
            let (lang, title) = first.map_or(("", ""), |(lang, title)| (lang, title));
            Some(import_key(KeyOf::LineTitle, &[context.file, lang, title]))
        }
    });
    Ok(ParsedLine {
        draft,
        warnings,
        keyed_by_title,
    })
}

fn key_of_id(id: &Scalar, file: &str) -> String {
    match id {
        Scalar::Text(id) if id.len() >= GLOBAL_ID_CHARS_MIN => import_key(KeyOf::LineId, &["", id]),
        Scalar::Text(id) => import_key(KeyOf::LineId, &[file, id]),
        Scalar::Number(id) => import_key(KeyOf::LineId, &[file, &id.to_string()]),
    }
}

/// The language of the line's texts that do not say theirs. What a program wrote is believed; only
/// people put files into wrong folders.
fn plain_language(line: &Line, context: &LineContext<'_>, warnings: &mut Vec<Warning>) -> String {
    if let Some(forced) = context.forced_lang.and_then(Tag::parse) {
        return forced.to_string();
    }
    if let Some(written) = &line.lang {
        if let Some(tag) = Tag::parse(written).filter(Tag::is_known) {
            return tag.to_string();
        }
        let mut value = clean_line(written);
        cut(&mut value, super::limits::TAG_BYTES_MAX);
        warnings.push(Warning::UnknownLanguage { value });
    }
    if let Some(tag) = context.path_lang.and_then(Tag::parse) {
        return tag.to_string();
    }
    let plain = [&line.body, &line.summary, &line.title]
        .into_iter()
        .find_map(|text| match text {
            Some(Text::Plain(text)) if !text.trim().is_empty() => Some(text),
            _ => None,
        });
    let prose = plain
        .map(|text| super::heading::prose(text))
        .unwrap_or_default();
    judge(&prose, None).lang.to_string()
}

fn by_language(text: Option<Text>, plain_lang: &str) -> Result<Texts, String> {
    let entries = match text {
        None => return Ok(Texts::new()),
        Some(Text::Plain(text)) => BTreeMap::from([(plain_lang.to_owned(), text)]),
        Some(Text::ByLanguage(texts)) => texts,
    };
    let mut texts = Texts::new();
    for (lang, text) in entries {
        let tag = Tag::parse(&lang).ok_or_else(|| format!("{lang:?} is not a language tag"))?;
        let text = clean(&text);
        if !text.trim().is_empty() {
            texts.insert(tag.to_string(), text);
        }
    }
    Ok(texts)
}

/// Brings titles and summaries into their bounds, and gives a title to a body that has none.
fn name(draft: &mut Draft, warnings: &mut Vec<Warning>) {
    if draft.title.is_empty() {
        let titles = draft.body.iter().map(|(lang, body)| {
            let first_line = || clean_line(body.trim_start().lines().next().unwrap_or_default());
            (lang.clone(), first_heading(body).unwrap_or_else(first_line))
        });
        draft.title = titles.filter(|(_, title)| !title.is_empty()).collect();
    }
    for title in draft.title.values_mut() {
        *title = clean_line(title);
        if cut(title, TITLE_BYTES_MAX) {
            warnings.push(Warning::Cut {
                field: "title".to_owned(),
                limit: TITLE_BYTES_MAX,
            });
        }
    }
    for summary in draft.summary.values_mut() {
        if cut(summary, SUMMARY_BYTES_MAX) {
            warnings.push(Warning::Cut {
                field: "summary".to_owned(),
                limit: SUMMARY_BYTES_MAX,
            });
        }
    }
}

fn check_size(draft: &Draft) -> Result<(), SkipReason> {
    let fields = [&draft.title, &draft.summary, &draft.body];
    let bytes: usize = fields
        .iter()
        .flat_map(|texts| texts.values())
        .map(String::len)
        .sum();
    if bytes > RECORD_TEXT_BYTES_MAX {
        let limit = RECORD_TEXT_BYTES_MAX as u64;
        return Err(SkipReason::RecordTooLarge {
            bytes: bytes as u64,
            limit,
        });
    }
    if fields.iter().any(|texts| texts.len() > LANGUAGES_MAX) {
        return Err(SkipReason::TooManyLanguages {
            limit: LANGUAGES_MAX,
        });
    }
    Ok(())
}

fn labels(list: Option<List>) -> Vec<String> {
    list.into_iter()
        .flat_map(List::texts)
        .filter(|label| !label.trim().is_empty())
        .collect()
}

fn link(link: &RecordLink) -> Option<RecordLink> {
    Some(RecordLink {
        rel: slug(&link.rel)?,
        record: hex_id(&link.record, 6..=128)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(line: &str) -> ParsedLine {
        try_parse(line).unwrap()
    }

    fn try_parse(line: &str) -> Result<ParsedLine, SkipReason> {
        let context = LineContext {
            file: "kb/a.jsonl",
            line: 7,
            ..Default::default()
        };
        parse_line(line.as_bytes(), &context)
    }

    #[test]
    fn a_plain_record_is_one_language_of_a_draft() {
        let draft = parse(
            r#"{"id":"01HF7YATZG0000000000000000","title":"Fraude au président","summary":"S",
               "body":"Corps\r\n","tags":["b","a"],"lang":"fr","authors":["author-0001"]}"#,
        )
        .draft;
        assert_eq!(draft.title["fr"], "Fraude au président");
        assert_eq!(
            (draft.summary["fr"].as_str(), draft.body["fr"].as_str()),
            ("S", "Corps\n")
        );
        assert_eq!(draft.tags, ["a", "b"]);
        assert_eq!(draft.import_key.unwrap().len(), 32);
    }

    #[test]
    fn a_draft_comes_back_as_it_went() {
        let draft = Draft {
            kind: Some("guideline".into()),
            title: Texts::from([("fr".into(), "T".into()), ("ar".into(), "ع".into())]),
            body: Texts::from([("fr".into(), "  B\n\n".into())]),
            tlp: Some("AMBER+STRICT".into()),
            links: vec![RecordLink {
                rel: "need".into(),
                record: "ab".repeat(32),
            }],
            record: Some("cd".repeat(32)),
            import_key: Some("ef".repeat(16)),
            ..Draft::default()
        };
        assert_eq!(parse(&serde_json::to_string(&draft).unwrap()).draft, draft);
    }

    #[test]
    fn ids_give_keys() {
        let key = |id: &str, file: &str| {
            let line = format!(r#"{{"id":{id},"title":"T","lang":"fr"}}"#);
            let context = LineContext {
                file,
                ..Default::default()
            };
            parse_line(line.as_bytes(), &context)
                .unwrap()
                .draft
                .import_key
        };
        let long = r#""01HF7YATZG0000000000000000""#;
        assert_eq!(key(long, "a"), key(long, "b"));
        assert_ne!(key(r#""17""#, "a"), key(r#""17""#, "b"));
        assert_eq!(key("17", "a"), key(r#""17""#, "a"));
        let untitled = parse(r#"{"title":"T","lang":"fr"}"#);
        assert!(untitled.keyed_by_title && untitled.draft.import_key.is_some());
    }

    #[test]
    fn a_language_nobody_says_is_told_from_the_text() {
        let told = parse(r#"{"body":"Les enquêteurs conservent les preuves numériques saisies."}"#);
        assert_eq!(told.draft.title.keys().collect::<Vec<_>>(), ["fr"]);
        let forced = LineContext {
            forced_lang: Some("es"),
            ..Default::default()
        };
        let draft = parse_line(br#"{"title":"T","lang":"fr"}"#, &forced)
            .unwrap()
            .draft;
        assert_eq!(draft.title.keys().collect::<Vec<_>>(), ["es"]);
    }

    #[test]
    fn bad_lines_are_refused_with_their_number() {
        for line in [
            "{",
            "[]x",
            "3",
            "{}",
            r#"{"title":[]}"#,
            r#"{"title":{"../x":"T"}}"#,
            "\u{0}",
        ] {
            assert!(
                matches!(try_parse(line), Err(SkipReason::BadJson { line: 7, .. })),
                "{line}"
            );
        }
        let label = try_parse(r#"{"title":"T","lang":"fr","tlp":["GREEN","PURPLE"]}"#);
        assert_eq!(
            label,
            Err(SkipReason::BadLabel {
                value: "PURPLE".into()
            })
        );
        let large = format!(r#"{{"title":"T","body":"{}"}}"#, "x".repeat(1024 * 1024));
        assert_eq!(try_parse(&large).unwrap_err().code(), "record-too-large");
    }

    proptest! {
        #[test]
        fn any_line_is_answered(line in r#"[{}\[\]",:a-z0-9\\u]{0,60}"#) {
            let _ = try_parse(&line);
        }
    }
}
