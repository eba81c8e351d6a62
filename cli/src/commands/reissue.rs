//! `reissue`: the way out after this node's log was found to have two sides.

use diwan_api::error::Exit;
use diwan_api::types::Reissue;

use crate::context::Context;
use crate::error::CliError;
use crate::output::View;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    if !args.yes {
        let status = client.status().await?;
        out.plan(&(out.view().say("reissue-plan", &[]) + "\n"));
        out.confirm(&status.short, false).await?;
    }
    let done = client.reissue().await?;
    out.result(&done, |view| render(view, &done)).await?;
    Ok(Exit::Done)
}

fn render(view: &View, done: &Reissue) -> String {
    let values = [
        ("incarnation", done.incarnation.as_str().into()),
        ("records", done.records.into()),
        ("edits", done.edits.into()),
        ("left", done.left_out.into()),
    ];
    view.say("reissue-done", &values) + "\n"
}
