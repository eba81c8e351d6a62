//! `quarantine`: entries that are kept and have no effect.

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{Quarantine, QuarantinedEntry};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List {
        #[arg(long)]
        own: bool,
    },
    Show {
        #[arg(value_name = "LOG")]
        log: String,
        #[arg(value_name = "SEQ")]
        seq: Option<u64>,
    },
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let mut found = context.client().quarantine().await?;
    match &verb {
        Verb::List { own } => found.entries.retain(|entry| entry.own || !own),
        Verb::Show { log, seq } => {
            let fits = |entry: &QuarantinedEntry| {
                entry.log.starts_with(log.as_str()) && seq.is_none_or(|seq| seq == entry.seq)
            };
            found.entries.retain(fits);
        }
    }
    let human = |view: &View| match verb {
        Verb::List { .. } => render_list(view, &found),
        Verb::Show { .. } => render_each(view, &found),
    };
    context.out().result(&found, human).await?;
    Ok(Exit::Done)
}

fn render_list(view: &View, found: &Quarantine) -> String {
    if found.entries.is_empty() {
        return view.say("quarantine-empty", &[]) + "\n";
    }
    let mut table = Table::default();
    for entry in &found.entries {
        table.row([
            view.name(&entry.agency).into(),
            view.name(&entry.group).into(),
            view.name(&entry.log).into(),
            entry.seq.to_string().into(),
            reason(view, &entry.reason).into(),
        ]);
    }
    table.render("")
}

fn render_each(view: &View, found: &Quarantine) -> String {
    if found.entries.is_empty() {
        return view.say("quarantine-empty", &[]) + "\n";
    }
    let each: Vec<String> = found
        .entries
        .iter()
        .map(|entry| render(view, entry))
        .collect();
    each.join("\n")
}

fn render(view: &View, entry: &QuarantinedEntry) -> String {
    let mut table = Table::default();
    let mut fact = |key: &str, value: String| table.row([view.say(key, &[]).into(), value.into()]);
    fact("quarantine-agency", view.name(&entry.agency));
    fact("quarantine-group", view.name(&entry.group));
    fact("quarantine-log", view.name(&entry.log));
    fact("quarantine-seq", entry.seq.to_string());
    fact("quarantine-reason", reason(view, &entry.reason));
    if !entry.record.is_empty() {
        fact("quarantine-record", view.name(&entry.record));
    }
    table.render("  ")
}

/// A reason in the reader's words; its stable word where the catalogue has none.
fn reason(view: &View, word: &str) -> String {
    let key = format!("reason-{word}");
    match view.has(&key) {
        true => view.say(&key, &[]),
        false => view.name(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    fn entry(reason: &str, own: bool) -> QuarantinedEntry {
        QuarantinedEntry {
            log: "12D3KooWPeer/00000000000000aa".into(),
            seq: 7,
            agency: "ma".into(),
            reason: reason.into(),
            group: "cyber".into(),
            record: "9f8e7d".into(),
            own,
        }
    }

    #[test]
    fn what_is_kept_without_effect() {
        let found = Quarantine {
            entries: vec![entry("no-standing", true), entry("new\u{1b}[2Jword", false)],
        };
        insta::assert_snapshot!(render_list(&plain(), &found), @"
        ma  cyber  12D3KooWPeer/00000000000000aa  7  its agency might not write in the group, or no longer
        ma  cyber  12D3KooWPeer/00000000000000aa  7  new�[2Jword
        ");
        let one = render(&plain(), &found.entries[0]);
        assert!(one.contains("place       7\n"), "{one}");
        assert!(one.contains("record      9f8e7d\n"), "{one}");
        insta::assert_snapshot!(render_list(&plain(), &Quarantine::default()), @"Nothing is in quarantine.");
    }
}
