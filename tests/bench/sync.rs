//! Our node among the anchors: their driver runs every candidate in one run, here the runs become
//! medians.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::child;
use crate::report::{OURS, Report, Row, median};
use crate::workload::{Size, anchors_target, generator};

/// The anchor that is no node: tantivy alone, on the same documents.
pub(crate) const BARE_TANTIVY: &str = "tantivy";

/// What carries our node's links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// TCP and TLS 1.3.
    Tcp,
    /// QUIC.
    Quic,
}

impl Transport {
    fn candidate(self) -> String {
        match self {
            Self::Tcp => OURS.to_owned(),
            Self::Quic => format!("{OURS}-quic"),
        }
    }
}

/// Runs our node and the anchors, all in one run.
pub(crate) fn run(
    n: u64,
    rounds: u32,
    transports: &[Transport],
    anchors: &[String],
) -> Result<Report> {
    let folder = anchors_folder();
    if let Some(missing) = missing(&folder) {
        return Ok(Report::skipped(missing));
    }
    child::program()?;
    build_anchors(&folder)?;
    let work = tempfile::tempdir()?;
    let results = work.path().join("results.json");
    let ours = transports.iter().map(|transport| transport.candidate());
    let named = anchors.iter();
    let named = named.filter(|anchor| !anchor.is_empty() && *anchor != BARE_TANTIVY);
    let candidates: Vec<String> = ours.chain(named.cloned()).collect();
    drive(&folder, &candidates, (n, rounds), &results)?;
    let read: Results = serde_json::from_slice(&std::fs::read(&results)?)?;
    let mut report = report(&read.runs, &candidates)?;
    if anchors.iter().any(|anchor| anchor == BARE_TANTIVY) {
        report.rows.push(bare_tantivy(n)?);
    }
    Ok(report)
}

/// Tantivy alone: the same documents and fields, its own analysis, two threads, one commit. The anchors'
/// program takes the median of three.
pub(crate) fn bare_tantivy(n: u64) -> Result<Row> {
    let folder = tempfile::tempdir()?;
    let workload = Size::Records(n).write(folder.path())?;
    let workload = workload.context("the anchors are not built")?;
    let asked = Command::new(anchors_target().join("release/limits"))
        .arg(BARE_TANTIVY)
        .args([folder.path(), workload.as_path()])
        .stderr(Stdio::inherit())
        .output()?;
    let lines = serde_json::Deserializer::from_slice(&asked.stdout).into_iter::<Limit>();
    let limits: Vec<Limit> = lines.collect::<Result<_, _>>()?;
    let value = |what: &str| {
        let found = limits.iter().find(|limit| limit.what == what);
        found
            .map(|limit| limit.value)
            .context("bare tantivy says no figure")
    };
    let figures = [
        (
            "searchable_s",
            n as f64 / value("index, one commit at the end")?,
        ),
        ("index_of_content", value("index on disk")?),
        ("search_p50_ms", value("2-term OR query p50")? / 1e3),
        ("search_p99_ms", value("2-term OR query p99")? / 1e3),
    ];
    Ok(Row {
        candidate: BARE_TANTIVY.to_owned(),
        n,
        figures: figures.map(|(name, value)| (name.to_owned(), value)).into(),
    })
}

/// A figure of the anchors' physical limits.
#[derive(Deserialize)]
struct Limit {
    what: String,
    value: f64,
}

/// The anchors: `ANCHORS_DIR`, or the folder `../shared/bench/anchors` beside this repository.
fn anchors_folder() -> PathBuf {
    let named = std::env::var_os("ANCHORS_DIR").map(PathBuf::from);
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/bench/anchors");
    named.unwrap_or_else(|| PathBuf::from(beside))
}

/// What a run needs and this machine lacks.
fn missing(folder: &Path) -> Option<String> {
    if !folder.join("bench.py").is_file() {
        let folder = folder.display();
        return Some(format!(
            "no anchors at {folder}; ANCHORS_DIR names their folder"
        ));
    }
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces need root".to_owned());
    }
    let tools = [("python3", "--version"), ("git", "--version"), ("ip", "-V")];
    let absent = tools.iter().find(|(tool, ask)| {
        let asked = Command::new(tool)
            .arg(ask)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        !asked.is_ok_and(|status| status.success())
    });
    absent.map(|(tool, _)| format!("{tool} is not installed"))
}

