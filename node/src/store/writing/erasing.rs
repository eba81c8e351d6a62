//! What takes something out of the store: a log that is cut back, a payload that is purged, a chain
//! that is shorter than it was.

use diwan_core::id::{AgencyId, GroupId, RecordId};
use diwan_core::log::{Entry, LogHead, Payload};
use diwan_core::replica::LogState;
use diwan_core::verify::{SignedProof, Verified};
use diwan_core::wire::{self, Signed};
use redb::{ReadableTable, ReadableTableMetadata};

use super::Writing;
use crate::store::entries::{self, Place};
use crate::store::rows::{self, LogRow};
use crate::store::{StoreError, log, reading};

impl Writing<'_> {
    /// Keeps a proof.
    pub fn put_proof(&mut self, proof: &Verified<SignedProof>) -> Result<(), StoreError> {
        self.proofs
            .insert(&proof.digest.0, proof.bytes.as_slice())?;
        Ok(())
    }

    /// Forgets an agency's statements from a height on: its chain forks there.
    pub fn cut_agency_chain(&mut self, agency: &AgencyId, from: u32) -> Result<(), StoreError> {
        let all = (agency.as_bytes(), from)..=(agency.as_bytes(), u32::MAX);
        self.agencies.retain_in(all, |_, _| false)?;
        Ok(())
    }

    /// Forgets a group's statements from a height on.
    pub fn cut_group_chain(&mut self, group: &GroupId, from: u32) -> Result<(), StoreError> {
        let all = (group.as_bytes(), from)..=(group.as_bytes(), u32::MAX);
        self.group_chains.retain_in(all, |_, _| false)?;
        Ok(())
    }

    /// Takes the entries behind a sequence out of a log; they are kept beside it, as evidence and for
    /// their author to issue again. Returns them, and where the log ends now.
    pub fn cut_log(
        &mut self,
        log: u32,
        keep: u64,
    ) -> Result<(Vec<Entry>, Option<LogState>), StoreError> {
        let behind = (log, keep.saturating_add(1))..=(log, u64::MAX);
        self.split_block(log, keep)?;
        let mut gone = Vec::new();
        let logs = self.in_logs();
        for row in self.entries.range(behind.clone())? {
            let (key, bytes) = row?;
            gone.push(logs.read(key.value(), bytes.value(), || logs.whose(log))?);
        }
        self.last_block.forget();
        self.blocks.retain_in(behind.clone(), |_, _| false)?;
        self.entries.retain_in(behind.clone(), |_, _| false)?;
        self.quarantine.retain_in(behind.clone(), |_, _| false)?;
        self.missing.retain_in(behind, |_, _| false)?;
        let kept = reading::cut_off(&*self.cut_off, log)?.len() as u64;
        for (at, entry) in (kept..).zip(&gone) {
            let bytes = entries::to_bytes(entry);
            self.cut_off.insert((log, at), bytes.as_slice())?;
        }
        let counted = self.meta_u64("entries")?.unwrap_or(0);
        self.set_meta_u64("entries", counted.saturating_sub(gone.len() as u64));
        let end = self.entry(log, keep)?.map(|last| LogState {
            head: LogHead {
                seq: last.header.seq,
                hash: last.header.hash(),
            },
            height: last.header.height,
        });
        self.set_log_end(log, end)?;
        Ok((gone, end))
    }

    fn set_log_end(&mut self, log: u32, end: Option<LogState>) -> Result<(), StoreError> {
        let Some(bytes) = self.logs.get(log)?.map(|row| row.value().to_vec()) else {
            return Ok(());
        };
        let mut row: LogRow = rows::from_bytes("logs", &bytes)?;
        let nothing = diwan_core::id::EntryHash([0; 32]);
        row.seq = end.map_or(0, |end| end.head.seq);
        row.head = end.map_or(nothing, |end| end.head.hash);
        row.height = end.map_or(0, |end| end.height);
        self.logs.insert(log, rows::to_bytes(&row).as_slice())?;
        Ok(())
    }

    /// Forgets that there is such a record: its first version went out of its log. Returns where its
    /// changes are; they wait for it again.
    pub fn forget_record(&mut self, num: u64) -> Result<Vec<(u32, u64)>, StoreError> {
        let Some(row) = self.record(num)? else {
            return Ok(Vec::new());
        };
        let changes = self.changes(num)?;
        for (log, seq) in &changes {
            self.changes.remove((num, *log, *seq))?;
            self.add_early(&row.id, *log, *seq)?;
        }
        if row.state.is_shown() {
            self.count_record(&row.group, false)?;
        }
        self.record_ids.remove(row.id.as_bytes())?;
        self.records.remove(num)?;
        self.views.remove(num)?;
        self.imports.retain(|_, known| known != num)?;
        self.about.retain(|(_, annotation), ()| annotation != num)?;
        self.journal(num)?;
        Ok(changes)
    }

    /// Forgets that an entry is a change of a record.
    pub fn forget_change(
        &mut self,
        record: &RecordId,
        log: u32,
        seq: u64,
    ) -> Result<(), StoreError> {
        if let Some(num) = self.record_num(record)? {
            self.changes.remove((num, log, seq))?;
        }
        self.early.remove((record.as_bytes(), log, seq))?;
        Ok(())
    }

    /// Notes that an entry purges a record.
    pub fn add_purge(&mut self, record: &RecordId, log: u32, seq: u64) -> Result<(), StoreError> {
        self.purges.insert((record.as_bytes(), log, seq), ())?;
        Ok(())
    }

    /// Forgets that it does.
    pub fn forget_purge(
        &mut self,
        record: &RecordId,
        log: u32,
        seq: u64,
    ) -> Result<(), StoreError> {
        self.purges.remove((record.as_bytes(), log, seq))?;
        Ok(())
    }

    /// Where a record's purges are.
    pub fn purges(&self, record: &RecordId) -> Result<Vec<(u32, u64)>, StoreError> {
        reading::purges(&*self.purges, record)
    }

    /// Whether any record was ever purged.
    pub fn has_purges(&self) -> Result<bool, StoreError> {
        Ok(!self.purges.is_empty()?)
    }

    /// Where changes lie that came before their record.
    pub fn early(&self, record: &RecordId) -> Result<Vec<(u32, u64)>, StoreError> {
        reading::purges(&*self.early, record)
    }

    /// Erases an entry's payload; its header and signature stay.
    pub fn erase_payload(&mut self, log: u32, seq: u64) -> Result<(), StoreError> {
        self.split_block(log, seq)?;
        let Some(mut entry) = self.entry(log, seq)? else {
            return Ok(());
        };
        match entry.payload.take() {
            Some(_) => self.put_entry(log, &entry, Place::Row),
            None => Ok(()),
        }
    }

    /// Gives the entries of a block rows of their own, where one of them is at a sequence: its bytes must
    /// be able to go without theirs.
    fn split_block(&mut self, log: u32, seq: u64) -> Result<(), StoreError> {
        let (first, span) = {
            let Some(row) = self.blocks.range((log, 0)..=(log, seq))?.next_back() else {
                return Ok(());
            };
            let (key, bytes) = row?;
            (key.value().1, log::block_from_bytes(bytes.value())?.1)
        };
        let end = first.saturating_add(span);
        if seq >= end {
            return Ok(());
        }
        for seq in first..end {
            let Some(entry) = self.entry(log, seq)? else {
                continue;
            };
            self.put_entry(log, &entry, Place::Row)?;
        }
        self.last_block.forget();
        self.blocks.remove((log, first))?;
        Ok(())
    }

    /// Puts back a payload that was missing. The caller has compared its hash with the header.
    pub fn put_payload(&mut self, log: u32, seq: u64, payload: Payload) -> Result<(), StoreError> {
        let Some(mut entry) = self.entry(log, seq)? else {
            return Ok(());
        };
        entry.payload = Some(payload);
        self.put_entry(log, &entry, Place::Row)
    }

    /// Notes that a payload is missing, or no longer is.
    pub fn set_missing(&mut self, log: u32, seq: u64, is_missing: bool) -> Result<(), StoreError> {
        match is_missing {
            true => self.missing.insert((log, seq), ())?,
            false => self.missing.remove((log, seq))?,
        };
        Ok(())
    }

    /// Entries of a log that went out of it, oldest first.
    pub fn cut_off(&self, log: u32) -> Result<Vec<Entry>, StoreError> {
        reading::cut_off(&*self.cut_off, log)
    }

    /// Forgets what went out of a log: it was issued again.
    pub fn forget_cut_off(&mut self, log: u32) -> Result<(), StoreError> {
        self.cut_off
            .retain_in((log, 0)..=(log, u64::MAX), |_, _| false)?;
        Ok(())
    }

    /// Keeps the statements of a group that wait for signatures, instead of those before.
    pub fn put_pending(&mut self, group: &GroupId, pending: &[Signed]) -> Result<(), StoreError> {
        let all = (group.as_bytes(), 0)..=(group.as_bytes(), u32::MAX);
        self.pending.retain_in(all, |_, _| false)?;
        for (at, signed) in (0_u32..).zip(pending) {
            let bytes = wire::encode(signed);
            self.pending
                .insert((group.as_bytes(), at), bytes.as_slice())?;
        }
        Ok(())
    }

    /// Notes that this agency left a group, or came back.
    pub fn set_left(&mut self, group: &GroupId, left: bool) -> Result<(), StoreError> {
        match left {
            true => self.left.insert(group.as_bytes(), ())?,
            false => self.left.remove(group.as_bytes())?,
        };
        Ok(())
    }
}
