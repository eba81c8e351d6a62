//! `trust`: the admin's list of agencies.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use diwan_api::client::TrustStep;
use diwan_api::error::Exit;
use diwan_api::types::{TrustAdd, TrustList, TrustVerify, TrustedAgency};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Cell, Table, View};
use crate::values::read_text;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add {
        #[arg(value_name = "CARD")]
        card: PathBuf,
        #[arg(long, value_name = "DIGITS")]
        fingerprint: Option<String>,
    },
    List,
    Show(Agency),
    Verify {
        #[arg(value_name = "AGENCY")]
        agency: String,
        #[arg(long, value_name = "DIGITS")]
        fingerprint: String,
    },
    Suspend(Agency),
    Resume(Agency),
    Block(Agency),
    Remove {
        #[arg(value_name = "AGENCY")]
        agency: String,
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Agency {
    #[arg(value_name = "AGENCY")]
    agency: String,
}

/// Answer of `trust remove --dry-run`.
#[derive(Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    list: &'a TrustList,
    dry_run: bool,
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let client = context.client();
    match verb {
        Verb::Add { card, fingerprint } => {
            let card = read_text(&card)?;
            let added = client.trust_add(&TrustAdd { card, fingerprint }).await?;
            print_changed(&added, context).await?;
        }
        Verb::List => {
            let list = client.trust_list().await?;
            let human = |view: &View| render_list(view, &list);
            context.out().result(&list, human).await?;
        }
        Verb::Show(Agency { agency }) => {
            let shown = client.trust_show(&agency).await?;
            let human = |view: &View| render_agencies(view, &shown);
            context.out().result(&shown, human).await?;
        }
        Verb::Verify {
            agency,
            fingerprint,
        } => {
            let request = TrustVerify { fingerprint };
            print_changed(&client.trust_verify(&agency, &request).await?, context).await?;
        }
        Verb::Suspend(Agency { agency }) => {
            print_changed(
                &client.trust_step(&agency, TrustStep::Suspend).await?,
                context,
            )
            .await?;
        }
        Verb::Resume(Agency { agency }) => {
            print_changed(
                &client.trust_step(&agency, TrustStep::Resume).await?,
                context,
            )
            .await?;
        }
        Verb::Block(Agency { agency }) => {
            print_changed(
                &client.trust_step(&agency, TrustStep::Block).await?,
                context,
            )
            .await?;
        }
        Verb::Remove {
            agency,
            yes,
            dry_run,
        } => remove(&agency, yes, dry_run, context).await?,
    }
    Ok(Exit::Done)
}

async fn remove(agency: &str, yes: bool, dry_run: bool, context: &Context) -> Result<(), CliError> {
    let out = context.out();
    let shown = context.client().trust_show(agency).await?;
    if dry_run {
        let planned = Planned {
            list: &shown,
            dry_run,
        };
        return out
            .result(&planned, |view| render_removal(view, &shown))
            .await;
    }
    if !yes {
        out.plan(&render_removal(out.view(), &shown));
    }
    let name = shown.agencies.first().map_or(agency, |found| &found.short);
    out.confirm(name, yes).await?;
    let removed = context
        .client()
        .trust_step(agency, TrustStep::Remove)
        .await?;
    let human = |view: &View| view.say("trust-removed", &[("agency", name.into())]) + "\n";
    out.result(&removed, human).await
}

async fn print_changed(list: &TrustList, context: &Context) -> Result<(), CliError> {
    let human = |view: &View| {
        let mut text = String::new();
        for agency in &list.agencies {
            text.push_str(&render_agency(view, agency));
            let meaning = format!("trust-means-{}", agency.state);
            if view.has(&meaning) {
                let values = [("agency", agency.short.as_str().into())];
                text.push_str(&format!("\n{}\n", view.say(&meaning, &values)));
            }
        }
        text
    };
    context.out().result(list, human).await
}

fn render_list(view: &View, list: &TrustList) -> String {
    if list.agencies.is_empty() {
        return view.say("trust-empty", &[]) + "\n";
    }
    let mut table = Table::default();
    for agency in &list.agencies {
        table.row([
            view.name(&agency.short).into(),
            state(view, agency),
            view.name(&agency.country).into(),
            view.name(&agency.name).into(),
        ]);
    }
    table.render("")
}

fn render_agencies(view: &View, list: &TrustList) -> String {
    let each: Vec<_> = list
        .agencies
        .iter()
        .map(|agency| render_agency(view, agency))
        .collect();
    each.join("\n")
}

