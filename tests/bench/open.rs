//! How soon a node answers that holds W(N): started after it was stopped in order, and after it was
//! killed. Before that, how long it takes to hold it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::child::{Node, disk_bytes, memory_mib};
use crate::node::load;
use crate::report::{Report, median};
use crate::workload::{Size, not_built};

/// Starts of each kind.
const STARTS: usize = 3;
/// After an answer, how long the node is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(4);
/// How long a million records may take to be searchable.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Imports, then starts again and again.
pub(crate) async fn run(size: Size) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let Some(workload) = size.write(folder.path())? else {
        return Ok(not_built());
    };
    let content = std::fs::metadata(&workload)?.len() as f64;
    let n = size.records();
    let home = folder.path().join("node");
    let node = Node::start(&home, "aa", None).await?;
    let began = Instant::now();
    load(&node, &workload, "own").await?;
    let durable = began.elapsed().as_secs_f64();
    node.until_within(PATIENCE, "an index without lag", |status| {
        status.index.lag == 0
    })
    .await?;
    let searchable = began.elapsed().as_secs_f64();
    tokio::time::sleep(IDLE).await;
    let after_import = memory_mib(node.pid(), "VmRSS")?;
    node.stop().await?;
    std::fs::remove_file(&workload)?;
    let disk = disk_bytes(&home)? as f64;

    let (mut clean, mut killed, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (node, seconds) = start(&home).await?;
        clean.push(seconds);
        tokio::time::sleep(IDLE).await;
        idle.push(memory_mib(node.pid(), "VmRSS")?);
        node.kill().await?;
        let (node, seconds) = start(&home).await?;
        killed.push(seconds);
        node.stop().await?;
    }
    let middle = |values: &[f64]| median(values).context("no start");
    let figures = [
        ("ingest_s", durable),
        ("ingest_per_s", n as f64 / durable),
        ("ingest_searchable_s", searchable),
        ("disk_mb", disk / 1e6),
        ("disk_of_content", disk / content),
        ("rss_mib", after_import),
        ("open_clean_s", middle(&clean)?),
        ("open_killed_s", middle(&killed)?),
        ("idle_mib", middle(&idle)?),
    ];
    Ok(Report::ours(n, figures))
}

/// A started node, and the seconds until its API answered.
async fn start(home: &Path) -> Result<(Node, f64)> {
    let began = Instant::now();
    let node = Node::start(home, "aa", None).await?;
    Ok((node, began.elapsed().as_secs_f64()))
}
