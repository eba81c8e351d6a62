//! The text in which `new` and `edit` show a record in an editor: lines of fields between two `---`,
//! then one section a language for summaries and bodies.

use std::collections::BTreeSet;

use diwan_api::types::{Draft, EditRequest, Texts};

use crate::output::View;
use crate::values::{is_language, tlp};

/// What stands before the words of a section's line. Markdown shows it to nobody.
const SECTION: &str = "<!-- diwan: ";
const SECTION_END: &str = " -->";

/// A record's fields that can be edited as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// Kind; only a new record has a choice.
    pub(crate) kind: Option<String>,
    /// Titles by language.
    pub(crate) title: Texts,
    /// Summaries by language.
    pub(crate) summary: Texts,
    /// Bodies by language.
    pub(crate) body: Texts,
    /// TLP label; empty for the group's default.
    pub(crate) tlp: String,
    /// Theme slugs.
    pub(crate) themes: Vec<String>,
    /// Tags.
    pub(crate) tags: Vec<String>,
}

/// What cannot be read: the key of a message, and the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Key of the message that says what is wrong.
    pub(crate) key: &'static str,
    /// The line.
    pub(crate) line: String,
}

impl Fields {
    /// The text for the editor, with an explanation in the interface language.
    pub(crate) fn render(&self, view: &View) -> String {
        let mut text = String::from("---\n");
        for line in view.say("template-explanation", &[]).lines() {
            push_line(&mut text, &["# ", line]);
        }
        if let Some(kind) = &self.kind {
            push_line(&mut text, &["kind: ", kind]);
        }
        for (lang, title) in &self.title {
            push_line(&mut text, &["title.", lang, ": ", &one_line(title)]);
        }
        push_line(&mut text, &["tlp: ", &self.tlp]);
        push_line(&mut text, &["themes: ", &self.themes.join(", ")]);
        push_line(&mut text, &["tags: ", &self.tags.join(", ")]);
        text.push_str("---\n");
        for (field, texts) in [("summary", &self.summary), ("body", &self.body)] {
            for (lang, content) in texts {
                push_line(&mut text, &[SECTION, field, " ", lang, SECTION_END]);
                for line in content.lines() {
                    // A line of the text that looks like a section's line is kept apart from one.
                    let escape = if is_section_like(line) { "\\" } else { "" };
                    push_line(&mut text, &[escape, line]);
                }
            }
        }
        text
    }

    /// Reads the text back.
    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut fields = Self::default();
        let mut lines = text.lines();
        if lines.next().map(str::trim_end) != Some("---") {
            return Err(unreadable(
                "template-no-fields",
                text.lines().next().unwrap_or(""),
            ));
        }
        let mut ended = false;
        for line in lines.by_ref() {
            let line = line.trim();
            if line == "---" {
                ended = true;
                break;
            }
            if !line.is_empty() && !line.starts_with('#') {
                fields.take_field(line)?;
            }
        }
        if !ended {
            return Err(unreadable(
                "template-no-end",
                text.lines().last().unwrap_or(""),
            ));
        }
        fields.take_sections(lines)?;
        Ok(fields)
    }

    fn take_field(&mut self, line: &str) -> Result<(), Unreadable> {
        let (name, value) = line
            .split_once(':')
            .map(|(name, value)| (name.trim(), value.trim()))
            .ok_or_else(|| unreadable("template-not-a-field", line))?;
        match name.split_once('.') {
            Some(("title", lang)) if is_language(lang) => {
                if self
                    .title
                    .insert(lang.to_owned(), value.to_owned())
                    .is_some()
                {
                    return Err(unreadable("template-twice", line));
                }
            }
            None if name == "kind" => self.kind = Some(value.to_owned()),
            None if name == "tlp" => self.tlp = tlp(value).unwrap_or_default(),
            None if name == "themes" => self.themes = listed(value),
            None if name == "tags" => self.tags = listed(value),
            _ => return Err(unreadable("template-unknown-field", line)),
        }
        Ok(())
    }

    fn take_sections<'t>(
        &mut self,
        lines: impl Iterator<Item = &'t str>,
    ) -> Result<(), Unreadable> {
        let mut current: Option<&mut String> = None;
        for line in lines {
            if let Some(words) = section(line) {
                let texts = match words.split_once(' ') {
                    Some(("summary", lang)) if is_language(lang) => (&mut self.summary, lang),
                    Some(("body", lang)) if is_language(lang) => (&mut self.body, lang),
                    _ => return Err(unreadable("template-unknown-section", line)),
                };
                if texts.0.contains_key(texts.1) {
                    return Err(unreadable("template-twice", line));
                }
                current = Some(texts.0.entry(texts.1.to_owned()).or_default());
            } else if let Some(content) = &mut current {
                let kept = line.strip_prefix('\\').filter(|rest| is_section_like(rest));
                content.push_str(kept.unwrap_or(line));
                content.push('\n');
            } else if !line.trim().is_empty() {
                return Err(unreadable("template-outside", line));
            }
        }
        Ok(())
    }

    /// The record that these fields describe.
    pub(crate) fn into_draft(self) -> Draft {
        let written = |texts: Texts| {
            texts
                .into_iter()
                .filter(|(_, t)| !t.trim().is_empty())
                .collect()
        };
        Draft {
            kind: self.kind.filter(|kind| !kind.is_empty()),
            title: written(self.title),
            summary: written(self.summary),
            body: written(self.body),
            themes: self.themes,
            tags: self.tags,
            tlp: Some(self.tlp).filter(|label| !label.is_empty()),
            ..Draft::default()
        }
    }

    /// What to change so that `self` becomes `edited`; nothing if they say the same.
    pub(crate) fn changes(&self, edited: &Self, base_version: &str) -> Option<EditRequest> {
        let request = EditRequest {
            title: changed(&self.title, &edited.title),
            summary: changed(&self.summary, &edited.summary),
            body: changed(&self.body, &edited.body),
            base_version: Some(base_version.to_owned()),
            themes: (self.themes != edited.themes).then(|| edited.themes.clone()),
            tags: (self.tags != edited.tags).then(|| edited.tags.clone()),
            tlp: (self.tlp != edited.tlp).then(|| edited.tlp.clone()),
            ..EditRequest::default()
        };
        let nothing = EditRequest {
            base_version: request.base_version.clone(),
            ..EditRequest::default()
        };
        (request != nothing).then_some(request)
    }
}

