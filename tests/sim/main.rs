//! Runs the simulation of whole federations: many seeds, or one again with everything that happened.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;
use diwan_tests::sim::{Outcome, Plan, Report, run};

/// Simulates federations from seeds and judges them by the laws of the threat model.
#[derive(Parser)]
#[command(name = "sim", version)]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100, conflicts_with = "seed")]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1, conflicts_with = "seed")]
    first: u64,
    /// Runs this seed only.
    #[arg(long)]
    seed: Option<u64>,
    /// How many nodes every federation has, 3 to 12; otherwise the seed says.
    #[arg(long, value_parser = clap::value_parser!(u8).range(3..=12))]
    nodes: Option<u8>,
    /// Prints what happened, one line an event.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Threads; each runs whole seeds.
    #[arg(long)]
    jobs: Option<usize>,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let began = Instant::now();
    // The gate before Automerge catches its panics, and a seed that panics says so in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let (first, seeds) = match args.seed {
        Some(seed) => (seed, 1),
        None => (args.first, args.seeds),
    };
    let mut report = Report::default();
    for outcome in run_all(&args, first, seeds) {
        print(&outcome.trace);
        report.add(outcome);
    }
    report.secs = began.elapsed().as_secs_f64();
    match args.json {
        true => print(&format!("{}\n", serde_json::json!(report))),
        false => print(&report.table()),
    }
    match report.violations.is_empty() {
        true => ExitCode::SUCCESS,
        // An integrity fault, as everywhere in Diwan.
        false => ExitCode::from(6),
    }
}

/// Runs the seeds on several threads; what comes back is in order.
fn run_all(args: &Args, first: u64, seeds: u64) -> Vec<Outcome> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(0);
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= seeds {
                return;
            }
            let plan = Plan::of(first.wrapping_add(at), args.nodes.map(usize::from));
            let outcome = run(&plan, args.trace);
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push((at, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.unwrap_or(cores).max(1) {
            scope.spawn(work);
        }
    });
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn print(text: &str) {
    use std::io::Write as _;
    // A reader that went away wants no more.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
