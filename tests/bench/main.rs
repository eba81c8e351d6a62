//! Measures real nodes: cold and repeated syncs beside the alternatives, search, import.
//!
//! `bench sync` drives the anchors (git, iroh-docs, …) and our node through the same phases in the
//! same network namespaces, in one run; `bench search`, `ingest` and `open` measure one node, `bench
//! soak` and `bench line` two;
//! `--smoke` runs two nodes on loopback over a small workload and proves only that the machinery
//! works. Without what a measurement needs it says `skipped` and shows no figures.

mod answers;
mod child;
mod index;
mod ingest;
mod line;
mod node;
mod open;
mod pairing;
mod poll;
mod report;
mod search;
mod smoke;
mod soak;
mod stages;
mod sync;
mod watch;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use report::{Goal, Report};

/// Measures real nodes.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Cold sync, d = 0, 10 and 1,000, live writes, idle memory, beside the anchors.
    Sync {
        #[command(flatten)]
        common: Common,
        /// Runs of each candidate; figures are medians.
        #[arg(long, default_value_t = 3)]
        rounds: u32,
        /// The anchors to run beside our node, by their names.
        #[arg(long, value_delimiter = ',', default_value = "git,iroh-docs,tantivy")]
        anchors: Vec<String>,
        /// Our node's transports, as candidates of their own: tcp, quic.
        #[arg(long, value_delimiter = ',', default_value = "tcp")]
        transports: Vec<sync::Transport>,
    },
    /// Two-term queries with snippets, through the socket.
    Search {
        #[command(flatten)]
        common: Common,
    },
    /// Importing W(N): durable and viewable, then searchable.
    Ingest {
        #[command(flatten)]
        common: Common,
    },
    /// The index alone, beside bare tantivy with the same fields.
    Index {
        #[command(flatten)]
        common: Common,
    },
    /// Starting a node that holds W(N), after it was stopped and after it was killed.
    Open {
        #[command(flatten)]
        common: Common,
    },
    /// What each stage of the pipeline costs a record, in CPU time.
    Stages {
        #[command(flatten)]
        common: Common,
    },
    /// Hundreds of reconnects: memory and descriptors before and after.
    Soak {
        #[command(flatten)]
        common: Common,
        /// Reconnects.
        #[arg(long, default_value_t = 300)]
        rounds: u32,
    },
    /// Syncing over 64 kbit/s with 600 ms round trip and 5 % loss, and once with a cut.
    Line {
        #[command(flatten)]
        common: Common,
    },
    /// A node that speaks the anchors' line protocol; `anchors.py` starts it.
    #[command(hide = true)]
    Node {
        /// The node's home; made where there is none.
        home: PathBuf,
        /// Where the node listens; nowhere where none is said.
        listen: Option<String>,
    },
}

#[derive(Clone, clap::Args)]
struct Common {
    /// Records of the workload.
    #[arg(long, default_value_t = 10_000)]
    n: u64,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
    /// A small workload on loopback: proves the machinery, measures nothing.
    #[arg(long)]
    smoke: bool,
    /// A goal for our node's figures, such as `cold_s<=0.5*git` or `idle_b<=60`.
    #[arg(long = "goal", value_name = "FIGURE<=VALUE")]
    goals: Vec<Goal>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<ExitCode> {
    match args.what {
        What::Node { home, listen } => {
            node::run(&home, listen.as_deref()).await?;
            Ok(ExitCode::SUCCESS)
        }
        What::Sync {
            common,
            rounds,
            anchors,
            transports,
        } => {
            let report = match common.smoke {
                true => smoke::run().await?,
                false => sync::run(common.n, rounds, &transports, &anchors)?,
            };
            finish(&report, &common)
        }
        What::Search { common } => finish(&search::run(size(&common)).await?, &common),
        What::Open { common } => finish(&open::run(size(&common)).await?, &common),
        What::Index { common } => finish(&index::run(size(&common))?, &common),
        What::Stages { common } => finish(&stages::run(size(&common))?, &common),
        What::Soak { common, rounds } => finish(&soak::run(rounds).await?, &common),
        What::Line { common } => finish(&line::run(common.n).await?, &common),
        What::Ingest { common } => finish(&ingest::run(size(&common)).await?, &common),
    }
}

fn size(common: &Common) -> workload::Size {
    match common.smoke {
        true => workload::Size::Smoke,
        false => workload::Size::Records(common.n),
    }
}

fn finish(report: &Report, common: &Common) -> Result<ExitCode> {
    report.print(common.json)?;
    let missed = report.missed(&common.goals);
    for goal in &missed {
        eprintln!("missed: {goal}");
    }
    Ok(match missed.is_empty() && report.broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(6),
    })
}
