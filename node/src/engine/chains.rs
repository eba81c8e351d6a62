//! Chains and the trust list: what the local admin decides, and what peers bring.

use std::collections::BTreeMap;

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::group::{
    Cut, Genesis, GroupBody, GroupChain, GroupError, GroupStatement, Member, Role,
};
use diwan_core::id::{AgencyId, GroupId, Writer};
use diwan_core::identity::{AgencyBody, Card, ChainError};
use diwan_core::record::Tlp;
use diwan_core::sync::{Incoming, RefusedItem};
use diwan_core::trust::TrustEntry;
use diwan_core::verify::{self, AgencyStep, GroupStep, Verified};

use super::step::Step;
use super::{EngineError, effect};
use crate::store::StoreError;

/// A change of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Joins with a role.
    Add(Member),
    /// Gets another role.
    SetRole(Member),
    /// Leaves.
    Remove(AgencyId),
}

/// What a removal keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Entries of the agency that stay valid.
    pub entries_kept: u64,
}

impl Step<'_, '_> {
    /// Takes a card and what the admin decided about its agency.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the card is the own one's, older than what is known, or from
    /// another history.
    pub fn trust_card(
        &mut self,
        card: &Verified<Card>,
        entry: TrustEntry,
    ) -> Result<AgencyId, EngineError> {
        let chain = &card.chain;
        let agency = chain.id();
        let short = &chain.genesis().short;
        if agency == self.me().agency {
            return Err(ApiError::new(ErrorCode::OwnAgency)
                .with("agency", short)
                .into());
        }
        let from = self
            .replica()
            .agency(&agency)
            .map_or(0, |known| known.height() + 1);
        if from > chain.height() + 1 {
            return Err(ApiError::new(ErrorCode::OlderCard)
                .with("agency", short)
                .into());
        }
        for bytes in chain.statements_from(from) {
            let step = verify::agency_statement(self.replica().agency(&agency), bytes);
            let step =
                step.map_err(|error| ApiError::new(ErrorCode::DamagedCard).with("detail", error))?;
            self.take_agency(&step)?;
        }
        self.set_trust(agency, Some(entry))?;
        Ok(agency)
    }

    fn take_agency(&mut self, step: &Verified<AgencyStep>) -> Result<(), EngineError> {
        let taken = self.state.replica.take_agency_step(step);
        taken.map_err(|error| ApiError::new(ErrorCode::DamagedCard).with("detail", error))?;
        self.tables.put_agency_step(step)?;
        Ok(())
    }

