//! Going on after one's own log stood still: a new incarnation, and what was cut off is issued again
//! under it.

use std::collections::BTreeMap;

use diwan_core::id::{GroupId, RecordId, Writer};
use diwan_core::log::{Entry, PayloadKind};
use diwan_core::record::{AuthoredChange, Content, Edit, Genesis, materialise};
use diwan_core::verify::{OwnEntry, OwnKind};

use super::records::edit_towards;
use super::step::Step;
use super::{EngineError, changes};

/// What was issued again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reissued {
    /// Records whose first version was cut off.
    pub records: u64,
    /// Records to which edits that were cut off were made again.
    pub edits: u64,
    /// Entries that could not be: their record is gone, or they changed nothing.
    pub left_out: u64,
}

impl Step<'_, '_> {
    /// Begins a new incarnation, and issues again what went out of this node's logs.
    ///
    /// # Errors
    /// [`EngineError`] of the store.
    pub fn reissue(&mut self) -> Result<Reissued, EngineError> {
        let me = self.me().node;
        let own = |((_, writer), _): &(&(GroupId, Writer), &u32)| writer.node == me;
        let logs: Vec<((GroupId, Writer), u32)> = self
            .state
            .logs
            .iter()
            .filter(own)
            .map(|(log, num)| (*log, *num))
            .collect();
        self.renew()?;
        let mut done = Reissued::default();
        for ((group, _), log) in logs {
            let entries = self.tables.cut_off(log)?;
            if entries.is_empty() || self.writable_group(&group).is_err() {
                continue;
            }
            self.reissue_log(&group, &entries, &mut done)?;
            self.tables.forget_cut_off(log)?;
        }
        Ok(done)
    }

    fn reissue_log(
        &mut self,
        group: &GroupId,
        entries: &[Entry],
        done: &mut Reissued,
    ) -> Result<(), EngineError> {
        let mut changes: BTreeMap<RecordId, Vec<&Entry>> = BTreeMap::new();
        for entry in entries {
            let Some(payload) = &entry.payload else {
                done.left_out += 1;
                continue;
            };
            match entry.header.kind {
                PayloadKind::Genesis => {
                    if self.tables.record_num(&entry.header.record)?.is_some() {
                        done.left_out += 1;
                        continue;
                    }
                    let (kind, payload) = (OwnKind::Genesis, payload.clone());
                    self.write_own(group, vec![OwnEntry { kind, payload }])?;
                    done.records += 1;
                }
                PayloadKind::Change => {
                    changes.entry(entry.header.record).or_default().push(entry);
                }
                PayloadKind::Purge => {
                    let (kind, payload) = (OwnKind::Purge(entry.header.record), payload.clone());
                    self.write_own(group, vec![OwnEntry { kind, payload }])?;
                }
            }
        }
        for (record, entries) in changes {
            match self.edit_again(&record, &entries)? {
                true => done.edits += 1,
                false => done.left_out += entries.len() as u64,
            }
        }
        Ok(())
    }

    /// Makes the edits of a record again, as one: from what it says now to what it said with them.
    fn edit_again(&mut self, record: &RecordId, entries: &[&Entry]) -> Result<bool, EngineError> {
        let Some(num) = self.tables.record_num(record)? else {
            return Ok(false);
        };
        self.judge_if_due(num)?;
        let Some(row) = self.tables.record(num)? else {
            return Ok(false);
        };
        let Some(genesis) = self.genesis(&row)? else {
            return Ok(false);
        };
        let changes = changes::counted(self, num)?;
        let target = with_entries(&genesis, record, changes, entries);
        let Some(now) = self.tables.content(num, &row)? else {
            return Ok(false);
        };
        let edit: Edit = edit_towards(&now, &target);
        match self.edit_record(record, None, &edit) {
            Ok(_) => Ok(true),
            Err(EngineError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn with_entries(
    genesis: &Genesis,
    record: &RecordId,
    mut changes: Vec<AuthoredChange>,
    entries: &[&Entry],
) -> Content {
    let again = entries.iter().copied().cloned();
    changes.extend(again.filter_map(AuthoredChange::of));
    materialise(genesis, record, &changes).content
}
