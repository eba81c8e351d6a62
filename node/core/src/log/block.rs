//! Blocks: payloads of consecutive entries in one zstd frame (RFC 8878), which their author compresses
//! once. They are sent, and kept, as they are: to compress a payload by itself costs a node more than all
//! else that it does with it, and saves less.

use std::cell::RefCell;
use std::sync::Arc;

use zstd::bulk::{Compressor, Decompressor};

/// zstd level: a block is made once and opened by every node; above 3 the time grows faster than the
/// bytes shrink for prose.
const LEVEL: i32 = 3;

/// Payload bytes at which a block ends.
const BLOCK_BYTES: usize = 96 * 1024;

/// Payload bytes at which a block ends with a signed entry, as ranges do that are sent.
const SIGNED_BLOCK_BYTES: usize = 56 * 1024;

/// Bytes that may become fewer: a frame has up to 18 of its own.
const WORTH_PACKING: usize = 64;

thread_local! {
    /// A context has some 100 KiB of tables; to make one costs more than to compress a record.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Bytes as one frame that declares their number; none where there is no memory for it.
#[must_use]
pub fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        let packer = match packer {
            Some(packer) => packer,
            None => packer.insert(Compressor::new(LEVEL).ok()?),
        };
        packer.compress(bytes).ok()
    })
}

/// The same, where that saves bytes.
#[must_use]
pub fn pack_if_worth(bytes: &[u8]) -> Option<Vec<u8>> {
    let worth = bytes.len() >= WORTH_PACKING;
    let frame = worth.then(|| pack(bytes))?;
    frame.filter(|frame| frame.len() < bytes.len())
}

/// What a frame holds; none where that is not exactly so many bytes.
#[must_use]
pub fn unpack(frame: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let inside = UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            None => unpacker.insert(Decompressor::new().ok()?),
        };
        unpacker.decompress(frame, bytes).ok()
    });
    inside.filter(|inside| inside.len() == bytes)
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// There is none.
    None,
    /// It does not declare how much it holds.
    NoSize,
}

/// A frame at the head of some bytes: its own bytes, how many it declares to hold, and what follows it.
///
/// # Errors
/// [`FrameError`].
pub fn first_frame(bytes: &[u8]) -> Result<(&[u8], u64, &[u8]), FrameError> {
    let declared = zstd::zstd_safe::get_frame_content_size(bytes).map_err(|_| FrameError::None)?;
    let declared = declared.ok_or(FrameError::NoSize)?;
    let length =
        zstd::zstd_safe::find_frame_compressed_size(bytes).map_err(|_| FrameError::None)?;
    let (frame, rest) = bytes.split_at_checked(length).ok_or(FrameError::None)?;
    Ok((frame, declared, rest))
}

/// Payloads in one frame, one behind the other.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The frame.
    pub frame: Vec<u8>,
    /// Bytes that it holds.
    pub bytes: usize,
}

impl Block {
    /// What it holds; none where it is damaged.
    #[must_use]
    pub fn open(&self) -> Option<Vec<u8>> {
        unpack(&self.frame, self.bytes)
    }

    /// The frame is no longer than a compressor makes it. A peer may send one that has parts which hold
    /// nothing; it is read, and neither kept nor passed on.
    fn is_tight(&self) -> bool {
        self.frame.len() <= zstd::zstd_safe::compress_bound(self.bytes)
    }
}

/// Where a payload lies compressed beside others. It says nothing that the payload does not: two
/// payloads are equal with and without it.
#[derive(Clone, Debug, Default)]
pub struct Packed(Option<(Arc<Block>, usize)>);

impl PartialEq for Packed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Packed {}

impl Packed {
    /// At so many bytes from the beginning of what the block holds.
    #[must_use]
    pub fn at(block: &Arc<Block>, offset: usize) -> Self {
        Self(Some((block.clone(), offset)))
    }

    fn is_at(&self, block: &Arc<Block>, offset: usize) -> bool {
        let place = self.0.as_ref();
        place.is_some_and(|(own, at)| Arc::ptr_eq(own, block) && *at == offset)
    }
}

/// A payload that is to be kept or sent.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Where they lie compressed already.
    pub packed: &'a Packed,
    /// Its entry is signed.
    pub is_signed: bool,
}

/// So many payloads, one behind the other, in one block.
#[derive(Clone, Debug)]
pub struct Run {
    /// Payloads.
    pub count: usize,
    /// The block that holds them and nothing else.
    pub block: Arc<Block>,
}

/// Payloads in blocks: those that they lie in, where all of such a block's payloads are here, new ones
/// otherwise. None where there is no memory for one.
#[must_use]
pub fn runs(mut pieces: &[Piece<'_>]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    while !pieces.is_empty() {
        let run = match kept_run(pieces) {
            Some(run) => run,
            None => new_run(pieces)?,
        };
        pieces = pieces.get(run.count..)?;
        runs.push(run);
    }
    Some(runs)
}

