//! `diff`: what changed between two versions of a record.

use diwan_api::error::Exit;
use diwan_api::types::{Diff, Difference, FieldDiff, TextPiece};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View, block};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(value_name = "FROM")]
    from: Option<String>,
    #[arg(value_name = "TO")]
    to: Option<String>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let client = context.client();
    let diff = match &args.from {
        Some(from) => client.diff(&args.id, from, args.to.as_deref()).await?,
        None => client.proposed(&args.id).await?,
    };
    context
        .out()
        .result(&diff, |view| render(view, &diff))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, diff: &Diff) -> String {
    let mut versions = Table::default();
    for version in &diff.versions {
        versions.row([
            view.id(&version.version).into(),
            view.time(&version.time).into(),
            view.name(&version.agency).into(),
            view.id(&version.author).into(),
        ]);
    }
    let mut text = versions.render("");
    for change in &diff.changes {
        text.push_str(&format!("\n{}\n", view.bold(&view.name(&change.field))));
        text.push_str(&render_change(view, change));
    }
    text
}

fn render_change(view: &View, FieldDiff { difference, .. }: &FieldDiff) -> String {
    let line = |sign: &str, text: &str| format!("{sign} {}\n", view.name(text));
    match difference {
        Difference::Value { before, after } => {
            let before = before.iter().map(|text| line("-", text));
            before
                .chain(after.iter().map(|text| line("+", text)))
                .collect()
        }
        Difference::Set { added, removed } => {
            let removed = removed.iter().map(|item| line("-", item));
            removed
                .chain(added.iter().map(|item| line("+", item)))
                .collect()
        }
        Difference::Text { pieces } => changed_lines(pieces),
    }
}

/// The lines of a text that changed, with what was deleted in `[-…-]` and inserted in `{+…+}`; lines that
/// stay are told as `…`.
fn changed_lines(pieces: &[TextPiece]) -> String {
    let (mut marked, mut text) = (false, String::new());
    let mut line = String::new();
    let mut is_left_out = false;
    let mut end = |line: &mut String, marked: &mut bool| {
        match (*marked, is_left_out) {
            (true, _) => {
                text.push_str(&block(line));
                text.push('\n');
            }
            (false, false) if !line.is_empty() => text.push_str("…\n"),
            (false, _) => {}
        }
        is_left_out = !*marked;
        *marked = false;
        line.clear();
    };
    for piece in pieces {
        let (before, after) = match piece.op.as_str() {
            "deleted" => ("[-", "-]"),
            "inserted" => ("{+", "+}"),
            _ => ("", ""),
        };
        for part in piece.text.split_inclusive('\n') {
            let words = part.trim_end_matches('\n');
            marked |= !before.is_empty();
            line.push_str(&format!("{before}{words}{after}"));
            if part.ends_with('\n') {
                end(&mut line, &mut marked);
            }
        }
    }
    end(&mut line, &mut marked);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::VersionInfo;

    #[test]
    fn changed_lines_values_and_sets() {
        let piece = |op: &str, text: &str| TextPiece {
            op: op.to_owned(),
            text: text.to_owned(),
        };
        let change = |field: &str, difference| FieldDiff {
            field: field.to_owned(),
            difference,
        };
        let diff = Diff {
            record: "aa".to_owned(),
            from: "1-00000001".to_owned(),
            to: "2-00000002".to_owned(),
            versions: vec![VersionInfo {
                version: "2-00000002".to_owned(),
                agency: "tn".to_owned(),
                author: "12D3KooWAbCdEfGh".to_owned(),
                time: "2026-11-23T22:40:38Z".to_owned(),
                changed: vec![],
            }],
            changes: vec![
                change(
                    "body.fr",
                    Difference::Text {
                        pieces: vec![
                            piece("kept", "Un.\nDeux.\nCouper "),
                            piece("deleted", "le"),
                            piece("inserted", "tout le"),
                            piece("kept", " réseau.\nFin.\n"),
                            piece("inserted", "Suite.\n"),
                        ],
                    },
                ),
                change(
                    "tlp",
                    Difference::Value {
                        before: Some("GREEN".to_owned()),
                        after: Some("AMBER".to_owned()),
                    },
                ),
                change(
                    "themes",
                    Difference::Set {
                        added: vec!["drugs".to_owned()],
                        removed: vec!["firearms".to_owned()],
                    },
                ),
            ],
        };
        insta::assert_snapshot!(render(&plain(), &diff), @"
        2-00000002  2026-11-23 22:40 UTC  tn  12D3KooWAbCd

        body.fr
        …
        Couper [-le-]{+tout le+} réseau.
        …
        {+Suite.+}

        tlp
        - GREEN
        + AMBER

        themes
        - firearms
        + drugs
        ");
    }
}
