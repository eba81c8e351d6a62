//! What entries do to records: a pure function of the valid entries, whatever their order. An entry
//! is stored because its chain and signature hold; here it is decided whether it counts.

use std::collections::BTreeSet;

use diwan_core::group::Standing;
use diwan_core::id::{AgencyId, GroupId, Writer};
use diwan_core::log::{Entry, PayloadKind};
use diwan_core::record::{
    AuthoredChange, ChangeReason, Content, Genesis, Version, kind, materialise,
};
use diwan_core::verify::Verified;

use super::step::Step;
use crate::store::{RecordRow, RecordState, StoreError};

/// Applies the entries of one log that were just stored; changes of one record together.
pub(super) fn of_entries(
    step: &mut Step<'_, '_>,
    log: u32,
    entries: &Verified<Vec<Entry>>,
) -> Result<(), StoreError> {
    let mut changed = BTreeSet::new();
    for entry in entries.iter() {
        match entry.header.kind {
            PayloadKind::Genesis => changed.extend(new_record(step, log, entry)?),
            PayloadKind::Change => match step.tables.record_num(&entry.header.record)? {
                Some(num) => {
                    step.tables.add_change(num, log, entry.header.seq)?;
                    changed.insert(num);
                }
                None => {
                    step.tables
                        .add_early(&entry.header.record, log, entry.header.seq)?;
                    let waiting = Some(ChangeReason::Waiting);
                    step.tables.set_quarantine(log, entry.header.seq, waiting)?;
                }
            },
        }
    }
    changed
        .into_iter()
        .try_for_each(|num| judge_again(step, num))
}

/// Enters a record. Returns its number where changes came before it, so that it must be judged.
fn new_record(step: &mut Step<'_, '_>, log: u32, entry: &Entry) -> Result<Option<u64>, StoreError> {
    let header = &entry.header;
    let author = step.replica().agency_of(&header.writer.node);
    let genesis = entry
        .payload
        .as_ref()
        .and_then(|p| Genesis::from_bytes(&p.bytes).ok());
    let honest = genesis.filter(|g| g.group == header.group && Some(g.origin) == author);
    let Some(genesis) = honest else {
        step.tables
            .set_quarantine(log, header.seq, Some(ChangeReason::Genesis))?;
        return Ok(None);
    };
    let standing = standing(step, entry);
    let row = RecordRow {
        id: header.record,
        group: header.group,
        origin: genesis.origin,
        kind: genesis.kind.clone(),
        log,
        seq: header.seq,
        created_ms: header.wall_ms,
        updated_ms: header.wall_ms,
        version: Version::first(&header.record).into(),
        state: match standing {
            Standing::Valid => RecordState::Plain,
            _ => RecordState::Hidden,
        },
    };
    let num = step.tables.add_record(&row)?;
    if row.state == RecordState::Hidden {
        step.tables
            .set_quarantine(log, header.seq, Some(ChangeReason::Standing))?;
    }
    remember(step, num, &row, &genesis.content)?;
    step.tables.journal(num)?;
    let early = step.tables.take_early(&header.record)?;
    for (log, seq) in &early {
        step.tables.add_change(num, *log, *seq)?;
    }
    Ok((!early.is_empty()).then_some(num))
}

/// What can be asked of a record besides its id.
fn remember(
    step: &mut Step<'_, '_>,
    num: u64,
    row: &RecordRow,
    content: &Content,
) -> Result<(), StoreError> {
    if row.origin == step.me().agency
        && let Some(key) = content.value("import_key")
    {
        let group = step.tables.group_row(&row.group)?.num;
        step.tables.put_import(group, key, num)?;
    }
    if kind(&row.kind).is_some_and(|kind| kind.annotation) {
        for (_, about) in content.link_pairs().filter(|(rel, _)| *rel == "about") {
            step.tables.put_about(&about, num)?;
        }
    }
    Ok(())
}

