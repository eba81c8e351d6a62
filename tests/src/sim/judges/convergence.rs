//! Strong eventual consistency: nodes with the same valid entries show the same records, byte for
//! byte, keep the same quarantine, and know the same receipts.

use std::collections::BTreeMap;

use diwan_core::id::{AgencyId, Digest, GroupId, NodeKey, RecordId, StatementHash, Writer};
use diwan_core::log::Frontier;
use diwan_core::record::Content;
use diwan_node::store::{RecordState, VersionRow};

use super::durable::Places;
use crate::sim::node::Node;

/// One record as a node shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Kind.
    pub kind: String,
    /// Origin.
    pub origin: AgencyId,
    /// Clocks of the first version and of the latest change.
    pub clocks: (u64, u64),
    /// Version.
    pub version: VersionRow,
    /// Whether it is shown.
    pub state: RecordState,
    /// What it says.
    pub content: Option<Content>,
}

/// All that a node has of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupDump {
    /// Newest statement.
    pub head: Option<StatementHash>,
    /// Its height.
    pub height: u32,
    /// Newest statement of each agency that is or was a member.
    pub agencies: BTreeMap<AgencyId, StatementHash>,
    /// How far each log goes.
    pub frontier: Frontier,
    /// Records.
    pub records: BTreeMap<RecordId, Shown>,
    /// Entries without effect, and why.
    pub quarantine: BTreeMap<(Writer, u64), u8>,
    /// The newest receipt of each node.
    pub receipts: BTreeMap<NodeKey, Digest>,
    /// Shown records, as the node counts them.
    pub counted: u64,
}

impl GroupDump {
    /// Reads what a node has of a group, and the entries of each record.
    ///
    /// # Errors
    /// What its store answered.
    pub fn of(node: &Node, group: &GroupId) -> Result<(Self, Places), String> {
        let committer = node.committer.as_ref().ok_or("the node is down")?;
        let state = committer.state();
        let replica = state.replica.group(group).ok_or("not followed")?;
        let failed = |error: diwan_node::store::StoreError| error.to_string();
        let reading = committer.store().read().map_err(failed)?;
        let receipts = replica.receipts.iter();
        let mut dump = Self {
            head: Some(replica.chain.head()),
            height: replica.chain.height(),
            agencies: replica
                .chain
                .agencies()
                .filter_map(|agency| Some((*agency, state.replica.agency(agency)?.head())))
                .collect(),
            frontier: replica.frontier(),
            receipts: receipts
                .map(|(node, signed)| (*node, signed.receipt.frontier.digest()))
                .collect(),
            counted: reading
                .group(group)
                .map_err(failed)?
                .map_or(0, |row| row.records),
            ..Self::default()
        };
        for (id, num) in reading.records_by_id().map_err(failed)? {
            let row = reading.record(num).map_err(failed)?;
            let Some(row) = row.filter(|row| row.group == *group) else {
                continue;
            };
            let content = reading.content(num, &row).map_err(failed)?;
            let shown = Shown {
                kind: row.kind,
                origin: row.origin,
                clocks: (row.created_ms, row.updated_ms),
                version: row.version,
                state: row.state,
                content,
            };
            dump.records.insert(id, shown);
        }
        let mut places = Places::new();
        for (writer, head) in &dump.frontier.0 {
            let Some(log) = state.logs.get(&(*group, *writer)) else {
                continue;
            };
            let agency = state.replica.agency_of(&writer.node);
            for seq in 1..=head.seq {
                if let Some(reason) = reading.quarantine_reason(*log, seq).map_err(failed)? {
                    dump.quarantine.insert((*writer, seq), reason);
                }
                if let Some(entry) = reading.entry(*log, seq).map_err(failed)? {
                    let place = (agency, *writer, seq, entry.header.height);
                    places.entry(entry.header.record).or_default().push(place);
                }
            }
        }
        Ok((dump, places))
    }

    /// Whether a log goes this far.
    #[must_use]
    pub fn frontier_has(&self, writer: &Writer, seq: u64) -> bool {
        self.frontier.seq(writer) >= seq
    }

    /// What the dump contradicts in itself.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        let hidden = |shown: &&Shown| shown.state != RecordState::Hidden;
        let shown = self.records.values().filter(hidden).count() as u64;
        (shown != self.counted).then(|| format!("{} records counted, {shown} shown", self.counted))
    }
}

