//! Logs as they are read: rows of entries, and the blocks that their payloads lie in.

use std::sync::{Arc, Mutex, PoisonError};

use diwan_core::id::{GroupId, Writer};
use diwan_core::limits;
use diwan_core::log::block::{Block, Packed};
use diwan_core::log::{Entry, Payload};
use redb::ReadableTable;

use super::StoreError;
use super::entries::{self, Kept};
use super::rows::{self, LogRow};

/// Block rows begin with the bytes that the frame holds and the number of sequences from the block's first
/// entry to its last.
const BLOCK_HEAD: usize = 4 + 4;

/// A block, opened.
pub(super) struct Opened {
    block: Arc<Block>,
    bytes: Vec<u8>,
}

/// The block that was opened last: entries are read in order, many from one block.
#[derive(Default)]
pub(super) struct LastOpened(Mutex<Option<OpenedAt>>);

/// A block's key, and the block.
type OpenedAt = ((u32, u64), Arc<Opened>);

impl LastOpened {
    /// Forgets it: blocks have changed.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn get_or(
        &self,
        place: (u32, u64),
        open: impl FnOnce() -> Result<Opened, StoreError>,
    ) -> Result<Arc<Opened>, StoreError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((at, opened)) if *at == place => Ok(opened.clone()),
            _ => {
                let opened = Arc::new(open()?);
                *last = Some((place, opened.clone()));
                Ok(opened)
            }
        }
    }
}

/// A block's row.
pub(super) fn block_to_bytes(block: &Block, span: u64) -> Vec<u8> {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(BLOCK_HEAD + block.frame.len());
    bytes.extend(number(block.bytes as u64));
    bytes.extend(number(span));
    bytes.extend(&block.frame);
    bytes
}

/// A block out of its row, and how many sequences it spans.
pub(super) fn block_from_bytes(bytes: &[u8]) -> Result<(Block, u64), StoreError> {
    let read = || {
        let (inside, rest) = bytes.split_first_chunk()?;
        let (span, frame) = rest.split_first_chunk()?;
        let bytes = u32::from_be_bytes(*inside) as usize;
        let fits = bytes <= limits::BATCH_BYTES;
        let frame = fits.then(|| frame.to_vec())?;
        Some((Block { frame, bytes }, u64::from(u32::from_be_bytes(*span))))
    };
    read().ok_or_else(|| StoreError::row("blocks"))
}

/// The tables that hold logs.
pub(super) struct Logs<'a, L, E> {
    pub(super) logs: &'a L,
    pub(super) entries: &'a E,
    pub(super) blocks: &'a E,
    pub(super) last: &'a LastOpened,
}

impl<L, E> Logs<'_, L, E>
where
    L: ReadableTable<u32, &'static [u8]>,
    E: ReadableTable<(u32, u64), &'static [u8]>,
{
    /// Whose log it is, and of which group.
    pub(super) fn whose(&self, log: u32) -> Result<(GroupId, Writer), StoreError> {
        let row = self.logs.get(log)?.ok_or_else(|| StoreError::row("logs"))?;
        let row: LogRow = rows::from_bytes("logs", row.value())?;
        Ok((row.group, row.writer))
    }

    /// An entry.
    pub(super) fn entry(&self, log: u32, seq: u64) -> Result<Option<Entry>, StoreError> {
        let row = self.entries.get((log, seq))?;
        row.map(|bytes| self.read((log, seq), bytes.value(), || self.whose(log)))
            .transpose()
    }

    /// An entry out of its row.
    pub(super) fn read(
        &self,
        (log, seq): (u32, u64),
        row: &[u8],
        whose: impl FnOnce() -> Result<(GroupId, Writer), StoreError>,
    ) -> Result<Entry, StoreError> {
        let (entry, kept) = entries::in_log(row, seq, whose)?;
        match kept {
            Kept::No => Ok(entry),
            Kept::Here(payload) => Ok(entries::with(entry, payload)),
            Kept::InBlock {
                salt,
                first,
                offset,
                bytes,
            } => {
                let opened = self.last.get_or((log, first), || self.open(log, first))?;
                let offset = offset as usize;
                let place = offset..offset.saturating_add(bytes as usize);
                let inside = opened.bytes.get(place);
                let payload = Payload {
                    salt,
                    bytes: inside.ok_or_else(|| StoreError::row("blocks"))?.to_vec(),
                    packed: Packed::at(&opened.block, offset),
                };
                Ok(entries::with(entry, payload))
            }
        }
    }

    fn open(&self, log: u32, first: u64) -> Result<Opened, StoreError> {
        let damaged = || StoreError::row("blocks");
        let row = self.blocks.get((log, first))?.ok_or_else(damaged)?;
        let (block, _) = block_from_bytes(row.value())?;
        Ok(Opened {
            bytes: block.open().ok_or_else(damaged)?,
            block: Arc::new(block),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_declares_more_than_a_batch_holds_is_damage() {
        let row = |bytes| {
            let frame = Vec::new();
            block_to_bytes(&Block { frame, bytes }, 1)
        };
        assert!(block_from_bytes(&row(limits::BATCH_BYTES)).is_ok());
        assert!(block_from_bytes(&row(limits::BATCH_BYTES + 1)).is_err());
    }
}
