//! Hundreds of reconnects: two nodes on loopback part and meet again, each time with a write between.
//! Memory and descriptors are to stay what they were.

use anyhow::{Context, Result};
use diwan_api::types::SyncRequest;

use crate::child::{Node, memory_mib};
use crate::node::load;
use crate::pairing::{self, GROUP};
use crate::report::Report;
use crate::workload::{Size, small};

/// Reconnects before the first measurement: what fills up once has filled up.
const WARM: u32 = 50;

/// Parts and meets again so many times.
pub(crate) async fn run(rounds: u32) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let workload = Size::Smoke.write(folder.path())?.context("no workload")?;
    let n = Size::Smoke.records();
    let a = Node::start(&folder.path().join("A"), "aa", Some("/ip4/127.0.0.1/tcp/0")).await?;
    pairing::ensure_group(a.client()).await?;
    load(&a, &workload, GROUP).await?;
    let b = Node::start(&folder.path().join("B"), "bb", None).await?;
    let card_a = pairing::acquaint(a.client(), b.client()).await?;
    pairing::connect(b.client(), &card_a, true).await?;
    b.until("all records", |status| status.records == n).await?;

    let mut figures = Vec::new();
    let delta = folder.path().join("delta.jsonl");
    for round in 1..=rounds {
        pairing::part(b.client(), &card_a).await?;
        // A new record, and an edit of an old one.
        let new = n + u64::from(round);
        let old = u64::from(round) % n;
        let lines = small(new..new + 1, 0)? + &small(old..old + 1, u64::from(round))?;
        std::fs::write(&delta, lines)?;
        load(&a, &delta, GROUP).await?;
        let held = a.client().status().await?.entries;
        pairing::connect(b.client(), &card_a, false).await?;
        b.until("all entries", |status| status.entries >= held)
            .await?;
        let named = match round {
            WARM => ["soak_first_a", "soak_first_b", "soak_first_fds"],
            _ if round == rounds => ["soak_last_a", "soak_last_b", "soak_last_fds"],
            _ => continue,
        };
        let measured = [
            memory_mib(a.pid(), "VmRSS")?,
            memory_mib(b.pid(), "VmRSS")?,
            (descriptors(a.pid())? + descriptors(b.pid())?) as f64,
        ];
        figures.extend(named.into_iter().map(str::to_owned).zip(measured));
    }
    // Once more with nothing new: what the protocol says beyond the transport's handshake.
    pairing::part(b.client(), &card_a).await?;
    pairing::connect(b.client(), &card_a, false).await?;
    let request = SyncRequest {
        wait: true,
        ..SyncRequest::default()
    };
    let answer = b.client().sync(&request).await?;
    let peer = answer.peers.first().context("no peer")?;
    let bytes = peer.bytes_sent + peer.bytes_received;
    figures.push(("d0_protocol_bytes".to_owned(), bytes as f64));
    figures.push(("d0_round_trips".to_owned(), peer.round_trips as f64));
    a.stop().await?;
    b.stop().await?;
    Ok(Report {
        notes: vec![format!("{rounds} reconnects; first is after {WARM}")],
        ..Report::ours(n, figures)
    })
}

fn descriptors(pid: i32) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}
