//! Which changes of a record count, and which are in quarantine.

use std::collections::BTreeMap;

use diwan_core::breaks::{Break, is_left_out};
use diwan_core::group::Standing;
use diwan_core::id::{AgencyId, EntryHash, RecordId, Writer};
use diwan_core::limits;
use diwan_core::record::{AuthoredChange, ChangeReason, Genesis, Materialised, materialise};

use super::effect::standing;
use super::step::Step;
use crate::store::StoreError;

/// Where an entry is: number of its log, sequence.
type Place = (u32, u64);

/// Judges the changes of a record whose writers may edit it; the others go to quarantine.
///
/// The gate looks at few that do not count (see [`limits::UNCOUNTED_CHANGES`]), so no more are read
/// from the disk than a writer has shown to be worth: a flood of them is never in memory.
pub(super) fn judge(
    step: &mut Step<'_, '_>,
    num: u64,
    (record, genesis): (&RecordId, &Genesis),
) -> Result<Materialised, StoreError> {
    let mut room: BTreeMap<Writer, usize> = BTreeMap::new();
    loop {
        let (changes, places, left) = valid(step, num, genesis, &room)?;
        let told = materialise(genesis, record, &changes);
        let mut counted: BTreeMap<Writer, usize> = BTreeMap::new();
        for made in &told.steps {
            *counted.entry(made.writer).or_default() += 1;
        }
        let mut more = false;
        for writer in left.keys() {
            let worth = limits::UNCOUNTED_CHANGES + 2 * counted.get(writer).copied().unwrap_or(0);
            let before = room.insert(*writer, worth);
            more |= before.unwrap_or(limits::UNCOUNTED_CHANGES) < worth;
        }
        if more {
            continue;
        }
        let refused: BTreeMap<EntryHash, ChangeReason> = told.refused.iter().copied().collect();
        for (entry, (log, seq)) in places {
            let reason = refused.get(&entry).copied();
            step.tables.set_quarantine(log, seq, reason)?;
        }
        for (log, seq) in left.into_values().flatten() {
            let quota = Some(ChangeReason::Quota);
            step.tables.set_quarantine(log, seq, quota)?;
        }
        return Ok(told);
    }
}

type ValidChanges = (
    Vec<AuthoredChange>,
    Vec<(EntryHash, Place)>,
    BTreeMap<Writer, Vec<Place>>,
);

/// The changes of a record whose writers may edit it, with their places, as many of each writer as
/// there is room for; and the places of those that there was no room for.
fn valid(
    step: &mut Step<'_, '_>,
    num: u64,
    genesis: &Genesis,
    room: &BTreeMap<Writer, usize>,
) -> Result<ValidChanges, StoreError> {
    let (mut changes, mut places) = (Vec::new(), Vec::new());
    let mut left: BTreeMap<Writer, Vec<Place>> = BTreeMap::new();
    let mut read: BTreeMap<Writer, usize> = BTreeMap::new();
    let all = step.tables.changes(num)?;
    let names = match all.len() > limits::UNCOUNTED_CHANGES {
        true => step.writers(),
        false => BTreeMap::new(),
    };
    for (log, seq) in all {
        // Behind a writer's last place nothing is read, whatever it is.
        if let Some(writer) = names.get(&log)
            && is_full(&read, room, writer)
        {
            left.entry(*writer).or_default().push((log, seq));
            continue;
        }
        let Some(entry) = step.tables.entry(log, seq)? else {
            continue;
        };
        let writer = entry.header.writer;
        let author = step.replica().agency_of(&writer.node);
        let may_edit =
            |agency: &AgencyId| genesis.may_edit(agency) || is_left_out(Break::NotEditor);
        let refused = match author.filter(may_edit) {
            None => Some(ChangeReason::NotEditor),
            Some(_) if standing(step, &entry) != Standing::Valid => Some(ChangeReason::Standing),
            Some(_) => None,
        };
        if refused.is_some() {
            step.tables.set_quarantine(log, seq, refused)?;
            continue;
        }
        if entry.payload.is_none() {
            continue;
        }
        *read.entry(writer).or_default() += 1;
        if let Some(change) = AuthoredChange::of(entry) {
            places.push((change.entry, (log, seq)));
            changes.push(change);
        }
    }
    Ok((changes, places, left))
}

/// Whether a writer has had as many changes read as there is room for.
fn is_full(
    read: &BTreeMap<Writer, usize>,
    room: &BTreeMap<Writer, usize>,
    writer: &Writer,
) -> bool {
    let read = read.get(writer).copied().unwrap_or(0);
    let room = room.get(writer).copied();
    read >= room.unwrap_or(limits::UNCOUNTED_CHANGES) && !is_left_out(Break::ChangeQuota)
}

/// The changes that make a record what it is.
pub(super) fn counted(step: &Step<'_, '_>, num: u64) -> Result<Vec<AuthoredChange>, StoreError> {
    let mut changes = Vec::new();
    for (log, seq) in step.tables.changes(num)? {
        if step.tables.quarantine_reason(log, seq)?.is_some() {
            continue;
        }
        let entry = step.tables.entry(log, seq)?;
        changes.extend(entry.and_then(AuthoredChange::of));
    }
    Ok(changes)
}
