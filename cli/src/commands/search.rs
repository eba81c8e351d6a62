//! `search`: finds records in any language.

use clap::ValueEnum;
use diwan_api::error::Exit;
use diwan_api::types::{Hit, SearchAnswer, SearchQuery, Why};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};
use crate::values::tlp;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "QUERY", required = true)]
    query: Vec<String>,
    #[arg(long, value_name = "LANG")]
    lang: Option<String>,
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    #[arg(long, value_name = "THEME")]
    theme: Option<String>,
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[arg(long, value_name = "LABEL", value_parser = tlp)]
    tlp: Option<String>,
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    #[arg(long, value_name = "ORDER")]
    sort: Option<Sort>,
    #[arg(long, value_name = "N", value_parser = limit)]
    limit: Option<usize>,
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[arg(long)]
    facets: bool,
    #[arg(long)]
    no_expand: bool,
    #[arg(long)]
    explain: bool,
    #[arg(long, conflicts_with = "json")]
    jsonl: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    Relevance,
    Date,
}

pub(super) fn limit(value: &str) -> Result<usize, String> {
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=200).contains(number));
    number.ok_or_else(|| "expected-search-limit".to_owned())
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, CliError> {
    let reader = args
        .lang
        .clone()
        .unwrap_or_else(|| context.out().view().reader().to_owned());
    let query = SearchQuery {
        q: args.query.join(" "),
        reader: Some(reader),
        lang: args.lang,
        kind: args.kind,
        theme: args.theme,
        country: args.country,
        group: args.group,
        tlp: args.tlp,
        since: args.since,
        sort: args.sort.map(|sort| match sort {
            Sort::Relevance => "relevance".to_owned(),
            Sort::Date => "date".to_owned(),
        }),
        limit: args.limit,
        after: args.after,
        facets: args.facets.then_some(true),
        no_expand: args.no_expand.then_some(true),
        explain: args.explain.then_some(true),
        wait_seq: None,
    };
    let answer = context.client().search(&query).await?;
    if args.jsonl {
        for hit in &answer.hits {
            context.out().json_line(hit)?;
        }
    } else {
        context
            .out()
            .result(&answer, |view| render(view, &answer))
            .await?;
    }
    Ok(Exit::Done)
}

/// Words that were added and that are told of; `--json` has them all.
const EXPANDED_SHOWN: usize = 12;

pub(super) fn render(view: &View, answer: &SearchAnswer) -> String {
    let behind = match answer.behind {
        true => view.warn(&view.say("search-behind", &[])) + "\n",
        false => String::new(),
    };
    if answer.hits.is_empty() {
        let nothing = view.say("search-nothing", &[("query", answer.query.as_str().into())]);
        return format!("{nothing}\n{behind}");
    }
    let took = format!("{:.1}", answer.took_ms);
    let found = view.say(
        "search-found",
        &[("count", answer.total.into()), ("time", took.into())],
    );
    let mut text = view.dim(&found) + "\n" + &behind;
    if !answer.expanded.is_empty() {
        let terms = answer.expanded.iter().take(EXPANDED_SHOWN);
        let mut terms: Vec<_> = terms.map(|term| view.name(term)).collect();
        if answer.expanded.len() > EXPANDED_SHOWN {
            terms.push("…".to_owned());
        }
        text.push_str(&view.dim(&view.say("search-expanded", &[])));
        text.push_str(&view.dim(&format!(" {}\n", terms.join(", "))));
    }
    for (number, hit) in answer.hits.iter().enumerate() {
        text.push('\n');
        text.push_str(&render_hit(view, number + 1, hit));
    }
    if !answer.facets.is_empty() {
        text.push('\n');
        text.push_str(&render_facets(view, answer));
    }
    if let Some(next) = &answer.next {
        let more = view.say("next-page", &[("cursor", next.as_str().into())]);
        text.push_str(&format!("\n{}\n", view.dim(&more)));
    }
    text
}

pub(super) fn render_hit(view: &View, number: usize, hit: &Hit) -> String {
    let about = [
        view.id(&hit.record),
        view.name(&hit.kind),
        view.name(&hit.origin),
        view.name(&hit.group_name),
        view.tlp(&hit.tlp),
        view.name(&hit.languages.join(" ")),
        view.day(&hit.updated),
    ];
    let title = view.bold(&view.name(&hit.title));
    let mut text = format!("{number}. {title}\n   {}\n", about.join(" · "));
    if !hit.snippet.trim().is_empty() {
        text.push_str(&format!("   {}\n", view.marked(&hit.snippet, &hit.marks)));
    }
    if !hit.why.is_empty() {
        text.push_str(&format!("   {}\n", view.dim(&render_why(view, hit))));
    }
    text
}

