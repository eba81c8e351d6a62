use super::*;
use crate::id::{EntryHash, GroupId, RecordId};
use crate::limits;
use crate::testing::{Pen, key};
use proptest::prelude::*;

fn pen() -> Pen {
    Pen::new(key(1), GroupId([1; 32]))
}

#[test]
fn a_range_reads_back_into_the_entries_that_it_was_made_of() {
    let mut pen = pen();
    let (first, second) = (pen.write(3), pen.write(2));
    let head = LogHead {
        seq: 3,
        hash: first[2].header.hash(),
    };
    let one = Range::of(&first, None).unwrap();
    assert_eq!(one.into_entries(None), Ok(first));
    let two = Range::of(&second, None).unwrap();
    assert_eq!(two.into_entries(Some(&head)), Ok(second));
}

#[test]
fn what_is_not_signed_at_its_end_is_no_range() {
    let entries = pen().write(3);
    assert_eq!(Range::of(&[], None), None);
    assert_eq!(Range::of(&entries[..2], None), None);
    assert!(
        Range::of(&entries[..2], Some(2)).is_some(),
        "the end of a log that was cut"
    );
    let mut purged = entries;
    purged[1].payload = None;
    let range = Range::of(&purged, None).unwrap();
    assert_eq!(range.into_entries(None), Ok(purged), "headers stay");
}

#[test]
fn ranges_of_wrong_shape_are_refused() {
    let refused = |change: &dyn Fn(&mut Range)| {
        let mut range = pen().range(3);
        change(&mut range);
        range.into_entries(None).unwrap_err()
    };
    let gap = |found| RangeError::Gap { found, expected: 1 };
    assert_eq!(refused(&|r| r.first = 2), gap(2));
    assert_eq!(refused(&|r| r.first = 0), gap(0));
    assert_eq!(refused(&|r| r.first = u64::MAX), gap(u64::MAX));
    assert_eq!(refused(&|r| r.entries.clear()), RangeError::Count(0));
    let one = pen().range(1).entries[0].clone();
    let many = limits::BATCH_ENTRIES + 1;
    assert_eq!(
        refused(&|r| r.entries = vec![one.clone(); many]),
        RangeError::Count(many)
    );
    assert_eq!(refused(&|r| r.entries[1].kind = 0), RangeError::Kind(0));
    assert_eq!(refused(&|r| r.entries[1].kind = 2), RangeError::Record);
    let record = Some(RecordId([3; 32]));
    assert_eq!(
        refused(&|r| r.entries[1].record = record),
        RangeError::Record
    );
    let long = limits::PAYLOAD_BYTES + 1;
    assert_eq!(
        refused(&|r| r.entries[1].payload = vec![0; long]),
        RangeError::PayloadTooLong(long)
    );
}

#[test]
fn the_last_sequence_has_no_successor_that_wraps() {
    let mut range = pen().range(2);
    range.first = u64::MAX;
    let head = LogHead {
        seq: u64::MAX,
        hash: EntryHash([1; 32]),
    };
    range.previous = head.hash;
    let entries = range.into_entries(Some(&head)).unwrap();
    assert!(entries.iter().all(|entry| entry.header.seq == u64::MAX));
}

#[test]
fn a_first_version_names_its_record_by_its_payload() {
    let entries = pen().range(2).into_entries(None).unwrap();
    for entry in entries {
        assert_eq!(entry.header.record.0, entry.header.payload_hash);
        assert_eq!(entry.header.payload_hash, entry.payload.unwrap().hash());
    }
}

proptest! {
    #[test]
    fn any_range_on_the_wire_is_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(range) = crate::wire::decode::<Range>(&bytes, 300) {
            let entries = range.entries.len();
            prop_assert!(range.into_entries(None).map_or(0, |e| e.len()) <= entries);
        }
    }
}