/// The texts that differ; an empty one stands for a language that is gone.
fn changed(before: &Texts, after: &Texts) -> Texts {
    let languages: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    languages
        .into_iter()
        .filter(|lang| before.get(*lang) != after.get(*lang))
        .map(|lang| (lang.clone(), after.get(lang).cloned().unwrap_or_default()))
        .collect()
}

/// The words of a section's line.
fn section(line: &str) -> Option<&str> {
    line.trim_end()
        .strip_prefix(SECTION)?
        .strip_suffix(SECTION_END)
}

/// A section's line, with any number of backslashes before it.
fn is_section_like(line: &str) -> bool {
    section(line.trim_start_matches('\\')).is_some()
}

fn listed(value: &str) -> Vec<String> {
    let items = value.split(',').map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn push_line(text: &mut String, parts: &[&str]) {
    let line = parts.concat();
    text.push_str(line.trim_end());
    text.push('\n');
}

fn unreadable(key: &'static str, line: &str) -> Unreadable {
    Unreadable {
        key,
        line: line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    fn sample() -> Fields {
        let texts = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(l, t)| ((*l).to_owned(), (*t).to_owned()))
                .collect()
        };
        Fields {
            kind: None,
            title: texts(&[("ar", "ضبط الهواتف"), ("fr", "Saisie : téléphones")]),
            summary: texts(&[("fr", "Une ligne\n")]),
            body: texts(&[
                ("fr", "# A\n\n---\nfin\n<!-- diwan: body fr -->\n"),
                ("ar", "نص\n"),
            ]),
            tlp: "GREEN".into(),
            themes: vec!["cybercrime".into()],
            tags: vec!["a".into(), "b".into()],
        }
    }

    #[test]
    fn what_is_shown_reads_back_the_same() {
        let fields = sample();
        assert_eq!(Fields::parse(&fields.render(&plain())).unwrap(), fields);
    }

    #[test]
    fn only_what_was_edited_is_sent() {
        let shown = sample();
        let text = shown.render(&plain());
        assert_eq!(shown.changes(&Fields::parse(&text).unwrap(), "v1"), None);

        let text = text
            .replace("fin\n", "la fin\n")
            .replace("tags: a, b", "tags: a");
        let request = shown.changes(&Fields::parse(&text).unwrap(), "v1").unwrap();
        assert_eq!(request.body.keys().collect::<Vec<_>>(), ["fr"]);
        assert!(request.body["fr"].contains("la fin\n<!-- diwan: body fr -->\n"));
        assert_eq!(request.tags, Some(vec!["a".into()]));
        assert_eq!((request.tlp, request.themes), (None, None));
        assert!(request.title.is_empty() && request.summary.is_empty());
        assert_eq!(request.base_version.as_deref(), Some("v1"));
    }

    #[test]
    fn a_language_that_is_gone_is_removed_and_a_new_one_added() {
        let shown = sample();
        let mut edited = shown.clone();
        edited.title.remove("ar");
        edited.title.insert("en".into(), "Seizure".into());
        let request = shown.changes(&edited, "v1").unwrap();
        assert_eq!(
            request.title,
            [
                ("ar".into(), String::new()),
                ("en".into(), "Seizure".into())
            ]
            .into()
        );
    }

    #[test]
    fn damage_is_named_with_its_line() {
        let key = |text: &str| Fields::parse(text).unwrap_err().key;
        assert_eq!(key("title.fr: x\n"), "template-no-fields");
        assert_eq!(key("---\ntlp: RED\n"), "template-no-end");
        assert_eq!(key("---\njust words\n---\n"), "template-not-a-field");
        assert_eq!(key("---\ntitel.fr: x\n---\n"), "template-unknown-field");
        assert_eq!(
            key("---\ntitle.fr: x\ntitle.fr: y\n---\n"),
            "template-twice"
        );
        assert_eq!(key("---\n---\nwords\n"), "template-outside");
        assert_eq!(
            key("---\n---\n<!-- diwan: boby fr -->\n"),
            "template-unknown-section"
        );
    }

    #[test]
    fn an_empty_form_makes_an_empty_draft() {
        let text = "---\nkind: practice\ntitle.fr:\ntlp:\n---\n<!-- diwan: body fr -->\n\n";
        let draft = Fields::parse(text).unwrap().into_draft();
        assert_eq!(draft.kind.as_deref(), Some("practice"));
        assert!(draft.title.is_empty() && draft.body.is_empty() && draft.tlp.is_none());
    }
}