/// The first difference between two nodes of one group.
#[must_use]
pub fn difference(a: &GroupDump, b: &GroupDump) -> Option<String> {
    if a.head != b.head {
        return Some("chains".to_owned());
    }
    if a.agencies != b.agencies {
        return Some("agencies' chains".to_owned());
    }
    if a.frontier != b.frontier {
        let (ours, theirs) = (&a.frontier.0, &b.frontier.0);
        let logs = ours.keys().chain(theirs.keys());
        let log = logs.clone().find(|log| ours.get(log) != theirs.get(log));
        return log.map(|log| {
            let head = |logs: &BTreeMap<Writer, diwan_core::log::LogHead>| {
                logs.get(log).map_or(0, |head| head.seq)
            };
            format!(
                "log of {} ({}): {} here, {} there",
                log.node.short(),
                log.incarnation,
                head(ours),
                head(theirs)
            )
        });
    }
    let records = a.records.keys().chain(b.records.keys());
    for id in records {
        let (ours, theirs) = (a.records.get(id), b.records.get(id));
        if ours != theirs {
            return Some(format!("record {}: {ours:?} and {theirs:?}", id.short()));
        }
    }
    if a.quarantine != b.quarantine {
        let places = a.quarantine.keys().chain(b.quarantine.keys());
        let mut places =
            places.map(|place| (place, a.quarantine.get(place), b.quarantine.get(place)));
        let found = places.find(|(_, ours, theirs)| ours != theirs);
        return found.map(|((writer, seq), ours, theirs)| {
            format!(
                "quarantine of entry {seq} of {}: {ours:?} and {theirs:?}",
                writer.node.short()
            )
        });
    }
    let other = |node: &&NodeKey| a.receipts.get(*node) != b.receipts.get(*node);
    let differing = a.receipts.keys().chain(b.receipts.keys()).find(other)?;
    let held = |dump: &GroupDump| dump.receipts.get(differing).map(Digest::short);
    let (here, there) = (held(a), held(b));
    Some(format!(
        "receipts of {}: {here:?} here, {there:?} there",
        differing.short()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diwan_core::id::{EntryHash, Incarnation};
    use diwan_core::log::LogHead;

    fn dump() -> GroupDump {
        let writer = Writer {
            node: NodeKey([1; 32]),
            incarnation: Incarnation(1),
        };
        let head = LogHead {
            seq: 2,
            hash: EntryHash([1; 32]),
        };
        let mut content = Content::default();
        content
            .texts
            .insert("body.fr".to_owned(), "a 丁".to_owned());
        let shown = Shown {
            kind: "guideline".to_owned(),
            origin: AgencyId([1; 32]),
            clocks: (1, 2),
            version: VersionRow {
                count: 2,
                digest: [1; 4],
            },
            state: RecordState::Edited,
            content: Some(content),
        };
        GroupDump {
            head: Some(StatementHash([1; 32])),
            height: 0,
            agencies: BTreeMap::from([(AgencyId([1; 32]), StatementHash([1; 32]))]),
            frontier: Frontier(BTreeMap::from([(writer, head)])),
            records: BTreeMap::from([(RecordId([1; 32]), shown)]),
            quarantine: BTreeMap::from([((writer, 2), 3)]),
            receipts: BTreeMap::from([(NodeKey([1; 32]), Digest([1; 32]))]),
            counted: 1,
        }
    }

    fn differs(change: impl FnOnce(&mut GroupDump)) -> bool {
        let mut other = dump();
        change(&mut other);
        difference(&dump(), &other).is_some() && difference(&other, &dump()).is_some()
    }

    #[test]
    fn every_part_that_differs_is_found() {
        assert!(!differs(|_| ()));
        assert!(differs(|dump| dump.head = None));
        assert!(differs(|dump| dump.agencies.clear()));
        assert!(differs(|dump| dump.frontier.0.clear()));
        assert!(differs(|dump| dump.records.clear()));
        assert!(differs(|dump| dump.quarantine.clear()));
        assert!(differs(|dump| dump.receipts.clear()));
        assert!(differs(|dump| {
            for shown in dump.records.values_mut() {
                let content = shown.content.as_mut().unwrap();
                content
                    .texts
                    .insert("body.fr".to_owned(), "a 丁 ".to_owned());
            }
        }));
        assert!(dump().contradiction().is_none());
        let wrong = GroupDump {
            counted: 2,
            ..dump()
        };
        assert!(wrong.contradiction().is_some());
    }
}