/// The first payloads, where they are all of a block.
fn kept_run(pieces: &[Piece<'_>]) -> Option<Run> {
    let (block, _) = pieces.first()?.packed.0.as_ref()?;
    if !block.is_tight() {
        return None;
    }
    let (mut count, mut offset) = (0, 0);
    for piece in pieces {
        if offset == block.bytes || !piece.packed.is_at(block, offset) {
            break;
        }
        offset += piece.bytes.len();
        count += 1;
    }
    let block = block.clone();
    (count > 0 && offset == block.bytes).then_some(Run { count, block })
}

/// The first payloads up to where a block should end, or a block begins that is kept.
fn new_run(pieces: &[Piece<'_>]) -> Option<Run> {
    let mut bytes = Vec::new();
    let mut count = 0;
    while let Some((piece, rest)) = pieces.get(count..).and_then(<[_]>::split_first) {
        bytes.extend(piece.bytes);
        count += 1;
        let is_full =
            bytes.len() >= BLOCK_BYTES || (piece.is_signed && bytes.len() >= SIGNED_BLOCK_BYTES);
        if is_full || kept_run(rest).is_some() {
            break;
        }
    }
    let block = Block {
        frame: pack(&bytes)?,
        bytes: bytes.len(),
    };
    let block = Arc::new(block);
    Some(Run { count, block })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs_of(payloads: &[(Vec<u8>, Packed)], signed_every: usize) -> Vec<Run> {
        let pieces = payloads
            .iter()
            .enumerate()
            .map(|(at, (bytes, packed))| Piece {
                bytes,
                packed,
                is_signed: (at + 1) % signed_every == 0,
            });
        runs(&pieces.collect::<Vec<_>>()).unwrap()
    }

    fn payloads(count: usize) -> Vec<(Vec<u8>, Packed)> {
        let text = |at: usize| format!("record {at}: the officer seals it. ").repeat(60);
        (0..count)
            .map(|at| (text(at).into_bytes(), Packed::default()))
            .collect()
    }

    /// The payloads with where they lie.
    fn placed(payloads: &[(Vec<u8>, Packed)], runs: &[Run]) -> Vec<(Vec<u8>, Packed)> {
        let mut placed = Vec::new();
        for run in runs {
            let (mut offset, inside) = (0, run.block.open().unwrap());
            for (bytes, _) in &payloads[placed.len()..][..run.count] {
                assert_eq!(&inside[offset..][..bytes.len()], bytes);
                placed.push((bytes.clone(), Packed::at(&run.block, offset)));
                offset += bytes.len();
            }
        }
        placed
    }

    #[test]
    fn payloads_go_into_blocks_that_end_with_a_signature() {
        let all = payloads(100);
        let made = runs_of(&all, 16);
        assert_eq!(placed(&all, &made).len(), 100);
        let counts: Vec<usize> = made.iter().map(|run| run.count).collect();
        assert_eq!(counts, [32, 32, 32, 4]);
        assert!(made[0].block.frame.len() * 3 < made[0].block.bytes);
        assert_eq!(runs_of(&all, 1_000)[0].block.bytes / BLOCK_BYTES, 1);
    }

    #[test]
    fn a_block_is_kept_as_it_is_where_all_of_it_is_there() {
        let all = payloads(100);
        let made = runs_of(&all, 16);
        let placed = placed(&all, &made);
        let again = runs_of(&placed, 1_000);
        assert_eq!(again.len(), made.len());
        assert!(
            again
                .iter()
                .zip(&made)
                .all(|(a, b)| Arc::ptr_eq(&a.block, &b.block))
        );
        // From the middle of one block to the middle of another.
        let part = runs_of(&placed[8..72], 1_000);
        let counts: Vec<usize> = part.iter().map(|run| run.count).collect();
        assert_eq!(counts, [24, 32, 8]);
        assert!(Arc::ptr_eq(&part[1].block, &made[1].block));
        assert!(!Arc::ptr_eq(&part[0].block, &made[0].block));
        // One that is missing, as after a purge.
        let mut holed = placed.clone();
        holed.remove(20);
        let counts: Vec<usize> = runs_of(&holed, 1_000).iter().map(|run| run.count).collect();
        assert_eq!(counts, [31, 32, 32, 4]);
    }

    /// A block of zstd's format (RFC 8878, 3.1.1.2) that is raw, not the last, and holds nothing.
    const EMPTY_PART: [u8; 3] = [0, 0, 0];

    #[test]
    fn a_frame_that_holds_nothing_in_places_is_read_and_packed_anew() {
        let text = payloads(3);
        let whole = text
            .iter()
            .map(|(bytes, _)| bytes.as_slice())
            .collect::<Vec<_>>()
            .concat();
        let honest = pack(&whole).unwrap();
        // Magic, descriptor, and a content size of two bytes come first.
        let (head, rest) = honest.split_at(4 + 1 + 2);
        let padding = EMPTY_PART.repeat(whole.len());
        let block = Arc::new(Block {
            frame: [head, &padding, rest].concat(),
            bytes: whole.len(),
        });
        assert_eq!(block.open(), Some(whole));
        let mut offset = 0;
        let mut placed = Vec::new();
        for (bytes, _) in &text {
            placed.push((bytes.clone(), Packed::at(&block, offset)));
            offset += bytes.len();
        }
        let again = runs_of(&placed, 1_000);
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].block.frame, honest);
    }

    #[test]
    fn a_frame_says_what_follows_it() {
        let two = [pack(b"one").unwrap(), pack(b"second").unwrap()].concat();
        let (frame, declared, rest) = first_frame(&two).unwrap();
        assert_eq!(
            (unpack(frame, 3).as_deref(), declared),
            (Some(&b"one"[..]), 3)
        );
        assert_eq!(first_frame(rest).unwrap().1, 6);
        assert_eq!(first_frame(&two[..5]), Err(FrameError::None));
        assert_eq!(unpack(frame, 4), None);
        assert_eq!(first_frame(b"no frame"), Err(FrameError::None));
    }

    #[test]
    fn noise_is_not_packed_where_that_is_longer() {
        let noise: Vec<u8> = (0..200_u8).map(|at| at.wrapping_mul(151)).collect();
        assert_eq!(pack_if_worth(&noise), None);
        assert!(pack_if_worth(&b"plain ".repeat(30)).is_some());
    }
}
