//! Payloads in blocks: read back as they were, and able to go one by one.

use diwan_core::id::{AgencyId, EntryHash, GroupId, Incarnation, Me};
use diwan_core::log::{Entry, LogHead, Payload};
use diwan_core::verify::{OwnEntry, OwnKind, Verified, own_entries};
use diwan_core::wire::Signing;
use zeroize::Zeroizing;

use super::*;

const GROUP: GroupId = GroupId([1; 32]);
const LOG: u32 = 1;

fn text(seq: u64) -> Vec<u8> {
    format!("record {seq}: the officer seals the device and signs. ")
        .repeat(40)
        .into_bytes()
}

/// The next entries of a log, each of 2 KB.
fn written(behind: Option<&Entry>, count: u64) -> Verified<Vec<Entry>> {
    let seq = behind.map_or(0, |entry| entry.header.seq);
    let payload = |at: u64| Payload::new([3; 16], text(seq + at));
    with_payloads(behind, (1..=count).map(payload).collect())
}

fn with_payloads(behind: Option<&Entry>, payloads: Vec<Payload>) -> Verified<Vec<Entry>> {
    let key = Signing::from_seed(&Zeroizing::new([7; 32]));
    let me = Me {
        agency: AgencyId([2; 32]),
        node: key.public(),
        incarnation: Incarnation(1),
    };
    let head = behind.map(|entry| LogHead {
        seq: entry.header.seq,
        hash: entry.header.hash(),
    });
    let head = head.unwrap_or(LogHead {
        seq: 0,
        hash: EntryHash([0; 32]),
    });
    let draft = |payload: Payload| OwnEntry {
        kind: OwnKind::Genesis,
        payload,
    };
    let drafts = payloads.into_iter().map(draft).collect();
    own_entries((&key, &me), GROUP, head, (0, 5), drafts)
}

fn put(store: &Store, entries: &Verified<Vec<Entry>>) {
    let put = store.write(|tables| tables.put_entries(LOG, entries));
    put.unwrap();
}

/// A store with entries of two batches and a single one, and the entries.
fn filled() -> (Store, Vec<Entry>) {
    let store = Store::open_on(Counting::default()).unwrap();
    let first = written(None, 100);
    let second = written(first.last(), 30);
    let third = written(second.last(), 1);
    for batch in [&first, &second, &third] {
        put(&store, batch);
    }
    let entries = [&first, &second, &third]
        .map(|batch| batch.to_vec())
        .concat();
    (store, entries)
}

fn read(store: &Store, seq: u64) -> Option<Entry> {
    store.read().unwrap().entry(LOG, seq).unwrap()
}

fn all(store: &Store) -> Vec<Entry> {
    (1..).map_while(|seq| read(store, seq)).collect()
}

/// Sequences of the blocks.
fn blocks(store: &Store) -> Vec<u64> {
    store.read().unwrap().blocks_of(LOG).unwrap()
}

#[test]
fn entries_read_back_from_blocks_and_blocks_end_with_signatures() {
    let (store, entries) = filled();
    assert_eq!(all(&store), entries);
    let blocks = blocks(&store);
    assert!(blocks.len() > 3, "{blocks:?}");
    for first in blocks.iter().filter(|first| **first > 1) {
        let before = entries.iter().find(|e| e.header.seq + 1 == *first);
        assert!(before.unwrap().signature.is_some(), "{first}");
    }
    let from_the_middle = store.read().unwrap().range(LOG, 50, 10_000, None);
    let range = from_the_middle.unwrap().unwrap();
    let read: Vec<_> = range
        .entries
        .iter()
        .map(|entry| entry.payload.clone())
        .collect();
    let wanted: Vec<_> = (50..).take(read.len()).map(text).collect();
    assert_eq!(read, wanted);
}

#[test]
fn a_payload_is_erased_and_its_neighbours_stay() {
    let (store, mut entries) = filled();
    let before = blocks(&store);
    let erased = store.write(|tables| {
        tables.erase_payload(LOG, 20)?;
        tables.erase_payload(LOG, 130)
    });
    erased.unwrap();
    entries[19].payload = None;
    entries[129].payload = None;
    assert_eq!(all(&store), entries);
    // The block that held it is no more: its frame had the payload's bytes.
    let block_of = |seq: u64| before.iter().copied().rfind(|first| *first <= seq).unwrap();
    let gone = [block_of(20), block_of(130)];
    let kept: Vec<u64> = before
        .iter()
        .copied()
        .filter(|first| !gone.contains(first))
        .collect();
    assert_eq!(blocks(&store), kept);
    let again = store.write(|tables| {
        tables.erase_payload(LOG, 20)?;
        tables.put_payload(LOG, 20, Payload::new([3; 16], text(20)))
    });
    again.unwrap();
    entries[19].payload = Some(Payload::new([3; 16], text(20)));
    assert_eq!(all(&store), entries);
}

#[test]
fn a_log_is_cut_within_a_block_and_grows_again() {
    let (store, entries) = filled();
    let before = blocks(&store);
    let (gone, end) = store.write(|tables| tables.cut_log(LOG, 40)).unwrap();
    assert_eq!(gone, entries[40..]);
    assert_eq!(end.unwrap().head.seq, 40);
    assert_eq!(all(&store), entries[..40]);
    assert_eq!(store.read().unwrap().cut_off(LOG).unwrap(), entries[40..]);
    // The block that the cut went through is no more: it had payloads from behind it.
    let whole = before.iter().filter(|first| **first <= 40);
    let whole: Vec<u64> = whole.copied().collect();
    assert_eq!(blocks(&store), whole[..whole.len() - 1]);
    let more = written(entries.get(39), 50);
    put(&store, &more);
    assert_eq!(all(&store), [&entries[..40], &more].concat());
}

#[test]
fn what_was_packed_elsewhere_is_kept_as_it_is() {
    let (store, _) = filled();
    let other = Store::open_on(Counting::default()).unwrap();
    // Without the first ones, so that signatures fall on other places than the blocks' ends.
    let reading = store.read().unwrap();
    let came = (6..=100).filter_map(|seq| reading.entry(LOG, seq).unwrap());
    let payloads: Vec<Payload> = came.filter_map(|entry| entry.payload).collect();
    put(&other, &with_payloads(None, payloads.clone()));
    let read: Vec<_> = all(&other)
        .into_iter()
        .filter_map(|entry| entry.payload)
        .collect();
    assert_eq!(read, payloads);
    let frames = |of: &Store| {
        let block = |first: u64| of.read().unwrap().block(LOG, first).unwrap().unwrap();
        blocks(of).into_iter().map(block).collect::<Vec<_>>()
    };
    let (own, kept) = (frames(&store), frames(&other));
    assert!(kept.len() > 2);
    assert!(kept[1..].iter().all(|frame| own.contains(frame)));
}

#[test]
fn a_home_without_blocks_is_opened_and_one_of_a_later_layout_is_not() {
    let disk = Counting::default();
    let set = |schema: u64| {
        let store = Store::open_on(disk.clone())?;
        store.write(|tables| {
            tables.set_meta_u64("schema", schema);
            Ok::<_, StoreError>(())
        })
    };
    set(1).unwrap();
    set(3).unwrap();
    let found = Store::open_on(disk.clone()).map(drop);
    assert!(
        matches!(found, Err(StoreError::Newer { found: 3 })),
        "{found:?}"
    );
}
