//! SIGKILL at any moment of an import or a sync, fifty times: what was acknowledged stays, the node
//! comes back by itself in seconds, the nodes converge.
//!
//! The moments come from a seed (`DIWAN_SEED` repeats a run). The one sleep here is the fault itself,
//! the moment of the kill, and no state is waited for with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use diwan_tests::kit::{Listen, Random, TestNode, converged, one_at_a_time, share};
use serde_json::Value;

const KILLS_IN_IMPORT: usize = 25;
const KILLS_IN_SYNC: usize = 25;
/// Documents of one import: some batches of work, in a good part of [`LONGEST`].
const DOCUMENTS: usize = 120;
/// Latest moment of a kill after its import or sync began.
const LONGEST: Duration = Duration::from_millis(400);
/// "In seconds": longest time from the start to the first answer, on two busy cores.
const BACK_WITHIN: Duration = Duration::from_secs(15);

#[test]
fn fifty_kills_lose_nothing_that_was_acknowledged() {
    let _turn = one_at_a_time();
    let mut random = Random::from_env_or(2_026);
    let mut fr = TestNode::running("FR", Listen::Tcp);
    let mut tn = TestNode::running("TN", Listen::Tcp);
    share("cyber", &[&fr, &tn]);

    let mut acknowledged = BTreeSet::new();
    let mut cut = 0;
    for round in 0..KILLS_IN_IMPORT {
        let before = acknowledged.len();
        kill_in_import(&mut fr, round, random.moment(LONGEST), &mut acknowledged);
        cut += usize::from(acknowledged.len() < before + DOCUMENTS);
        come_back(&mut fr);
        assert_holds(&fr, &acknowledged);
    }
    // Otherwise the kills came too late to show anything.
    assert!(cut > 0, "no import was interrupted");

    fr.sync(&[&tn]);
    assert_holds(&tn, &acknowledged);
    for round in 0..KILLS_IN_SYNC {
        let documents = write_documents(&fr, KILLS_IN_IMPORT + round);
        let report = fr.diwan(&["import", documents.to_str().unwrap(), "--group", "cyber"]);
        acknowledged.extend(report["records"].as_array().unwrap().iter().map(id));
        // New entries are pushed as they commit: the sync is under way by now.
        std::thread::sleep(random.moment(LONGEST));
        // The sender one time, the receiver the other.
        let victim = if round % 2 == 0 { &mut tn } else { &mut fr };
        let stored = stored_by(victim);
        victim.kill();
        come_back(victim);
        assert!(
            stored.is_subset(&stored_by(victim)),
            "a stored record is gone"
        );
        assert_holds(&fr, &acknowledged);
    }

    let export = converged("cyber", &[&fr, &tn]);
    assert_eq!(
        export
            .lines()
            .map(|line| id(&parsed(line)))
            .collect::<BTreeSet<_>>(),
        stored_by(&fr)
    );
    assert_holds(&tn, &acknowledged);
    assert!(acknowledged.len() > DOCUMENTS * KILLS_IN_SYNC);
    for node in [&fr, &tn] {
        assert_eq!(node.diwan(&["status"])["quarantined"], 0);
    }
}

/// Imports, kills the node after `moment`, and takes note of what the import had printed: each line
/// is an acknowledgement.
fn kill_in_import(
    node: &mut TestNode,
    round: usize,
    moment: Duration,
    acknowledged: &mut BTreeSet<String>,
) {
    let documents = write_documents(node, round);
    let mut import = node
        .command()
        .args([
            "import",
            documents.to_str().unwrap(),
            "--group",
            "cyber",
            "--jsonl",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(import.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let lines = stdout.lines().map(|line| parsed(&line.unwrap()));
        lines.map(|line| id(&line)).collect::<Vec<_>>()
    });
    std::thread::sleep(moment);
    node.kill();
    acknowledged.extend(reader.join().unwrap());
    import.wait().unwrap();
}

#[track_caller]
fn come_back(node: &mut TestNode) {
    let begun = Instant::now();
    node.start();
    node.diwan(&["status"]);
    let took = begun.elapsed();
    assert!(
        took < BACK_WITHIN,
        "{} took {took:?} to come back",
        node.short
    );
}

/// Each of these records is there, whole.
#[track_caller]
fn assert_holds(node: &TestNode, records: &BTreeSet<String>) {
    let stored = stored_by(node);
    let lost: Vec<_> = records.difference(&stored).collect();
    assert!(lost.is_empty(), "{} lost {lost:?}", node.short);
    if let Some(last) = records.last() {
        assert_eq!(node.show(last)["record"], last.as_str());
    }
}

fn stored_by(node: &TestNode) -> BTreeSet<String> {
    let export = node.export("cyber");
    let records = export.lines().map(parsed);
    records
        .inspect(|record| assert!(record["body"]["fr"].as_str().unwrap().ends_with("fin.\n")))
        .map(|record| id(&record))
        .collect()
}

/// The documents of one round as JSON Lines.
fn write_documents(node: &TestNode, round: usize) -> PathBuf {
    let mut lines = String::new();
    for nth in 0..DOCUMENTS {
        let body = "Un paragraphe du manuel.\n\n".repeat(20 + nth % 50) + "fin.\n";
        let document = serde_json::json!({
            "kind": "guideline",
            "title": { "fr": format!("Fiche {round}.{nth}") },
            "body": { "fr": body },
        });
        writeln!(lines, "{document}").unwrap();
    }
    node.file(&format!("fiches-{round}.jsonl"), lines)
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn id(record: &Value) -> String {
    record["record"].as_str().unwrap().to_owned()
}
