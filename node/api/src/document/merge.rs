//! Pages of one document in several languages become one draft.

use std::collections::BTreeSet;

use super::label::{highest_code, strictest_tlp};
use super::limits::{LANGUAGES_MAX, LINKS_MAX, RECORD_TEXT_BYTES_MAX, TAGS_MAX};
use super::markdown::Page;
use super::skip::{SkipReason, Skipped};
use crate::types::{Draft, FieldValue, FieldValues};

/// A page and the file it comes from.
pub(crate) struct SourcedPage {
    pub(crate) source: String,
    pub(crate) page: Page,
}

/// What a document's pages came to.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// None where nothing could be imported.
    pub(crate) draft: Option<Draft>,
    /// Files that are in the draft, in the order given.
    pub(crate) sources: Vec<String>,
    pub(crate) skipped: Vec<Skipped>,
}

/// Merges pages, given in the order of their paths.
///
/// Kind and import key are those of the first page that names one. Themes, tags and links are all
/// that any page has. Labels are the strictest that any page has, the pages left out included; an
/// unknown one keeps the whole document out.
pub(crate) fn merge(pages: Vec<SourcedPage>) -> Merged {
    let mut merged = Merged::default();
    let labels = pages
        .iter()
        .flat_map(|p| &p.page.fields.tlp)
        .map(String::as_str);
    let codes = pages
        .iter()
        .flat_map(|p| &p.page.fields.hcode)
        .map(String::as_str);
    let (tlp, hcode) = match (strictest_tlp(labels), highest_code(codes)) {
        (Ok(tlp), Ok(hcode)) => (tlp, hcode),
        (Err(reason), _) | (_, Err(reason)) => {
            let all = pages.into_iter().map(|p| Skipped {
                source: p.source,
                reason: reason.clone(),
            });
            merged.skipped.extend(all);
            return merged;
        }
    };
    let pages = fitting(pages, &mut merged.skipped);
    if pages.is_empty() {
        return merged;
    }
    let fields = || pages.iter().map(|p| &p.page.fields);
    let mut draft = Draft {
        kind: fields().find_map(|f| f.kind.clone()),
        themes: sorted(fields().flat_map(|f| f.themes.iter().cloned()), TAGS_MAX),
        tags: sorted(fields().flat_map(|f| f.tags.iter().cloned()), TAGS_MAX),
        fields: of_kind(fields().map(|f| &f.of_kind)),
        links: sorted(fields().flat_map(|f| f.links.iter().cloned()), LINKS_MAX),
        record: fields().find_map(|f| f.record.clone()),
        import_key: fields().find_map(|f| f.import_key.clone()),
        tlp,
        hcode,
        ..Draft::default()
    };
    for SourcedPage { source, page } in pages {
        let texts = [
            (
                &mut draft.title,
                Some(page.title).filter(|title| !title.is_empty()),
            ),
            (&mut draft.summary, page.summary),
            (&mut draft.body, page.body),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                field.insert(page.lang.clone(), text);
            }
        }
        merged.sources.push(source);
    }
    merged.draft = Some(draft);
    merged
}

/// Fields of the kind that any page has: texts by language unite, of other values the first counts.
fn of_kind<'a>(pages: impl Iterator<Item = &'a FieldValues>) -> FieldValues {
    let mut all = FieldValues::new();
    for (name, value) in pages.flatten() {
        match (all.get_mut(name), value) {
            (None, value) => {
                all.insert(name.clone(), value.clone());
            }
            (Some(FieldValue::Texts(known)), FieldValue::Texts(texts)) => {
                for (lang, text) in texts {
                    known.entry(lang.clone()).or_insert_with(|| text.clone());
                }
            }
            (Some(_), _) => {}
        }
    }
    all
}

/// The pages that make the record: one a language, of one record, within its limits.
fn fitting(pages: Vec<SourcedPage>, skipped: &mut Vec<Skipped>) -> Vec<SourcedPage> {
    let record = pages.iter().find_map(|p| p.page.fields.record.clone());
    let mut kept: Vec<(usize, SourcedPage)> = Vec::new();
    let mut order: Vec<(usize, SourcedPage)> = pages.into_iter().enumerate().collect();
    // A file that told the truth about its language comes before one that did not.
    order.sort_by_key(|(_, p)| p.page.corrected);
    for (place, sourced) in order {
        let page = &sourced.page;
        let same = kept.iter().find(|(_, other)| other.page.lang == page.lang);
        let other_record = page
            .fields
            .record
            .as_ref()
            .filter(|id| Some(*id) != record.as_ref());
        let reason = if let Some(reason) = &page.unfit {
            Some(reason.clone())
        } else if let Some(record) = other_record {
            Some(SkipReason::OtherRecord {
                record: record.clone(),
            })
        } else if let Some((_, other)) = same {
            Some(SkipReason::SameLanguage {
                lang: page.lang.clone(),
                other: other.source.clone(),
            })
        } else if kept.len() >= LANGUAGES_MAX {
            Some(SkipReason::TooManyLanguages {
                limit: LANGUAGES_MAX,
            })
        } else {
            None
        };
        match reason {
            Some(reason) => skipped.push(Skipped {
                source: sourced.source,
                reason,
            }),
            None => kept.push((place, sourced)),
        }
    }
    within_record_limit(&mut kept, skipped);
    kept.sort_by_key(|(place, _)| *place);
    kept.into_iter().map(|(_, sourced)| sourced).collect()
}

