//! `exchange show`: what came from one event.

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{Chain, ChainStep};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

/// Spaces that a record stands further in than what it links to.
const INDENT: usize = 2;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Show {
        #[arg(value_name = "ID")]
        id: String,
    },
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let Verb::Show { id } = verb;
    let chain = context.client().chain(&id).await?;
    context
        .out()
        .result(&chain, |view| render(view, &chain))
        .await?;
    Ok(Exit::Done)
}

fn render(view: &View, chain: &Chain) -> String {
    let mut text = format!(
        "{}\n{} {}\n\n",
        view.bold(&view.title(&chain.title, None)),
        view.name(&chain.kind),
        view.id(&chain.record)
    );
    if chain.steps.is_empty() {
        return text + &view.say("exchange-nothing", &[]) + "\n";
    }
    let mut table = Table::default();
    for step in &chain.steps {
        let depth = usize::try_from(step.depth).unwrap_or(1);
        let indent = " ".repeat(INDENT * depth.saturating_sub(1));
        table.row([
            format!("{indent}{}", view.name(&step.kind)).into(),
            view.id(&step.record).into(),
            view.name(&step.origin).into(),
            step.state
                .as_deref()
                .map_or(String::new(), |state| view.name(state))
                .into(),
            title(view, step).into(),
        ]);
    }
    text.push_str(&table.render(""));
    if chain.is_short {
        text.push_str(&view.warn(&view.say("exchange-short", &[])));
        text.push('\n');
    }
    text
}

/// An annotation has no title, and needs none here.
fn title(view: &View, step: &ChainStep) -> String {
    match step.title.is_empty() {
        true => String::new(),
        false => view.title(&step.title, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::Texts;

    #[test]
    fn each_record_stands_below_what_it_links_to() {
        let step = |depth, kind: &str, state: Option<&str>, title: &str| ChainStep {
            depth,
            rel: "need".to_owned(),
            to: "aa".to_owned(),
            record: "0123456789abcdef".to_owned(),
            kind: kind.to_owned(),
            origin: "tn".to_owned(),
            title: match title {
                "" => Texts::new(),
                title => Texts::from([("fr".to_owned(), title.to_owned())]),
            },
            state: state.map(str::to_owned),
        };
        let chain = Chain {
            record: "fedcba9876543210".to_owned(),
            kind: "exchange".to_owned(),
            title: Texts::from([("fr".to_owned(), "Échange de Paris".to_owned())]),
            steps: vec![
                step(1, "need", Some("closed"), "Saisie"),
                step(2, "action", Some("done"), "Stage"),
                step(3, "training", None, "Cours"),
                step(4, "endorsement", Some("helped"), ""),
                step(1, "need", None, "Analyse"),
            ],
            is_short: true,
        };
        insta::assert_snapshot!(render(&plain(), &chain), @"
        Échange de Paris
        exchange fedcba987654

        need               0123456789ab  tn  closed  Saisie
          action           0123456789ab  tn  done    Stage
            training       0123456789ab  tn          Cours
              endorsement  0123456789ab  tn  helped
        need               0123456789ab  tn          Analyse
        There is more than was looked at.
        ");
    }
}
