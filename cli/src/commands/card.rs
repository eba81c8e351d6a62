//! `card`: this agency's card for others, and what another's card says.

use std::path::PathBuf;

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{Card, CardInfo};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};
use crate::values::read_text;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Export {
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    Show {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// A card with its text, or with the file that holds it.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    info: &'a CardInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a PathBuf>,
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    match verb {
        Verb::Export { file } => export(file, context).await?,
        Verb::Show { file } => {
            let info = context.client().inspect_card(read_text(&file)?).await?;
            context
                .out()
                .result(&info, |view| render(view, &info))
                .await?;
        }
    }
    Ok(Exit::Done)
}

async fn export(file: Option<PathBuf>, context: &Context) -> Result<(), CliError> {
    let Card { text, info } = context.client().card().await?;
    let out = context.out();
    if let Some(path) = &file {
        std::fs::write(path, &text).map_err(|e| CliError::write(path, e))?;
    }
    if out.is_json() {
        return out.json_line(&Exported {
            info: &info,
            text: file.is_none().then_some(&text),
            path: file.as_ref(),
        });
    }
    match &file {
        None => out.raw(text.as_bytes())?,
        Some(_) => out.result(&info, |view| render(view, &info)).await?,
    }
    out.note("card-compare", &[]);
    Ok(())
}

fn render(view: &View, info: &CardInfo) -> String {
    let heading = format!("{} · {}", view.name(&info.name), view.name(&info.country));
    let mut table = Table::default();
    let mut fact = |key: &str, value: String| table.row([view.say(key, &[]).into(), value.into()]);
    fact("card-short", view.name(&info.short));
    fact("card-fingerprint", view.name(&info.fingerprint));
    fact("card-agency", view.name(&info.agency));
    for address in &info.addresses {
        fact("card-address", view.name(address));
    }
    format!("{}\n{}", view.bold(&heading), table.render("  "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn a_card_shows_who_and_the_fingerprint() {
        let info = CardInfo {
            agency: "1f2e3d".into(),
            name: "الشرطة العدلية".into(),
            country: "TN".into(),
            short: "tn".into(),
            fingerprint: "12345 67890 12345 67890 12345 67890 12345 67890".into(),
            addresses: vec!["/dns4/node.example/tcp/7431".into()],
        };
        insta::assert_snapshot!(render(&plain(), &info), @"
        \u{2068}الشرطة العدلية\u{2069} · TN
          short name   tn
          fingerprint  12345 67890 12345 67890 12345 67890 12345 67890
          id           1f2e3d
          address      /dns4/node.example/tcp/7431
        ");
        let exported = Exported {
            info: &info,
            text: None,
            path: Some(&"tn.card".into()),
        };
        let json = serde_json::to_value(exported).unwrap();
        assert_eq!(json["short"], "tn");
        assert_eq!(json["path"], "tn.card");
        assert!(json.get("text").is_none());
    }
}
