//! What entries do to records: a pure function of the valid entries, whatever their order. An entry
//! is stored because its chain and signature hold; here it is decided whether it counts.

use std::collections::BTreeSet;

use diwan_core::breaks::{Break, is_left_out};
use diwan_core::group::Standing;
use diwan_core::id::{AgencyId, GroupId, NodeKey, RecordId, Writer};
use diwan_core::log::{Entry, PayloadKind};
use diwan_core::record::{ChangeReason, Content, Genesis, Materialised, Version, materialise};
use diwan_core::verify::Verified;

use super::changes::{self, Changes};
use super::step::Step;
use crate::store::{RecordRow, RecordState, StoreError};

/// Applies the entries of one log that were just stored; changes of one record together.
pub(super) fn of_entries(
    step: &mut Step<'_, '_>,
    log: u32,
    entries: &Verified<Vec<Entry>>,
) -> Result<(), StoreError> {
    let mut changed = BTreeSet::new();
    let mut purged = BTreeSet::new();
    for entry in entries.iter() {
        note_missing(step, log, entry)?;
        match entry.header.kind {
            PayloadKind::Genesis => changed.extend(new_record(step, log, entry)?),
            PayloadKind::Purge => {
                let (record, seq) = (&entry.header.record, entry.header.seq);
                step.tables.add_purge(record, log, seq)?;
                purged.insert(*record);
            }
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
    for record in purged {
        let num = step.tables.record_num(&record)?;
        changed.extend(num);
        if num.is_none() {
            settle_purge(step, &record)?;
        }
    }
    changed.into_iter().try_for_each(|num| step.judge_soon(num))
}

/// A payload that was missing has come.
pub(super) fn of_payload(
    step: &mut Step<'_, '_>,
    log: u32,
    entry: &Entry,
) -> Result<(), StoreError> {
    if entry.header.kind == PayloadKind::Genesis {
        if let Some(num) = new_record(step, log, entry)? {
            judge_again(step, num)?;
        }
    } else if let Some(num) = step.tables.record_num(&entry.header.record)? {
        judge_again(step, num)?;
    }
    Ok(())
}

/// An entry without its payload is as good as none, unless its record was purged.
fn note_missing(step: &mut Step<'_, '_>, log: u32, entry: &Entry) -> Result<(), StoreError> {
    if entry.payload.is_some() || entry.header.kind == PayloadKind::Purge {
        return Ok(());
    }
    let is_missing = !is_purged(step, &entry.header.record)?;
    step.set_missing(entry, log, is_missing)
}

/// Whether an entry that counts purges a record: one by its origin, or by a curator of its group.
pub(super) fn is_purged(step: &Step<'_, '_>, record: &RecordId) -> Result<bool, StoreError> {
    for (log, seq) in step.tables.purges(record)? {
        if let Some(entry) = step.tables.entry(log, seq)?
            && purge_counts(step, &entry)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn purge_counts(step: &Step<'_, '_>, entry: &Entry) -> Result<bool, StoreError> {
    let header = &entry.header;
    let replica = step.replica();
    let Some(author) = replica.agency_of(&header.writer.node) else {
        return Ok(false);
    };
    if replica.standing(header) != Standing::Valid {
        return Ok(false);
    }
    if is_left_out(Break::AnyPurge) || replica.curates(&header.group, &author, header.height) {
        return Ok(true);
    }
    if let Some(num) = step.tables.record_num(&header.record)? {
        let row = step.tables.record(num)?;
        return Ok(row.is_some_and(|row| row.origin == author && row.group == header.group));
    }
    let of_author = |entry: &Entry| {
        entry.header.kind == PayloadKind::Genesis
            && step.replica().agency_of(&entry.header.writer.node) == Some(author)
    };
    let missing = missing_of(step, &header.group, &header.record)?;
    Ok(missing.iter().any(|(_, entry)| of_author(entry)))
}

/// Entries of a record whose payloads are missing.
fn missing_of(
    step: &Step<'_, '_>,
    group: &GroupId,
    record: &RecordId,
) -> Result<Vec<(u32, Entry)>, StoreError> {
    let Some(found) = step.replica().group(group) else {
        return Ok(Vec::new());
    };
    let mut entries = Vec::new();
    for (writer, seq) in &found.missing {
        let Some(log) = step.state.logs.get(&(*group, *writer)) else {
            continue;
        };
        let entry = step.tables.entry(*log, *seq)?;
        entries.extend(
            entry
                .filter(|e| e.header.record == *record)
                .map(|e| (*log, e)),
        );
    }
    Ok(entries)
}

/// Marks the purges of a record that do not count, and erases what one that counts purges.
fn settle_purge(step: &mut Step<'_, '_>, record: &RecordId) -> Result<bool, StoreError> {
    let mut counts = false;
    let mut group = None;
    for (log, seq) in step.tables.purges(record)? {
        let Some(entry) = step.tables.entry(log, seq)? else {
            continue;
        };
        group = Some(entry.header.group);
        let valid = purge_counts(step, &entry)?;
        let reason = (!valid).then_some(ChangeReason::NotCurator);
        step.tables.set_quarantine(log, seq, reason)?;
        counts |= valid;
    }
    let mut places = step.tables.early(record)?;
    if let Some(num) = step.tables.record_num(record)? {
        places.extend(step.tables.changes(num)?);
        let row = step.tables.record(num)?;
        places.extend(row.map(|row| (row.log, row.seq)));
    }
    let Some(group) = group else {
        return Ok(false);
    };
    for (log, entry) in missing_of(step, &group, record)? {
        places.push((log, entry.header.seq));
        if counts && entry.header.kind == PayloadKind::Genesis {
            let author = step.replica().agency_of(&entry.header.writer.node);
            erased_record(step, log, &entry, author)?;
        }
    }
    for (log, seq) in places {
        if counts {
            step.tables.erase_payload(log, seq)?;
            step.tables.set_quarantine(log, seq, None)?;
        }
        if let Some(entry) = step.tables.entry(log, seq)?
            && entry.payload.is_none()
        {
            step.set_missing(&entry, log, !counts)?;
        }
    }
    Ok(counts)
}

/// Enters a record. Returns its number where changes came before it, so that it must be judged.
fn new_record(step: &mut Step<'_, '_>, log: u32, entry: &Entry) -> Result<Option<u64>, StoreError> {
    let header = &entry.header;
    let author = step.replica().agency_of(&header.writer.node);
    if entry.payload.is_none() {
        return erased_record(step, log, entry, author);
    }
    if step.tables.record_num(&header.record)?.is_some() {
        // The same first version once more, in another log: it adds nothing.
        return Ok(None);
    }
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
    let purges = !step.tables.purges(&header.record)?.is_empty();
    Ok((purges || !early.is_empty()).then_some(num))
}

/// A first version that the gate refused, by its rules of today.
pub(super) fn first_version_again(
    step: &mut Step<'_, '_>,
    log: u32,
    entry: &Entry,
) -> Result<(), StoreError> {
    step.tables.set_quarantine(log, entry.header.seq, None)?;
    let judged = new_record(step, log, entry)?;
    judged
        .into_iter()
        .try_for_each(|num| judge_again(step, num))
}

/// A first version that came without its payload: of a purged record only the place is kept.
fn erased_record(
    step: &mut Step<'_, '_>,
    log: u32,
    entry: &Entry,
    author: Option<AgencyId>,
) -> Result<Option<u64>, StoreError> {
    let header = &entry.header;
    let known = step.tables.record_num(&header.record)?.is_some();
    let (Some(origin), false) = (author, known) else {
        return Ok(None);
    };
    if !is_purged(step, &header.record)? {
        return Ok(None);
    }
    let row = RecordRow {
        id: header.record,
        group: header.group,
        origin,
        kind: String::new(),
        log,
        seq: header.seq,
        created_ms: header.wall_ms,
        updated_ms: header.wall_ms,
        version: Version::first(&header.record).into(),
        state: RecordState::Purged,
    };
    let num = step.tables.add_record(&row)?;
    for (log, seq) in step.tables.take_early(&header.record)? {
        step.tables.add_change(num, log, seq)?;
    }
    Ok(Some(num))
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
    remember_links(step, num, content)
}

/// What a record links to, so that it is found from there.
pub(super) fn remember_links(
    step: &mut Step<'_, '_>,
    num: u64,
    content: &Content,
) -> Result<(), StoreError> {
    let mut links = content.link_pairs();
    links.try_for_each(|(_, to)| step.tables.put_link(&to, num))
}

/// How many changes of a record count that did not before, and how many went into quarantine for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) counted: u64,
    pub(super) refused: u64,
}

/// A record whose changes are to be judged, with all that the verdict depends on.
pub(super) struct Case {
    num: u64,
    row: RecordRow,
    genesis: Genesis,
    /// Its first version stands.
    stands: bool,
    changes: Changes,
}

impl Case {
    /// What its changes make of it. Reads nothing else, so that many can be asked at once.
    pub(super) fn tell(&self) -> Materialised {
        materialise(&self.genesis, &self.row.id, &self.changes.read)
    }

    /// Bytes of the changes that it holds.
    pub(super) fn bytes(&self) -> usize {
        let changes = self.changes.read.iter();
        changes.map(|change| change.payload.len()).sum()
    }
}

/// Judges a record anew from all its entries.
pub(super) fn judge_again(step: &mut Step<'_, '_>, num: u64) -> Result<(), StoreError> {
    if let Some(case) = case(step, num)? {
        let told = case.tell();
        settle(step, &case, told)?;
    }
    Ok(())
}

/// Opens the case of a record; none where there is nothing to judge: it was purged, or its first
/// version is not here.
pub(super) fn case(step: &mut Step<'_, '_>, num: u64) -> Result<Option<Case>, StoreError> {
    let Some(row) = step.tables.record(num)? else {
        return Ok(None);
    };
    let Some(first) = step.tables.entry(row.log, row.seq)? else {
        return Ok(None);
    };
    if settle_purge(step, &row.id)? {
        show(step, num, (row, RecordState::Purged), None)?;
        return Ok(None);
    }
    let Some(payload) = &first.payload else {
        // A purge that counted no longer does; the payload has to come from somebody else.
        show(step, num, (row, RecordState::Hidden), None)?;
        return Ok(None);
    };
    let Ok(genesis) = Genesis::from_bytes(&payload.bytes) else {
        return Ok(None);
    };
    let stands = standing(step, &first) == Standing::Valid;
    let reason = (!stands).then_some(ChangeReason::Standing);
    step.tables.set_quarantine(row.log, row.seq, reason)?;
    let changes = Changes::of(step, num, &genesis)?;
    Ok(Some(Case {
        num,
        row,
        genesis,
        stands,
        changes,
    }))
}

/// Enters the verdict of a case: what is shown of the record, and what is in quarantine.
pub(super) fn settle(
    step: &mut Step<'_, '_>,
    case: &Case,
    told: Materialised,
) -> Result<Verdict, StoreError> {
    let of = (case.num, &case.row.id, &case.genesis);
    let (told, refused) = changes::settle(step, of, (&case.changes, told))?;
    let before = case.row.version.count.saturating_sub(1);
    let counted = (told.steps.len() as u64).saturating_sub(before);
    let edited = !told.steps.is_empty();
    let state = match (case.stands, edited) {
        (false, _) => RecordState::Hidden,
        (true, false) => RecordState::Plain,
        (true, true) => RecordState::Edited,
    };
    let mut row = case.row.clone();
    row.version = told.version.into();
    let clocks = told.steps.iter().map(|step| step.wall_ms);
    row.updated_ms = clocks.fold(row.created_ms, u64::max);
    let content = edited.then_some(&told.content);
    // It may have been hidden when links were first remembered, or an edit that changed them.
    remember_links(step, case.num, &case.genesis.content)?;
    show(step, case.num, (row, state), content)?;
    Ok(Verdict { counted, refused })
}

fn show(
    step: &mut Step<'_, '_>,
    num: u64,
    (mut row, state): (RecordRow, RecordState),
    content: Option<&Content>,
) -> Result<(), StoreError> {
    row.state = state;
    match (content, state) {
        (Some(content), _) => remember_links(step, num, content)?,
        (None, RecordState::Purged) => step.tables.remove_links(num)?,
        (None, _) => {}
    }
    step.tables.put_view(num, content)?;
    step.tables.put_record(num, &row)?;
    step.tables.journal(num)?;
    Ok(())
}

/// What the group's chain says of an entry.
pub(super) fn standing(step: &Step<'_, '_>, entry: &Entry) -> Standing {
    step.replica().standing(&entry.header)
}

/// Judges again every record that a node's entries concern, after its rights were cut.
pub(super) fn of_node(step: &mut Step<'_, '_>, node: NodeKey) -> Result<(), StoreError> {
    let of_node = |(_, writer): &(GroupId, Writer)| writer.node == node;
    let logs = step.state.logs.iter().filter(|(log, _)| of_node(log));
    let logs: Vec<u32> = logs.map(|(_, log)| *log).collect();
    of_logs(step, &logs)
}

/// Judges again every record of a group, after its chain went back.
pub(super) fn of_group(step: &mut Step<'_, '_>, group: GroupId) -> Result<(), StoreError> {
    let logs = step.state.logs.iter().filter(|((of, _), _)| *of == group);
    let logs: Vec<u32> = logs.map(|(_, log)| *log).collect();
    of_logs(step, &logs)
}

fn of_logs(step: &mut Step<'_, '_>, logs: &[u32]) -> Result<(), StoreError> {
    let mut concerned = BTreeSet::new();
    for log in logs {
        for (_, record) in step.tables.entries_behind(*log, 0)? {
            concerned.insert(record);
        }
    }
    concerned
        .into_iter()
        .try_for_each(|record| judge_record(step, &record))
}

fn judge_record(step: &mut Step<'_, '_>, record: &RecordId) -> Result<(), StoreError> {
    match step.tables.record_num(record)? {
        Some(num) => step.judge_for_all(num),
        None => settle_purge(step, record).map(drop),
    }
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
            concerned.insert(record);
        }
    }
    concerned
        .into_iter()
        .try_for_each(|record| judge_record(step, &record))
}
