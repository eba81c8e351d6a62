//! One Markdown file: bytes in, a page in one language out.

use super::clean::{clean, clean_line, cut};
use super::encoding::decode;
use super::export::without_footer;
use super::fields::Fields;
use super::front_matter::{Parts, split};
use super::guess::judge;
use super::heading::{first_heading, prose, title_from_file_name};
use super::limits::{
    FRONT_MATTER_TEXT_MIN, MARKDOWN_FILE_BYTES_MAX, SUMMARY_BYTES_MAX, TITLE_BYTES_MAX,
};
use super::skip::{SkipReason, Warning};
use super::tag::Tag;

/// What is known of a Markdown file besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct MarkdownContext<'a> {
    /// The language that the user says it has, whatever the file says.
    pub forced_lang: Option<&'a str>,
    /// The language that its path says.
    pub path_lang: Option<&'a str>,
    /// Its name without extension and language: the title of a text that has no other.
    pub stem: &'a str,
}

/// One language of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// BCP 47 tag; `und` where nobody knows.
    pub lang: String,
    /// The text turned out to be in another language than the file claims.
    pub corrected: bool,
    /// Title; empty only in an export of a record that has none.
    pub title: String,
    /// Summary, if the front matter has one.
    pub summary: Option<String>,
    /// The text without its front matter.
    pub body: Option<String>,
    /// Why this page must not be imported, although its labels count.
    pub unfit: Option<SkipReason>,
    /// What is odd about the file.
    pub warnings: Vec<Warning>,
    pub(crate) fields: Fields,
}

/// Reads one Markdown file of at most [`MARKDOWN_FILE_BYTES_MAX`].
///
/// A file whose front matter names a `record` is an export: its title, summary and body are taken
/// as they stand, and its language is not doubted.
///
/// # Errors
/// Why it cannot be imported.
pub fn parse_markdown(bytes: &[u8], context: &MarkdownContext<'_>) -> Result<Page, SkipReason> {
    if bytes.len() as u64 > MARKDOWN_FILE_BYTES_MAX {
        return Err(SkipReason::TooLarge {
            bytes: bytes.len() as u64,
            limit: MARKDOWN_FILE_BYTES_MAX,
        });
    }
    let decoded = decode(bytes)?;
    let text = clean(&decoded.text);
    if text.trim().is_empty() {
        return Err(SkipReason::Empty);
    }
    let Parts {
        mut fields,
        block,
        mut body,
        warning,
    } = split(&text);
    let mut warnings: Vec<Warning> = warning.into_iter().collect();
    if body.trim().is_empty() && fields.record.is_none() && block.len() >= FRONT_MATTER_TEXT_MIN {
        body = block;
        warnings.push(Warning::TextInFrontMatter);
    }
    if let Some(encoding) = decoded.guessed {
        warnings.push(Warning::GuessedEncoding {
            encoding: encoding.to_owned(),
        });
    }
    let exported = fields.record.is_some();
    if exported {
        body = without_footer(body);
    }
    let language = language(body, &fields, context, &mut warnings);
    let title = title(&mut fields, body, context.stem, exported, &mut warnings);
    let summary = summary(&mut fields, exported, &mut warnings);
    let unfit = (fields.untranslated && !language.original).then_some(SkipReason::Untranslated);
    let body = (!body.trim().is_empty()).then(|| body.to_owned());
    let says_nothing = body.is_none() && summary.is_none() && fields.title.is_none();
    if says_nothing && (!exported || fields.of_kind.is_empty()) {
        return Err(SkipReason::Empty);
    }
    Ok(Page {
        lang: language.lang.to_string(),
        corrected: language.corrected,
        title,
        summary,
        body,
        unfit,
        warnings,
        fields,
    })
}

struct Language {
    lang: Tag,
    corrected: bool,
    /// The text certainly is in the language that it claims.
    original: bool,
}

fn language(
    body: &str,
    fields: &Fields,
    context: &MarkdownContext<'_>,
    warnings: &mut Vec<Warning>,
) -> Language {
    if let Some(forced) = context.forced_lang.and_then(Tag::parse) {
        return Language {
            lang: forced,
            corrected: false,
            original: false,
        };
    }
    let from_path = context.path_lang.and_then(Tag::parse);
    let exported = fields.record.is_some();
    let claim = match fields.lang.as_deref().map(|lang| (lang, Tag::parse(lang))) {
        Some((_, Some(tag))) if exported || tag.is_known() => {
            Some(tag.refined_by(from_path.as_ref()))
        }
        Some((written, _)) => {
            let mut value = clean_line(written);
            cut(&mut value, super::limits::TAG_BYTES_MAX);
            warnings.push(Warning::UnknownLanguage { value });
            from_path
        }
        None => from_path,
    };
    if let (true, Some(lang)) = (exported, &claim) {
        return Language {
            lang: lang.clone(),
            corrected: false,
            original: true,
        };
    }
    let mut sample = prose(body);
    for text in [&fields.title, &fields.summary].into_iter().flatten() {
        sample.push('\n');
        sample.push_str(text);
    }
    let verdict = judge(&sample, claim.clone());
    if let (true, Some(claim)) = (verdict.corrected, claim) {
        warnings.push(Warning::ClaimedLanguage {
            claimed: claim.to_string(),
            detected: verdict.lang.to_string(),
        });
    }
    Language {
        lang: verdict.lang,
        corrected: verdict.corrected,
        original: verdict.confirmed,
    }
}

