//! `history`: the versions of a record.

use diwan_api::error::Exit;
use diwan_api::types::History;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "ID")]
    id: String,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let history = context.client().history(&args.id).await?;
    context
        .out()
        .result(&history, |view| render(view, &history))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, history: &History) -> String {
    let mut table = Table::default();
    for version in &history.versions {
        let changed: Vec<_> = version
            .changed
            .iter()
            .map(|field| view.name(field))
            .collect();
        table.row([
            view.id(&version.version).into(),
            view.time(&version.time).into(),
            view.name(&version.agency).into(),
            view.id(&version.author).into(),
            changed.join(" ").into(),
        ]);
    }
    table.render("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::VersionInfo;

    #[test]
    fn versions_oldest_first() {
        let version = |version: &str, agency: &str, changed: &[&str]| VersionInfo {
            version: version.into(),
            agency: agency.into(),
            author: "12D3KooWAbCdEfGh".into(),
            time: "2026-11-23T22:40:38Z".into(),
            changed: changed.iter().map(|c| (*c).to_owned()).collect(),
        };
        let history = History {
            record: "aa".into(),
            versions: vec![
                version("0123456789abcdef", "fr", &["title.fr", "body.fr"]),
                version("fedcba9876543210", "tn", &["body.fr", "tlp"]),
            ],
        };
        insta::assert_snapshot!(render(&plain(), &history), @"
        0123456789ab  2026-11-23 22:40 UTC  fr  12D3KooWAbCd  title.fr body.fr
        fedcba987654  2026-11-23 22:40 UTC  tn  12D3KooWAbCd  body.fr tlp
        ");
    }
}
