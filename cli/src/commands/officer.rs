//! `officer`: which local users may do what.

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{OfficerAdd, OfficerInfo, OfficerList, OfficerRoleChange};

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add {
        #[arg(value_name = "UID", value_parser = number_of_user)]
        uid: u32,
        #[arg(long = "role", value_name = "ROLE")]
        given_role: String,
        #[arg(long, value_name = "NAME", default_value = "")]
        name: String,
    },
    List,
    SetRole {
        #[arg(value_name = "UID", value_parser = number_of_user)]
        uid: u32,
        #[arg(value_name = "ROLE")]
        given_role: String,
    },
    Revoke {
        #[arg(value_name = "UID", value_parser = number_of_user)]
        uid: u32,
        #[arg(long)]
        yes: bool,
    },
}

fn number_of_user(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "expected-uid".to_owned())
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let (client, out) = (context.client(), context.out());
    let list = match verb {
        Verb::List => client.officers().await?,
        Verb::Add {
            uid,
            given_role: role,
            name,
        } => client.officer_add(&OfficerAdd { uid, name, role }).await?,
        Verb::SetRole {
            uid,
            given_role: role,
        } => {
            let request = OfficerRoleChange { role };
            client.officer_set_role(&uid.to_string(), &request).await?
        }
        Verb::Revoke { uid, yes } => {
            let uid = uid.to_string();
            if !yes {
                out.plan(
                    &(out
                        .view()
                        .say("officer-revoke-plan", &[("uid", uid.as_str().into())])
                        + "\n"),
                );
            }
            out.confirm(&uid, yes).await?;
            client.officer_revoke(&uid).await?
        }
    };
    out.result(&list, |view| render(view, &list)).await?;
    Ok(Exit::Done)
}

fn render(view: &View, list: &OfficerList) -> String {
    let mut table = Table::default();
    for officer in &list.officers {
        let since = officer.since.as_deref();
        table.row([
            officer.uid.to_string().into(),
            role(view, officer).into(),
            view.name(&officer.name).into(),
            since.map(|time| view.time(time)).unwrap_or_default().into(),
        ]);
    }
    table.render("")
}

fn role(view: &View, officer: &OfficerInfo) -> String {
    match officer.role.as_str() {
        "revoked" => view.warn(&view.say("officer-revoked", &[])),
        role => view.name(role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;

    #[test]
    fn who_may_do_what() {
        let officer = |uid, name: &str, role: &str, since: Option<&str>| OfficerInfo {
            uid,
            name: name.to_owned(),
            role: role.to_owned(),
            since: since.map(str::to_owned),
            by: 0,
        };
        let list = OfficerList {
            officers: vec![
                officer(0, "", "admin", None),
                officer(
                    1001,
                    "Leïla B.",
                    "contact-point",
                    Some("2026-11-28T09:00:00Z"),
                ),
                officer(1002, "Sami", "revoked", Some("2026-11-28T09:00:00Z")),
            ],
        };
        insta::assert_snapshot!(render(&plain(), &list), @"
        0     admin
        1001  contact-point  Leïla B.  2026-11-28 09:00 UTC
        1002  revoked        Sami      2026-11-28 09:00 UTC
        ");
    }
}
