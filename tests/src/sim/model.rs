//! What the judges know, apart from the nodes: who is in which group at which height, what was
//! acknowledged, and what must therefore be there. It reads what was signed and draws its own
//! conclusions; it never asks the judged code whether something is valid.

use std::collections::BTreeMap;

use diwan_core::group::{Cut, GroupBody, GroupStatement, Role};
use diwan_core::id::{AgencyId, EntryHash, GroupId, RecordId, Writer};
use diwan_core::limits;
use diwan_core::log::PayloadKind;
use diwan_core::wire::{self, Signed};
use diwan_node::engine::State;

use super::network::NodeId;
use super::node::Node;
use super::workload::GROUP_NAME;

/// A group as its signed statements describe it.
#[derive(Clone, Debug)]
pub struct GroupModel {
    /// The word that stands in its name and in each of its texts.
    pub token: String,
    /// Who signs its statements; none for an own group, which has none.
    pub owner: Option<NodeId>,
    /// The members at each height.
    pub members: Vec<BTreeMap<AgencyId, Role>>,
    /// What removals and demotions left valid: height, agency, last sequence of each log.
    pub endings: Vec<(u32, AgencyId, BTreeMap<Writer, u64>)>,
}

impl GroupModel {
    /// The role of an agency at a height; none where that height is not known.
    #[must_use]
    pub fn role(&self, agency: &AgencyId, height: u32) -> Option<Role> {
        self.members.get(height as usize)?.get(agency).copied()
    }

    /// Members now.
    #[must_use]
    pub fn now(&self) -> BTreeMap<AgencyId, Role> {
        self.members.last().cloned().unwrap_or_default()
    }

    /// Whether an entry counts: by whom, in which log, at which place, citing which height.
    #[must_use]
    pub fn stands(&self, agency: &AgencyId, (writer, seq): (&Writer, u64), cited: u32) -> bool {
        let later = self
            .endings
            .iter()
            .filter(|(height, of, _)| of == agency && cited < *height);
        let mut last = later.map(|(_, _, cuts)| cuts.get(writer).copied().unwrap_or(0));
        self.role(agency, cited) >= Some(Role::Contributor) && last.all(|last| seq <= last)
    }

    /// Takes the next statement.
    pub fn take(&mut self, body: &GroupBody) {
        let mut members = self.now();
        let height = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        match body {
            GroupBody::Genesis(genesis) => {
                members = genesis.members.iter().map(|m| (m.agency, m.role)).collect();
            }
            GroupBody::Add(member) => {
                members.insert(member.agency, member.role);
            }
            GroupBody::Remove(agency, cuts) => {
                members.remove(agency);
                self.end(height, *agency, cuts);
            }
            GroupBody::SetRole(member, cuts) => {
                members.insert(member.agency, member.role);
                if member.role < Role::Contributor {
                    self.end(height, member.agency, cuts);
                }
            }
            GroupBody::ExtendCuts(agency, cuts) => {
                let mut endings = self.endings.iter_mut().rev();
                if let Some((_, _, known)) = endings.find(|(_, of, _)| of == agency) {
                    for cut in cuts {
                        let last = known.entry(cut.writer).or_default();
                        *last = (*last).max(cut.seq);
                    }
                }
            }
            GroupBody::SetThreshold(_) => {}
        }
        self.members.push(members);
    }

    fn end(&mut self, height: u32, agency: AgencyId, cuts: &[Cut]) {
        let cuts = cuts.iter().map(|cut| (cut.writer, cut.seq)).collect();
        self.endings.push((height, agency, cuts));
    }
}

/// An entry of an honest node whose commit was acknowledged.
#[derive(Clone, Debug)]
pub struct OwnEntry {
    /// Who wrote it.
    pub node: NodeId,
    /// In which group.
    pub group: GroupId,
    /// In which log.
    pub writer: Writer,
    /// Where.
    pub seq: u64,
    /// What.
    pub hash: EntryHash,
    /// The height that it cites.
    pub height: u32,
    /// The record that it concerns.
    pub record: RecordId,
    /// It is that record's first version.
    pub first: bool,
}

/// A letter that an acknowledged write has put into a record.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The letter.
    pub letter: char,
    /// The last of its entries, as a place in [`Model::entries`].
    pub entry: usize,
}

