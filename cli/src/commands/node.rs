//! `node`: the nodes of this agency.

use std::path::PathBuf;

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{NodeInfo, NodeList};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};
use crate::values::read_text;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List,
    Certify {
        #[arg(value_name = "REQUEST")]
        request: PathBuf,
        #[arg(long, short, value_name = "CARD")]
        output: Option<PathBuf>,
    },
    Revoke {
        #[arg(value_name = "NODE")]
        node: String,
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    let list = match verb {
        Verb::List => client.nodes().await?,
        Verb::Certify { request, output } => {
            let done = client.node_certify(read_text(&request)?).await?;
            match &output {
                Some(path) => {
                    std::fs::write(path, &done.card).map_err(|e| CliError::write(path, e))?;
                }
                None if !out.is_json() => out.raw(done.card.as_bytes())?,
                None => {}
            }
            if out.is_json() {
                out.json_line(&done)?;
            } else {
                out.note("node-certified", &[("node", done.peer_id.as_str().into())]);
            }
            return Ok(Exit::Done);
        }
        Verb::Revoke { node, yes } => {
            if !yes {
                out.plan(
                    &(out
                        .view()
                        .say("node-revoke-plan", &[("node", node.as_str().into())])
                        + "\n"),
                );
                let end: String = node
                    .chars()
                    .skip(node.chars().count().saturating_sub(6))
                    .collect();
                out.confirm(&end, false).await?;
            }
            client.node_revoke(&node).await?
        }
    };
    out.result(&list, |view| render(view, &list)).await?;
    Ok(Exit::Done)
}

fn render(view: &View, list: &NodeList) -> String {
    let mut table = Table::default();
    for node in &list.nodes {
        table.row([
            view.name(&node.peer_id).into(),
            view.word("state", &node.state).into(),
            node.capabilities.join(" ").into(),
            here(view, node).into(),
            node.addresses.join(" ").into(),
        ]);
    }
    table.render("")
}

fn here(view: &View, node: &NodeInfo) -> String {
    match node.this {
        true => view.say("node-this", &[]),
        false => String::new(),
    }
}
