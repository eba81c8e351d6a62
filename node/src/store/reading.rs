//! Reading a commit, beside the writer.

use std::collections::BTreeMap;

use std::ops::ControlFlow;

use diwan_core::id::{AgencyId, GroupId, NodeKey, RecordId};
use diwan_core::limits;
use diwan_core::log::{Entry, Range};
use diwan_core::record::{ChangeReason, Content, Genesis};
use diwan_core::trust::TrustEntry;
use diwan_core::wire;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::StoreError;
use super::entries;
use super::log::{LastOpened, Logs};
use super::rows::{self, GroupRow, LogRow, OfficerRow, RecordRow, RecordState, WatchRow};
use super::tables::{self, Id};

type LogRows = ReadOnlyTable<u32, &'static [u8]>;
type EntryRows = ReadOnlyTable<(u32, u64), &'static [u8]>;

/// The tables of a consistent view.
pub struct Reading {
    meta: ReadOnlyTable<&'static str, &'static [u8]>,
    agencies: ReadOnlyTable<(&'static Id, u32), &'static [u8]>,
    trust: ReadOnlyTable<&'static Id, &'static [u8]>,
    officers: ReadOnlyTable<u32, &'static [u8]>,
    watches: ReadOnlyTable<(u32, &'static str), &'static [u8]>,
    group_chains: ReadOnlyTable<(&'static Id, u32), &'static [u8]>,
    groups: ReadOnlyTable<&'static Id, &'static [u8]>,
    logs: LogRows,
    entries: EntryRows,
    blocks: EntryRows,
    last_block: LastOpened,
    records: ReadOnlyTable<u64, &'static [u8]>,
    record_ids: ReadOnlyTable<&'static Id, u64>,
    changes: ReadOnlyTable<(u64, u32, u64), ()>,
    views: ReadOnlyTable<u64, &'static [u8]>,
    about: ReadOnlyTable<(&'static Id, u64), ()>,
    receipts: ReadOnlyTable<(&'static Id, &'static Id), &'static [u8]>,
    quarantine: ReadOnlyTable<(u32, u64), u8>,
    due: ReadOnlyTable<u64, &'static Id>,
    journal: ReadOnlyTable<u64, u64>,
    proofs: ReadOnlyTable<&'static Id, &'static [u8]>,
    cut_off: ReadOnlyTable<(u32, u64), &'static [u8]>,
    missing: ReadOnlyTable<(u32, u64), ()>,
    purges: ReadOnlyTable<(&'static Id, u32, u64), ()>,
    pending: ReadOnlyTable<(&'static Id, u32), &'static [u8]>,
    left: ReadOnlyTable<&'static Id, ()>,
}

impl Reading {
    pub(super) fn open(transaction: &ReadTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            meta: transaction.open_table(tables::META)?,
            agencies: transaction.open_table(tables::AGENCIES)?,
            trust: transaction.open_table(tables::TRUST)?,
            officers: transaction.open_table(tables::OFFICERS)?,
            watches: transaction.open_table(tables::WATCHES)?,
            group_chains: transaction.open_table(tables::GROUP_CHAINS)?,
            groups: transaction.open_table(tables::GROUPS)?,
            logs: transaction.open_table(tables::LOGS)?,
            entries: transaction.open_table(tables::ENTRIES)?,
            blocks: transaction.open_table(tables::BLOCKS)?,
            last_block: LastOpened::default(),
            records: transaction.open_table(tables::RECORDS)?,
            record_ids: transaction.open_table(tables::RECORD_IDS)?,
            changes: transaction.open_table(tables::CHANGES)?,
            views: transaction.open_table(tables::VIEWS)?,
            about: transaction.open_table(tables::ABOUT)?,
            receipts: transaction.open_table(tables::RECEIPTS)?,
            quarantine: transaction.open_table(tables::QUARANTINE)?,
            due: transaction.open_table(tables::DUE)?,
            journal: transaction.open_table(tables::JOURNAL)?,
            proofs: transaction.open_table(tables::PROOFS)?,
            cut_off: transaction.open_table(tables::CUT_OFF)?,
            missing: transaction.open_table(tables::MISSING)?,
            purges: transaction.open_table(tables::PURGES)?,
            pending: transaction.open_table(tables::PENDING)?,
            left: transaction.open_table(tables::LEFT)?,
        })
    }

    /// A number among the meta values.
    pub fn meta_u64(&self, name: &str) -> Result<Option<u64>, StoreError> {
        meta_u64(&self.meta, name)
    }

    /// The newest store sequence.
    pub fn store_seq(&self) -> Result<u64, StoreError> {
        Ok(self.meta_u64("store_seq")?.unwrap_or(0))
    }

    /// Entries held, in all logs.
    pub fn entry_count(&self) -> Result<u64, StoreError> {
        Ok(self.meta_u64("entries")?.unwrap_or(0))
    }

    /// Entries in quarantine.
    pub fn quarantined(&self) -> Result<u64, StoreError> {
        Ok(self.quarantine.len()?)
    }

    /// Every agency chain: its signed statements in order.
    pub fn agency_chains(&self) -> Result<Vec<Vec<Vec<u8>>>, StoreError> {
        Ok(chains(&self.agencies)?
            .into_iter()
            .map(|(_, statements)| statements)
            .collect())
    }

    /// Every group chain: its signed statements in order.
    pub fn group_chains(&self) -> Result<Vec<Vec<Vec<u8>>>, StoreError> {
        Ok(chains(&self.group_chains)?
            .into_iter()
            .map(|(_, statements)| statements)
            .collect())
    }

    /// The trust list.
    pub fn trust(&self) -> Result<Vec<(AgencyId, TrustEntry)>, StoreError> {
        let mut found = Vec::new();
        for row in self.trust.iter()? {
            let (agency, entry) = row?;
            found.push((
                AgencyId(*agency.value()),
                rows::from_bytes("trust", entry.value())?,
            ));
        }
        Ok(found)
    }

    /// The officers of this node, by uid.
    pub fn officers(&self) -> Result<Vec<(u32, OfficerRow)>, StoreError> {
        let mut found = Vec::new();
        for row in self.officers.iter()? {
            let (uid, row) = row?;
            found.push((uid.value(), rows::from_bytes("officers", row.value())?));
        }
        Ok(found)
    }

    /// The searches that an officer saved, by name.
    pub fn watches(&self, uid: u32) -> Result<Vec<(String, WatchRow)>, StoreError> {
        let mut found = Vec::new();
        for row in self.watches.range((uid, "")..)? {
            let (key, row) = row?;
            let (of, name) = key.value();
            if of != uid {
                break;
            }
            let row = rows::from_bytes("watches", row.value())?;
            found.push((name.to_owned(), row));
        }
        Ok(found)
    }

    /// Every log with its number.
    pub fn logs(&self) -> Result<Vec<(u32, LogRow)>, StoreError> {
        let mut found = Vec::new();
        for row in self.logs.iter()? {
            let (num, log) = row?;
            found.push((num.value(), rows::from_bytes("logs", log.value())?));
        }
        Ok(found)
    }

    /// Every receipt, as received.
    pub fn receipts(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let bytes = |row: Result<(_, redb::AccessGuard<'_, &'static [u8]>), _>| {
            row.map(|(_, bytes)| bytes.value().to_vec())
                .map_err(StoreError::from)
        };
        let drop_key = |row: Result<(redb::AccessGuard<'_, _>, _), redb::StorageError>| {
            row.map(|(_key, value)| ((), value))
        };
        self.receipts.iter()?.map(drop_key).map(bytes).collect()
    }

    /// Every proof, as received.
    pub fn proofs(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut found = Vec::new();
        for row in self.proofs.iter()? {
            found.push(row?.1.value().to_vec());
        }
        Ok(found)
    }

    /// Places whose payload is missing.
    pub fn missing(&self) -> Result<Vec<(u32, u64)>, StoreError> {
        let mut found = Vec::new();
        for row in self.missing.iter()? {
            found.push(row?.0.value());
        }
        Ok(found)
    }

    /// Groups that this agency has left.
    pub fn left(&self) -> Result<Vec<GroupId>, StoreError> {
        let mut found = Vec::new();
        for row in self.left.iter()? {
            found.push(GroupId(*row?.0.value()));
        }
        Ok(found)
    }

    /// Statements that wait for signatures.
    pub fn pending(&self) -> Result<Vec<(GroupId, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        for row in self.pending.iter()? {
            let (key, bytes) = row?;
            found.push((GroupId(*key.value().0), bytes.value().to_vec()));
        }
        Ok(found)
    }

    /// Entries that went out of a log because they lay beyond a fork, oldest first.
    pub fn cut_off(&self, log: u32) -> Result<Vec<Entry>, StoreError> {
        cut_off(&self.cut_off, log)
    }

    /// Where a record's purges are.
    pub fn purges(&self, record: &RecordId) -> Result<Vec<(u32, u64)>, StoreError> {
        purges(&self.purges, record)
    }

    /// Everything in quarantine: (log, sequence, reason), in order, behind a place.
    pub fn quarantine_behind(
        &self,
        place: (u32, u64),
        limit: usize,
    ) -> Result<Vec<(u32, u64, u8)>, StoreError> {
        let mut found = Vec::new();
        for row in self.quarantine.range(place..)?.take(limit) {
            let (key, reason) = row?;
            let (log, seq) = key.value();
            found.push((log, seq, reason.value()));
        }
        Ok(found)
    }

    /// How many records are to be judged again, by the agency whose message called for it.
    pub fn due(&self) -> Result<BTreeMap<AgencyId, u64>, StoreError> {
        let mut due = BTreeMap::new();
        for row in self.due.iter()? {
            let (_, by) = row?;
            *due.entry(AgencyId(*by.value())).or_default() += 1;
        }
        Ok(due)
    }

    /// How many entries of a log are in quarantine for a reason.
    pub fn quarantined_of(&self, log: u32, reason: ChangeReason) -> Result<u64, StoreError> {
        let mut count = 0;
        for row in self.quarantine.range((log, 0)..=(log, u64::MAX))? {
            count += u64::from(row?.1.value() == reason as u8);
        }
        Ok(count)
    }

    /// A group's row.
    pub fn group(&self, group: &GroupId) -> Result<Option<GroupRow>, StoreError> {
        let row = self.groups.get(group.as_bytes())?;
        row.map(|bytes| rows::from_bytes("groups", bytes.value()))
            .transpose()
    }

    /// An entry.
    pub fn entry(&self, log: u32, seq: u64) -> Result<Option<Entry>, StoreError> {
        self.in_logs().entry(log, seq)
    }

    fn in_logs(&self) -> Logs<'_, LogRows, EntryRows> {
        Logs {
            logs: &self.logs,
            entries: &self.entries,
            blocks: &self.blocks,
            last: &self.last_block,
        }
    }

    /// Sequences of a log's blocks.
    #[cfg(test)]
    pub(super) fn blocks_of(&self, log: u32) -> Result<Vec<u64>, StoreError> {
        let rows = self.blocks.range((log, 0)..=(log, u64::MAX))?;
        rows.map(|row| Ok(row?.0.value().1)).collect()
    }

    /// A block as it lies.
    #[cfg(test)]
    pub(super) fn block(&self, log: u32, first: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.blocks.get((log, first))?;
        Ok(row.map(|bytes| bytes.value().to_vec()))
    }

    /// Entries of a log from a sequence on, as a range that ends at a signature, or at the log's last
    /// valid entry: about `bytes` of payloads, more only where a signature is far. None where there
    /// is nothing to serve.
    pub fn range(
        &self,
        log: u32,
        from: u64,
        bytes: usize,
        last_valid: Option<u64>,
    ) -> Result<Option<Range>, StoreError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut signed = 0;
        let mut size = 0;
        let logs = self.in_logs();
        let whose = logs.whose(log)?;
        for row in self.entries.range((log, from)..=(log, u64::MAX))? {
            let (key, stored) = row?;
            let entry = logs.read(key.value(), stored.value(), || Ok(whose))?;
            size += entry
                .payload
                .as_ref()
                .map_or(0, |payload| payload.bytes.len());
            let full = size > limits::BATCH_BYTES - limits::BATCH_TARGET_BYTES
                || entries.len() >= limits::BATCH_ENTRIES;
            if full {
                break;
            }
            let has_signature = entry.signature.is_some() || last_valid == Some(entry.header.seq);
            entries.push(entry);
            if has_signature {
                signed = entries.len();
                if size >= bytes {
                    break;
                }
            }
        }
        entries.truncate(signed);
        Ok(Range::of(&entries, last_valid))
    }

    /// Records held, shown or not.
    pub fn record_count(&self) -> Result<u64, StoreError> {
        Ok(self.records.len()?)
    }

    /// A record's number.
    pub fn record_num(&self, id: &RecordId) -> Result<Option<u64>, StoreError> {
        Ok(self.record_ids.get(id.as_bytes())?.map(|num| num.value()))
    }

    /// Records whose id begins with these half-bytes (hexadecimal digits), at most `limit`.
    pub fn records_by_prefix(
        &self,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<RecordId>, StoreError> {
        let fill = |digit: &str| {
            format!(
                "{prefix}{}",
                digit.repeat(64usize.saturating_sub(prefix.len()))
            )
        };
        let (Ok(low), Ok(high)) = (fill("0").parse::<RecordId>(), fill("f").parse::<RecordId>())
        else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for row in self
            .record_ids
            .range::<&Id>(low.as_bytes()..=high.as_bytes())?
            .take(limit)
        {
            found.push(RecordId(*row?.0.value()));
        }
        Ok(found)
    }

    /// A record's row.
    pub fn record(&self, num: u64) -> Result<Option<RecordRow>, StoreError> {
        record(&self.records, num)
    }

    /// Visits records from the newest number below `before` down, until told to stop.
    pub fn newest_records(
        &self,
        before: u64,
        mut visit: impl FnMut(u64, RecordRow) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        for row in self.records.range(..before)?.rev() {
            let (num, bytes) = row?;
            if visit(num.value(), rows::from_bytes("records", bytes.value())?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Every record's id and number, sorted by id.
    pub fn records_by_id(&self) -> Result<Vec<(RecordId, u64)>, StoreError> {
        let mut found = Vec::new();
        for row in self.record_ids.iter()? {
            let (id, num) = row?;
            found.push((RecordId(*id.value()), num.value()));
        }
        Ok(found)
    }

    /// What a record says now; none where it is hidden or purged.
    pub fn content(&self, num: u64, row: &RecordRow) -> Result<Option<Content>, StoreError> {
        content(&self.views, &self.in_logs(), num, row)
    }

    /// Where a record's changes are.
    pub fn changes(&self, num: u64) -> Result<Vec<(u32, u64)>, StoreError> {
        changes(&self.changes, num)
    }

    /// The numbers of the records that link to a record or did in an earlier version, oldest first and
    /// at most `limit`.
    pub fn linking(&self, record: &RecordId, limit: usize) -> Result<Vec<u64>, StoreError> {
        let range = (record.as_bytes(), 0)..=(record.as_bytes(), u64::MAX);
        let num = |row: Result<(redb::AccessGuard<'_, (&'static Id, u64)>, _), _>| {
            row.map(|(key, _): (_, redb::AccessGuard<'_, ()>)| key.value().1)
                .map_err(StoreError::from)
        };
        self.about.range(range)?.take(limit).map(num).collect()
    }

    /// Why an entry has no effect, if it has none.
    pub fn quarantine_reason(&self, log: u32, seq: u64) -> Result<Option<u8>, StoreError> {
        quarantine_reason(&self.quarantine, log, seq)
    }

    /// The journal behind a store sequence: (sequence, record number), at most `limit`.
    pub fn journal_behind(&self, seq: u64, limit: usize) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut found = Vec::new();
        for row in self.journal.range(seq.saturating_add(1)..)?.take(limit) {
            let (seq, num) = row?;
            found.push((seq.value(), num.value()));
        }
        Ok(found)
    }

    /// The newest receipt of a node in a group, as received.
    pub fn receipt(&self, group: &GroupId, node: &NodeKey) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.receipts.get((group.as_bytes(), node.as_bytes()))?;
        Ok(row.map(|bytes| bytes.value().to_vec()))
    }
}

type Chains = Vec<(Id, Vec<Vec<u8>>)>;

fn chains(
    table: &impl ReadableTable<(&'static Id, u32), &'static [u8]>,
) -> Result<Chains, StoreError> {
    let mut found: Chains = Vec::new();
    for row in table.iter()? {
        let (key, bytes) = row?;
        let (id, _) = key.value();
        let statement = bytes.value().to_vec();
        match found.last_mut() {
            Some((last, statements)) if last == id => statements.push(statement),
            _ => found.push((*id, vec![statement])),
        }
    }
    Ok(found)
}

pub(super) fn meta_u64(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<Option<u64>, StoreError> {
    let Some(bytes) = table.get(name)? else {
        return Ok(None);
    };
    let bytes = bytes
        .value()
        .try_into()
        .map_err(|_| StoreError::row("meta"))?;
    Ok(Some(u64::from_be_bytes(bytes)))
}

pub(super) fn record(
    table: &impl ReadableTable<u64, &'static [u8]>,
    num: u64,
) -> Result<Option<RecordRow>, StoreError> {
    table
        .get(num)?
        .map(|bytes| rows::from_bytes("records", bytes.value()))
        .transpose()
}

pub(super) fn content(
    views: &impl ReadableTable<u64, &'static [u8]>,
    logs: &Logs<
        '_,
        impl ReadableTable<u32, &'static [u8]>,
        impl ReadableTable<(u32, u64), &'static [u8]>,
    >,
    num: u64,
    row: &RecordRow,
) -> Result<Option<Content>, StoreError> {
    match row.state {
        RecordState::Hidden | RecordState::Purged => Ok(None),
        RecordState::Edited => {
            let bytes = views.get(num)?.ok_or_else(|| StoreError::row("views"))?;
            let content = wire::decode(bytes.value(), 2 * limits::PAYLOAD_BYTES);
            content.map(Some).map_err(|_| StoreError::row("views"))
        }
        RecordState::Plain => {
            let Some(entry) = logs.entry(row.log, row.seq)? else {
                return Err(StoreError::row("entries"));
            };
            let Some(payload) = entry.payload else {
                return Ok(None);
            };
            let genesis = Genesis::from_bytes(&payload.bytes);
            genesis
                .map(|g| Some(g.content))
                .map_err(|_| StoreError::row("entries"))
        }
    }
}

pub(super) fn cut_off(
    table: &impl ReadableTable<(u32, u64), &'static [u8]>,
    log: u32,
) -> Result<Vec<Entry>, StoreError> {
    let mut found = Vec::new();
    for row in table.range((log, 0)..=(log, u64::MAX))? {
        found.push(entries::from_bytes(row?.1.value())?);
    }
    Ok(found)
}

pub(super) fn purges(
    table: &impl ReadableTable<(&'static Id, u32, u64), ()>,
    record: &RecordId,
) -> Result<Vec<(u32, u64)>, StoreError> {
    let range = (record.as_bytes(), 0, 0)..=(record.as_bytes(), u32::MAX, u64::MAX);
    let mut found = Vec::new();
    for row in table.range(range)? {
        let (key, _) = row?;
        let (_, log, seq) = key.value();
        found.push((log, seq));
    }
    Ok(found)
}

pub(super) fn changes(
    table: &impl ReadableTable<(u64, u32, u64), ()>,
    num: u64,
) -> Result<Vec<(u32, u64)>, StoreError> {
    let mut found = Vec::new();
    for row in table.range((num, 0, 0)..=(num, u32::MAX, u64::MAX))? {
        let (key, _) = row?;
        let (_, log, seq) = key.value();
        found.push((log, seq));
    }
    Ok(found)
}

pub(super) fn quarantine_reason(
    table: &impl ReadableTable<(u32, u64), u8>,
    log: u32,
    seq: u64,
) -> Result<Option<u8>, StoreError> {
    Ok(table.get((log, seq))?.map(|reason| reason.value()))
}
