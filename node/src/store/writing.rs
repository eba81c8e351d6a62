//! One transaction of the ingest thread.

mod erasing;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::log::Entry;
use diwan_core::log::block::{self, Block, Piece};
use diwan_core::record::{ChangeReason, Content};
use diwan_core::trust::TrustEntry;
use diwan_core::verify::{AgencyStep, GroupStep, SignedReceipt, Verified};
use diwan_core::wire;
use redb::{ReadableTable, Table, WriteTransaction};

use super::StoreError;
use super::entries::{self, Place};
use super::log::{self, LastOpened, Logs};
use super::reading::{self, meta_u64};
use super::rows::{self, GroupRow, LogRow, OfficerRow, RecordRow, WatchRow};
use super::tables::{self, Id};
use super::tracked::{Opening, Tracked};

type LogRows<'txn> = Table<'txn, u32, &'static [u8]>;
type EntryRows<'txn> = Table<'txn, (u32, u64), &'static [u8]>;

/// The tables of an open transaction.
pub struct Writing<'txn> {
    /// How often something was written: where never, there is nothing to commit.
    writes: Rc<Cell<u64>>,
    /// Numbers among the meta values that changed: written once, at the end.
    numbers: BTreeMap<&'static str, u64>,
    /// Rows of groups that changed: the same.
    group_rows: BTreeMap<GroupId, GroupRow>,
    meta: Tracked<'txn, &'static str, &'static [u8]>,
    agencies: Tracked<'txn, (&'static Id, u32), &'static [u8]>,
    trust: Tracked<'txn, &'static Id, &'static [u8]>,
    officers: Tracked<'txn, u32, &'static [u8]>,
    watches: Tracked<'txn, (u32, &'static str), &'static [u8]>,
    group_chains: Tracked<'txn, (&'static Id, u32), &'static [u8]>,
    groups: Tracked<'txn, &'static Id, &'static [u8]>,
    logs: Tracked<'txn, u32, &'static [u8]>,
    entries: Tracked<'txn, (u32, u64), &'static [u8]>,
    blocks: Tracked<'txn, (u32, u64), &'static [u8]>,
    last_block: LastOpened,
    records: Tracked<'txn, u64, &'static [u8]>,
    record_ids: Tracked<'txn, &'static Id, u64>,
    changes: Tracked<'txn, (u64, u32, u64), ()>,
    early: Tracked<'txn, (&'static Id, u32, u64), ()>,
    views: Tracked<'txn, u64, &'static [u8]>,
    imports: Tracked<'txn, (u32, &'static [u8]), u64>,
    about: Tracked<'txn, (&'static Id, u64), ()>,
    receipts: Tracked<'txn, (&'static Id, &'static Id), &'static [u8]>,
    quarantine: Tracked<'txn, (u32, u64), u8>,
    due: Tracked<'txn, u64, &'static Id>,
    journal: Tracked<'txn, u64, u64>,
    proofs: Tracked<'txn, &'static Id, &'static [u8]>,
    cut_off: Tracked<'txn, (u32, u64), &'static [u8]>,
    missing: Tracked<'txn, (u32, u64), ()>,
    purges: Tracked<'txn, (&'static Id, u32, u64), ()>,
    pending: Tracked<'txn, (&'static Id, u32), &'static [u8]>,
    left: Tracked<'txn, &'static Id, ()>,
}

impl<'txn> Writing<'txn> {
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, StoreError> {
        let writes = Rc::new(Cell::new(0));
        let tables = Opening {
            transaction,
            writes: writes.clone(),
        };
        Ok(Self {
            writes,
            numbers: BTreeMap::new(),
            group_rows: BTreeMap::new(),
            meta: tables.open(tables::META)?,
            agencies: tables.open(tables::AGENCIES)?,
            trust: tables.open(tables::TRUST)?,
            officers: tables.open(tables::OFFICERS)?,
            watches: tables.open(tables::WATCHES)?,
            group_chains: tables.open(tables::GROUP_CHAINS)?,
            groups: tables.open(tables::GROUPS)?,
            logs: tables.open(tables::LOGS)?,
            entries: tables.open(tables::ENTRIES)?,
            blocks: tables.open(tables::BLOCKS)?,
            last_block: LastOpened::default(),
            records: tables.open(tables::RECORDS)?,
            record_ids: tables.open(tables::RECORD_IDS)?,
            changes: tables.open(tables::CHANGES)?,
            early: tables.open(tables::EARLY)?,
            views: tables.open(tables::VIEWS)?,
            imports: tables.open(tables::IMPORTS)?,
            about: tables.open(tables::ABOUT)?,
            receipts: tables.open(tables::RECEIPTS)?,
            quarantine: tables.open(tables::QUARANTINE)?,
            due: tables.open(tables::DUE)?,
            journal: tables.open(tables::JOURNAL)?,
            proofs: tables.open(tables::PROOFS)?,
            cut_off: tables.open(tables::CUT_OFF)?,
            missing: tables.open(tables::MISSING)?,
            purges: tables.open(tables::PURGES)?,
            pending: tables.open(tables::PENDING)?,
            left: tables.open(tables::LEFT)?,
        })
    }

