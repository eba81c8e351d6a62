//! `publish`, `withdraw`: what reaches other agencies, and what is taken back.

use std::io::{self, IsTerminal as _};

use diwan_api::error::Exit;
use diwan_api::types::{GuardHit, PublishRequest, Published, WithdrawRequest};

use super::guard;
use crate::context::Context;
use crate::error::CliError;
use crate::output::View;
use crate::values::tlp;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long = "group", value_name = "GROUP")]
    into_group: Option<String>,
    #[arg(long = "tlp", value_name = "LABEL", value_parser = tlp)]
    published_tlp: Option<String>,
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Withdraw {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long = "reason", value_name = "TEXT", default_value = "")]
    withdrawal_reason: String,
    #[arg(long)]
    undo: bool,
    #[arg(long)]
    dry_run: bool,
}

/// What was done.
#[derive(Clone, Copy)]
enum Verb {
    Publish,
    Withdraw,
    Restore,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    let mut request = PublishRequest {
        group: args.into_group,
        tlp: args.published_tlp,
        override_reason: args.override_reason,
        dry_run: true,
    };
    // Whoever sits at a terminal sees who will receive it before it goes out; a script has said it all.
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal() && !out.is_json();
    if args.dry_run || (asks && !args.yes) {
        let plan = client.publish(&args.id, &request).await?;
        if args.dry_run {
            out.result(&plan, |view| render(view, &plan, Verb::Publish))
                .await?;
            return Ok(Exit::Done);
        }
        out.plan(&render(out.view(), &plan, Verb::Publish));
        out.confirm(&plan.group, false).await?;
    }
    request.dry_run = false;
    let done = client.publish(&args.id, &request).await?;
    out.result(&done, |view| render(view, &done, Verb::Publish))
        .await?;
    Ok(Exit::Done)
}

/// Takes a record out of lists and searches, or puts it back.
pub(crate) async fn withdraw(args: Withdraw, context: &Context) -> Result<Exit, CliError> {
    let request = WithdrawRequest {
        reason: args.withdrawal_reason,
        undo: args.undo,
        dry_run: args.dry_run,
    };
    let done = context.client().withdraw(&args.id, &request).await?;
    let verb = match args.undo {
        true => Verb::Restore,
        false => Verb::Withdraw,
    };
    context
        .out()
        .result(&done, |view| render(view, &done, verb))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, done: &Published, verb: Verb) -> String {
    let key = match (verb, done.done) {
        (Verb::Publish, false) => "publish-plan",
        (Verb::Publish, true) if done.again => "publish-again-done",
        (Verb::Publish, true) => "publish-done",
        (Verb::Withdraw, false) => "withdraw-plan",
        (Verb::Withdraw, true) => "withdraw-done",
        (Verb::Restore, false) => "restore-plan",
        (Verb::Restore, true) => "restore-done",
    };
    let agencies = match done.recipients.is_empty() {
        true => view.say("publish-nobody", &[]),
        false => done.recipients.join(", "),
    };
    let values = [
        ("record", view.id(&done.record).into()),
        ("group", done.group.as_str().into()),
        ("tlp", done.tlp.as_str().into()),
        ("agencies", agencies.into()),
    ];
    let mut text = view.say(key, &values) + "\n";
    if !done.left_out.is_empty() {
        let links = done.left_out.iter();
        let links = links.map(|link| format!("{}={}", link.rel, view.id(&link.record)));
        let links = links.collect::<Vec<_>>().join(", ");
        text += &(view.say("publish-left-out", &[("links", links.into())]) + "\n");
    }
    text + &warnings(view, &done.guard)
}

/// What the guard said to something that was written all the same.
pub(crate) fn warnings(view: &View, hits: &[GuardHit]) -> String {
    match hits.is_empty() {
        true => String::new(),
        false => view.say("guard-warned", &[]) + "\n" + &guard::table(view, hits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::RecordLink;

    #[test]
    fn who_receives_it_before_and_after() {
        let plan = Published {
            record: "9f8e7d6c5b4a9f8e".into(),
            source: "9f8e7d6c5b4a9f8e".into(),
            group: "cyber".into(),
            tlp: "AMBER".into(),
            recipients: vec!["fr".into(), "tn".into()],
            left_out: vec![RecordLink {
                rel: "need".into(),
                record: "123456789abcdef0".into(),
            }],
            guard: Vec::new(),
            done: false,
            again: false,
        };
        insta::assert_snapshot!(render(&plain(), &plan, Verb::Publish), @"
        9f8e7d6c5b4a will be readable in “cyber” as TLP:AMBER, by: fr, tn.
        What other agencies have received cannot be taken out of their hands.
        These links stay behind, as their records are not in the group: need=123456789abc
        ");
        let done = Published {
            left_out: Vec::new(),
            done: true,
            guard: vec![GuardHit {
                rule: "plate".into(),
                level: "warn".into(),
                field: "body.fr".into(),
                line: 3,
                column: 14,
                text: "AB-123-CD".into(),
            }],
            ..plan
        };
        insta::assert_snapshot!(render(&plain(), &done, Verb::Publish), @"
        Published as 9f8e7d6c5b4a in “cyber”, TLP:AMBER. It goes to: fr, tn.
        The publication guard noticed:
          warns  plate  body.fr, line 3, character 14  AB-123-CD
        ");
        let alone = Published {
            recipients: Vec::new(),
            guard: Vec::new(),
            again: true,
            ..done
        };
        insta::assert_snapshot!(render(&plain(), &alone, Verb::Publish), @"9f8e7d6c5b4a in “cyber” says what the draft says now, TLP:AMBER. It goes to: nobody else yet.");
        let taken = Published {
            again: false,
            ..alone
        };
        insta::assert_snapshot!(render(&plain(), &taken, Verb::Withdraw), @"
        9f8e7d6c5b4a in “cyber” is withdrawn: it is neither listed nor found any more, also by: nobody else yet.
        Its text is still there; `diwan purge` erases it.
        ");
        insta::assert_snapshot!(render(&plain(), &taken, Verb::Restore), @"9f8e7d6c5b4a in “cyber” is listed and found again, also by: nobody else yet.");
    }
}
