//! Two-term queries with snippets against one node, through its socket, one after the other.

use std::time::Instant;

use anyhow::Result;
use diwan_api::types::SearchQuery;

use crate::answers;
use crate::child::{Node, memory_mib};
use crate::node::load;
use crate::report::{Report, percentile};
use crate::sync::bare_tantivy;
use crate::workload::{Size, not_built, queries};

/// Queries before the measurement, so that caches are warm as in a node that serves, and queries
/// measured.
const ASKED: (usize, usize) = (200, 1_000);
/// The same for the small workload.
const ASKED_SMOKE: (usize, usize) = (10, 50);

/// Imports the workload into a new node and asks it.
pub(crate) async fn run(size: Size) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let Some(workload) = size.write(folder.path())? else {
        return Ok(not_built());
    };
    let node = Node::start(&folder.path().join("node"), "aa", None).await?;
    load(&node, &workload, "own").await?;
    node.until("an index without lag", |status| status.index.lag == 0)
        .await?;

    let (warm_up, measured) = match size {
        Size::Smoke => ASKED_SMOKE,
        Size::Records(_) => ASKED,
    };
    let (mut whole, mut within, mut found) = (Vec::new(), Vec::new(), 0);
    let queries = queries(&workload, warm_up + measured)?;
    for (at, query) in queries.iter().enumerate() {
        let asked = SearchQuery {
            q: query.clone(),
            ..SearchQuery::default()
        };
        let began = Instant::now();
        let answer = node.client().search(&asked).await?;
        if at >= warm_up {
            whole.push(began.elapsed().as_secs_f64() * 1e3);
            within.push(answer.took_ms);
            found += usize::from(!answer.hits.is_empty());
        }
    }
    let rss = memory_mib(node.pid(), "VmRSS")?;
    node.stop().await?;

    let figures = [
        ("search_p50_ms", percentile(&whole, 0.5)),
        ("search_p99_ms", percentile(&whole, 0.99)),
        ("node_p50_ms", percentile(&within, 0.5)),
        ("node_p99_ms", percentile(&within, 0.99)),
        ("queries", measured as f64),
        ("rss_mib", rss),
    ];
    let mut report = Report::ours(size.records(), figures);
    let bare = folder.path().join("tantivy");
    let bare = answers::bare(&bare, &workload, &queries, warm_up)?;
    report.rows.push(bare);
    if let Size::Records(n) = size {
        report.rows.push(bare_tantivy(n)?);
    }
    // Both words are from one record, so a query without a hit is a fault.
    if found < measured {
        let lost = measured - found;
        report
            .broken
            .push(format!("{lost} of {measured} queries found nothing"));
    }
    Ok(report)
}