/// Judges a record anew from all its entries.
pub(super) fn judge_again(step: &mut Step<'_, '_>, num: u64) -> Result<(), StoreError> {
    let Some(mut row) = step.tables.record(num)? else {
        return Ok(());
    };
    let Some(first) = step.tables.entry(row.log, row.seq)? else {
        return Ok(());
    };
    let genesis = first
        .payload
        .as_ref()
        .and_then(|p| Genesis::from_bytes(&p.bytes).ok());
    let Some(genesis) = genesis else {
        return Ok(());
    };
    let stands = standing(step, &first) == Standing::Valid;
    let reason = (!stands).then_some(ChangeReason::Standing);
    step.tables.set_quarantine(row.log, row.seq, reason)?;

    let (changes, places) = valid_changes(step, num, &genesis)?;
    let told = materialise(&genesis, &row.id, &changes);
    for (entry, log, seq) in places {
        let refused = told.refused.iter().find(|(refused, _)| *refused == entry);
        step.tables
            .set_quarantine(log, seq, refused.map(|(_, reason)| *reason))?;
    }
    let edited = !told.steps.is_empty();
    row.state = match (stands, edited) {
        (false, _) => RecordState::Hidden,
        (true, false) => RecordState::Plain,
        (true, true) => RecordState::Edited,
    };
    row.version = told.version.into();
    let clocks = told.steps.iter().map(|step| step.wall_ms);
    row.updated_ms = clocks.fold(row.created_ms, u64::max);
    step.tables.put_view(num, edited.then_some(&told.content))?;
    step.tables.put_record(num, &row)?;
    step.tables.journal(num)?;
    Ok(())
}

type Places = Vec<(diwan_core::id::EntryHash, u32, u64)>;

/// The changes of a record whose writers may edit it; the others go to quarantine.
pub(super) fn valid_changes(
    step: &mut Step<'_, '_>,
    num: u64,
    genesis: &Genesis,
) -> Result<(Vec<AuthoredChange>, Places), StoreError> {
    let (mut changes, mut places) = (Vec::new(), Vec::new());
    for (log, seq) in step.tables.changes(num)? {
        let Some(entry) = step.tables.entry(log, seq)? else {
            continue;
        };
        let author = step.replica().agency_of(&entry.header.writer.node);
        let refused = match author.filter(|agency| genesis.may_edit(agency)) {
            None => Some(ChangeReason::NotEditor),
            Some(_) if standing(step, &entry) != Standing::Valid => Some(ChangeReason::Standing),
            Some(_) => None,
        };
        if refused.is_some() {
            step.tables.set_quarantine(log, seq, refused)?;
            continue;
        }
        let hash = entry.header.hash();
        let Some(payload) = entry.payload else {
            continue;
        };
        places.push((hash, log, seq));
        changes.push(AuthoredChange {
            entry: hash,
            writer: entry.header.writer,
            wall_ms: entry.header.wall_ms,
            payload: payload.bytes,
        });
    }
    Ok((changes, places))
}

/// What the group's chain says of an entry.
fn standing(step: &Step<'_, '_>, entry: &Entry) -> Standing {
    let header = &entry.header;
    let replica = step.replica();
    let (Some(group), Some(agency)) = (
        replica.group(&header.group),
        replica.agency_of(&header.writer.node),
    ) else {
        return Standing::NotContributor;
    };
    let place = (header.seq, &header.hash());
    group
        .chain
        .standing(&agency, &header.writer, place, header.height)
}

/// Judges again every record that an agency's entries behind the cuts concern, after a statement
/// that took rights away.
pub(super) fn of_ending(
    step: &mut Step<'_, '_>,
    group: GroupId,
    agency: AgencyId,
    last_valid: impl Fn(&Writer) -> u64,
) -> Result<(), StoreError> {
    let of_agency = |writer: &Writer| step.replica().agency_of(&writer.node) == Some(agency);
    let logs: Vec<(Writer, u32)> = step
        .state
        .logs
        .iter()
        .filter(|((of, writer), _)| *of == group && of_agency(writer))
        .map(|((_, writer), log)| (*writer, *log))
        .collect();
    let mut concerned = BTreeSet::new();
    for (writer, log) in logs {
        for (_, record) in step.tables.entries_behind(log, last_valid(&writer))? {
            concerned.extend(step.tables.record_num(&record)?);
        }
    }
    concerned
        .into_iter()
        .try_for_each(|num| judge_again(step, num))
}
