//! Which changes of a record count, and which are in quarantine.

use std::collections::BTreeMap;

use diwan_core::breaks::{Break, is_left_out};
use diwan_core::group::Standing;
use diwan_core::id::{AgencyId, EntryHash, RecordId, Writer};
use diwan_core::limits;
use diwan_core::log::Entry;
use diwan_core::record::{
    AuthoredChange, ChangeReason, Genesis, Materialised, decides, materialise,
};

use super::effect::standing;
use super::step::Step;
use crate::store::StoreError;

/// Where an entry is: number of its log, sequence.
type Place = (u32, u64);

/// The changes of a record that the gate is to look at.
#[derive(Default)]
pub(super) struct Changes {
    /// Those whose writers may edit the record, as many of each as there was room for.
    pub(super) read: Vec<AuthoredChange>,
    places: Vec<(EntryHash, Place)>,
    /// Those that there was no room for.
    left: BTreeMap<Writer, Vec<Place>>,
    /// How many went into quarantine without being looked at: their writers may not edit the record.
    barred: u64,
}

/// Enters which changes of a record count; the others go to quarantine. Returns how many went there
/// for good.
///
/// The gate looks at few that do not count (see [`limits::UNCOUNTED_CHANGES`]), so no more are read
/// from the disk than a writer has shown to be worth: a flood of them is never in memory. Where one has
/// shown more, more are read and `told` is told anew.
pub(super) fn settle(
    step: &mut Step<'_, '_>,
    (num, record, genesis): (u64, &RecordId, &Genesis),
    (first, mut told): (&Changes, Materialised),
) -> Result<(Materialised, u64), StoreError> {
    let mut room: BTreeMap<Writer, usize> = BTreeMap::new();
    let mut more;
    let mut changes = first;
    while makes_room(&mut room, changes, &told) {
        more = valid(step, num, genesis, &room)?;
        told = materialise(genesis, record, &more.read);
        changes = &more;
    }
    let mut for_good = first.barred;
    let refused: BTreeMap<EntryHash, ChangeReason> = told.refused.iter().copied().collect();
    for (entry, (log, seq)) in &changes.places {
        let reason = refused.get(entry).copied();
        let is_new = step.tables.set_quarantine(*log, *seq, reason)?;
        let waits = reason.is_none_or(|reason| reason == ChangeReason::Waiting);
        for_good += u64::from(is_new && !waits);
    }
    for (log, seq) in changes.left.values().flatten() {
        let quota = Some(ChangeReason::Quota);
        for_good += u64::from(step.tables.set_quarantine(*log, *seq, quota)?);
    }
    Ok((told, for_good))
}

/// Whether a writer some of whose changes were left out has shown that more of them are worth reading.
fn makes_room(room: &mut BTreeMap<Writer, usize>, changes: &Changes, told: &Materialised) -> bool {
    let mut more = false;
    for writer in changes.left.keys() {
        let counted = told.steps.iter().filter(|made| made.writer == *writer);
        let worth = limits::UNCOUNTED_CHANGES + 2 * counted.count();
        let before = room.insert(*writer, worth);
        more |= before.unwrap_or(limits::UNCOUNTED_CHANGES) < worth;
    }
    more
}

impl Changes {
    /// Those of a record, as the store has them.
    pub(super) fn of(
        step: &mut Step<'_, '_>,
        num: u64,
        genesis: &Genesis,
    ) -> Result<Self, StoreError> {
        valid(step, num, genesis, &BTreeMap::new())
    }
}

/// The changes of a record whose writers may edit it, as many of each writer as there is room for.
fn valid(
    step: &mut Step<'_, '_>,
    num: u64,
    genesis: &Genesis,
    room: &BTreeMap<Writer, usize>,
) -> Result<Changes, StoreError> {
    let mut found = Changes::default();
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
            found.left.entry(*writer).or_default().push((log, seq));
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
            Some(agency) if agency != genesis.origin && decides_for_it(&entry) => {
                Some(ChangeReason::NotOrigin)
            }
            Some(_) => None,
        };
        if refused.is_some() {
            found.barred += u64::from(step.tables.set_quarantine(log, seq, refused)?);
            continue;
        }
        if entry.payload.is_none() {
            continue;
        }
        *read.entry(writer).or_default() += 1;
        if let Some(change) = AuthoredChange::of(entry) {
            found.places.push((change.entry, (log, seq)));
            found.read.push(change);
        }
    }
    Ok(found)
}

/// Whether an entry says what its record's origin alone decides.
fn decides_for_it(entry: &Entry) -> bool {
    let payload = entry.payload.as_ref();
    payload.is_some_and(|payload| decides(&payload.bytes)) && !is_left_out(Break::AnyDecision)
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