    /// Changes the local admin's decision about an agency; none forgets it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_trust(
        &mut self,
        agency: AgencyId,
        entry: Option<TrustEntry>,
    ) -> Result<(), StoreError> {
        self.tables.put_trust(&agency, entry.as_ref())?;
        match entry {
            Some(entry) => self.state.replica.trust_mut().set(agency, entry),
            None => {
                self.state.replica.trust_mut().remove(&agency);
            }
        }
        Ok(())
    }

    /// Writes this node's addresses into the own agency chain where they changed. False where the
    /// root key is not here to sign.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the addresses cannot stand in a chain.
    pub fn announce(&mut self, addresses: Vec<String>) -> Result<bool, EngineError> {
        let me = self.me();
        let internal = |error: ChainError| ApiError::new(ErrorCode::Internal).with("detail", error);
        let Some(chain) = self.replica().agency(&me.agency) else {
            return Ok(false);
        };
        if chain
            .certificate(&me.node)
            .is_some_and(|own| own.addresses == addresses)
        {
            return Ok(true);
        }
        let Some(root) = self.root_key() else {
            return Ok(false);
        };
        let bytes = chain
            .next(AgencyBody::Addresses(me.node, addresses))
            .sign(root);
        let step = verify::agency_statement(Some(chain), &bytes).map_err(internal)?;
        self.take_agency(&step)?;
        Ok(true)
    }

    /// Creates a group that this agency owns.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where a member is not pinned or the content is not allowed.
    pub fn create_group(
        &mut self,
        name: &str,
        members: &[Member],
        threshold: u32,
        tlp: Tlp,
    ) -> Result<GroupId, EngineError> {
        let mut nonce = [0; 16];
        self.machine().fill(&mut nonce)?;
        let me = Member {
            agency: self.me().agency,
            role: Role::Owner,
        };
        let genesis = Genesis {
            name: name.to_owned(),
            tlp: tlp.name().to_owned(),
            threshold,
            members: std::iter::once(me).chain(members.iter().copied()).collect(),
            nonce,
        };
        let bytes = GroupStatement::genesis(genesis).sign(self.node_key());
        let step = verify::group_genesis(self.replica().agencies(), &bytes)
            .map_err(|error| group_refused(name, &error))?;
        let group = step.chain.id();
        self.take_group(&step)?;
        Ok(group)
    }

    fn take_group(&mut self, step: &Verified<GroupStep>) -> Result<(), EngineError> {
        let taken = self.state.replica.take_group_step(step);
        taken.map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))?;
        self.tables.put_group_step(step)?;
        self.touch(step.chain.id());
        Ok(())
    }

    /// What the removal of an agency would keep.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the group is unknown.
    pub fn plan_removal(&self, group: &GroupId, agency: &AgencyId) -> Result<Removal, EngineError> {
        let cuts = self.cuts(group, agency)?;
        Ok(Removal {
            entries_kept: cuts.iter().map(|cut| cut.seq).sum(),
        })
    }

    /// Where an agency's logs are now: what a removal leaves valid.
    fn cuts(&self, group: &GroupId, agency: &AgencyId) -> Result<Vec<Cut>, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", group);
        let replica = self.replica();
        let found = replica.group(group).ok_or_else(unknown)?;
        let of_agency = |writer: &Writer| replica.agency_of(&writer.node) == Some(*agency);
        let logs = found.logs.iter().filter(|(writer, _)| of_agency(writer));
        Ok(logs
            .map(|(writer, log)| Cut {
                writer: *writer,
                seq: log.head.seq,
                head: log.head.hash,
            })
            .collect())
    }

    /// Changes a member of a group that this agency owns.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where this agency is no owner, more owners must sign, or the change
    /// does not fit the group.
    pub fn change_member(
        &mut self,
        group: &GroupId,
        change: MemberChange,
    ) -> Result<(), EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", group);
        let chain = self
            .replica()
            .group(group)
            .ok_or_else(unknown)?
            .chain
            .clone();
        if chain.role(&self.me().agency) != Some(Role::Owner) || chain.is_own() {
            return Err(ApiError::new(ErrorCode::NotOwner)
                .with("group", chain.name())
                .into());
        }
        if chain.threshold() > 1 {
            return Err(ApiError::new(ErrorCode::NeedsCosign)
                .with("threshold", chain.threshold())
                .into());
        }
        let body = match change {
            MemberChange::Add(member) => GroupBody::Add(member),
            MemberChange::SetRole(member) => {
                GroupBody::SetRole(member, self.cuts(group, &member.agency)?)
            }
            MemberChange::Remove(agency) => GroupBody::Remove(agency, self.cuts(group, &agency)?),
        };
        let bytes = chain.next(body).sign(self.node_key());
        let step = verify::group_statement(&chain, self.replica().agencies(), &bytes)
            .map_err(|error| group_refused(chain.name(), &error))?;
        self.take_group(&step)?;
        self.judge_after(&step)
    }

    /// Judges again what a statement may have made invalid.
    fn judge_after(&mut self, step: &Verified<GroupStep>) -> Result<(), EngineError> {
        let Some((agency, cuts)) = step.ending() else {
            return Ok(());
        };
        let last: BTreeMap<Writer, u64> = cuts.iter().map(|cut| (cut.writer, cut.seq)).collect();
        let last_valid = |writer: &Writer| last.get(writer).copied().unwrap_or(0);
        effect::of_ending(self, step.chain.id(), agency, last_valid)?;
        Ok(())
    }

    /// Takes what a peer brought. Everything is verified here; what does not hold is refused item
    /// by item.
    ///
    /// # Errors
    /// [`StoreError`]: nothing of it is stored.
    pub fn take_incoming(
        &mut self,
        from: &AgencyId,
        incoming: Incoming,
    ) -> Result<(u64, Vec<RefusedItem>), StoreError> {
        let mut refused = Vec::new();
        let mut stored = 0;
        match incoming {
            Incoming::Agency(agency, height, statements) => {
                refused.extend(self.take_agency_statements(&agency, height, &statements)?);
            }
            Incoming::Group(group, height, statements) => {
                refused.extend(self.take_group_statements(&group, height, &statements)?);
            }
            Incoming::Receipts(receipts) => {
                for bytes in receipts {
                    refused.extend(self.take_receipt(&bytes)?);
                }
            }
            Incoming::Entries(ranges) => {
                for range in ranges {
                    let group = range.group;
                    let is_shared = self.replica().shared(&group, from).is_some();
                    let verified = match is_shared {
                        true => self.replica().verify_range(range),
                        false => Err(verify::Refusal::NotMember),
                    };
                    match verified {
                        Ok(entries) => stored += self.take_entries(&entries)?,
                        Err(refusal) => refused.push(RefusedItem {
                            code: refusal.code(),
                            innocent: refusal.is_innocent(),
                            group: refusal.is_innocent().then_some(group),
                        }),
                    }
                }
            }
        }
        Ok((stored, refused))
    }

    fn take_agency_statements(
        &mut self,
        agency: &AgencyId,
        from: u32,
        statements: &[Vec<u8>],
    ) -> Result<Option<RefusedItem>, StoreError> {
        let known = self
            .replica()
            .agency(agency)
            .map_or(0, |chain| chain.height() + 1);
        for bytes in statements.iter().skip(known.saturating_sub(from) as usize) {
            let step = match verify::agency_statement(self.replica().agency(agency), bytes) {
                Ok(step) if step.chain.id() == *agency => step,
                Ok(_) => return Ok(Some(blame("agency-chain"))),
                Err(ChainError::Height { .. }) => return Ok(Some(innocent("agency-gap"))),
                Err(ChainError::Fork(height)) => {
                    tracing::error!(agency = %agency, height, "an agency's chain has forked");
                    return Ok(Some(innocent("agency-fork")));
                }
                Err(_) => return Ok(Some(blame("agency-chain"))),
            };
            if self.state.replica.take_agency_step(&step).is_err() {
                return Ok(Some(innocent("agency-not-taken")));
            }
            self.tables.put_agency_step(&step)?;
        }
        Ok(None)
    }

    fn take_group_statements(
        &mut self,
        group: &GroupId,
        from: u32,
        statements: &[Vec<u8>],
    ) -> Result<Option<RefusedItem>, StoreError> {
        let mut chain: Option<GroupChain> = self.replica().group(group).map(|g| g.chain.clone());
        let is_new = chain.is_none();
        let known = chain.as_ref().map_or(0, |chain| chain.height() + 1);
        let mut steps = Vec::new();
        for bytes in statements.iter().skip(known.saturating_sub(from) as usize) {
            let agencies = self.replica().agencies();
            let step = match &chain {
                None => verify::group_genesis(agencies, bytes),
                Some(chain) => verify::group_statement(chain, agencies, bytes),
            };
            let step = match step {
                Ok(step) if step.chain.id() == *group => step,
                Ok(_) => return Ok(Some(blame("group-chain"))),
                Err(GroupError::Height { .. }) => return Ok(Some(innocent("group-gap"))),
                // The owners' newest chains may not have arrived yet.
                Err(GroupError::Signatures { .. }) => {
                    return Ok(Some(innocent("group-signatures")));
                }
                Err(GroupError::Fork(height)) => {
                    tracing::error!(group = %group, height, "a group's chain has forked");
                    return Ok(Some(innocent("group-fork")));
                }
                Err(_) => return Ok(Some(blame("group-chain"))),
            };
            chain = Some(step.chain.clone());
            steps.push(step);
        }
        let follow = chain
            .as_ref()
            .is_some_and(|chain| self.replica().is_for_us(chain));
        if is_new && !follow {
            return Ok(None);
        }
        for step in &steps {
            if self.state.replica.take_group_step(step).is_err() {
                return Ok(Some(innocent("group-not-taken")));
            }
            self.tables.put_group_step(step)?;
            self.touch(*group);
            self.judge_after(step).or_else(|error| match error {
                EngineError::Store(error) => Err(error),
                _ => Ok(()),
            })?;
        }
        Ok(None)
    }

    fn take_receipt(&mut self, bytes: &[u8]) -> Result<Option<RefusedItem>, StoreError> {
        let Ok(signed) = verify::receipt(bytes) else {
            return Ok(Some(blame("receipt")));
        };
        if self.state.replica.take_receipt(&signed) {
            self.tables.put_receipt(&signed)?;
        }
        Ok(None)
    }
}

fn blame(code: &'static str) -> RefusedItem {
    RefusedItem {
        code,
        innocent: false,
        group: None,
    }
}

fn innocent(code: &'static str) -> RefusedItem {
    RefusedItem {
        code,
        innocent: true,
        group: None,
    }
}

fn group_refused(name: &str, error: &GroupError) -> ApiError {
    let about = |code| ApiError::new(code).with("group", name);
    match error {
        GroupError::Field("name") => ApiError::invalid(
            "name",
            name,
            "1 to 200 bytes without control characters, not `own`",
        ),
        GroupError::Field(field) => ApiError::invalid(field, "", "a known value"),
        GroupError::AlreadyMember => about(ErrorCode::AlreadyMember).with("agency", ""),
        GroupError::NotMember => about(ErrorCode::NotAMember).with("agency", ""),
        GroupError::Members => about(ErrorCode::LastOwner),
        GroupError::Threshold { threshold, owners } => ApiError::invalid(
            "threshold",
            threshold,
            &format!("a majority of the {owners} owners"),
        ),
        GroupError::Signatures { needed, .. } => {
            ApiError::new(ErrorCode::NeedsCosign).with("threshold", needed)
        }
        other => ApiError::new(ErrorCode::Internal).with("detail", other),
    }
}
