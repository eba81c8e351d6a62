//! The tables, their keys and values.

use redb::TableDefinition;

pub(super) type Id = [u8; 32];

/// Name to value: layout, clean stop, counters, the own incarnation.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// (agency, height) to signed statement.
pub(super) const AGENCIES: TableDefinition<(&Id, u32), &[u8]> = TableDefinition::new("agencies");
/// Agency to trust entry (CBOR).
pub(super) const TRUST: TableDefinition<&Id, &[u8]> = TableDefinition::new("trust");
/// Uid to [`OfficerRow`](super::OfficerRow).
pub(super) const OFFICERS: TableDefinition<u32, &[u8]> = TableDefinition::new("officers");
/// (uid, name) to [`WatchRow`](super::WatchRow).
pub(super) const WATCHES: TableDefinition<(u32, &str), &[u8]> = TableDefinition::new("watches");
/// (group, height) to signed statement.
pub(super) const GROUP_CHAINS: TableDefinition<(&Id, u32), &[u8]> =
    TableDefinition::new("group_chains");
/// Group to [`GroupRow`](super::GroupRow).
pub(super) const GROUPS: TableDefinition<&Id, &[u8]> = TableDefinition::new("groups");
/// Small number of a log to [`LogRow`](super::LogRow).
pub(super) const LOGS: TableDefinition<u32, &[u8]> = TableDefinition::new("logs");
/// (log, sequence) to entry.
pub(super) const ENTRIES: TableDefinition<(u32, u64), &[u8]> = TableDefinition::new("entries");
/// (log, sequence of its first entry) to a block of payloads.
pub(super) const BLOCKS: TableDefinition<(u32, u64), &[u8]> = TableDefinition::new("blocks");
/// Small number of a record to [`RecordRow`](super::RecordRow).
pub(super) const RECORDS: TableDefinition<u64, &[u8]> = TableDefinition::new("records");
/// Record id to its small number.
pub(super) const RECORD_IDS: TableDefinition<&Id, u64> = TableDefinition::new("record_ids");
/// (record number, log, sequence) of each change of a record.
pub(super) const CHANGES: TableDefinition<(u64, u32, u64), ()> = TableDefinition::new("changes");
/// (record id, log, sequence) of changes that came before their record.
pub(super) const EARLY: TableDefinition<(&Id, u32, u64), ()> = TableDefinition::new("early");
/// Record number to content (CBOR), for records that were edited.
pub(super) const VIEWS: TableDefinition<u64, &[u8]> = TableDefinition::new("views");
/// (group number, import key) to record number, for records of this agency.
pub(super) const IMPORTS: TableDefinition<(u32, &[u8]), u64> = TableDefinition::new("imports");
/// (record id, number of a record that links to it, or did in an earlier version).
pub(super) const ABOUT: TableDefinition<(&Id, u64), ()> = TableDefinition::new("about");
/// (group, node) to signed receipt.
pub(super) const RECEIPTS: TableDefinition<(&Id, &Id), &[u8]> = TableDefinition::new("receipts");
/// (log, sequence) to the reason why the entry has no effect.
pub(super) const QUARANTINE: TableDefinition<(u32, u64), u8> = TableDefinition::new("quarantine");
/// Number of a record that is to be judged again, to the agency whose message called for it.
pub(super) const DUE: TableDefinition<u64, &Id> = TableDefinition::new("due");
/// Digest to proof, as received.
pub(super) const PROOFS: TableDefinition<&Id, &[u8]> = TableDefinition::new("proofs");
/// (log, number) to an entry that went out of its log because it lay beyond a fork.
pub(super) const CUT_OFF: TableDefinition<(u32, u64), &[u8]> = TableDefinition::new("cut_off");
/// (log, sequence) of entries whose payload is missing though nothing says that it was purged.
pub(super) const MISSING: TableDefinition<(u32, u64), ()> = TableDefinition::new("missing");
/// (record id, log, sequence) of entries that purge a record.
pub(super) const PURGES: TableDefinition<(&Id, u32, u64), ()> = TableDefinition::new("purges");
/// (group, place) to a statement that waits for signatures.
pub(super) const PENDING: TableDefinition<(&Id, u32), &[u8]> = TableDefinition::new("pending");
/// Groups that this agency has left.
pub(super) const LEFT: TableDefinition<&Id, ()> = TableDefinition::new("left");
/// Store sequence to the number of the record that changed: what the index follows.
pub(super) const JOURNAL: TableDefinition<u64, u64> = TableDefinition::new("journal");
