//! `guard`: what the publication guard would say, and its rules.

use std::path::PathBuf;

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{Draft, GuardAnswer, GuardCheck, GuardHit, GuardRules, Texts};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};
use crate::values::{read_text, tlp};

/// Labels, mildest first.
const LABELS: [&str; 5] = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"];

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Check {
        #[arg(value_name = "FILE|ID", required = true)]
        what: Vec<String>,
        #[arg(long, value_name = "LABEL", value_parser = tlp)]
        tlp: Option<String>,
    },
    Rules,
}

/// What was found in one file or record.
#[derive(Serialize)]
struct Checked {
    source: String,
    #[serde(flatten)]
    answer: GuardAnswer,
}

/// The document of `guard check --json`.
#[derive(Serialize)]
struct Document {
    blocked: bool,
    checked: Vec<Checked>,
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    match verb {
        Verb::Rules => {
            let rules = context.client().guard_rules().await?;
            let human = |view: &View| render_rules(view, &rules);
            context.out().result(&rules, human).await?;
            Ok(Exit::Done)
        }
        Verb::Check { what, tlp } => {
            let mut checked = Vec::new();
            for source in what {
                let answer = check(&source, tlp.clone(), context).await?;
                checked.push(Checked { source, answer });
            }
            let document = Document {
                blocked: checked.iter().any(|one| one.answer.blocked),
                checked,
            };
            let human = |view: &View| render(view, &document.checked);
            context.out().result(&document, human).await?;
            Ok(match document.blocked {
                true => Exit::NotPermitted,
                false => Exit::Done,
            })
        }
    }
}

/// A file where there is one of this name, otherwise a record.
async fn check(
    source: &str,
    tlp: Option<String>,
    context: &Context,
) -> Result<GuardAnswer, CliError> {
    let path = PathBuf::from(source);
    let mut request = GuardCheck {
        tlp,
        ..GuardCheck::default()
    };
    if path.is_file() {
        let reader = context.out().view().reader().to_owned();
        request.draft = Some(Draft {
            body: Texts::from([(reader, read_text(&path)?)]),
            ..Draft::default()
        });
    } else {
        request.record = Some(source.to_owned());
    }
    Ok(context.client().guard_check(&request).await?)
}

fn render(view: &View, checked: &[Checked]) -> String {
    let mut text = String::new();
    for one in checked {
        let values = [
            ("source", one.source.as_str().into()),
            ("tlp", one.answer.tlp.as_str().into()),
        ];
        let key = match (one.answer.blocked, one.answer.hits.is_empty()) {
            (true, _) => "guard-blocks",
            (false, false) => "guard-warns",
            (false, true) => "guard-clean",
        };
        text += &(view.say(key, &values) + "\n");
        text += &table(view, &one.answer.hits);
    }
    text
}

/// What was found, and where.
pub(crate) fn table(view: &View, hits: &[GuardHit]) -> String {
    let mut table = Table::default();
    for hit in hits {
        let place = [
            ("field", hit.field.as_str().into()),
            ("line", hit.line.into()),
            ("column", hit.column.into()),
        ];
        let level = level(view, &hit.level);
        table.row([
            match hit.level.as_str() {
                "block" => view.warn(&level),
                _ => level,
            }
            .into(),
            view.name(&hit.rule).into(),
            view.say("guard-place", &place).into(),
            view.name(&hit.text).into(),
        ]);
    }
    table.render("  ")
}

fn level(view: &View, level: &str) -> String {
    match level {
        "block" => view.say("guard-level-block", &[]),
        "warn" => view.say("guard-level-warn", &[]),
        _ => view.say("guard-level-off", &[]),
    }
}

fn render_rules(view: &View, rules: &GuardRules) -> String {
    let mut table = Table::default();
    let mut head = vec![view.say("guard-rule", &[]).into()];
    head.extend(LABELS.map(|label| label.to_owned().into()));
    table.row(head);
    for rule in &rules.rules {
        let mut row = vec![view.name(&rule.rule).into()];
        for label in LABELS {
            let level = rule.levels.get(label).map_or("off", String::as_str);
            row.push(self::level(view, level).into());
        }
        table.row(row);
    }
    table.render("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn what_was_found_and_where() {
        let hit = |level: &str, rule: &str, text: &str| GuardHit {
            rule: rule.into(),
            level: level.into(),
            field: "body.ar".into(),
            line: 2,
            column: 7,
            text: text.into(),
        };
        let answer = |blocked, hits| GuardAnswer {
            tlp: "GREEN".into(),
            blocked,
            hits,
        };
        let checked = |source: &str, answer| Checked {
            source: source.into(),
            answer,
        };
        let all = [
            checked(
                "note.md",
                answer(
                    true,
                    vec![
                        hit("block", "phone", "+216 71 234 567"),
                        hit("warn", "plate", "AB-123-CD"),
                    ],
                ),
            ),
            checked("clean.md", answer(false, Vec::new())),
        ];
        insta::assert_snapshot!(render(&plain(), &all), @"
        note.md does not get out as TLP:GREEN:
          blocks  phone  body.ar, line 2, character 7  +216 71 234 567
          warns   plate  body.ar, line 2, character 7  AB-123-CD
        clean.md: nothing was found (TLP:GREEN).
        ");
        let levels = |level: &str| LABELS.map(|label| (label.to_owned(), level.to_owned()));
        let rules = GuardRules {
            rules: vec![diwan_api::types::GuardRule {
                rule: "phone".into(),
                levels: levels("block").into_iter().collect(),
            }],
        };
        insta::assert_snapshot!(render_rules(&plain(), &rules), @"
        rule   CLEAR   GREEN   AMBER   AMBER+STRICT  RED
        phone  blocks  blocks  blocks  blocks        blocks
        ");
    }
}
