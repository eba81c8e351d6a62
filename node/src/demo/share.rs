//! The group, the documents, and how they come to all three.

use diwan_api::client::import::{self, Import, Progress, Report, SkippedFor};
use diwan_api::document::Options;
use diwan_api::types::{Editors, GroupCreate, GroupInfo, MemberRole, PeerSync, SyncRequest};

use super::documents::Documents;
use super::fault::DemoError;
use super::node::{Node, Trio};
use super::place::Place;
use super::tell::Teller;
use super::wait::{Look, until, until_so};

/// The group of the demonstration.
pub(super) const GROUP: &str = "exchange";
/// Skipped files that are named; of more only the number is told.
const SKIPPED_SHOWN: usize = 5;
/// How long a node is asked to wait before it is looked at again, in seconds.
const SYNC_WAIT_S: u64 = 2;

/// Founds the group, and waits until both members follow it.
pub(super) async fn create_group(teller: &mut Teller<'_>, trio: Trio<'_>) -> Result<(), DemoError> {
    teller.step("demo-step-group");
    teller.say("demo-group-what", &[("group", GROUP.into())]);
    let member = |node: &Node| MemberRole {
        agency: node.short().to_owned(),
        role: None,
    };
    let request = GroupCreate {
        name: GROUP.to_owned(),
        members: vec![member(trio.tn), member(trio.ma)],
        threshold: None,
        tlp: None,
    };
    let created = trio.fr.client().group_create(&request).await;
    created.map_err(DemoError::of(trio.fr.short()))?;
    teller.diwan(
        trio.fr,
        &["group", "create", GROUP, "--member", "tn", "--member", "ma"],
    );
    for node in [trio.tn, trio.ma] {
        let group = until("demo-awaited-group", async || {
            let listed = node.client().group_list().await;
            let listed = listed.map_err(DemoError::of(node.short()))?;
            let found = listed.groups.into_iter().find(|g| g.name == GROUP);
            Ok(found.map_or(Look::At(0), Look::Done))
        })
        .await?;
        let members = group
            .members
            .iter()
            .map(|m| format!("{} ({})", m.short, m.role));
        let members: Vec<_> = members.collect();
        teller.say(
            "demo-group-followed",
            &[
                ("node", node.short().into()),
                ("members", members.join(", ").into()),
            ],
        );
    }
    Ok(())
}

/// Imports the documents at the first node, as any folder is.
pub(super) async fn import(
    teller: &mut Teller<'_>,
    place: &Place,
    documents: &Documents,
    trio: Trio<'_>,
) -> Result<Report, DemoError> {
    teller.step("demo-step-import");
    let path = documents.lay_out(place)?;
    let shown = path.display().to_string();
    let what = match documents {
        Documents::Sample => "demo-import-sample",
        Documents::Own(_) => "demo-import-own",
    };
    teller.say(what, &[("path", shown.as_str().into())]);
    teller.diwan(trio.fr, &["import", &shown, "--group", GROUP]);
    let request = Import {
        paths: vec![path],
        group: GROUP.to_owned(),
        kind: None,
        options: Options::default(),
        editors: Editors::Group,
        dry_run: false,
        override_reason: None,
    };
    let mut total = 0;
    let mut progress = |event: Progress<'_>| match event {
        Progress::Found { documents, .. } => total = documents,
        Progress::Batch { documents, .. } => teller.news(
            "demo-importing",
            &[("done", documents.into()), ("total", total.into())],
        ),
        Progress::Imported(_) | Progress::Skipped(_) => {}
    };
    let report = import::import(trio.fr.client(), &request, &mut progress).await;
    let report = report.map_err(|error| DemoError::import(trio.fr.short(), error))?;
    tell_import(teller, &report);
    if report.created == 0 {
        return Err(DemoError::Untrue {
            short: trio.fr.short(),
            law: "demo-law-imported",
        });
    }
    Ok(report)
}

