//! A group as its chain describes it, at its newest height and at every one before.

use std::collections::BTreeMap;

use super::statement::{Cut, Genesis, GroupBody, GroupError, GroupStatement, Member, Role};
use crate::id::{AgencyId, EntryHash, GroupId, StatementHash, Writer};
use crate::identity;
use crate::limits;
use crate::record::Tlp;
use crate::wire::{self, Domain, Signed};

/// What a group's chain says about one entry's writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It might write when it wrote this.
    Valid,
    /// It was no member with the right to write at the height that the entry cites.
    NotContributor,
    /// The entry lies beyond the cut of a removal.
    BeyondCut,
    /// The entry is another one than the cut's: the log was forked.
    Forked,
}

/// A removal's or demotion's effect on one agency's logs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ending {
    height: u32,
    agency: AgencyId,
    cuts: BTreeMap<Writer, (u64, EntryHash)>,
}

/// A group as its verified chain describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupChain {
    id: GroupId,
    name: String,
    tlp: Tlp,
    threshold: u32,
    members: BTreeMap<AgencyId, Role>,
    /// Every change of a role, in order of height; `None` = removed.
    roles: BTreeMap<AgencyId, Vec<(u32, Option<Role>)>>,
    endings: Vec<Ending>,
    head: StatementHash,
    statements: Vec<Vec<u8>>,
}

impl GroupChain {
    /// The built-in group of an agency's own nodes. It has no statements: it follows from the id.
    #[must_use]
    pub fn own(agency: AgencyId) -> Self {
        let id = GroupId(wire::hash(Domain::OwnGroup, &[agency.as_bytes()]));
        let member = Member {
            agency,
            role: Role::Owner,
        };
        Self {
            id,
            name: "own".to_owned(),
            tlp: Tlp::AmberStrict,
            threshold: 1,
            members: BTreeMap::from([(agency, Role::Owner)]),
            roles: BTreeMap::from([(member.agency, vec![(0, Some(member.role))])]),
            endings: Vec::new(),
            head: StatementHash(id.0),
            statements: Vec::new(),
        }
    }

    /// The group.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Default label of its new records.
    #[must_use]
    pub fn tlp(&self) -> Tlp {
        self.tlp
    }

    /// Owners who must sign a statement.
    #[must_use]
    pub fn threshold(&self) -> u32 {
        self.threshold
    }

    /// Height of the newest statement.
    #[must_use]
    pub fn height(&self) -> u32 {
        count(self.statements.len()).saturating_sub(1)
    }

    /// Hash of the newest statement.
    #[must_use]
    pub fn head(&self) -> StatementHash {
        self.head
    }

    /// Members now.
    pub fn members(&self) -> impl Iterator<Item = (&AgencyId, Role)> {
        self.members.iter().map(|(agency, role)| (agency, *role))
    }

    /// An agency's role now.
    #[must_use]
    pub fn role(&self, agency: &AgencyId) -> Option<Role> {
        self.members.get(agency).copied()
    }

    /// Every agency that is or was a member: those whose entries may be in the logs.
    pub fn agencies(&self) -> impl Iterator<Item = &AgencyId> {
        self.roles.keys()
    }

    /// Owners now.
    #[must_use]
    pub fn owners(&self) -> u32 {
        count(
            self.members
                .values()
                .filter(|role| **role == Role::Owner)
                .count(),
        )
    }

    /// The signed statements from `height` on, as received.
    pub fn statements_from(&self, height: u32) -> impl Iterator<Item = &Vec<u8>> {
        self.statements.iter().skip(height as usize)
    }

