//! Chains and the trust list: what the local admin decides, and what peers bring.

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::group::{Cut, Genesis, GroupError, GroupStatement, Member, Role};
use diwan_core::id::{AgencyId, GroupId, Writer};
use diwan_core::identity::{AgencyBody, Card, ChainError};
use diwan_core::record::Tlp;
use diwan_core::trust::TrustEntry;
use diwan_core::verify::{self, AgencyStep, GroupStep, Verified};

use super::EngineError;
use super::step::Step;
use crate::store::StoreError;

/// A change of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Joins with a role.
    Add(Member),
    /// Gets another role.
    SetRole(Member),
    /// Leaves.
    Remove(AgencyId),
    /// More of what an agency wrote before it lost its rights is valid: all that is here now.
    ExtendCuts(AgencyId),
    /// So many owners sign from now on.
    SetThreshold(u32),
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

    pub(super) fn take_agency(&mut self, step: &Verified<AgencyStep>) -> Result<(), EngineError> {
        match self.take_agency_step(step)? {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::DamagedCard)
                .with("detail", "the chain has forked, or there is no room for it")
                .into()),
        }
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

    pub(super) fn take_group(&mut self, step: &Verified<GroupStep>) -> Result<(), EngineError> {
        match self.take_group_step(step)? {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::GroupFrozen)
                .with("group", step.chain.name())
                .into()),
        }
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
    pub(super) fn cuts(&self, group: &GroupId, agency: &AgencyId) -> Result<Vec<Cut>, EngineError> {
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
}

/// A group's error, for people.
pub(super) fn group_refused(name: &str, error: &GroupError) -> ApiError {
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
