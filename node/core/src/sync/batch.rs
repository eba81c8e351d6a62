//! Batches of entries: ranges as CBOR in one zstd frame (RFC 8878) whose declared size is checked
//! before anything is decompressed.

use crate::breaks::{Break, is_left_out};
use crate::limits;
use crate::log::Range;
use crate::wire;

/// zstd level: above 3, time grows faster than bytes shrink for prose.
const LEVEL: i32 = 3;

/// Bytes that are no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The decompressed size is not declared, or above [`limits::BATCH_BYTES`].
    #[error("the batch does not declare an allowed size")]
    Size,
    /// Not a zstd frame, or not of the declared size.
    #[error("the batch does not decompress")]
    Compression,
    /// What is inside is no list of ranges, or too many entries.
    #[error("the batch holds no ranges: {0}")]
    Content(String),
}

/// Compresses ranges into a batch.
pub(super) fn pack(ranges: &[Range]) -> Result<Vec<u8>, BatchError> {
    let bytes = wire::encode(&ranges);
    if bytes.len() > limits::BATCH_BYTES {
        return Err(BatchError::Size);
    }
    zstd::bulk::compress(&bytes, LEVEL).map_err(|_| BatchError::Compression)
}

/// Decompresses a batch, in bounds.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Range>, BatchError> {
    let declared = zstd::zstd_safe::get_frame_content_size(bytes)
        .ok()
        .flatten();
    let declared = declared.and_then(|size| usize::try_from(size).ok());
    let size = declared
        .filter(|size| *size <= limits::BATCH_BYTES || is_left_out(Break::BatchSize))
        .ok_or(BatchError::Size)?;
    let inner = zstd::bulk::decompress(bytes, size).map_err(|_| BatchError::Compression)?;
    if inner.len() != size {
        return Err(BatchError::Compression);
    }
    let ranges: Vec<Range> = wire::decode(&inner, limits::BATCH_BYTES)
        .map_err(|error| BatchError::Content(error.to_string()))?;
    let entries: usize = ranges.iter().map(|range| range.entries.len()).sum();
    if ranges.is_empty() || entries > limits::BATCH_ENTRIES {
        return Err(BatchError::Content(format!("{entries} entries")));
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case 35.
    #[test]
    fn a_bomb_is_refused_by_its_declared_size() {
        let bomb = zstd::bulk::compress(&vec![0; limits::BATCH_BYTES + 1], LEVEL).unwrap();
        assert!(bomb.len() < 1_000);
        assert_eq!(unpack(&bomb), Err(BatchError::Size));
    }

    #[test]
    fn truncated_and_random_bytes_are_refused() {
        let packed = zstd::bulk::compress(&wire::encode(&Vec::<Range>::new()), LEVEL).unwrap();
        assert!(matches!(unpack(&packed), Err(BatchError::Content(_))));
        assert!(unpack(packed.get(..packed.len() - 1).unwrap()).is_err());
        assert!(unpack(b"no zstd at all").is_err());
    }
}
