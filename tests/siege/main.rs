//! Besieges a real node: strangers by the hundred thousand and members that were broken into, for a
//! minute, while a trusted honest peer goes on writing and an officer goes on asking. Says what it
//! cost; ends with 6 where a goal is missed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a step that fails is a failed siege"
)]

mod gauge;
mod members;
mod report;
mod strangers;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use diwan_tests::kit::{Listen, TestNode, share};

use gauge::Gauge;
use members::Mischief;
use report::Report;

/// The group that all are in.
const GROUP: &str = "operation-mistral";
/// Records of one honest round.
const ROUND: usize = 100;
/// Records that the members' changes aim at.
const TARGETS: usize = 200;
/// Rounds at rest.
const ROUNDS_AT_REST: usize = 9;

/// Besieges a real node on loopback.
#[derive(Parser)]
#[command(name = "siege", version)]
struct Args {
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Connection attempts of strangers, spread over that time.
    #[arg(long, default_value_t = 100_000)]
    strangers: u64,
    /// Judges no times: for a machine that does other work.
    #[arg(long)]
    untimed: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let report = besiege(&args);
    let mut out = std::io::stdout().lock();
    let shown = match args.json {
        true => format!("{}\n", serde_json::json!(report)),
        false => report.to_string(),
    };
    // A reader that went away wants no more.
    let _ = out.write_all(shown.as_bytes());
    match report.missed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(6),
    }
}

fn besiege(args: &Args) -> Report {
    let victim = TestNode::running("FR", Listen::Tcp);
    let honest = TestNode::running("TN", Listen::Tcp);
    let mut broken: Vec<(TestNode, Mischief)> = Mischief::ALL
        .into_iter()
        .map(|mischief| {
            let node = TestNode::running(mischief.country(), Listen::Tcp);
            (node, mischief)
        })
        .collect();
    let mut all = vec![&victim, &honest];
    all.extend(broken.iter().map(|(node, _)| node));
    share(GROUP, &all);
    let targets = victim.file("targets.jsonl", records("target", TARGETS));
    let targets = imported(&victim, &targets);
    // From here on the members' programs are gone, and somebody else speaks with their keys.
    let members: Vec<_> = broken
        .iter_mut()
        .map(|(node, mischief)| members::taken_over(node, &victim, *mischief, &targets))
        .collect();

    let mut gauge = Gauge::start(&victim);
    let at_rest: Vec<Duration> = (0..ROUNDS_AT_REST)
        .map(|at| round(&honest, &mut gauge, &format!("rest-{at}")))
        .collect();
    gauge.begin_attack();
    let stop = Arc::new(AtomicBool::new(false));
    let attack = {
        let (stop, address) = (stop.clone(), listen_address(&victim));
        // All of them are made before the siege ends.
        let time = Duration::from_secs(args.seconds).mul_f64(0.95);
        let attempts = args.strangers;
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                // Who attacks over a network does not take the victim's processor.
                .on_thread_start(|| {
                    let _ = rustix::process::nice(15);
                })
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let members = members.into_iter().map(|member| {
                    let stop = stop.clone();
                    tokio::spawn(member.harass(stop))
                });
                let members: Vec<_> = members.collect();
                let strangers = strangers::attack(address, attempts, time).await;
                let mut told = Vec::new();
                for member in members {
                    told.push(member.await.unwrap());
                }
                (strangers, told)
            })
        })
    };
    let began = Instant::now();
    let mut under_attack = Vec::new();
    while began.elapsed() < Duration::from_secs(args.seconds) {
        let name = format!("attack-{}", under_attack.len());
        under_attack.push(round(&honest, &mut gauge, &name));
    }
    stop.store(true, Ordering::Relaxed);
    let (strangers, members) = attack.join().unwrap();
    let sent_away = victim.logged().matches("peer sent away").count();
    Report::of(
        &gauge.end(),
        (at_rest, under_attack),
        (strangers, members),
        sent_away,
        !args.untimed,
    )
}

/// The honest peer writes some records; how long until they are durable and shown at the victim.
fn round(honest: &TestNode, gauge: &mut Gauge, name: &str) -> Duration {
    let file = honest.file(&format!("{name}.jsonl"), records(name, ROUND));
    let target = gauge.records() + ROUND as u64;
    let began = Instant::now();
    imported(honest, &file);
    gauge.until_records(target);
    began.elapsed()
}

fn records(name: &str, count: usize) -> String {
    let line = |at: usize| {
        let text = "Saisir le téléphone, noter son état, ne rien éteindre. ".repeat(12);
        let record = serde_json::json!({
            "id": format!("{name}-{at}"), "title": format!("{name} {at}"),
            "body": format!("{at}\n\n{text}"), "lang": "fr",
        });
        format!("{record}\n")
    };
    (0..count).map(line).collect()
}

fn imported(node: &TestNode, file: &std::path::Path) -> Vec<String> {
    let done = node.diwan(&["import", file.to_str().unwrap(), "--group", GROUP]);
    let records = done["records"].as_array().unwrap().iter();
    records
        .map(|made| made["record"].as_str().unwrap().to_owned())
        .collect()
}

/// Where the victim listens: address and port.
fn listen_address(victim: &TestNode) -> std::net::SocketAddr {
    let status = victim.diwan(&["status"]);
    let address = status["listen"][0].as_str().unwrap().to_owned();
    let parts: Vec<&str> = address.split('/').collect();
    format!("{}:{}", parts[2], parts[4]).parse().unwrap()
}
