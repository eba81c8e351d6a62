//! `holders`: which agencies have stored a record.

use diwan_api::error::Exit;
use diwan_api::types::{Holder, Holders};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let holders = context.client().holders(&args.id).await?;
    context
        .out()
        .result(&holders, |view| render(view, &holders))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, holders: &Holders) -> String {
    let mut table = Table::default();
    for holder in &holders.holders {
        let time = holder.receipt_time.as_deref();
        table.row([
            view.name(&holder.short).into(),
            state(view, holder).into(),
            time.map(|time| view.time(time)).unwrap_or_default().into(),
        ]);
    }
    let by = holders.holders.iter().filter(|holder| holder.stored);
    let counts = [
        ("by", (by.count() as u64).into()),
        ("of", holders.of.into()),
    ];
    format!("{}\n{}\n", table.render(""), view.say("stored-by", &counts))
}

fn state(view: &View, holder: &Holder) -> String {
    match (&holder.version, holder.stored) {
        (_, false) if holder.ahead => view.say("holder-ahead", &[]),
        (_, true) => view.say("holder-stored", &[]),
        (Some(version), false) => view.say("holder-older", &[("version", view.id(version).into())]),
        (None, false) => view.warn(&view.say("holder-none", &[])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn who_has_it_who_has_an_older_version_and_who_has_signed_for_none() {
        let holder = |short: &str, stored, version: Option<&str>, time: Option<&str>| Holder {
            agency: "aa".to_owned(),
            short: short.to_owned(),
            stored,
            version: version.map(str::to_owned),
            receipt_time: time.map(str::to_owned),
            ahead: short == "dz",
        };
        let time = Some("2026-11-23T22:40:38Z");
        let holders = Holders {
            record: "aa".to_owned(),
            holders: vec![
                holder("dz", false, None, time),
                holder("fr", true, Some("2-1a2b3c4d"), time),
                holder("ma", false, Some("1-5e6f7a8b"), time),
                holder("tn", false, None, None),
            ],
            of: 4,
        };
        insta::assert_snapshot!(render(&plain(), &holders), @"
        dz  is ahead of this node, which cannot tell  2026-11-23 22:40 UTC
        fr  stored                                    2026-11-23 22:40 UTC
        ma  has version 1-5e6f7a8b only               2026-11-23 22:40 UTC
        tn  has not signed that it has it

        Stored by 1 of 4 agencies.
        ");
    }
}
