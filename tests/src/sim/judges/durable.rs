//! No acknowledged write is lost: the entry is there, and what it put into the record is shown,
//! wherever the group's rules let it count.

use std::collections::{BTreeMap, BTreeSet};

use diwan_core::id::{AgencyId, GroupId, RecordId, Writer};

use super::convergence::GroupDump;
use crate::sim::model::{Model, OwnEntry};
use crate::sim::node::Node;

/// The first of these entries that a node does not hold.
pub fn missing_entry<'a>(
    node: &Node,
    entries: impl Iterator<Item = &'a OwnEntry>,
) -> Option<String> {
    let committer = node.committer.as_ref()?;
    let logs = &committer.state().logs;
    let reading = match committer.store().read() {
        Ok(reading) => reading,
        Err(error) => return Some(error.to_string()),
    };
    for entry in entries {
        let log = logs.get(&(entry.group, entry.writer));
        let found = log.and_then(|log| reading.entry(*log, entry.seq).ok()?);
        if found.is_none_or(|found| found.header.hash() != entry.hash) {
            return Some(format!(
                "entry {} of n{} in {}",
                entry.seq,
                entry.node,
                entry.group.short()
            ));
        }
    }
    None
}

/// Entries of a record by their place: author's agency, log, sequence, height cited.
pub type Places = BTreeMap<RecordId, Vec<(Option<AgencyId>, Writer, u64, u32)>>;

/// The first acknowledged letter that should be shown in a group and is not.
///
/// A record that an agency which is not honest wrote into, or that has an entry without standing,
/// promises less: such an entry may have erased text, or others may build on it and wait, also where it
/// was never taken.
#[must_use]
pub fn missing_mark(
    model: &Model,
    group: &GroupId,
    dump: &GroupDump,
    places: &Places,
    dishonest: &BTreeSet<AgencyId>,
) -> Option<String> {
    let rules = model.groups.get(group)?;
    let stands = |(agency, writer, seq, cited): &(Option<AgencyId>, Writer, u64, u32)| {
        agency.is_some_and(|agency| {
            !dishonest.contains(&agency) && rules.stands(&agency, (writer, *seq), *cited)
        })
    };
    let written_to_stand = |entry: &OwnEntry| {
        let agency = model.agencies.get(entry.node);
        let place = (&entry.writer, entry.seq);
        agency.is_some_and(|agency| rules.stands(agency, place, entry.height))
    };
    for mark in &model.marks {
        let Some(entry) = model.entries.get(mark.entry) else {
            continue;
        };
        if entry.group != *group || !dump.frontier_has(&entry.writer, entry.seq) {
            continue;
        }
        // A record that no honest node made may be on one side of a fork only.
        let honest = |other: &OwnEntry| other.first && other.record == entry.record;
        if !dump.records.contains_key(&entry.record) && !model.entries.iter().any(honest) {
            continue;
        }
        let all = places.get(&entry.record);
        if !all.is_some_and(|all| all.iter().all(stands)) {
            continue;
        }
        let mut written = model.entries.iter().filter(|of| of.record == entry.record);
        if !written.all(written_to_stand) {
            continue;
        }
        let shown = dump.records.get(&entry.record);
        let body = shown
            .and_then(|shown| shown.content.as_ref())
            .and_then(|content| content.texts.get("body.fr"));
        if !body.is_some_and(|body| body.contains(mark.letter)) {
            return Some(format!(
                "{} of n{} (entry {}) in record {}",
                mark.letter,
                entry.node,
                entry.seq,
                entry.record.short()
            ));
        }
    }
    None
}