/// What the score is made of: sums, then by what the sum is multiplied.
fn render_why(view: &View, hit: &Hit) -> String {
    let part = |why: &Why| match (why.part.as_str(), &why.lang) {
        (part @ ("recency" | "endorsements"), _) => {
            format!("{} ×{:.2}", view.word("why", part), 1.0 + why.score)
        }
        ("+", Some(lang)) => format!("{} ({lang}) {:.2}", view.word("why", "all"), why.score),
        ("+title", Some(lang)) => {
            format!("{} ({lang}) {:.2}", view.word("why", "title"), why.score)
        }
        ("+passage", _) => format!("{} {:.2}", view.word("why", "passage"), why.score),
        ("label", Some(lang)) => {
            format!("{} ({lang}) {:.2}", view.word("why", "label"), why.score)
        }
        (part, Some(lang)) => format!("{} ({lang}) {:.2}", view.name(part), why.score),
        (part, None) => format!("{} {:.2}", view.name(part), why.score),
    };
    let parts: Vec<String> = hit.why.iter().map(part).collect();
    format!("{:.2} = {}", hit.score, parts.join(" · "))
}

fn render_facets(view: &View, answer: &SearchAnswer) -> String {
    let mut table = Table::default();
    for (facet, values) in &answer.facets {
        let counted: Vec<_> = values
            .iter()
            .map(|(value, count)| format!("{} {count}", view.name(value)))
            .collect();
        table.row([view.word("facet", facet).into(), counted.join(", ").into()]);
    }
    table.render("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use std::collections::BTreeMap;

    fn hit(title: &str, lang: &str, snippet: &str, marks: Vec<(usize, usize)>) -> Hit {
        Hit {
            record: "0123456789abcdef".into(),
            group: "aa".into(),
            group_name: "cyber".into(),
            kind: "guideline".into(),
            lang: lang.into(),
            languages: vec!["ar".into(), "fr".into()],
            title: title.into(),
            snippet: snippet.into(),
            marks,
            score: 1.5,
            why: Vec::new(),
            origin: "tn".into(),
            tlp: "GREEN".into(),
            updated: "2026-11-23T22:40:38Z".into(),
        }
    }

    fn answer() -> SearchAnswer {
        SearchAnswer {
            query: "saisie".into(),
            expanded: vec!["ضبط".into(), "seizure".into()],
            total: 12,
            took_ms: 0.84,
            hits: vec![
                hit(
                    "Saisie de téléphones",
                    "fr",
                    "avant la saisie,\ncouper",
                    vec![(9, 15)],
                ),
                hit("ضبط الهواتف (TLP)", "ar", "قبل الضبط\u{202e}", vec![]),
            ],
            facets: BTreeMap::from([(
                "kind".to_owned(),
                BTreeMap::from([("guideline".to_owned(), 9), ("practice".to_owned(), 3)]),
            )]),
            next: Some("c2".into()),
            behind: false,
        }
    }

    #[test]
    fn hits_of_both_directions() {
        insta::assert_snapshot!(render(&plain(), &answer()), @"
        12 records · 0.8 ms
        Also searched for: \u{2068}ضبط\u{2069}, seizure

        1. Saisie de téléphones
           0123456789ab · guideline · tn · cyber · TLP:GREEN · ar fr · 2026-11-23
           avant la saisie, couper

        2. \u{2068}ضبط الهواتف (TLP)\u{2069}
           0123456789ab · guideline · tn · cyber · TLP:GREEN · ar fr · 2026-11-23
           \u{2068}قبل الضبط�\u{2069}

        kind  guideline 9, practice 3

        More: --after c2
        ");
    }

    #[test]
    fn reasons_are_a_sum_and_factors() {
        let why = |part: &str, lang: Option<&str>, score| Why {
            part: part.into(),
            lang: lang.map(str::to_owned),
            score,
        };
        let of = Hit {
            why: vec![
                why("saisie", Some("fr"), 1.0),
                why("+", Some("fr"), 0.25),
                why("+title", Some("fr"), 0.1),
                why("=saisie", None, 0.15),
                why("+passage", None, 0.3),
                why("recency", None, 0.08),
            ],
            ..hit("Saisie", "fr", "", vec![])
        };
        insta::assert_snapshot!(
            render_why(&plain(), &of),
            @"1.50 = saisie (fr) 1.00 · all words (fr) 0.25 · as a title (fr) 0.10 · =saisie 0.15 · in one passage 0.30 · newness ×1.08"
        );
    }

    #[test]
    fn nothing_found_says_what_was_looked_for() {
        let nothing = SearchAnswer {
            total: 0,
            hits: Vec::new(),
            ..answer()
        };
        insta::assert_snapshot!(render(&plain(), &nothing), @"Nothing found for “saisie”.");
    }
}
