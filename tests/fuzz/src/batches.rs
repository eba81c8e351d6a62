//! Ranges of entries and batches of them: the frame as it comes, and arbitrary ranges and payloads in
//! honest zstd frames.

use diwan_core::id::{AgencyId, EntryHash, GroupId, Incarnation, Me};
use diwan_core::limits;
use diwan_core::log::{Header, LogHead, Payload, Range};
use diwan_core::sync::Message;
use diwan_core::verify::{OwnEntry, OwnKind, own_entries};
use diwan_core::wire::{self, Signing};
use zeroize::Zeroizing;

/// A header, and a range of entries.
pub fn entries(bytes: &[u8]) {
    if let Ok(header) = Header::from_bytes(bytes) {
        assert_eq!(header.to_bytes().as_slice(), bytes);
    }
    let Ok(range) = wire::decode::<Range>(bytes, limits::BATCH_BYTES) else {
        return;
    };
    let Ok(entries) = range.clone().into_entries(None) else {
        return;
    };
    // Both ends derive the same headers, and so the same range.
    assert_eq!(Range::of(&entries, None), Some(range));
}

/// A batch.
pub fn batch(bytes: &[u8]) {
    let frame = |inner: &[u8]| [&[4], inner].concat();
    let _ = Message::from_frame(&frame(bytes));
    let packed = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).expect("compresses");
    let _ = Message::from_frame(&frame(&packed(bytes)));
    let (share, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (head, payloads) = rest.split_at(rest.len() * usize::from(*share) / 256);
    let _ = Message::from_frame(&frame(&[packed(head), packed(payloads)].concat()));
}

/// An honest range, its frame, and the batch in it as it comes and in its parts.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let key = Signing::from_seed(&Zeroizing::new([2; 32]));
    let me = Me {
        agency: AgencyId([1; 32]),
        node: key.public(),
        incarnation: Incarnation(1),
    };
    let head = LogHead {
        seq: 0,
        hash: EntryHash([0; 32]),
    };
    let draft = |n: u8| OwnEntry {
        kind: OwnKind::Genesis,
        payload: Payload::new([n; 16], vec![b'a' + n; 40]),
    };
    let drafts = (0..3).map(draft).collect();
    let written = own_entries((&key, &me), GroupId([3; 32]), head, (0, 5), drafts);
    let range = Range::of(&written, None).unwrap();
    let frame = Message::Entries(vec![range.clone()]).to_frame().unwrap();
    let mut bare = range.clone();
    let mut payloads = Vec::new();
    for entry in &mut bare.entries {
        payloads.append(&mut entry.payload);
    }
    let head = wire::encode(&([bare], [40_u32; 3]));
    let all = head.len() + payloads.len();
    let share = (head.len() * 256).div_ceil(all);
    let parts = [&[u8::try_from(share).unwrap()], head.as_slice(), &payloads].concat();
    vec![
        ("entries", wire::encode(&range)),
        ("frames", frame.clone()),
        ("batch", frame.get(1..).unwrap_or_default().to_vec()),
        ("batch", parts),
    ]
}