/// Builds the anchors once, from a copy: their folder may not be ours to write.
fn build_anchors(folder: &Path) -> Result<()> {
    if generator().is_file() {
        return Ok(());
    }
    eprintln!("building the anchors, once; this takes minutes");
    let copy = tempfile::tempdir()?;
    let copied = Command::new("cp")
        .arg("-r")
        .args([folder.join("Cargo.toml"), folder.join("src")])
        .arg(copy.path())
        .status()?;
    let built = Command::new("cargo")
        .args(["build", "--release"])
        .current_dir(copy.path())
        .env("CARGO_TARGET_DIR", anchors_target())
        .stdout(Stdio::null())
        .status()?;
    if !copied.success() || !built.success() {
        bail!("the anchors could not be built");
    }
    Ok(())
}

/// Runs the driver; what it prints as it goes is for people.
fn drive(folder: &Path, candidates: &[String], (n, rounds): (u64, u32), out: &Path) -> Result<()> {
    let adapter = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/anchors.py");
    let mut driver = Command::new("python3");
    driver
        .args([adapter, "-n", &n.to_string(), "-r", &rounds.to_string()])
        .arg("-o")
        .arg(out)
        .env("ANCHORS_DIR", folder)
        .env("CARGO_TARGET_DIR", anchors_target())
        .env("DIWAN_BENCH", std::env::current_exe()?)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(std::io::stderr());
    for candidate in candidates {
        driver.args(["-c", candidate]);
    }
    let ended = driver.status().context("python3")?;
    if !ended.success() {
        bail!("the anchors' driver ended: {ended}");
    }
    Ok(())
}

/// The driver's `results.json`.
#[derive(Deserialize)]
struct Results {
    runs: Vec<Map<String, Value>>,
}

/// Medians over the runs of each candidate.
fn report(runs: &[Map<String, Value>], candidates: &[String]) -> Result<Report> {
    let mut report = Report::default();
    for candidate in candidates {
        let of =
            |run: &&Map<String, Value>| run.get("candidate") == Some(&candidate.clone().into());
        let own: Vec<&Map<String, Value>> = runs.iter().filter(of).collect();
        let first = own
            .first()
            .with_context(|| format!("no run of {candidate}"))?;
        let n = first.get("n").and_then(Value::as_u64);
        report.rows.push(Row {
            candidate: candidate.clone(),
            n: n.context("a run without its size")?,
            figures: medians(&own),
        });
        for note in own.iter().filter_map(|run| run.get("note")?.as_str()) {
            let is_failure = candidate.starts_with(OURS) && note.starts_with("failed");
            let noted = format!("{candidate}: {note}");
            match is_failure {
                true => report.broken.push(noted),
                false => report.notes.push(noted),
            }
        }
    }
    Ok(report)
}

fn medians(runs: &[&Map<String, Value>]) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for run in runs {
        for (name, value) in run.iter().filter(|(name, _)| *name != "n") {
            if let Some(value) = value.as_f64() {
                values.entry(name).or_default().push(value);
            }
        }
    }
    let mut figures: BTreeMap<String, f64> = values
        .iter()
        .filter_map(|(name, values)| Some(((*name).to_owned(), median(values)?)))
        .collect();
    figures.insert("runs".to_owned(), runs.len() as f64);
    // Nothing arrives at d = 0, so its time is that until the wire was quiet.
    if let Some(quiet) = figures.get("d0_quiet_s").copied() {
        figures.entry("d0_s".to_owned()).or_insert(quiet);
    }
    for (bytes, name) in [
        ("cold_bytes", "cold_of_content"),
        ("alloc_b", "alloc_of_content"),
    ] {
        if let (Some(bytes), Some(content)) = (figures.get(bytes), figures.get("content")) {
            figures.insert(name.to_owned(), bytes / content.max(1.0));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_medians() {
        let runs = serde_json::json!([
            { "candidate": "diwan", "n": 10, "cold_s": 3.0, "d0_s": null, "d0_quiet_s": 0.5,
              "content": 10, "cold_bytes": 5 },
            { "candidate": "git", "n": 10, "cold_s": 9.0, "d0_s": 0.1 },
            { "candidate": "diwan", "n": 10, "cold_s": 1.0, "d0_s": null, "d0_quiet_s": 0.7,
              "content": 10, "cold_bytes": 7, "note": "failed: x" },
        ]);
        let runs: Vec<Map<String, Value>> = serde_json::from_value(runs).unwrap();
        let candidates = ["diwan".to_owned(), "git".to_owned()];
        let found = report(&runs, &candidates).unwrap();
        let figure = |row: usize, name: &str| found.rows[row].figures[name];
        assert_eq!(figure(0, "cold_s"), 2.0);
        assert_eq!(figure(0, "d0_s"), 0.6);
        assert_eq!(figure(0, "cold_of_content"), 0.6);
        assert_eq!(figure(0, "runs"), 2.0);
        assert_eq!(figure(1, "d0_s"), 0.1);
        assert_eq!(found.broken, ["diwan: failed: x"]);
        assert!(report(&runs, &["rsync".to_owned()]).is_err());
    }
}