/// All that the judges know.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The agency of each node.
    pub agencies: Vec<AgencyId>,
    /// Every group, own groups among them.
    pub groups: BTreeMap<GroupId, GroupModel>,
    /// Acknowledged entries of honest nodes.
    pub entries: Vec<OwnEntry>,
    /// Letters that must be there.
    pub marks: Vec<Mark>,
    /// Where the newest commit's entries begin.
    pub newest: usize,
}

impl Model {
    /// Knows the agencies and their own groups.
    #[must_use]
    pub fn new(nodes: &[Node]) -> Self {
        let mut model = Self {
            agencies: nodes.iter().map(|node| node.agency).collect(),
            ..Self::default()
        };
        for node in nodes {
            if let Some(state) = node.state() {
                let own = GroupModel {
                    token: format!("tk-own-{}", node.agency.short()),
                    owner: None,
                    members: vec![BTreeMap::from([(node.agency, Role::Owner)])],
                    endings: Vec::new(),
                };
                model.groups.insert(state.replica.own_group(), own);
            }
        }
        model
    }

    /// Groups of several agencies.
    #[must_use]
    pub fn shared_groups(&self) -> Vec<GroupId> {
        let shared = self
            .groups
            .iter()
            .filter(|(_, group)| group.owner.is_some());
        shared.map(|(id, _)| *id).collect()
    }

    /// Who signs a group's statements.
    #[must_use]
    pub fn owner(&self, group: &GroupId) -> Option<NodeId> {
        self.groups.get(group)?.owner
    }

    /// The word of a group's texts.
    #[must_use]
    pub fn token(&self, group: &GroupId) -> Option<String> {
        Some(self.groups.get(group)?.token.clone())
    }

    /// A node committed: takes its new entries and statements.
    pub fn committed(&mut self, node: &Node, before: &State) {
        if node.byzantine {
            return;
        }
        self.learn_groups(node);
        self.newest = self.entries.len();
        let (Some(state), Some(committer)) = (node.state(), &node.committer) else {
            return;
        };
        let Some(at) = self.agencies.iter().position(|a| *a == node.agency) else {
            return;
        };
        let writer = node.me.writer();
        for group in state.replica.groups().keys() {
            let known = before.replica.own_head(group).seq;
            let head = state.replica.own_head(group);
            if head.seq == known {
                continue;
            }
            let log = state.logs.get(&(*group, writer));
            let (Some(log), Ok(reading)) = (log, committer.store().read()) else {
                continue;
            };
            for seq in known + 1..=head.seq {
                if let Ok(Some(entry)) = reading.entry(*log, seq) {
                    self.entries.push(OwnEntry {
                        node: at,
                        group: *group,
                        writer,
                        seq,
                        hash: entry.header.hash(),
                        height: entry.header.height,
                        record: entry.header.record,
                        first: entry.header.kind == PayloadKind::Genesis,
                    });
                }
            }
        }
    }

    /// Takes the statements that a group's owner has signed.
    pub fn learn_groups(&mut self, node: &Node) {
        let Some(state) = node.state() else { return };
        for (id, group) in state.replica.groups() {
            let known = self.groups.get(id).map_or(0, |group| group.members.len());
            let known = u32::try_from(known).unwrap_or(u32::MAX);
            let new: Vec<GroupBody> = group
                .chain
                .statements_from(known)
                .filter_map(|bytes| body_of(bytes))
                .collect();
            if new.is_empty() {
                continue;
            }
            let found = self.groups.entry(*id).or_insert_with(|| GroupModel {
                token: group.chain.name().replace(GROUP_NAME, ""),
                owner: None,
                members: Vec::new(),
                endings: Vec::new(),
            });
            for body in &new {
                if matches!(body, GroupBody::Genesis(_)) {
                    found.owner = self.agencies.iter().position(|a| *a == node.agency);
                }
                found.take(body);
            }
        }
    }

    /// An officer was told that a letter is in a record; the entries are those of the newest
    /// commit.
    pub fn acknowledged(&mut self, node: NodeId, record: RecordId, letter: char) {
        let entries = self.entries.iter().enumerate().skip(self.newest);
        let mut of_record =
            entries.filter(|(_, entry)| entry.node == node && entry.record == record);
        if let Some((entry, _)) = of_record.next_back() {
            self.marks.push(Mark { letter, entry });
        }
    }
}

fn body_of(bytes: &[u8]) -> Option<GroupBody> {
    let signed = Signed::read(bytes).ok()?;
    let statement: GroupStatement = wire::decode(&signed.body, limits::STATEMENT_BYTES).ok()?;
    Some(statement.body)
}