fn render_agency(view: &View, agency: &TrustedAgency) -> String {
    let heading = format!(
        "{} · {}",
        view.name(&agency.name),
        view.name(&agency.country)
    );
    let mut table = Table::default();
    let mut fact = |key: &str, value: Cell| table.row([view.say(key, &[]).into(), value]);
    fact("trust-short", view.name(&agency.short).into());
    fact("trust-state", state(view, agency));
    fact("trust-fingerprint", view.name(&agency.fingerprint).into());
    fact("trust-compared", compared(view, agency).into());
    for address in &agency.addresses {
        fact("trust-address", view.name(address).into());
    }
    format!("{}\n{}", view.bold(&heading), table.render("  "))
}

fn state(view: &View, agency: &TrustedAgency) -> Cell {
    let word = view.word("state", &agency.state);
    let styled = if agency.state == "pinned" {
        word.clone()
    } else {
        view.warn(&word)
    };
    Cell::styled(word, styled)
}

fn compared(view: &View, agency: &TrustedAgency) -> String {
    if !agency.verified {
        return view.say("trust-not-compared", &[]);
    }
    let by = agency.verified_by.as_deref().unwrap_or("?");
    let time = agency
        .verified_at
        .as_deref()
        .map_or("?".to_owned(), |t| view.time(t));
    view.say(
        "trust-compared-by",
        &[("officer", by.into()), ("time", time.into())],
    )
}

fn render_removal(view: &View, list: &TrustList) -> String {
    let mut text = String::new();
    for agency in &list.agencies {
        let values = [
            ("agency", agency.short.as_str().into()),
            ("name", agency.name.as_str().into()),
        ];
        text.push_str(&view.say("trust-removal-plan", &values));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    fn agency(short: &str, name: &str, state: &str, verified: bool) -> TrustedAgency {
        TrustedAgency {
            agency: "1f2e3d".into(),
            short: short.into(),
            name: name.into(),
            country: short.to_uppercase(),
            state: state.into(),
            verified,
            verified_at: verified.then(|| "2026-11-23T22:40:38Z".into()),
            verified_by: verified.then(|| "1000".into()),
            fingerprint: "12345 67890 12345 67890 12345 67890 12345 67890".into(),
            addresses: vec!["/ip4/10.0.0.7/tcp/7431".into()],
        }
    }

    #[test]
    fn the_list_lines_up_in_every_script() {
        let list = TrustList {
            agencies: vec![
                agency("fr", "Police judiciaire", "pinned", true),
                agency("ma", "الشرطة القضائية", "suspended", true),
                agency("tn", "Garde nationale", "unverified", false),
            ],
        };
        insta::assert_snapshot!(render_list(&plain(), &list), @"
        fr  pinned      FR  Police judiciaire
        ma  suspended   MA  \u{2068}الشرطة القضائية\u{2069}
        tn  unverified  TN  Garde nationale
        ");
        insta::assert_snapshot!(render_list(&plain(), &TrustList::default()), @"The trust list is empty. `diwan trust add CARD` adds an agency.");
    }

    #[test]
    fn an_agency_says_whether_anybody_compared_its_fingerprint() {
        let list = TrustList {
            agencies: vec![
                agency("fr", "Police judiciaire", "pinned", true),
                agency("tn", "Garde nationale", "unverified", false),
            ],
        };
        insta::assert_snapshot!(render_agencies(&plain(), &list), @"
        Police judiciaire · FR
          short name   fr
          state        pinned
          fingerprint  12345 67890 12345 67890 12345 67890 12345 67890
          compared     by officer 1000, 2026-11-23 22:40 UTC
          address      /ip4/10.0.0.7/tcp/7431

        Garde nationale · TN
          short name   tn
          state        unverified
          fingerprint  12345 67890 12345 67890 12345 67890 12345 67890
          compared     not yet: call the agency and compare the fingerprint
          address      /ip4/10.0.0.7/tcp/7431
        ");
    }

    #[test]
    fn what_unverified_means_is_said() {
        let text = plain().say("trust-means-unverified", &[("agency", "tn".into())]);
        for part in ["not dialled", "member", "phone", "diwan trust verify tn"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_removal_shows_what_goes_and_what_stays() {
        let list = TrustList {
            agencies: vec![agency("tn", "Garde nationale", "pinned", true)],
        };
        insta::assert_snapshot!(render_removal(&plain(), &list), @"
        Garde nationale (tn) will be taken off the trust list. Its connections end at once. Records
        that it wrote stay in the groups that you share. To trust it again, its card must be added anew.
        ");
    }
}
