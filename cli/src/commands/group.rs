//! `group`: sharing groups and their members.

use clap::Subcommand;
use diwan_api::error::Exit;
use diwan_api::types::{
    GroupCosign, GroupCreate, GroupExtend, GroupInfo, GroupList, GroupMember, GroupMembers,
    GroupRemove, MemberRole, RemovalPlan,
};
use serde::Serialize;

use crate::context::Context;
use crate::error::CliError;
use crate::output::{Table, View};
use crate::values::{member, tlp};

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create {
        #[arg(value_name = "NAME")]
        name: String,
        #[arg(long, value_name = "AGENCY[:ROLE]", value_parser = member)]
        member: Vec<MemberRole>,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        threshold: Option<u32>,
        #[arg(long, value_name = "LABEL", value_parser = tlp)]
        tlp: Option<String>,
    },
    List,
    Show {
        #[arg(value_name = "GROUP")]
        group: String,
    },
    Add {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "AGENCY[:ROLE]", value_parser = member, required = true)]
        members: Vec<MemberRole>,
    },
    SetRole {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "AGENCY:ROLE", value_parser = member, required = true)]
        members: Vec<MemberRole>,
    },
    Remove {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "AGENCY", required = true)]
        agencies: Vec<String>,
        #[arg(long, conflicts_with = "dry_run")]
        yes: bool,
        #[arg(long)]
        dry_run: bool,
    },
    Cosign {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(long, value_name = "HASH")]
        statement: Option<String>,
    },
    ExtendCuts {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(value_name = "AGENCY")]
        agency: String,
    },
    Leave {
        #[arg(value_name = "GROUP")]
        group: String,
        #[arg(long)]
        yes: bool,
    },
    Join {
        #[arg(value_name = "GROUP")]
        group: String,
    },
}

/// Answer of `group remove`.
#[derive(Serialize)]
struct Removal<'a> {
    groups: [&'a GroupInfo; 1],
    removed: &'a [GroupMember],
    entries_kept: u64,
    done: bool,
}

pub(crate) async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let client = context.client();
    let groups = match verb {
        Verb::Create {
            name,
            member,
            threshold,
            tlp,
        } => {
            let request = GroupCreate {
                name,
                members: member,
                threshold,
                tlp,
            };
            client.group_create(&request).await?
        }
        Verb::List => {
            let list = client.group_list().await?;
            context
                .out()
                .result(&list, |view| render_list(view, &list))
                .await?;
            return Ok(Exit::Done);
        }
        Verb::Show { group } => client.group_show(&group).await?,
        Verb::Add { group, members } => client.group_add(&group, &GroupMembers { members }).await?,
        Verb::SetRole { group, members } => {
            client
                .group_set_role(&group, &GroupMembers { members })
                .await?
        }
        Verb::Cosign { group, statement } => {
            client
                .group_cosign(&group, &GroupCosign { statement })
                .await?
        }
        Verb::ExtendCuts { group, agency } => {
            client.group_extend(&group, &GroupExtend { agency }).await?
        }
        Verb::Leave { group, yes } => {
            let out = context.out();
            if !yes {
                let plan = out
                    .view()
                    .say("group-leave-plan", &[("group", group.as_str().into())]);
                out.plan(&(plan + "\n"));
                out.confirm(&group, false).await?;
            }
            client.group_leave(&group, true).await?
        }
        Verb::Join { group } => client.group_leave(&group, false).await?,
        Verb::Remove {
            group,
            agencies,
            yes,
            dry_run,
        } => {
            remove(&group, agencies, yes, dry_run, context).await?;
            return Ok(Exit::Done);
        }
    };
    context
        .out()
        .result(&groups, |view| render_groups(view, &groups))
        .await?;
    Ok(Exit::Done)
}

/// The node plans first; what was shown is what is carried out, or nothing.
async fn remove(
    group: &str,
    agencies: Vec<String>,
    yes: bool,
    dry_run: bool,
    context: &Context,
) -> Result<(), CliError> {
    let (client, out) = (context.client(), context.out());
    let mut request = GroupRemove {
        agencies,
        dry_run: true,
    };
    if dry_run || !yes {
        let plan = client.group_remove(group, &request).await?;
        if dry_run {
            return print_removal(&plan, context).await;
        }
        out.plan(&render_removal(out.view(), &plan));
        out.confirm(&plan.group.name, yes).await?;
    }
    request.dry_run = false;
    print_removal(&client.group_remove(group, &request).await?, context).await
}

async fn print_removal(plan: &RemovalPlan, context: &Context) -> Result<(), CliError> {
    let document = Removal {
        groups: [&plan.group],
        removed: &plan.removed,
        entries_kept: plan.entries_kept,
        done: plan.done,
    };
    context
        .out()
        .result(&document, |view| render_removal(view, plan))
        .await
}

fn render_list(view: &View, list: &GroupList) -> String {
    let mut table = Table::default();
    for group in &list.groups {
        let members: Vec<_> = group.members.iter().map(|m| view.name(&m.short)).collect();
        table.row([
            view.name(&group.name).into(),
            view.say("group-records", &[("count", group.records.into())])
                .into(),
            format!("TLP:{}", view.name(&group.tlp)).into(),
            members.join(" ").into(),
        ]);
    }
    table.render("")
}

fn render_groups(view: &View, list: &GroupList) -> String {
    let each: Vec<_> = list
        .groups
        .iter()
        .map(|group| render_group(view, group))
        .collect();
    each.join("\n")
}