    /// Whether this is an agency's own group, which has no statements.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.statements.is_empty()
    }

    /// The height at which a former member ceased to be one; none for a member, and for an agency
    /// that never was one.
    #[must_use]
    pub fn removed_at(&self, agency: &AgencyId) -> Option<u32> {
        match self.roles.get(agency)?.last()? {
            (height, None) => Some(*height),
            (_, Some(_)) => None,
        }
    }

    /// An agency's role at a height; none where it was no member or the height is not known yet.
    #[must_use]
    pub fn role_at(&self, agency: &AgencyId, height: u32) -> Option<Role> {
        if height > self.height() {
            return None;
        }
        let changes = self.roles.get(agency)?;
        changes
            .iter()
            .rev()
            .find(|(at, _)| *at <= height)
            .and_then(|(_, role)| *role)
    }

    /// What the chain says of an entry: by whom, where in which log, citing which height.
    #[must_use]
    pub fn standing(
        &self,
        agency: &AgencyId,
        writer: &Writer,
        (seq, hash): (u64, &EntryHash),
        cited: u32,
    ) -> Standing {
        if self.role_at(agency, cited) < Some(Role::Contributor) {
            return Standing::NotContributor;
        }
        for ending in self
            .endings
            .iter()
            .filter(|e| e.agency == *agency && cited < e.height)
        {
            match ending.cuts.get(writer) {
                Some((last, head)) if seq == *last && head != hash => return Standing::Forked,
                Some((last, _)) if seq <= *last => {}
                _ => return Standing::BeyondCut,
            }
        }
        Standing::Valid
    }

    /// What the next statement must be built on.
    #[must_use]
    pub fn next(&self, body: GroupBody) -> GroupStatement {
        GroupStatement {
            group: Some(self.id),
            height: self.height().saturating_add(1),
            previous: Some(self.head),
            body,
        }
    }

    /// Whether a genesis may begin a chain: content, not signatures.
    ///
    /// # Errors
    /// [`GroupError`] says what is wrong.
    pub fn begins(statement: &GroupStatement) -> Result<&Genesis, GroupError> {
        let GroupBody::Genesis(genesis) = &statement.body else {
            return Err(GroupError::Genesis);
        };
        if statement.group.is_some() || statement.height != 0 || statement.previous.is_some() {
            return Err(GroupError::Genesis);
        }
        identity::check_name("name", &genesis.name).map_err(|_| GroupError::Field("name"))?;
        if genesis.name == "own" {
            return Err(GroupError::Field("name"));
        }
        Tlp::from_name(&genesis.tlp).ok_or(GroupError::Field("TLP label"))?;
        if genesis.members.len() > limits::MEMBERS {
            return Err(GroupError::TooMany("members"));
        }
        let members: BTreeMap<_, _> = genesis.members.iter().map(|m| (m.agency, m.role)).collect();
        let owners = count(
            members
                .values()
                .filter(|role| **role == Role::Owner)
                .count(),
        );
        if members.len() != genesis.members.len() || owners == 0 {
            return Err(GroupError::Members);
        }
        check_threshold(genesis.threshold, owners)?;
        Ok(genesis)
    }

    /// Whether a statement may follow: position and content, not signatures.
    ///
    /// # Errors
    /// [`GroupError`] says what is wrong.
    pub fn follows(&self, statement: &GroupStatement) -> Result<(), GroupError> {
        if self.is_own() || statement.group != Some(self.id) {
            return Err(GroupError::OtherChain);
        }
        let expected = self.height().saturating_add(1);
        if statement.height != expected {
            return Err(GroupError::Height {
                found: statement.height,
                expected,
            });
        }
        if statement.previous != Some(self.head) {
            return Err(GroupError::Fork(statement.height));
        }
        if self.statements.len() >= limits::GROUP_STATEMENTS {
            return Err(GroupError::TooMany("statements"));
        }
        self.check_body(&statement.body)
    }

    fn check_body(&self, body: &GroupBody) -> Result<(), GroupError> {
        match body {
            GroupBody::Genesis(_) => Err(GroupError::Genesis),
            GroupBody::Add(member) => {
                if self.members.contains_key(&member.agency) {
                    return Err(GroupError::AlreadyMember);
                }
                if self.members.len() >= limits::MEMBERS {
                    return Err(GroupError::TooMany("members"));
                }
                self.check_owners_after(member.agency, Some(member.role))
            }
            GroupBody::Remove(agency, _) => {
                self.members.get(agency).ok_or(GroupError::NotMember)?;
                self.check_owners_after(*agency, None)
            }
            GroupBody::SetRole(member, _) => {
                self.members
                    .get(&member.agency)
                    .ok_or(GroupError::NotMember)?;
                self.check_owners_after(member.agency, Some(member.role))
            }
            GroupBody::SetThreshold(threshold) => check_threshold(*threshold, self.owners()),
            GroupBody::ExtendCuts(agency, _) => {
                match self.endings.iter().any(|ending| ending.agency == *agency) {
                    true => Ok(()),
                    false => Err(GroupError::NotCut),
                }
            }
        }
    }

    /// A change of one agency's role must leave an owner. The threshold follows the owners by
    /// itself, see [`GroupChain::push`].
    fn check_owners_after(&self, agency: AgencyId, role: Option<Role>) -> Result<(), GroupError> {
        let others = self
            .members
            .iter()
            .filter(|(a, r)| **a != agency && **r == Role::Owner);
        match others.count() + usize::from(role == Some(Role::Owner)) {
            0 => Err(GroupError::Members),
            _ => Ok(()),
        }
    }

    /// The chain that a genesis begins. The envelope must be verified.
    pub(crate) fn begin(genesis: &Genesis, signed: &Signed, bytes: Vec<u8>) -> Self {
        let id = wire::hash(Domain::GroupStatement, &[&signed.body]);
        let members: BTreeMap<_, _> = genesis.members.iter().map(|m| (m.agency, m.role)).collect();
        Self {
            id: GroupId(id),
            name: genesis.name.clone(),
            tlp: Tlp::from_name(&genesis.tlp).unwrap_or(Tlp::Red),
            threshold: genesis.threshold,
            roles: members
                .iter()
                .map(|(agency, role)| (*agency, vec![(0, Some(*role))]))
                .collect(),
            members,
            endings: Vec::new(),
            head: StatementHash(id),
            statements: vec![bytes],
        }
    }

    /// The chain with one more statement. It must be verified to follow this one.
    pub(crate) fn push(&mut self, statement: &GroupStatement, signed: &Signed, bytes: Vec<u8>) {
        let height = statement.height;
        match &statement.body {
            GroupBody::Genesis(_) => {}
            GroupBody::Add(member) => self.set_role(height, member.agency, Some(member.role)),
            GroupBody::Remove(agency, cuts) => {
                self.set_role(height, *agency, None);
                self.end(height, *agency, cuts);
            }
            GroupBody::SetRole(member, cuts) => {
                self.set_role(height, member.agency, Some(member.role));
                if member.role < Role::Contributor {
                    self.end(height, member.agency, cuts);
                }
            }
            GroupBody::SetThreshold(threshold) => self.threshold = *threshold,
            GroupBody::ExtendCuts(agency, cuts) => self.extend(agency, cuts),
        }
        // A threshold stays a majority when owners come, and can be met when they go.
        let owners = self.owners();
        self.threshold = self.threshold.clamp(majority(owners), owners.max(1));
        self.head = StatementHash(wire::hash(Domain::GroupStatement, &[&signed.body]));
        self.statements.push(bytes);
    }

    fn set_role(&mut self, height: u32, agency: AgencyId, role: Option<Role>) {
        match role {
            Some(role) => self.members.insert(agency, role),
            None => self.members.remove(&agency),
        };
        self.roles.entry(agency).or_default().push((height, role));
    }

    /// Moves the cuts of an agency's latest ending forward; never back.
    fn extend(&mut self, agency: &AgencyId, cuts: &[Cut]) {
        let latest = self.endings.iter_mut().rev().find(|e| e.agency == *agency);
        let Some(ending) = latest else { return };
        for cut in cuts {
            let known = ending
                .cuts
                .entry(cut.writer)
                .or_insert((0, EntryHash([0; 32])));
            if known.0 < cut.seq {
                *known = (cut.seq, cut.head);
            }
        }
    }

    /// The last valid entry of one of an agency's logs, as the latest statement that took rights
    /// from it says; none where none did.
    #[must_use]
    pub fn cut_of_log(&self, agency: &AgencyId, writer: &Writer) -> Option<(u64, EntryHash)> {
        let ending = self.endings.iter().rev().find(|e| e.agency == *agency)?;
        let nothing = (0, EntryHash([0; 32]));
        Some(ending.cuts.get(writer).copied().unwrap_or(nothing))
    }

    /// The hash of the statement at a height.
    #[must_use]
    pub fn hash_at(&self, height: u32) -> Option<StatementHash> {
        let signed = Signed::read(self.statements.get(height as usize)?).ok()?;
        let hash = wire::hash(Domain::GroupStatement, &[&signed.body]);
        Some(StatementHash(hash))
    }

    fn end(&mut self, height: u32, agency: AgencyId, cuts: &[Cut]) {
        let cuts = cuts
            .iter()
            .map(|cut| (cut.writer, (cut.seq, cut.head)))
            .collect();
        self.endings.push(Ending {
            height,
            agency,
            cuts,
        });
    }
}

/// More than half of the owners.
pub(crate) fn majority(owners: u32) -> u32 {
    owners / 2 + 1
}

fn check_threshold(threshold: u32, owners: u32) -> Result<(), GroupError> {
    match (majority(owners)..=owners).contains(&threshold) {
        true => Ok(()),
        false => Err(GroupError::Threshold { threshold, owners }),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
