//! Batches of entries: zstd frames (RFC 8878), one behind the other. The first holds the ranges as CBOR,
//! without the bytes of their payloads; the others are blocks of these, as they lie in the sender's
//! store. The declared size of each is checked before it is decompressed.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::breaks::{Break, is_left_out};
use crate::limits;
use crate::log::block::{self, Block, FrameError, Packed, Piece};
use crate::log::{Range, RangeEntry};
use crate::wire;

/// Bytes that are no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A decompressed size is not declared, or all of them are above [`limits::BATCH_BYTES`].
    #[error("the batch does not declare an allowed size")]
    Size,
    /// Not a zstd frame, or not of the declared size.
    #[error("the batch does not decompress")]
    Compression,
    /// What is inside is no list of ranges, too many entries, or not their payloads.
    #[error("the batch holds no ranges: {0}")]
    Content(String),
}

impl From<FrameError> for BatchError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::None => Self::Compression,
            FrameError::NoSize => Self::Size,
        }
    }
}

/// What the first frame holds.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Head {
    /// Ranges whose payloads are empty.
    #[n(0)]
    ranges: Vec<Range>,
    /// Bytes of each entry's payload.
    #[n(1)]
    lengths: Vec<u32>,
}

/// Compresses ranges into a batch.
pub(super) fn pack(ranges: &[Range]) -> Result<Vec<u8>, BatchError> {
    let entries: Vec<&RangeEntry> = ranges.iter().flat_map(|range| &range.entries).collect();
    let lengths = entries.iter().map(|entry| entry.payload.len());
    let head = wire::encode(&Head {
        ranges: ranges.iter().map(Range::without_payloads).collect(),
        lengths: lengths
            .clone()
            .map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX))
            .collect(),
    });
    if head.len().saturating_add(lengths.sum()) > limits::BATCH_BYTES {
        return Err(BatchError::Size);
    }
    let payloads = entries.iter().filter(|entry| !entry.payload.is_empty());
    let pieces: Vec<Piece<'_>> = payloads
        .map(|entry| Piece {
            bytes: &entry.payload,
            packed: &entry.packed,
            is_signed: false,
        })
        .collect();
    let mut batch = block::pack(&head).ok_or(BatchError::Compression)?;
    for run in block::runs(&pieces).ok_or(BatchError::Compression)? {
        batch.extend(&run.block.frame);
    }
    Ok(batch)
}

/// Decompresses a batch, in bounds.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Range>, BatchError> {
    let mut frames = Frames {
        bytes,
        room: limits::BATCH_BYTES,
    };
    let head = frames.next()?.open().ok_or(BatchError::Compression)?;
    let head: Head = wire::decode(&head, limits::BATCH_BYTES)
        .map_err(|error| BatchError::Content(error.to_string()))?;
    let Head {
        mut ranges,
        lengths,
    } = head;
    let count: usize = ranges.iter().map(|range| range.entries.len()).sum();
    if ranges.is_empty() || count > limits::BATCH_ENTRIES {
        return Err(BatchError::Content(format!("{count} entries")));
    }
    if lengths.len() != count {
        return Err(BatchError::Content(format!(
            "{count} entries, {} lengths",
            lengths.len()
        )));
    }
    let mut inside = Inside::default();
    let entries = ranges.iter_mut().flat_map(|range| &mut range.entries);
    for (entry, length) in entries.zip(lengths) {
        if !entry.payload.is_empty() {
            return Err(BatchError::Content("a payload among the headers".into()));
        }
        if length > 0 {
            if inside.is_read() {
                inside = Inside::of(frames.next()?)?;
            }
            (entry.payload, entry.packed) = inside.take(length as usize)?;
        }
    }
    match inside.is_read() && frames.bytes.is_empty() {
        true => Ok(ranges),
        false => Err(BatchError::Content("more payloads than entries".into())),
    }
}

/// The frames of a batch.
struct Frames<'a> {
    bytes: &'a [u8],
    /// Bytes that they may still hold.
    room: usize,
}

impl Frames<'_> {
    fn next(&mut self) -> Result<Block, BatchError> {
        let (frame, declared, rest) = block::first_frame(self.bytes)?;
        let bytes = usize::try_from(declared).map_err(|_| BatchError::Size)?;
        if bytes > self.room && !is_left_out(Break::BatchSize) {
            return Err(BatchError::Size);
        }
        self.room = self.room.saturating_sub(bytes);
        self.bytes = rest;
        Ok(Block {
            frame: frame.to_vec(),
            bytes,
        })
    }
}

/// The payloads of one frame, as far as they were not read.
#[derive(Default)]
struct Inside {
    block: Option<Arc<Block>>,
    bytes: Vec<u8>,
    read: usize,
}

impl Inside {
    fn of(block: Block) -> Result<Self, BatchError> {
        Ok(Self {
            bytes: block.open().ok_or(BatchError::Compression)?,
            block: Some(Arc::new(block)),
            read: 0,
        })
    }

