//! The phases in small, on loopback: two real nodes, some hundred records, some seconds. It shows
//! that the benchmark and the nodes work together; its figures compare with nothing.

use std::time::Instant;

use anyhow::{Context, Result};
use diwan_api::types::ExportQuery;

use crate::child::Node;
use crate::node::load;
use crate::pairing::{self, GROUP};
use crate::report::Report;
use crate::workload::{Size, small};

/// Edits of records, and as many new ones.
const DELTA: u64 = 5;

/// Syncs the small workload, then a difference, and compares what both nodes hold.
pub(crate) async fn run() -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let workload = Size::Smoke.write(folder.path())?.context("no workload")?;
    let n = Size::Smoke.records();
    let listen = "/ip4/127.0.0.1/tcp/0";
    let a = Node::start(&folder.path().join("A"), "aa", Some(listen)).await?;
    pairing::ensure_group(a.client()).await?;
    load(&a, &workload, GROUP).await?;
    let b = Node::start(&folder.path().join("B"), "bb", None).await?;
    let card_a = pairing::acquaint(a.client(), b.client()).await?;

    let mut figures = Vec::new();
    let began = Instant::now();
    pairing::connect(b.client(), &card_a, true).await?;
    b.until("all records", |status| status.records == n).await?;
    figures.push(("cold_s", began.elapsed().as_secs_f64()));
    b.until("an index without lag", |status| status.index.lag == 0)
        .await?;
    figures.push(("searchable_s", began.elapsed().as_secs_f64()));

    pairing::part(b.client(), &card_a).await?;
    let delta = folder.path().join("delta.jsonl");
    let edits = small(0..DELTA, 1)? + &small(n..n + DELTA, 0)?;
    std::fs::write(&delta, edits)?;
    let changed = load(&a, &delta, GROUP).await?;
    let held = a.client().status().await?.entries;
    let began = Instant::now();
    pairing::connect(b.client(), &card_a, false).await?;
    b.until("all entries", |status| status.entries >= held)
        .await?;
    figures.push(("d10_s", began.elapsed().as_secs_f64()));

    let (from_a, from_b) = (export(&a).await?, export(&b).await?);
    a.stop().await?;
    b.stop().await?;
    let mut report = Report {
        notes: vec!["smoke: these figures compare with nothing".to_owned()],
        ..Report::ours(n, figures)
    };
    if (changed.created, changed.updated) != (DELTA, DELTA) {
        let (created, updated) = (changed.created, changed.updated);
        let found = format!("{created} created and {updated} updated, not {DELTA} each");
        report.broken.push(found);
    }
    if from_a != from_b || from_a.iter().filter(|byte| **byte == b'\n').count() as u64 != n + DELTA
    {
        report
            .broken
            .push("the two nodes' exports differ".to_owned());
    }
    Ok(report)
}

/// The canonical export of the group.
async fn export(node: &Node) -> Result<Vec<u8>> {
    let query = ExportQuery {
        group: Some(GROUP.to_owned()),
        query: None,
    };
    let mut lines = node.client().export(&query).await?;
    let mut bytes = Vec::new();
    while let Some(line) = lines.next().await? {
        bytes.extend_from_slice(&line);
    }
    Ok(bytes)
}
