//! Ranges that a session reads, one of them ahead of its wish.

use diwan_core::id::Writer;

use super::*;
use crate::engine::reads::{ReadDone, Reads};

/// An engine whose own log of a group holds six records of some 20 KB each: two fill a first range.
fn with_records() -> (TempDir, Engine, GroupId, Vec<RecordId>) {
    let (mut nodes, group) = federation(&[]);
    let mut node = nodes.remove(0);
    let mut write = |at: u32| {
        let body = format!("{at} {}", "Un corps. ".repeat(2_000));
        node.write_body(&group, &at.to_string(), &body)
    };
    let records = (0..6).map(&mut write).collect();
    let (engine, _thread) = Engine::start(node.committer.take().unwrap());
    (node._dir, engine, group, records)
}

async fn read(reads: &mut Reads, log: (GroupId, Writer), from: u64) -> ReadDone {
    reads.begin(log, from);
    reads.done().await.unwrap()
}

#[tokio::test]
async fn ranges_follow_each_other_and_grow() {
    let (_dir, engine, group, _) = with_records();
    let log = (group, engine.me().writer());
    let mut reads = Reads::new(engine);
    let (mut from, mut counts) = (1, Vec::new());
    while let Some(range) = read(&mut reads, log, from).await.range.unwrap() {
        assert_eq!(range.first, from);
        from += range.entries.len() as u64;
        counts.push(range.entries.len());
    }
    assert_eq!(counts, [2, 4]);
}

/// What was read ahead and then purged is not sent.
#[tokio::test]
async fn a_purge_makes_what_was_read_ahead_be_read_again() {
    let (_dir, engine, group, records) = with_records();
    let log = (group, engine.me().writer());
    let mut reads = Reads::new(engine.clone());
    let first = read(&mut reads, log, 1).await.range.unwrap().unwrap();
    assert_eq!(first.entries.len(), 2);
    let purged = records[2];
    let purge = engine.submit(move |step| step.purge(&purged, "personne nommée"));
    purge.await.unwrap();
    let next = read(&mut reads, log, 3).await.range.unwrap().unwrap();
    let erased: Vec<bool> = next.entries.iter().map(|e| e.erased.is_some()).collect();
    assert_eq!(erased[..3], [true, false, false]);
}