/// Leaves out the largest languages until the others fit into one record.
fn within_record_limit(kept: &mut Vec<(usize, SourcedPage)>, skipped: &mut Vec<Skipped>) {
    let total: usize = kept.iter().map(|(_, p)| text_bytes(&p.page)).sum();
    kept.sort_by_key(|(place, p)| (text_bytes(&p.page), *place));
    let mut left = total;
    while left > RECORD_TEXT_BYTES_MAX {
        let Some((_, largest)) = kept.pop() else {
            return;
        };
        left -= text_bytes(&largest.page);
        let reason = SkipReason::RecordTooLarge {
            bytes: total as u64,
            limit: RECORD_TEXT_BYTES_MAX as u64,
        };
        skipped.push(Skipped {
            source: largest.source,
            reason,
        });
    }
}

fn text_bytes(page: &Page) -> usize {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    page.title.len() + optional(&page.summary) + optional(&page.body)
}

/// Each value once, in order, at most so many.
pub(crate) fn sorted<T: Ord>(values: impl IntoIterator<Item = T>, max: usize) -> Vec<T> {
    values
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .take(max)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::markdown::{MarkdownContext, parse_markdown};
    use super::*;

    fn pages(files: &[(&str, &str)]) -> Merged {
        let page = |(lang, text): &(&str, &str)| SourcedPage {
            source: format!("{lang}/a.md"),
            page: parse_markdown(
                text.as_bytes(),
                &MarkdownContext {
                    path_lang: Some(lang),
                    stem: "a",
                    ..Default::default()
                },
            )
            .unwrap(),
        };
        merge(files.iter().map(page).collect())
    }

    fn reasons(merged: &Merged) -> Vec<(&str, &'static str)> {
        merged
            .skipped
            .iter()
            .map(|s| (s.source.as_str(), s.reason.code()))
            .collect()
    }

    #[test]
    fn translations_make_one_draft() {
        let merged = pages(&[
            ("ar", "---\ntitle: ضبط\ntags: [b, a]\ntlp: GREEN\n---\nنص\n"),
            (
                "fr",
                "---\ntitle: Saisie\nkind: guideline\ntags: [a]\ntlp: AMBER\n---\nTexte\n",
            ),
        ]);
        let draft = merged.draft.unwrap();
        assert_eq!(draft.title.keys().collect::<Vec<_>>(), ["ar", "fr"]);
        assert_eq!(draft.body["fr"], "Texte\n");
        assert_eq!(draft.kind.as_deref(), Some("guideline"));
        assert_eq!(draft.tags, ["a", "b"]);
        assert_eq!(draft.tlp.as_deref(), Some("AMBER"));
        assert_eq!(merged.sources, ["ar/a.md", "fr/a.md"]);
    }

    #[test]
    fn an_unknown_label_keeps_every_language_out() {
        let merged = pages(&[("fr", "---\ntlp: SECRET\n---\nx"), ("ar", "y")]);
        assert!(merged.draft.is_none());
        assert_eq!(
            reasons(&merged),
            [("fr/a.md", "bad-label"), ("ar/a.md", "bad-label")]
        );
    }

    #[test]
    fn a_file_that_lies_about_its_language_gives_way() {
        let english = "This sentence is written in plain English and nothing else. ".repeat(12);
        let merged = pages(&[("ar", english.as_str()), ("en", "# Short original\n")]);
        assert_eq!(merged.draft.as_ref().unwrap().title["en"], "Short original");
        assert_eq!(reasons(&merged), [("ar/a.md", "same-language")]);
        assert_eq!(
            merged.skipped[0].reason,
            SkipReason::SameLanguage {
                lang: "en".into(),
                other: "en/a.md".into()
            }
        );
    }

    #[test]
    fn pages_of_two_records_do_not_mix() {
        let of = |id: &str| format!("---\nrecord: '{}'\ntitle: T\n---\n\nx", id.repeat(32));
        let merged = pages(&[("fr", of("ab").as_str()), ("ar", of("cd").as_str())]);
        assert_eq!(merged.draft.as_ref().unwrap().record, Some("ab".repeat(32)));
        assert_eq!(reasons(&merged), [("ar/a.md", "other-record")]);
    }

    #[test]
    fn the_largest_languages_give_way_where_a_record_is_full() {
        let (large, small) = ("x\n".repeat(400_000), "y\n".repeat(100));
        let merged = pages(&[
            ("fr", large.as_str()),
            ("it", small.as_str()),
            ("ar", large.as_str()),
        ]);
        assert_eq!(merged.sources, ["fr/a.md", "it/a.md"]);
        assert_eq!(reasons(&merged), [("ar/a.md", "record-too-large")]);
    }
}