fn title(
    fields: &mut Fields,
    body: &str,
    stem: &str,
    exported: bool,
    warnings: &mut Vec<Warning>,
) -> String {
    if exported {
        return fields.title.clone().unwrap_or_default();
    }
    let written = fields
        .title
        .as_deref()
        .map(clean_line)
        .filter(|title| !title.is_empty());
    let mut title = written
        .or_else(|| first_heading(body))
        .unwrap_or_else(|| title_from_file_name(stem));
    if cut(&mut title, TITLE_BYTES_MAX) {
        warnings.push(Warning::Cut {
            field: "title".to_owned(),
            limit: TITLE_BYTES_MAX,
        });
    }
    title
}

fn summary(fields: &mut Fields, exported: bool, warnings: &mut Vec<Warning>) -> Option<String> {
    let mut summary = fields.summary.take()?;
    if !exported {
        summary = summary.trim().to_owned();
        if cut(&mut summary, SUMMARY_BYTES_MAX) {
            warnings.push(Warning::Cut {
                field: "summary".to_owned(),
                limit: SUMMARY_BYTES_MAX,
            });
        }
    }
    Some(summary)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(text: &str) -> Page {
        parse_markdown(
            text.as_bytes(),
            &MarkdownContext {
                stem: "file-name",
                ..Default::default()
            },
        )
        .unwrap()
    }

    #[test]
    fn a_title_comes_from_the_nearest_place() {
        assert_eq!(
            page("---\ntitle: ' In  front '\n---\n# Heading\n").title,
            "In front"
        );
        assert_eq!(page("---\norder: 1\n---\n# Heading\n").title, "Heading");
        assert_eq!(page("no heading").title, "file name");
        let long = page(&format!("# {}\n", "é".repeat(400)));
        assert_eq!(long.title.len(), TITLE_BYTES_MAX);
        assert_eq!(
            long.warnings,
            [Warning::Cut {
                field: "title".into(),
                limit: TITLE_BYTES_MAX
            }]
        );
    }

    #[test]
    fn the_body_is_the_text_without_its_front_matter() {
        let page =
            page("\u{feff}---\r\ntitle: T\r\ndescription: S\r\n---\r\n\r\n# H\r\n\r\ntext\r\n");
        assert_eq!(page.body.as_deref(), Some("# H\n\ntext\n"));
        assert_eq!(page.summary.as_deref(), Some("S"));
    }

    #[test]
    fn the_language_comes_from_front_matter_then_path() {
        let lang = |text: &str, forced, path_lang| {
            let context = MarkdownContext {
                forced_lang: forced,
                path_lang,
                stem: "s",
            };
            parse_markdown(text.as_bytes(), &context).unwrap().lang
        };
        assert_eq!(lang("---\nlang: ar_AE\n---\nx", None, Some("fr")), "ar-AE");
        assert_eq!(lang("---\nlang: pt\n---\nx", None, Some("pt-PT")), "pt-PT");
        assert_eq!(
            lang("---\nlang: pt\n---\nx", Some("it"), Some("pt-PT")),
            "it"
        );
        assert_eq!(lang("x", None, Some("fr")), "fr");
        assert_eq!(lang("x", None, None), "und");
        assert_eq!(lang("---\nlang: klingon\n---\nx", None, Some("fr")), "fr");
        let odd = page("---\nlang: klingon\n---\nx");
        assert_eq!(
            odd.warnings,
            [Warning::UnknownLanguage {
                value: "klingon".into()
            }]
        );
    }

    #[test]
    fn an_untranslated_page_is_unfit_but_an_original_is_not() {
        let english = "The text of this page is plainly written in English words. ".repeat(12);
        let marked = |lang: &str| {
            page(&format!(
                "---\nlang: {lang}\nuntranslated: true\n---\n{english}"
            ))
        };
        assert_eq!(marked("fr").unfit, Some(SkipReason::Untranslated));
        assert_eq!(marked("en").unfit, None);
    }

    #[test]
    fn blank_files_are_empty_and_large_ones_too_large() {
        let parse = |bytes: &[u8]| parse_markdown(bytes, &MarkdownContext::default());
        for blank in ["", "\n\r\n ", "\u{feff}\u{200b}", "---\norder: 1\n---\n\n"] {
            assert_eq!(parse(blank.as_bytes()), Err(SkipReason::Empty), "{blank:?}");
        }
        let large = vec![b'a'; 1024 * 1024 + 1];
        assert!(matches!(
            parse(&large),
            Err(SkipReason::TooLarge {
                limit: 1_048_576,
                ..
            })
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            if let Ok(page) = parse_markdown(&bytes, &MarkdownContext::default()) {
                prop_assert!(page.title.len() <= TITLE_BYTES_MAX);
                prop_assert!(Tag::parse(&page.lang).is_some());
            }
        }

        #[test]
        fn any_text_is_answered(text in "(---\n)?(title: .{0,20}\n|lang: [a-z]{0,4}\n|tlp: .{0,5}\n)*(---\n)?([#>*`\\[(<|-] ?.{0,30}\n){0,20}") {
            if let Ok(page) = parse_markdown(text.as_bytes(), &MarkdownContext::default()) {
                prop_assert!(page.title.len() <= TITLE_BYTES_MAX);
                prop_assert!(page.body.is_none_or(|body| body.len() <= text.len() * 3));
            }
        }
    }
}