    /// How often something was written so far.
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    /// A number among the meta values.
    pub fn meta_u64(&self, name: &str) -> Result<Option<u64>, StoreError> {
        match self.numbers.get(name) {
            Some(number) => Ok(Some(*number)),
            None => meta_u64(&*self.meta, name),
        }
    }

    /// Sets a number among the meta values.
    pub fn set_meta_u64(&mut self, name: &'static str, value: u64) {
        self.note_write();
        self.numbers.insert(name, value);
    }

    fn note_write(&self) {
        self.writes.set(self.writes.get().saturating_add(1));
    }

    /// Writes what was gathered: a record moves several counters, a batch of records each of them once.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        for (name, value) in std::mem::take(&mut self.numbers) {
            self.meta.insert(name, value.to_be_bytes().as_slice())?;
        }
        for (group, row) in std::mem::take(&mut self.group_rows) {
            let bytes = rows::to_bytes(&row);
            self.groups.insert(group.as_bytes(), bytes.as_slice())?;
        }
        Ok(())
    }

    /// Keeps one statement of an agency chain.
    pub fn put_agency_step(&mut self, step: &Verified<AgencyStep>) -> Result<(), StoreError> {
        let agency = step.chain.id();
        self.agencies
            .insert((agency.as_bytes(), step.height), step.bytes.as_slice())?;
        Ok(())
    }

    /// Keeps one statement of a group chain; a new group gets its row.
    pub fn put_group_step(&mut self, step: &Verified<GroupStep>) -> Result<(), StoreError> {
        let group = step.chain.id();
        self.group_chains
            .insert((group.as_bytes(), step.height), step.bytes.as_slice())?;
        self.group_row(&group)?;
        Ok(())
    }

    /// What the local admin decided about an agency; none forgets it.
    pub fn put_trust(
        &mut self,
        agency: &AgencyId,
        entry: Option<&TrustEntry>,
    ) -> Result<(), StoreError> {
        match entry {
            Some(entry) => {
                self.trust
                    .insert(agency.as_bytes(), wire::encode(entry).as_slice())?;
            }
            None => {
                self.trust.remove(agency.as_bytes())?;
            }
        }
        Ok(())
    }

    /// Who an officer is.
    pub fn put_officer(&mut self, uid: u32, row: &OfficerRow) -> Result<(), StoreError> {
        self.officers.insert(uid, rows::to_bytes(row).as_slice())?;
        Ok(())
    }

    /// A search that an officer saved.
    pub fn put_watch(&mut self, uid: u32, name: &str, row: &WatchRow) -> Result<(), StoreError> {
        let bytes = rows::to_bytes(row);
        self.watches.insert((uid, name), bytes.as_slice())?;
        Ok(())
    }

    /// Forgets a saved search; whether there was one.
    pub fn remove_watch(&mut self, uid: u32, name: &str) -> Result<bool, StoreError> {
        Ok(self.watches.remove((uid, name))?.is_some())
    }

    /// A search that an officer saved.
    pub fn watch(&self, uid: u32, name: &str) -> Result<Option<WatchRow>, StoreError> {
        let row = self.watches.get((uid, name))?;
        row.map(|row| rows::from_bytes("watches", row.value()))
            .transpose()
    }

    /// How many searches an officer saved.
    pub fn watches(&self, uid: u32) -> Result<usize, StoreError> {
        let all = self.watches.range((uid, "")..(uid.saturating_add(1), ""))?;
        Ok(all.count())
    }

    /// A group's row, made where it is missing.
    pub fn group_row(&mut self, group: &GroupId) -> Result<GroupRow, StoreError> {
        if let Some(row) = self.group_rows.get(group) {
            return Ok(row.clone());
        }
        if let Some(bytes) = self.groups.get(group.as_bytes())? {
            return rows::from_bytes("groups", bytes.value());
        }
        let num = self.next_number("next.groups")?;
        let row = GroupRow {
            num: u32::try_from(num).unwrap_or(u32::MAX),
            records: 0,
        };
        self.put_group_row(group, row.clone());
        Ok(row)
    }

    fn put_group_row(&mut self, group: &GroupId, row: GroupRow) {
        self.note_write();
        self.group_rows.insert(*group, row);
    }

    fn count_record(&mut self, group: &GroupId, shown: bool) -> Result<(), StoreError> {
        let mut row = self.group_row(group)?;
        row.records = match shown {
            true => row.records.saturating_add(1),
            false => row.records.saturating_sub(1),
        };
        self.put_group_row(group, row);
        Ok(())
    }

    fn next_number(&mut self, name: &'static str) -> Result<u64, StoreError> {
        let number = self.meta_u64(name)?.unwrap_or(1);
        self.set_meta_u64(name, number.saturating_add(1));
        Ok(number)
    }

    /// The next store sequence: one a changed record.
    fn next_store_seq(&mut self) -> Result<u64, StoreError> {
        let seq = self.store_seq()?.saturating_add(1);
        self.set_meta_u64("store_seq", seq);
        Ok(seq)
    }

    /// The newest store sequence.
    pub fn store_seq(&self) -> Result<u64, StoreError> {
        Ok(self.meta_u64("store_seq")?.unwrap_or(0))
    }

    /// A number for a new log.
    pub fn new_log(&mut self) -> Result<u32, StoreError> {
        Ok(u32::try_from(self.next_number("next.logs")?).unwrap_or(u32::MAX))
    }

    /// Keeps verified entries of one log and moves its row forward.
    pub fn put_entries(
        &mut self,
        log: u32,
        entries: &Verified<Vec<Entry>>,
    ) -> Result<(), StoreError> {
        let with_payload =
            |entry: &&Entry| entry.payload.as_ref().is_some_and(|p| !p.bytes.is_empty());
        let mut payloads = entries.iter().filter(with_payload);
        let pieces: Vec<Piece<'_>> = payloads.clone().filter_map(piece).collect();
        let out_of_memory = || StoreError::Io("no memory to compress with".into());
        for run in block::runs(&pieces).ok_or_else(out_of_memory)? {
            let members: Vec<&Entry> = payloads.by_ref().take(run.count).collect();
            self.put_run(log, &members, &run.block)?;
        }
        for entry in entries.iter().filter(|entry| !with_payload(entry)) {
            self.put_entry(log, entry, Place::Row)?;
        }
        let Some(last) = entries.last() else {
            return Ok(());
        };
        let row = LogRow {
            group: last.header.group,
            writer: last.header.writer,
            seq: last.header.seq,
            head: last.header.hash(),
            height: last.header.height,
        };
        self.logs.insert(log, rows::to_bytes(&row).as_slice())?;
        Ok(())
    }

    /// Keeps entries whose payloads are those of a block. One alone has it in its row.
    fn put_run(&mut self, log: u32, members: &[&Entry], block: &Block) -> Result<(), StoreError> {
        let (first, last) = match members {
            [] => return Ok(()),
            [alone] => return self.put_entry(log, alone, Place::Frame(block)),
            [first, .., last] => (first.header.seq, last.header.seq),
        };
        let span = last.saturating_sub(first).saturating_add(1);
        self.last_block.forget();
        self.blocks
            .insert((log, first), log::block_to_bytes(block, span).as_slice())?;
        let mut offset = 0_u32;
        for entry in members {
            self.put_entry(log, entry, Place::Block(first, offset))?;
            offset = offset.saturating_add(entry.header.payload_len);
        }
        Ok(())
    }

    fn put_entry(&mut self, log: u32, entry: &Entry, place: Place<'_>) -> Result<(), StoreError> {
        let bytes = entries::in_log_to_bytes(entry, place);
        self.entries
            .insert((log, entry.header.seq), bytes.as_slice())?;
        Ok(())
    }

    fn in_logs(&self) -> Logs<'_, LogRows<'txn>, EntryRows<'txn>> {
        Logs {
            logs: &self.logs,
            entries: &self.entries,
            blocks: &self.blocks,
            last: &self.last_block,
        }
    }

    /// An entry.
    pub fn entry(&self, log: u32, seq: u64) -> Result<Option<Entry>, StoreError> {
        self.in_logs().entry(log, seq)
    }

    /// Every entry of a log behind a sequence: (sequence, record).
    pub fn entries_behind(&self, log: u32, seq: u64) -> Result<Vec<(u64, RecordId)>, StoreError> {
        let behind = (log, seq.saturating_add(1))..=(log, u64::MAX);
        let whose = self.in_logs().whose(log)?;
        let mut found = Vec::new();
        for row in self.entries.range(behind)? {
            let (key, bytes) = row?;
            let seq = key.value().1;
            let (entry, _) = entries::in_log(bytes.value(), seq, || Ok(whose))?;
            found.push((seq, entry.header.record));
        }
        Ok(found)
    }

    /// A record's number.
    pub fn record_num(&self, id: &RecordId) -> Result<Option<u64>, StoreError> {
        Ok(self.record_ids.get(id.as_bytes())?.map(|num| num.value()))
    }

    /// A record's row.
    pub fn record(&self, num: u64) -> Result<Option<RecordRow>, StoreError> {
        reading::record(&*self.records, num)
    }

    /// A new record, and its number.
    pub fn add_record(&mut self, row: &RecordRow) -> Result<u64, StoreError> {
        let num = self.next_number("next.records")?;
        self.record_ids.insert(row.id.as_bytes(), num)?;
        self.records.insert(num, rows::to_bytes(row).as_slice())?;
        if row.state.is_shown() {
            self.count_record(&row.group, true)?;
        }
        Ok(num)
    }

    /// Replaces a record's row.
    pub fn put_record(&mut self, num: u64, row: &RecordRow) -> Result<(), StoreError> {
        let was_shown = self.record(num)?.is_some_and(|old| old.state.is_shown());
        let is_shown = row.state.is_shown();
        if was_shown != is_shown {
            self.count_record(&row.group, is_shown)?;
        }
        self.records.insert(num, rows::to_bytes(row).as_slice())?;
        Ok(())
    }

    /// The view of an edited record; none where the first version is the view.
    pub fn put_view(&mut self, num: u64, content: Option<&Content>) -> Result<(), StoreError> {
        match content {
            Some(content) => {
                self.views.insert(num, wire::encode(content).as_slice())?;
            }
            None => {
                self.views.remove(num)?;
            }
        }
        Ok(())
    }

    /// What a record says now.
    pub fn content(&self, num: u64, row: &RecordRow) -> Result<Option<Content>, StoreError> {
        reading::content(&*self.views, &self.in_logs(), num, row)
    }

    /// Notes that an entry is a change of a record.
    pub fn add_change(&mut self, num: u64, log: u32, seq: u64) -> Result<(), StoreError> {
        self.changes.insert((num, log, seq), ())?;
        Ok(())
    }

    /// Where a record's changes are.
    pub fn changes(&self, num: u64) -> Result<Vec<(u32, u64)>, StoreError> {
        reading::changes(&*self.changes, num)
    }

    /// Notes a change whose record is not there yet.
    pub fn add_early(&mut self, record: &RecordId, log: u32, seq: u64) -> Result<(), StoreError> {
        self.early.insert((record.as_bytes(), log, seq), ())?;
        Ok(())
    }

    /// Takes the changes that came before their record.
    pub fn take_early(&mut self, record: &RecordId) -> Result<Vec<(u32, u64)>, StoreError> {
        let range = (record.as_bytes(), 0, 0)..=(record.as_bytes(), u32::MAX, u64::MAX);
        let mut found = Vec::new();
        for row in self.early.range(range)? {
            let (key, ()) = row.map(|(key, _)| (key, ()))?;
            let (_, log, seq) = key.value();
            found.push((log, seq));
        }
        for (log, seq) in &found {
            self.early.remove((record.as_bytes(), *log, *seq))?;
        }
        Ok(found)
    }

    /// Remembers under which key a record was imported.
    pub fn put_import(&mut self, group: u32, key: &str, num: u64) -> Result<(), StoreError> {
        self.imports.insert((group, key.as_bytes()), num)?;
        Ok(())
    }

    /// The record that was imported under a key.
    pub fn import(&self, group: u32, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(self
            .imports
            .get((group, key.as_bytes()))?
            .map(|num| num.value()))
    }

    /// Remembers that a record links to another one.
    pub fn put_link(&mut self, to: &RecordId, num: u64) -> Result<(), StoreError> {
        self.about.insert((to.as_bytes(), num), ())?;
        Ok(())
    }

    /// Forgets what a record links to.
    pub fn remove_links(&mut self, num: u64) -> Result<(), StoreError> {
        Ok(self.about.retain(|(_, from), ()| from != num)?)
    }

    /// As a store is that was written before links were remembered.
    #[cfg(test)]
    pub(crate) fn forget_links(&mut self) -> Result<(), StoreError> {
        self.set_meta_u64("links", 0);
        Ok(self.about.retain(|_, ()| false)?)
    }

    /// The number of the newest record; 0 where there is none.
    pub fn last_record(&self) -> Result<u64, StoreError> {
        let last = self.records.last()?;
        Ok(last.map_or(0, |(num, _)| num.value()))
    }

    /// Keeps the newest receipt of a node.
    pub fn put_receipt(&mut self, signed: &Verified<SignedReceipt>) -> Result<(), StoreError> {
        let receipt = &signed.receipt;
        let key = (receipt.group.as_bytes(), receipt.node.as_bytes());
        self.receipts.insert(key, signed.bytes.as_slice())?;
        Ok(())
    }

    /// Puts an entry into quarantine, or takes it out. False where nothing changes.
    pub fn set_quarantine(
        &mut self,
        log: u32,
        seq: u64,
        reason: Option<ChangeReason>,
    ) -> Result<bool, StoreError> {
        let before = reading::quarantine_reason(&*self.quarantine, log, seq)?;
        let after = reason.map(|reason| reason as u8);
        if before == after {
            return Ok(false);
        }
        match after {
            Some(reason) => drop(self.quarantine.insert((log, seq), reason)?),
            None => drop(self.quarantine.remove((log, seq))?),
        }
        Ok(true)
    }

    /// Why an entry is in quarantine, as a code.
    pub fn quarantine_reason(&self, log: u32, seq: u64) -> Result<Option<u8>, StoreError> {
        reading::quarantine_reason(&*self.quarantine, log, seq)
    }

    /// How many entries of a stretch of a log are in quarantine for good: they do not wait for
    /// anything, nor for their turn.
    pub fn quarantined_between(&self, log: u32, first: u64, last: u64) -> Result<u64, StoreError> {
        let mut count = 0;
        for row in self.quarantine.range((log, first)..=(log, last))? {
            let (_, reason) = row?;
            let waits = [ChangeReason::Waiting as u8, ChangeReason::Quota as u8];
            count += u64::from(!waits.contains(&reason.value()));
        }
        Ok(count)
    }

    /// Notes that a record is to be judged again. False where that was noted.
    pub fn add_due(&mut self, num: u64, by: &AgencyId) -> Result<bool, StoreError> {
        let is_new = self.due.get(num)?.is_none();
        if is_new {
            self.due.insert(num, by.as_bytes())?;
        }
        Ok(is_new)
    }

    /// Records that were changed or purged.
    pub fn changed_records(&self) -> Result<BTreeSet<u64>, StoreError> {
        let mut records = BTreeSet::new();
        let mut from = 0;
        while let Some(row) = self.changes.range((from, 0, 0)..)?.next() {
            let (num, _, _) = row?.0.value();
            records.insert(num);
            from = num.saturating_add(1);
        }
        Ok(records)
    }

    /// Places in quarantine for a reason.
    pub fn quarantined_for(&self, reason: ChangeReason) -> Result<Vec<(u32, u64)>, StoreError> {
        let mut places = Vec::new();
        for row in self.quarantine.iter()? {
            let (place, why) = row?;
            if why.value() == reason as u8 {
                places.push(place.value());
            }
        }
        Ok(places)
    }

    /// Takes this record from those that are to be judged again, if it is one.
    pub fn take_due_record(&mut self, num: u64) -> Result<Option<AgencyId>, StoreError> {
        let by = self.due.get(num)?.map(|by| AgencyId(*by.value()));
        if by.is_some() {
            self.due.remove(num)?;
        }
        Ok(by)
    }

    /// Takes a record that is to be judged again.
    pub fn take_due(&mut self) -> Result<Option<(u64, AgencyId)>, StoreError> {
        let first = self.due.first()?;
        let first = first.map(|(num, by)| (num.value(), AgencyId(*by.value())));
        if let Some((num, _)) = first {
            self.due.remove(num)?;
        }
        Ok(first)
    }

    /// Writes into the journal that a record changed. Returns the store sequence.
    pub fn journal(&mut self, num: u64) -> Result<u64, StoreError> {
        let seq = self.next_store_seq()?;
        self.journal.insert(seq, num)?;
        Ok(seq)
    }

    /// Adds to the count of entries.
    pub fn count_entries(&mut self, added: u64) -> Result<(), StoreError> {
        let entries = self.meta_u64("entries")?.unwrap_or(0).saturating_add(added);
        self.set_meta_u64("entries", entries);
        Ok(())
    }
}

fn piece(entry: &Entry) -> Option<Piece<'_>> {
    let payload = entry.payload.as_ref()?;
    Some(Piece {
        bytes: &payload.bytes,
        packed: &payload.packed,
        is_signed: entry.signature.is_some(),
    })
}
