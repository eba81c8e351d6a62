//! Two officers edit one text at the same time, on nodes that have no connection.

use diwan_api::client::TrustStep;
use diwan_api::types::{EditRequest, Record, Texts};
use serde::Serialize;

use super::fault::DemoError;
use super::find::{Found, Shelf, short_id};
use super::meet::{connected, is_connected};
use super::node::{Node, Trio};
use super::passages::{Edits, edits, paragraph_with};
use super::place::Place;
use super::share::settled;
use super::tell::Teller;
use super::wait::until_so;

/// How many records are looked through for a text with two paragraphs.
const TRIED: usize = 200;
/// Characters of a paragraph that are shown.
const TAIL_CHARS: usize = 100;
/// Languages in which a text is edited by preference.
const PREFERRED: [&str; 3] = ["fr", "en", "ar"];

/// The text that is edited.
#[derive(Debug)]
pub(super) struct Subject {
    record: String,
    language: String,
    edits: Edits,
}

/// What became of it.
#[derive(Debug, Serialize)]
pub(super) struct Merged {
    /// Record id.
    pub(super) record: String,
    /// Language of the text.
    pub(super) lang: String,
    /// The whole text, with both edits.
    pub(super) text: String,
}

/// The record found before, or another one where that has no text with two paragraphs.
pub(super) async fn choose(
    found: &[Found],
    shelf: &Shelf,
    trio: Trio<'_>,
) -> Result<Subject, DemoError> {
    let others = shelf.most_multilingual().into_iter().take(TRIED);
    let first = found.first().map(|found| &found.record);
    for id in first.into_iter().chain(others.map(|record| &record.record)) {
        let record = show(trio.fr, id).await?;
        if let Some((language, edits)) = editable(&record.body) {
            return Ok(Subject {
                record: record.record,
                language,
                edits,
            });
        }
    }
    Err(DemoError::Untrue {
        short: trio.fr.short(),
        law: "demo-law-editable",
    })
}

fn editable(bodies: &Texts) -> Option<(String, Edits)> {
    let preferred = PREFERRED
        .iter()
        .filter_map(|lang| bodies.get_key_value(*lang));
    preferred
        .chain(bodies)
        .find_map(|(lang, body)| Some((lang.clone(), edits(body, lang)?)))
}

/// Cuts the second node off, and edits the text on both sides of the cut.
pub(super) async fn edit_apart(
    teller: &mut Teller<'_>,
    place: &Place,
    subject: &Subject,
    trio: Trio<'_>,
) -> Result<(), DemoError> {
    teller.step("demo-step-cut");
    teller.say("demo-cut-what", &[]);
    trust_both(teller, trio, TrustStep::Suspend, "suspend").await?;
    for other in [trio.fr, trio.ma] {
        until_so("demo-awaited-cut", async || {
            Ok(!is_connected(trio.tn, other).await? && !is_connected(other, trio.tn).await?)
        })
        .await?;
    }
    teller.say("demo-cut-done", &[]);

    teller.say(
        "demo-edit-what",
        &[("lang", subject.language.as_str().into())],
    );
    let [by_fr, by_tn] = &subject.edits.texts;
    for (node, text) in [(trio.fr, by_fr), (trio.tn, by_tn)] {
        edit(teller, place, subject, node, text).await?;
    }
    let texts = [by_fr, by_tn, by_fr];
    for (node, expected) in trio.all().into_iter().zip(texts) {
        // The third node is still connected to the first one, and gets its edit.
        until_so("demo-awaited-edit", async || {
            Ok(body(node, subject).await?.as_ref() == Some(expected))
        })
        .await?;
    }
    let [added_by_fr, added_by_tn] = subject.edits.added;
    for (node, added) in [(trio.fr, added_by_fr), (trio.tn, added_by_tn)] {
        teller.say(
            "demo-edited",
            &[("node", node.short().into()), ("text", added.into())],
        );
    }
    teller.say("demo-edit-apart", &[]);
    Ok(())
}

/// Connects the second node again, and shows the merged text on all three.
pub(super) async fn come_together(
    teller: &mut Teller<'_>,
    subject: Subject,
    trio: Trio<'_>,
) -> Result<Merged, DemoError> {
    teller.step("demo-step-merge");
    teller.say("demo-merge-what", &[]);
    trust_both(teller, trio, TrustStep::Resume, "resume").await?;
    for node in trio.all() {
        connected(node, trio).await?;
    }
    settled(teller, trio).await?;
    for node in trio.all() {
        until_so("demo-awaited-merge", async || {
            Ok(body(node, &subject).await?.as_ref() == Some(&subject.edits.merged))
        })
        .await?;
    }
    let id = short_id(&subject.record);
    for node in trio.all() {
        teller.diwan(node, &["show", &id, "--lang", &subject.language]);
        let text = body(node, &subject).await?.unwrap_or_default();
        for added in subject.edits.added {
            let paragraph = paragraph_with(&text, added).ok_or(DemoError::Untrue {
                short: node.short(),
                law: "demo-awaited-merge",
            })?;
            teller.say("demo-merged-text", &[("text", tail(paragraph).into())]);
        }
    }
    teller.say("demo-merged", &[]);
    teller.diwan(trio.ma, &["history", &id]);
    history(teller, &subject, trio).await?;
    Ok(Merged {
        record: subject.record,
        lang: subject.language,
        text: subject.edits.merged,
    })
}

