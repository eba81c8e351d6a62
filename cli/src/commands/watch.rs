//! `watch`: searches that an officer saved, and what is new of them.

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{WatchAdd, WatchAnswer, WatchList, WatchQuery, WatchSeen};
use serde::Serialize;

use super::search::render_hit;
use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add {
        #[arg(value_name = "NAME")]
        name: String,
        #[arg(value_name = "QUERY", required = true)]
        query: Vec<String>,
    },
    List,
    Remove {
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Matches of one saved search that are shown: what is more is neither held in memory nor counted as seen.
const SHOWN: usize = 2_000;

/// The document of `--json`.
#[derive(Serialize)]
struct News {
    watches: Vec<WatchAnswer>,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    let list = match args.verb {
        None => return look(&args.names, args.keep, context).await,
        Some(Verb::List) => client.watches().await?,
        Some(Verb::Add { name, query }) => {
            let query = query.join(" ");
            client.watch_add(&WatchAdd { name, query }).await?
        }
        Some(Verb::Remove { name }) => client.watch_remove(&name).await?,
    };
    out.result(&list, |view| render_list(view, &list)).await?;
    Ok(Exit::Done)
}

/// Shows what is new, and only then says that it was seen.
async fn look(names: &[String], keep: bool, context: &Context) -> Result<Exit, CliError> {
    let client = context.client();
    let all = client.watches().await?.watches;
    let names = match names {
        [] => all.into_iter().map(|watch| watch.name).collect(),
        names => names.to_vec(),
    };
    let mut watches = Vec::new();
    for name in &names {
        watches.push(whole(name, context).await?);
    }
    let news = News { watches };
    context
        .out()
        .result(&news, |view| render(view, &news))
        .await?;
    if !keep {
        let whole = news
            .watches
            .iter()
            .filter(|watch| watch.found.next.is_none());
        for watch in whole {
            let seen = WatchSeen { seq: watch.seq };
            client.watch_seen(&watch.watch.name, seen).await?;
        }
    }
    Ok(Exit::Done)
}

/// All pages of what is new.
async fn whole(name: &str, context: &Context) -> Result<WatchAnswer, CliError> {
    let mut query = WatchQuery {
        reader: Some(context.out().view().reader().to_owned()),
        after: None,
    };
    let mut answer = context.client().watch(name, &query).await?;
    while answer.found.hits.len() < SHOWN
        && let Some(next) = answer.found.next.take()
    {
        query.after = Some(next);
        let page = context.client().watch(name, &query).await?;
        answer.found.hits.extend(page.found.hits);
        answer.found.next = page.found.next;
    }
    Ok(answer)
}

fn render(view: &View, news: &News) -> String {
    if news.watches.is_empty() {
        return view.say("watch-none", &[]) + "\n";
    }
    let mut text = String::new();
    for watch in &news.watches {
        if !text.is_empty() {
            text.push('\n');
        }
        let name = view.bold(&view.name(&watch.watch.name));
        let since = view.time(&watch.watch.since);
        let args = [
            ("count", watch.found.total.into()),
            ("since", since.as_str().into()),
        ];
        let found = view.dim(&view.say("watch-found", &args));
        text.push_str(&format!(
            "{name} · {}\n{found}\n",
            view.name(&watch.watch.query)
        ));
        for (number, hit) in watch.found.hits.iter().enumerate() {
            text.push('\n');
            text.push_str(&render_hit(view, number + 1, hit));
        }
        if watch.found.next.is_some() {
            let shown = watch.found.hits.len().into();
            let more = view.say("watch-more", &[("shown", shown)]);
            text.push_str(&format!("\n{}\n", view.warn(&more)));
        }
    }
    text
}

fn render_list(view: &View, list: &WatchList) -> String {
    if list.watches.is_empty() {
        return view.say("watch-none", &[]) + "\n";
    }
    let mut table = Table::default();
    for watch in &list.watches {
        table.row([
            view.name(&watch.name).into(),
            view.name(&watch.query).into(),
            view.time(&watch.since).into(),
        ]);
    }
    table.render("")
}

#[cfg(test)]
mod tests {
    use diwan_api::types::{SearchAnswer, WatchInfo};

    use super::*;
    use crate::output::plain;

    #[test]
    fn what_is_new_and_what_is_saved() {
        assert_eq!(
            render(&plain(), &News { watches: vec![] }),
            "No saved search. Save one with: diwan watch add NAME QUERY\n"
        );
        let watch = WatchInfo {
            name: "هواتف".into(),
            query: "saisie kind:training".into(),
            since: "2026-11-23T22:40:38Z".into(),
        };
        let found = SearchAnswer {
            query: watch.query.clone(),
            expanded: Vec::new(),
            total: 0,
            took_ms: 1.0,
            hits: Vec::new(),
            facets: std::collections::BTreeMap::new(),
            next: None,
            behind: false,
        };
        let list = WatchList {
            watches: vec![watch.clone()],
        };
        let mut watches = vec![WatchAnswer {
            watch,
            seq: 1,
            found,
        }];
        watches[0].found.next = Some("d1-2-3".into());
        let cut = News { watches };
        assert!(render(&plain(), &cut).ends_with("save the search anew to begin from now.\n"));
        let mut watches = cut.watches;
        watches[0].found.next = None;
        assert_eq!(
            render(&plain(), &News { watches }),
            "\u{2068}هواتف\u{2069} · saisie kind:training\nnothing new since 2026-11-23 22:40 UTC\n"
        );
        assert_eq!(
            render_list(&plain(), &list),
            "\u{2068}هواتف\u{2069}  saisie kind:training  2026-11-23 22:40 UTC\n"
        );
    }
}
