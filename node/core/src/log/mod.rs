//! Entries and logs: the signed header, the hash chain, and ranges of consecutive entries.
//! `docs/protocol/log.md` gives the bytes.

pub mod block;
mod entry;
mod frontier;
mod range;

pub use entry::{Entry, EntryError, HEADER_BYTES, Header, Payload, PayloadKind, SALT_BYTES, Salt};
pub use frontier::{Frontier, LogHead};
pub use range::{Range, RangeEntry, RangeError};

#[cfg(test)]
mod tests;
