//! Tests the tests: leaves out one rule after the other, and sees who notices. Ends with 6 where a
//! rule can be left out unnoticed, or where something is noticed though nothing was left out.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Parser;
use diwan_core::breaks::{Break, leave_out};
use diwan_tests::mutants::{self, Scene};
use diwan_tests::sim::{Plan, run};
use diwan_tests::vectors;
use serde::{Deserialize, Serialize};

/// Leaves out one rule after the other, and sees who notices.
#[derive(Parser)]
#[command(name = "breaks", version)]
struct Args {
    /// Only these rules, by their names in `diwan_core::breaks`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Seeds of the simulation that are tried at most for each.
    #[arg(long, default_value_t = 120)]
    seeds: u64,
    /// Hostile changes that are tried for each.
    #[arg(long, default_value_t = 1_500)]
    mutants: u64,
    /// Leaves the rule out in this very process.
    #[arg(long, hide = true, requires = "only")]
    inside: bool,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// Who noticed that a rule was left out, and by what.
#[derive(Deserialize, Serialize)]
struct Noticed {
    rule: String,
    by: BTreeMap<String, String>,
    secs: f64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // The gate before Automerge catches its panics, and a seed that panics says so in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let mut all = Vec::new();
    let rules = Break::ALL.into_iter().map(Some);
    for rule in std::iter::once(None).chain(rules) {
        let name = rule.map_or("nothing".to_owned(), |rule| format!("{rule:?}"));
        if !args.only.is_empty() && !args.only.contains(&name) {
            continue;
        }
        let began = Instant::now();
        let by = match args.inside {
            true => {
                leave_out(rule);
                noticed(&args, rule)
            }
            // What a rule kept out may take the whole process with it.
            false => noticed_outside(&args, &name),
        };
        let found = Noticed {
            rule: name,
            by,
            secs: began.elapsed().as_secs_f64(),
        };
        if !args.json {
            tell(&line(&found));
        }
        all.push(found);
    }
    if args.json {
        tell(&format!("{}\n", serde_json::json!(all)));
    }
    let is_right = |found: &Noticed| (found.rule == "nothing") == found.by.is_empty();
    match all.iter().all(is_right) {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(6),
    }
}

/// The same in a process of its own. One that does not come to an end has noticed as well.
fn noticed_outside(args: &Args, name: &str) -> BTreeMap<String, String> {
    let crashed = |how: String| BTreeMap::from([("process".to_owned(), how)]);
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => return crashed(error.to_string()),
    };
    let output = Command::new(this)
        .args(["--json", "--inside", "--only", name])
        .args(["--seeds", &args.seeds.to_string()])
        .args(["--mutants", &args.mutants.to_string()])
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => return crashed(error.to_string()),
    };
    let told: Result<Vec<Noticed>, _> = serde_json::from_slice(&output.stdout);
    match told.ok().and_then(|mut told| told.pop()) {
        Some(found) => found.by,
        None => crashed(output.status.to_string()),
    }
}

/// Asks those who test until one of them notices; all of them, with all they have, where nothing is
/// left out.
fn noticed(args: &Args, rule: Option<Break>) -> BTreeMap<String, String> {
    let whole = rule.is_none();
    let mut by = BTreeMap::new();
    let wrong = vectors::check().wrong;
    if let Some(first) = wrong.first() {
        by.insert(
            "vectors".to_owned(),
            format!("{} wrong: {first}", wrong.len()),
        );
    }
    if !by.is_empty() && !whole {
        return by;
    }
    let report = mutants::run(&Scene::small(), 1, 0, args.mutants, |_| {});
    // How long something took says nothing on a machine that does other work.
    let mut broken = report.broken.iter().filter(|broken| broken.law != "slow");
    if let Some(first) = broken.next() {
        let what = format!("{} at {} of {}", first.law, first.number, first.kind);
        by.insert("mutants".to_owned(), what);
    }
    if !by.is_empty() && !whole {
        return by;
    }
    if let Some(test) = engine_test_that_fails(rule) {
        by.insert("engine".to_owned(), test);
        if !whole {
            return by;
        }
    }
    for seed in 1..=args.seeds {
        let outcome = run(&Plan::of(seed, None), false);
        if let Some(first) = outcome.violations.first() {
            let what = format!("seed {seed}: {}: {}", first.law, first.detail);
            by.insert("simulation".to_owned(), what);
            break;
        }
    }
    by
}

/// The engine's tests, in a process of their own: the first that fails.
fn engine_test_that_fails(rule: Option<Break>) -> Option<String> {
    let name = rule.map_or_else(String::new, |rule| format!("{rule:?}"));
    let output = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args([
            "test",
            "--quiet",
            "-p",
            "diwan-node",
            "--features",
            "breaks",
        ])
        .args(["--lib", "--", "engine::tests"])
        .env("DIWAN_LEFT_OUT", name)
        .output();
    let Ok(output) = output else {
        return Some("the tests do not run".to_owned());
    };
    if output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let failed = text.lines().find_map(|line| {
        let name = line.strip_prefix("---- engine::tests::")?;
        name.strip_suffix(" stdout ----")
    });
    Some(failed.unwrap_or("the tests do not run").to_owned())
}

fn line(found: &Noticed) -> String {
    let by = found.by.iter().map(|(who, what)| {
        let what: String = what.chars().take(110).collect();
        format!("{who}: {what}")
    });
    let by = by.collect::<Vec<_>>().join("; ");
    let by = if by.is_empty() { "unnoticed" } else { &by };
    format!("{:<18} {:>6.1} s  {by}\n", found.rule, found.secs)
}

fn tell(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away wants no more.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
