//! What a store may lie on besides a file of this machine: a disk that a simulation makes up, which
//! forgets what was not synced, tears writes and fills up.

use std::fmt;
use std::io;

/// Storage of bytes with the promises of a disk: what was written is read back, and survives a
/// crash once it was synced.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Bytes held.
    ///
    /// # Errors
    /// Of the disk.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `out` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Where the disk fails or holds fewer bytes.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Cuts off or extends with zeros.
    ///
    /// # Errors
    /// Where the disk fails or is full.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes everything written so far survive a crash.
    ///
    /// # Errors
    /// Where the disk fails: nothing since the last success may be counted on.
    fn sync(&self) -> io::Result<()>;

    /// Writes bytes at `offset`.
    ///
    /// # Errors
    /// Where the disk fails or is full.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

/// A disk as redb wants it.
#[derive(Debug)]
pub(super) struct Backend<D>(pub(super) D);

impl<D: Disk> redb::StorageBackend for Backend<D> {
    fn len(&self) -> io::Result<u64> {
        self.0.bytes()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