/// Shows at the third node, which wrote neither edit, whose they are.
async fn history(teller: &Teller<'_>, subject: &Subject, trio: Trio<'_>) -> Result<(), DemoError> {
    let history = trio.ma.client().history(&subject.record).await;
    let versions = history.map_err(DemoError::of(trio.ma.short()))?.versions;
    for (number, version) in versions.iter().enumerate() {
        let key = match number {
            0 => "demo-first-version",
            _ => "demo-version",
        };
        teller.say(
            key,
            &[
                ("node", version.agency.as_str().into()),
                ("changed", version.changed.join(", ").into()),
            ],
        );
    }
    let body = format!("body.{}", subject.language);
    let wrote = |node: &Node| {
        let mut edits = versions.iter().skip(1);
        edits.any(|v| v.agency == node.short() && v.changed.contains(&body))
    };
    if wrote(trio.fr) && wrote(trio.tn) {
        return Ok(());
    }
    Err(DemoError::Untrue {
        short: trio.ma.short(),
        law: "demo-law-history",
    })
}

/// The end of a paragraph, which is where something was added.
fn tail(paragraph: &str) -> String {
    let before = paragraph.chars().count().saturating_sub(TAIL_CHARS);
    if before == 0 {
        return paragraph.to_owned();
    }
    let tail: String = paragraph.chars().skip(before).collect();
    let from_word = tail.split_once(char::is_whitespace).map(|(_, rest)| rest);
    format!("… {}", from_word.unwrap_or(&tail))
}

/// What the second node's admin does to the two others.
async fn trust_both(
    teller: &Teller<'_>,
    trio: Trio<'_>,
    step: TrustStep,
    word: &str,
) -> Result<(), DemoError> {
    for other in [trio.fr, trio.ma] {
        teller.diwan(trio.tn, &["trust", word, other.short()]);
        let changed = trio.tn.client().trust_step(other.short(), step).await;
        changed.map_err(DemoError::of(trio.tn.short()))?;
    }
    Ok(())
}

/// One officer's edit, by way of a file, as with an editor.
async fn edit(
    teller: &Teller<'_>,
    place: &Place,
    subject: &Subject,
    node: &Node,
    text: &str,
) -> Result<(), DemoError> {
    let below = format!("edits/{}.md", node.short());
    let path = place.file(&below).map_err(DemoError::file(place.dir()))?;
    std::fs::write(&path, text).map_err(DemoError::file(&path))?;
    let body = format!("{}=@{}", subject.language, path.display());
    teller.diwan(node, &["edit", &short_id(&subject.record), "--body", &body]);
    let request = EditRequest {
        body: Texts::from([(subject.language.clone(), text.to_owned())]),
        ..EditRequest::default()
    };
    let edited = node.client().edit(&subject.record, &request).await;
    edited.map_err(DemoError::of(node.short()))?;
    Ok(())
}

async fn show(node: &Node, record: &str) -> Result<Record, DemoError> {
    let shown = node.client().show(record, None).await;
    shown.map_err(DemoError::of(node.short()))
}

async fn body(node: &Node, subject: &Subject) -> Result<Option<String>, DemoError> {
    let mut record = show(node, &subject.record).await?;
    Ok(record.body.remove(&subject.language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_paragraph_begins_with_a_word() {
        assert_eq!(tail("court"), "court");
        let long = "première phrase ".repeat(20) + "(ajouté)";
        let shown = tail(&long);
        assert!(shown.starts_with("… p"), "{shown}");
        assert!(shown.ends_with("phrase (ajouté)"), "{shown}");
        assert!(shown.chars().count() <= TAIL_CHARS + 2, "{shown}");
        assert_eq!(tail(&"é".repeat(200)).chars().count(), TAIL_CHARS + 2);
    }

    #[test]
    fn a_text_is_edited_in_a_language_that_has_two_paragraphs() {
        let texts = Texts::from([
            ("de".to_owned(), "Eins.\n\nZwei.".to_owned()),
            ("en".to_owned(), "One.\n\nTwo.".to_owned()),
            ("fr".to_owned(), "Un seul.".to_owned()),
        ]);
        assert_eq!(editable(&texts).unwrap().0, "en");
        let only = Texts::from([("de".to_owned(), "Eins.\n\nZwei.".to_owned())]);
        assert_eq!(editable(&only).unwrap().0, "de");
        assert!(editable(&Texts::new()).is_none());
    }
}
