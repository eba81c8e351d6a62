//! Purging: a record's payloads go, headers stay; and payloads that are missing without a purge are
//! fetched again.

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::group::Role;
use diwan_core::id::{GroupId, RecordId, Writer};
use diwan_core::limits;
use diwan_core::log::{Entry, Payload, PayloadKind};
use diwan_core::sync::{Message, RefusedItem, WantedPayload};
use diwan_core::verify::{OwnEntry, OwnKind, Verified, without_payloads};

use super::incoming::{blame, innocent};
use super::step::Step;
use super::{EngineError, State, effect};
use crate::store::{Reading, RecordState, StoreError};

/// What a purge would erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgePlan {
    /// The record.
    pub record: RecordId,
    /// Its group, whose members all erase it.
    pub group: GroupId,
    /// Versions that go, the first one among them.
    pub versions: u64,
}

impl Step<'_, '_> {
    /// What a purge of a record would erase, if this agency may purge it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the record is unknown or purged already, or neither is its
    /// origin nor does this agency curate its group.
    pub fn plan_purge(&self, record: &RecordId) -> Result<PurgePlan, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", record);
        let num = self.tables.record_num(record)?.ok_or_else(unknown)?;
        let row = self.tables.record(num)?.ok_or_else(unknown)?;
        if row.state == RecordState::Purged {
            return Err(ApiError::new(ErrorCode::Purged)
                .with("record", record.short())
                .into());
        }
        let chain = self.writable_group(&row.group)?;
        let me = self.me().agency;
        if row.origin != me && chain.role(&me) < Some(Role::Curator) {
            return Err(ApiError::new(ErrorCode::NotCurator)
                .with("record", record.short())
                .with("group", chain.name())
                .into());
        }
        Ok(PurgePlan {
            record: *record,
            group: row.group,
            versions: 1 + self.tables.changes(num)?.len() as u64,
        })
    }

    /// Erases a record here, and by an entry of this node's log everywhere.
    ///
    /// # Errors
    /// As [`Step::plan_purge`].
    pub fn purge(&mut self, record: &RecordId, reason: &str) -> Result<PurgePlan, EngineError> {
        let plan = self.plan_purge(record)?;
        if reason.len() > limits::VALUE_BYTES {
            return Err(ApiError::new(ErrorCode::TooLarge)
                .with("field", "reason")
                .with("bytes", reason.len())
                .with("limit", limits::VALUE_BYTES)
                .into());
        }
        let entry = OwnEntry {
            kind: OwnKind::Purge(*record),
            payload: Payload::new(self.salt()?, reason.as_bytes().to_vec()),
        };
        self.write_own(&plan.group, vec![entry])?;
        Ok(plan)
    }

    /// The same entries without the payloads of records that are purged here: they are never stored
    /// again.
    pub(super) fn without_purged(
        &self,
        entries: Verified<Vec<Entry>>,
    ) -> Result<Verified<Vec<Entry>>, StoreError> {
        if !self.tables.has_purges()? {
            return Ok(entries);
        }
        let mut purged = std::collections::BTreeSet::new();
        for entry in entries
            .iter()
            .filter(|e| e.header.kind != PayloadKind::Purge)
        {
            if effect::is_purged(self, &entry.header.record)? {
                purged.insert(entry.header.record);
            }
        }
        Ok(without_payloads(entries, |header| {
            header.kind != PayloadKind::Purge && purged.contains(&header.record)
        }))
    }

    /// A payload that was missing here.
    pub(super) fn take_payload(
        &mut self,
        wanted: WantedPayload,
    ) -> Result<Option<RefusedItem>, StoreError> {
        let (group, writer, seq) = (wanted.group, wanted.writer, wanted.seq);
        let is_missing = self
            .replica()
            .group(&group)
            .is_some_and(|g| g.missing.contains(&(writer, seq)));
        let log = self.state.logs.get(&(group, writer)).copied();
        let Some(log) = log.filter(|_| is_missing) else {
            return Ok(Some(innocent("payload-not-wanted")));
        };
        let Some(mut entry) = self.tables.entry(log, seq)? else {
            return Ok(Some(innocent("payload-not-wanted")));
        };
        let payload = Payload::new(*wanted.salt, wanted.payload.into());
        if payload.hash() != entry.header.payload_hash {
            return Ok(Some(blame("payload")));
        }
        self.tables.put_payload(log, seq, payload.clone())?;
        entry.payload = Some(payload);
        self.set_missing(&entry, log, false)?;
        effect::of_payload(self, log, &entry)?;
        Ok(None)
    }

    pub(super) fn set_missing(
        &mut self,
        entry: &Entry,
        log: u32,
        is_missing: bool,
    ) -> Result<(), StoreError> {
        let header = &entry.header;
        self.tables.set_missing(log, header.seq, is_missing)?;
        let place = (header.writer, header.seq);
        self.state
            .replica
            .set_missing(&header.group, place, is_missing);
        Ok(())
    }
}

/// Payloads that a peer wants, as far as they are here.
///
/// # Errors
/// [`StoreError`].
pub fn served(
    state: &State,
    reading: &Reading,
    group: GroupId,
    entries: &[(Writer, u64)],
) -> Result<Vec<Message>, StoreError> {
    let mut messages = Vec::new();
    for (writer, seq) in entries {
        let Some(log) = state.logs.get(&(group, *writer)) else {
            continue;
        };
        let entry = reading.entry(*log, *seq)?;
        if let Some(payload) = entry.and_then(|entry| entry.payload) {
            messages.push(Message::Payload(WantedPayload {
                group,
                writer: *writer,
                seq: *seq,
                salt: payload.salt.into(),
                payload: payload.bytes.into(),
            }));
        }
    }
    Ok(messages)
}
