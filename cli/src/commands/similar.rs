//! `similar`: records that are like one.

use diwan_api::error::Exit;
use diwan_api::types::SimilarQuery;

use super::search::{limit, render};
use crate::context::Context;
use crate::error::CliError;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<usize>,
    #[arg(long)]
    no_expand: bool,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let reader = args.lang;
    let reader = reader.unwrap_or_else(|| context.out().view().reader().to_owned());
    let query = SimilarQuery {
        reader: Some(reader),
        kind: args.kind,
        group: args.group,
        limit: args.limit,
        no_expand: args.no_expand.then_some(true),
    };
    let answer = context.client().similar(&args.id, &query).await?;
    context
        .out()
        .result(&answer, |view| render(view, &answer))
        .await?;
    Ok(Exit::Done)
}