    fn is_read(&self) -> bool {
        self.read == self.bytes.len()
    }

    fn take(&mut self, length: usize) -> Result<(Vec<u8>, Packed), BatchError> {
        let payload = self.bytes.get(self.read..self.read.saturating_add(length));
        let payload =
            payload.ok_or_else(|| BatchError::Content("a payload over two frames".into()))?;
        let packed = self
            .block
            .as_ref()
            .map(|block| Packed::at(block, self.read));
        let taken = (payload.to_vec(), packed.unwrap_or_default());
        self.read = self.read.saturating_add(length);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::GroupId;
    use crate::testing::{Pen, key};

    fn ranges(count: usize) -> Vec<Range> {
        vec![Pen::new(key(1), GroupId([1; 32])).range(count)]
    }

    fn frames(parts: &[Vec<u8>]) -> Vec<u8> {
        parts
            .iter()
            .flat_map(|part| block::pack(part).unwrap())
            .collect()
    }

    /// A batch of one range, its first frame made by hand.
    fn with_head(
        change: impl FnOnce(&mut Head, &mut Vec<Vec<u8>>),
    ) -> Result<Vec<Range>, BatchError> {
        let ranges = ranges(3);
        let payloads: Vec<Vec<u8>> = ranges[0]
            .entries
            .iter()
            .map(|e| e.payload.clone())
            .collect();
        let mut head = Head {
            ranges: ranges.iter().map(Range::without_payloads).collect(),
            lengths: payloads
                .iter()
                .map(|p| u32::try_from(p.len()).unwrap())
                .collect(),
        };
        let mut parts = payloads;
        change(&mut head, &mut parts);
        unpack(&[frames(&[wire::encode(&head)]), frames(&parts)].concat())
    }

    proptest! {
        #[test]
        fn a_batch_reads_back(counts in prop::collection::vec(1..60_usize, 1..4)) {
            let ranges: Vec<Range> = counts.iter().flat_map(|count| ranges(*count)).collect();
            prop_assert_eq!(unpack(&pack(&ranges).unwrap()).unwrap(), ranges);
        }
    }

    #[test]
    fn blocks_that_came_are_sent_on_as_they_are() {
        let sent = pack(&ranges(200)).unwrap();
        let came = unpack(&sent).unwrap();
        assert_eq!(pack(&came).unwrap(), sent);
        // A part of a block is a block of its own, and holds no other payload.
        let part = came[0].clone().skip(150).unwrap();
        let again = unpack(&pack(std::slice::from_ref(&part)).unwrap()).unwrap();
        assert_eq!(again, [part]);
        let sent = pack(&again).unwrap();
        let (_, _, payloads) = block::first_frame(&sent).unwrap();
        let held: usize = again[0]
            .entries
            .iter()
            .map(|entry| entry.payload.len())
            .sum();
        assert_eq!(block::first_frame(payloads).unwrap().1, held as u64);
    }

    #[test]
    fn a_batch_has_the_payloads_of_its_entries_and_no_other_bytes() {
        assert_eq!(with_head(|_, _| ()), Ok(ranges(3)));
        assert_eq!(
            with_head(|_, parts| *parts = vec![parts.concat()]),
            Ok(ranges(3))
        );
        let refused = |change: fn(&mut Head, &mut Vec<Vec<u8>>)| {
            let found = with_head(change);
            assert!(matches!(found, Err(BatchError::Content(_))), "{found:?}");
        };
        refused(|_, parts| parts.push(b"one more".to_vec()));
        refused(|_, parts| parts[2].push(b'x'));
        refused(|_, parts| {
            let half = parts[0].split_off(5);
            parts.insert(1, half);
        });
        refused(|head, _| head.lengths.truncate(2));
        refused(|head, _| head.lengths.push(0));
        refused(|head, _| head.ranges[0].entries[0].payload = vec![1]);
        refused(|head, _| head.ranges.clear());
        let found = with_head(|_, parts| parts.truncate(2));
        assert_eq!(found, Err(BatchError::Compression));
    }

    /// Case 35.
    #[test]
    fn a_bomb_is_refused_by_its_declared_size() {
        let zeros = |bytes| block::pack(&vec![0; bytes]).unwrap();
        let bomb = zeros(limits::BATCH_BYTES + 1);
        assert!(bomb.len() < 1_000);
        assert_eq!(unpack(&bomb), Err(BatchError::Size));
        // Many that are allowed one by one.
        let found = with_head(|head, parts| {
            let most = limits::BATCH_BYTES - 1_000;
            head.lengths[0] = u32::try_from(most).unwrap();
            head.lengths[1] = u32::try_from(most).unwrap();
            *parts = vec![vec![0; most], vec![0; most]];
        });
        assert_eq!(found, Err(BatchError::Size));
    }

    #[test]
    fn truncated_and_random_bytes_are_refused() {
        let packed = pack(&ranges(3)).unwrap();
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "{end}");
        }
        assert!(unpack(b"no zstd at all").is_err());
    }
}
