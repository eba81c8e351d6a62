//! Two places of a Markdown text that two officers can edit at the same time.

use std::ops::Range;

/// What each of two officers adds, by the language of the text: at the first node, at the second.
const ADDITIONS: [(&str, [&str; 2]); 3] = [
    (
        "fr",
        [
            "(Ajouté en France pendant la coupure.)",
            "(Ajouté en Tunisie pendant la coupure.)",
        ],
    ),
    (
        "en",
        [
            "(Added in France while the line was cut.)",
            "(Added in Tunisia while the line was cut.)",
        ],
    ),
    (
        "ar",
        [
            "(أضيف في فرنسا أثناء انقطاع الاتصال.)",
            "(أضيف في تونس أثناء انقطاع الاتصال.)",
        ],
    ),
];

/// A text, what two officers make of it without knowing of each other, and what must become of
/// both together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edits {
    /// What each adds.
    pub(super) added: [&'static str; 2],
    /// The text as each leaves it.
    pub(super) texts: [String; 2],
    /// The text with both additions.
    pub(super) merged: String,
}

/// Edits of the first and of the last paragraph of a text; none where it has not two.
pub(super) fn edits(body: &str, language: &str) -> Option<Edits> {
    let paragraphs = paragraphs(body);
    let (first, last) = (paragraphs.first()?, paragraphs.last()?);
    if first == last {
        return None;
    }
    let added = additions(language);
    let [one, two] = added;
    let with = |ends: &[(usize, &str)]| {
        let mut text = body.to_owned();
        for (end, addition) in ends {
            text.insert_str(*end, &format!(" {addition}"));
        }
        text
    };
    Some(Edits {
        added,
        texts: [with(&[(first.end, one)]), with(&[(last.end, two)])],
        // The later place first, so that the earlier one stays where it was.
        merged: with(&[(last.end, two), (first.end, one)]),
    })
}

/// The paragraph of a text that holds something.
pub(super) fn paragraph_with<'t>(body: &'t str, something: &str) -> Option<&'t str> {
    let mut found = paragraphs(body).into_iter().filter_map(|at| body.get(at));
    found.find(|paragraph| paragraph.contains(something))
}

fn additions(language: &str) -> [&'static str; 2] {
    let language = diwan_api::message::primary(language);
    let found = ADDITIONS.iter().find(|(lang, _)| *lang == language);
    let [_, (_, english), _] = ADDITIONS;
    found.map_or(english, |(_, additions)| *additions)
}

/// Paragraphs of running text: no headings, lists, quotes, tables, code or HTML.
fn paragraphs(body: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut at, mut fenced) = (None, 0, false);
    for line in body.split_inclusive('\n').chain(["\n"]) {
        let text = line.trim();
        let fence = text.starts_with("```") || text.starts_with("~~~");
        fenced ^= fence;
        if text.is_empty() || fence || fenced {
            if let Some(start) = start.take()
                && let Some(paragraph) = body.get(start..at)
                && is_running_text(paragraph)
            {
                found.push(start..start + paragraph.trim_end().len());
            }
        } else {
            start = start.or(Some(at));
        }
        at += line.len();
    }
    found
}

fn is_running_text(paragraph: &str) -> bool {
    paragraph.starts_with(char::is_alphabetic) && !paragraph.contains(['|', '<'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n\nFirst one,\ntwo lines.\n\n- a list\n\n```\nfn f() {}\n\nno text\n```\n\nMiddle.\n\n> quoted\n\nLast é.\n\n## Sources\n\n- x\n";

    #[test]
    fn running_text_is_told_from_the_rest() {
        let found: Vec<_> = paragraphs(TEXT).into_iter().map(|at| &TEXT[at]).collect();
        assert_eq!(found, ["First one,\ntwo lines.", "Middle.", "Last é."]);
        assert!(paragraphs("").is_empty());
        assert_eq!(paragraphs("no end").first(), Some(&(0..6)));
    }

    #[test]
    fn both_edits_stand_in_the_merged_text() {
        let edits = edits(TEXT, "fr-TN").unwrap();
        let [one, two] = edits.added;
        assert!(edits.texts[0].contains(&format!("two lines. {one}\n")));
        assert!(!edits.texts[0].contains(two));
        assert!(edits.texts[1].contains(&format!("Last é. {two}\n")));
        assert!(!edits.texts[1].contains(one));
        let without = edits.merged.replace(&format!(" {one}"), "");
        assert_eq!(without, edits.texts[1]);
        let shown = paragraph_with(&edits.merged, one).unwrap();
        assert!(shown.starts_with("First one,") && shown.ends_with(one));
    }

    #[test]
    fn a_text_of_one_paragraph_has_no_two_places() {
        assert_eq!(edits("# A\n\nOnly this.\n\n- and that\n", "fr"), None);
        assert_eq!(edits("", "fr"), None);
    }

    #[test]
    fn other_languages_are_added_to_in_english() {
        assert_eq!(additions("pt-BR"), additions("en"));
        assert_ne!(additions("ar"), additions("en"));
    }
}
