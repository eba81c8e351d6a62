//! Importing the workload into a new node, through its socket as `diwan import` does it.

use std::time::Instant;

use anyhow::Result;

use crate::child::{Node, disk_bytes, memory_mib};
use crate::node::load;
use crate::report::Report;
use crate::workload::{Size, not_built};

/// Imports, and says how long it took until all was durable and viewable, then searchable.
pub(crate) async fn run(size: Size) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let Some(workload) = size.write(folder.path())? else {
        return Ok(not_built());
    };
    let home = folder.path().join("node");
    let node = Node::start(&home, "aa", None).await?;
    let began = Instant::now();
    let imported = load(&node, &workload, "own").await?;
    let durable = began.elapsed().as_secs_f64();
    node.until("an index without lag", |status| status.index.lag == 0)
        .await?;
    let searchable = began.elapsed().as_secs_f64();
    let peak = memory_mib(node.pid(), "VmHWM")?;
    let rss = memory_mib(node.pid(), "VmRSS")?;
    node.stop().await?;

    let n = size.records();
    let figures = [
        ("ingest_s", durable),
        ("ingest_per_s", n as f64 / durable),
        ("ingest_searchable_s", searchable),
        ("disk_mb", disk_bytes(&home)? as f64 / 1e6),
        ("rss_mib", rss),
        ("peak_mib", peak),
    ];
    let mut report = Report::ours(n, figures);
    if imported.created != n {
        let created = imported.created;
        report
            .broken
            .push(format!("{created} records of {n} were created"));
    }
    Ok(report)
}
