//! `purge`: erases a record on every node of its group.

use diwan_api::error::Exit;
use diwan_api::types::{PurgePlan, PurgeRequest};

use crate::context::Context;
use crate::error::CliError;
use crate::output::View;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    let mut request = PurgeRequest {
        reason: args.reason,
        dry_run: true,
    };
    if args.dry_run || !args.yes {
        let plan = client.purge(&args.id, &request).await?;
        if args.dry_run {
            out.result(&plan, |view| render(view, &plan)).await?;
            return Ok(Exit::Done);
        }
        out.plan(&render(out.view(), &plan));
        let short: String = plan.record.chars().take(12).collect();
        out.confirm(&short, false).await?;
    }
    request.dry_run = false;
    let done = client.purge(&args.id, &request).await?;
    out.result(&done, |view| render(view, &done)).await?;
    Ok(Exit::Done)
}

fn render(view: &View, plan: &PurgePlan) -> String {
    let key = if plan.done {
        "purge-done"
    } else {
        "purge-plan"
    };
    let agencies = plan.recipients.join(", ");
    let values = [
        ("record", plan.record.as_str().into()),
        ("group", plan.group.as_str().into()),
        ("agencies", agencies.as_str().into()),
        ("versions", plan.versions.into()),
    ];
    view.say(key, &values) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn a_purge_before_and_after() {
        let plan = PurgePlan {
            record: "9f8e7d6c5b4a".into(),
            group: "cyber".into(),
            recipients: vec!["fr".into(), "tn".into()],
            versions: 3,
            done: false,
        };
        insta::assert_snapshot!(render(&plain(), &plan), @"
        9f8e7d6c5b4a in “cyber” will be erased, with all 3 of its versions, on every node of fr, tn.
        Headers and signatures stay, so that the logs still verify. This cannot be undone.
        ");
        let done = PurgePlan { done: true, ..plan };
        insta::assert_snapshot!(render(&plain(), &done), @"9f8e7d6c5b4a in “cyber” is erased here; the nodes of fr, tn erase it when they sync.");
    }
}