fn render_group(view: &View, group: &GroupInfo) -> String {
    let mut facts = Table::default();
    let mut fact = |key: &str, value: String| facts.row([view.say(key, &[]).into(), value.into()]);
    fact("group-id", view.name(&group.group));
    fact("group-held", group.records.to_string());
    fact("group-label", view.tlp(&group.tlp));
    fact(
        "group-owners",
        view.say(
            "group-threshold",
            &[
                ("threshold", group.threshold.into()),
                ("owners", group.owners.into()),
            ],
        ),
    );
    fact("group-height", group.height.to_string());
    let mut members = Table::default();
    for member in &group.members {
        members.row([
            view.name(&member.short).into(),
            view.word("role", &member.role).into(),
        ]);
    }
    let mut text = format!(
        "{}\n{}\n{}\n{}",
        view.bold(&view.name(&group.name)),
        facts.render("  "),
        view.bold(&view.say("group-members", &[])),
        members.render("  ")
    );
    for (is_so, key) in [(group.frozen, "group-frozen"), (group.left, "group-left")] {
        if is_so {
            text.push_str(&format!("\n{}\n", view.warn(&view.say(key, &[]))));
        }
    }
    if !group.pending.is_empty() {
        let heading = view.bold(&view.say("group-pending", &[]));
        text.push_str(&format!("\n{heading}\n{}", render_pending(view, group)));
    }
    text
}

fn render_pending(view: &View, group: &GroupInfo) -> String {
    let mut table = Table::default();
    for waiting in &group.pending {
        let hash: String = waiting.statement.chars().take(12).collect();
        let change = [&waiting.change, &waiting.agency]
            .map(|word| view.name(word))
            .join(" ");
        let role = waiting
            .role
            .as_deref()
            .map_or_else(String::new, |role| view.word("role", role));
        let values = [
            ("agencies", waiting.signed_by.join(", ").into()),
            ("needed", waiting.needed.into()),
        ];
        table.row([
            hash.into(),
            change.into(),
            role.into(),
            view.say("group-signed-by", &values).into(),
        ]);
    }
    table.render("  ")
}

fn render_removal(view: &View, plan: &RemovalPlan) -> String {
    let removed: Vec<_> = plan.removed.iter().map(|m| m.short.as_str()).collect();
    let key = if plan.done {
        "group-removed"
    } else {
        "group-removal-plan"
    };
    view.say(
        key,
        &[
            ("agencies", removed.join(", ").into()),
            ("count", removed.len().into()),
            ("group", plan.group.name.as_str().into()),
            ("entries", plan.entries_kept.into()),
        ],
    ) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::plain;
    use diwan_api::types::PendingStatement;

    fn member(short: &str, role: &str) -> GroupMember {
        GroupMember {
            agency: "aa".into(),
            short: short.into(),
            role: role.into(),
        }
    }

    fn group(name: &str, members: Vec<GroupMember>) -> GroupInfo {
        GroupInfo {
            group: "9f8e7d".into(),
            name: name.into(),
            members,
            owners: 1,
            threshold: 1,
            height: 3,
            records: 412,
            tlp: "GREEN".into(),
            pending: Vec::new(),
            frozen: false,
            left: false,
        }
    }

    fn groups() -> GroupList {
        GroupList {
            groups: vec![
                group("own", vec![member("fr", "owner")]),
                group(
                    "cybercriminalité",
                    vec![
                        member("fr", "owner"),
                        member("ma", "reader"),
                        member("tn", "contributor"),
                    ],
                ),
                group("جرائم", vec![member("tn", "owner")]),
            ],
        }
    }

    #[test]
    fn the_list_of_groups() {
        insta::assert_snapshot!(render_list(&plain(), &groups()), @"
        own               412 records  TLP:GREEN  fr
        cybercriminalité  412 records  TLP:GREEN  fr ma tn
        \u{2068}جرائم\u{2069}             412 records  TLP:GREEN  tn
        ");
    }

    #[test]
    fn a_group_with_its_members() {
        let list = GroupList {
            groups: groups().groups.into_iter().skip(1).take(1).collect(),
        };
        insta::assert_snapshot!(render_groups(&plain(), &list), @"
        cybercriminalité
          id            9f8e7d
          records       412
          label         TLP:GREEN
          changes need  its only owner
          statements    3

        Members
          fr  owner
          ma  reader
          tn  contributor
        ");
    }

    #[test]
    fn a_group_says_what_waits_and_what_is_wrong() {
        let mut group = group("cyber", vec![member("fr", "owner"), member("tn", "owner")]);
        group.pending.push(PendingStatement {
            statement: "0123456789abcdef".into(),
            change: "add".into(),
            agency: "ma".into(),
            role: Some("reader".into()),
            signed_by: vec!["fr".into()],
            needed: 2,
        });
        (group.frozen, group.left) = (true, true);
        let list = GroupList {
            groups: vec![group],
        };
        insta::assert_snapshot!(render_groups(&plain(), &list), @"
        cyber
          id            9f8e7d
          records       412
          label         TLP:GREEN
          changes need  its only owner
          statements    3

        Members
          fr  owner
          tn  owner

        The group stands still: its chain has two sides. Create a new group and publish there.

        Your agency has left this group: nothing of it is synced. `diwan group join` takes that back.

        Waiting for signatures
          0123456789ab  add ma  reader  signed by fr; 2 must sign
        ");
    }

    #[test]
    fn a_removal_before_and_after() {
        let plan = RemovalPlan {
            group: group("cyber", Vec::new()),
            removed: vec![member("ma", "reader"), member("tn", "contributor")],
            entries_kept: 12,
            done: false,
        };
        insta::assert_snapshot!(render_removal(&plain(), &plan), @"
        ma, tn will leave “cyber” and receive nothing new of it. What they have received
        stays with them; 12 entries that they wrote stay valid.
        ");
        let done = RemovalPlan { done: true, ..plan };
        insta::assert_snapshot!(render_removal(&plain(), &done), @"ma, tn left “cyber”; 12 entries that they wrote stay valid.");
    }
}
