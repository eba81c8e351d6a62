//! Tries hostile changes at the real gate: `--count` of them, from one seed. Ends with 6 where a law
//! is broken or a goal missed.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use diwan_tests::mutants;

/// Tries hostile changes at the gate before Automerge.
#[derive(Parser)]
#[command(name = "mutants", version)]
struct Args {
    /// How many.
    #[arg(long)]
    count: u64,
    /// Where they come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of the first, to replay one that broke a law.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Judges neither times nor memory: for a machine that does other work.
    #[arg(long)]
    sound: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// A law is broken or a goal missed.
const BROKEN: u8 = 6;

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let mut told = std::io::stderr().lock();
    let scenes = mutants::Scene::all();
    let report = mutants::run(&scenes, args.seed, args.first, args.count, |number| {
        if (number + 1).is_multiple_of(10_000) {
            // Where nobody listens, the figures still come.
            writeln!(told, "{} tried", number + 1).ok();
        }
    });
    let mut out = std::io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string(&report)?)?,
        false => write!(out, "{report}")?,
    }
    let holds = if args.sound {
        report.is_sound()
    } else {
        report.holds()
    };
    Ok(match holds {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(BROKEN),
    })
}