fn tell_import(teller: &Teller<'_>, report: &Report) {
    let files: usize = report.records.iter().map(|r| r.sources.len()).sum();
    teller.say(
        "demo-imported",
        &[("records", report.created.into()), ("files", files.into())],
    );
    if report.skipped.is_empty() {
        return;
    }
    teller.say("demo-skipped", &[("count", report.skipped.len().into())]);
    for skipped in report.skipped.iter().take(SKIPPED_SHOWN) {
        let reason = match &skipped.reason {
            SkippedFor::Node(error) => teller.error_text(error),
            SkippedFor::Document(reason) => {
                let args = reason.args();
                let values = args
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().into()));
                let values: Vec<_> = values.collect();
                teller.text(&format!("skip-{}", reason.code()), &values)
            }
        };
        teller.say(
            "demo-skipped-file",
            &[
                ("file", skipped.source.as_str().into()),
                ("reason", reason.into()),
            ],
        );
    }
    if report.skipped.len() > SKIPPED_SHOWN {
        let more = report.skipped.len() - SKIPPED_SHOWN;
        teller.say("demo-skipped-more", &[("count", more.into())]);
    }
}

/// Waits until both others have signed that they hold it all.
pub(super) async fn spread(
    teller: &mut Teller<'_>,
    trio: Trio<'_>,
    report: &Report,
) -> Result<(), DemoError> {
    teller.step("demo-step-spread");
    teller.say("demo-spread-what", &[]);
    teller.diwan(trio.fr, &["sync", "--wait"]);
    let peers = settled(teller, trio).await?;
    for peer in &peers {
        teller.say(
            "demo-receipt",
            &[
                ("node", peer.short.as_str().into()),
                ("stored", peer.stored_by_peer.into()),
                ("of", peer.of.into()),
            ],
        );
    }
    let holders = 1 + peers.iter().filter(|p| p.stored_by_peer == p.of).count();
    if holders != trio.all().len() {
        return Err(DemoError::Untrue {
            short: trio.fr.short(),
            law: "demo-law-stored",
        });
    }
    for node in trio.all() {
        until_so("demo-awaited-records", async || {
            Ok(group(node).await?.records == report.created)
        })
        .await?;
    }
    teller.say(
        "demo-stored-by",
        &[("holders", holders.into()), ("of", trio.all().len().into())],
    );
    Ok(())
}

/// Waits until every node has everything of every other one, by receipts, and has indexed it. Gives
/// what the first one knows of its peers.
pub(super) async fn settled(
    teller: &mut Teller<'_>,
    trio: Trio<'_>,
) -> Result<Vec<PeerSync>, DemoError> {
    until("demo-awaited-sync", async || {
        let (mut equal, mut moved, mut first) = (true, 0, None);
        for node in trio.all() {
            let failed = DemoError::of(node.short());
            let request = SyncRequest {
                peer: None,
                wait: true,
                timeout_s: Some(SYNC_WAIT_S),
            };
            let answer = node.client().sync(&request).await.map_err(&failed)?;
            let index = node.client().status().await.map_err(&failed)?.index;
            equal &= answer.equal && answer.peers.len() == 2 && index.lag == 0;
            moved += answer.peers.iter().map(|p| p.stored_by_peer).sum::<u64>() + index.seq;
            first.get_or_insert(answer.peers);
        }
        let peers = first.unwrap_or_default();
        if equal {
            return Ok(Look::Done(peers));
        }
        for peer in &peers {
            teller.news(
                "demo-receipt",
                &[
                    ("node", peer.short.as_str().into()),
                    ("stored", peer.stored_by_peer.into()),
                    ("of", peer.of.into()),
                ],
            );
        }
        Ok(Look::At(moved))
    })
    .await
}

/// The group as a node sees it.
async fn group(node: &Node) -> Result<GroupInfo, DemoError> {
    let shown = node.client().group_show(GROUP).await;
    let shown = shown.map_err(DemoError::of(node.short()))?;
    shown.groups.into_iter().next().ok_or(DemoError::Untrue {
        short: node.short(),
        law: "demo-law-group",
    })
}
