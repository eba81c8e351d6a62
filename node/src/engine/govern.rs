//! Governing: statements of groups with as many owners' signatures as they need, and of this
//! agency's own chain.

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::group::{GroupBody, GroupChain, GroupStatement, Role};
use diwan_core::id::{GroupId, NodeKey, StatementHash, Writer};
use diwan_core::identity::{AgencyBody, Capabilities, SealedCut};
use diwan_core::limits;
use diwan_core::sync::RefusedItem;
use diwan_core::verify;
use diwan_core::wire::{self, Domain, Signed, Signing};

use super::EngineError;
use super::chains::{MemberChange, group_refused};
use super::incoming::{blame, innocent};
use super::step::Step;
use crate::store::StoreError;

/// Sealed cuts come in multiples of this, so that their number says little.
const PADDED_TO: usize = 16;

/// What became of a change of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberOutcome {
    /// It is in force.
    Done,
    /// It waits for more owners.
    Waiting(PendingView),
}

/// A statement that waits for signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingView {
    /// Names it.
    pub statement: StatementHash,
    /// Owners who signed.
    pub found: u32,
    /// Owners who must.
    pub needed: u32,
}

impl Step<'_, '_> {
    /// Changes a group that this agency owns: at once where its signature is enough, otherwise when
    /// other owners have signed too.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where this agency is no owner, has signed another statement at this
    /// height, or the change does not fit the group.
    pub fn change_member(
        &mut self,
        group: &GroupId,
        change: MemberChange,
    ) -> Result<MemberOutcome, EngineError> {
        let chain = self.owned_group(group)?;
        let body = match change {
            MemberChange::Add(member) => GroupBody::Add(member),
            MemberChange::SetRole(member) => {
                GroupBody::SetRole(member, self.cuts(group, &member.agency)?)
            }
            MemberChange::Remove(agency) => GroupBody::Remove(agency, self.cuts(group, &agency)?),
            MemberChange::ExtendCuts(agency) => {
                GroupBody::ExtendCuts(agency, self.cuts(group, &agency)?)
            }
            MemberChange::SetThreshold(threshold) => GroupBody::SetThreshold(threshold),
        };
        let statement = chain.next(body);
        chain
            .follows(&statement)
            .map_err(|error| group_refused(chain.name(), &error))?;
        let body = wire::encode(&statement);
        let signed = Signed::by(self.node_key(), Domain::GroupStatement, body);
        self.sign_on(group, &chain, &signed)
    }

    /// Adds this agency's signature to a statement that waits: the only one, or the one named.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where none waits, several do and none is named, or this agency has
    /// signed another one at this height.
    pub fn cosign(
        &mut self,
        group: &GroupId,
        named: Option<&StatementHash>,
    ) -> Result<MemberOutcome, EngineError> {
        let chain = self.owned_group(group)?;
        let found = self.replica().group(group);
        let waiting = found.map(|found| found.pending.clone()).unwrap_or_default();
        let mut fitting = waiting.into_iter().filter(|signed| {
            let fits = GroupStatement::of(signed).is_some_and(|s| chain.follows(&s).is_ok());
            fits && named.is_none_or(|named| hash_of(signed) == *named)
        });
        let nothing = || ApiError::new(ErrorCode::NothingToCosign).with("group", chain.name());
        let signed = fitting.next().ok_or_else(nothing)?;
        if fitting.next().is_some() {
            return Err(ApiError::new(ErrorCode::AmbiguousStatement)
                .with("group", chain.name())
                .into());
        }
        let own = Signed::by(self.node_key(), Domain::GroupStatement, signed.body);
        self.sign_on(group, &chain, &own)
    }

    /// Keeps a statement with this agency's signature, and makes it valid where that is enough.
    fn sign_on(
        &mut self,
        group: &GroupId,
        chain: &GroupChain,
        signed: &Signed,
    ) -> Result<MemberOutcome, EngineError> {
        let me = self.me().node;
        let found = self.replica().group(group);
        let pending = found
            .map(|found| found.pending.as_slice())
            .unwrap_or_default();
        let next = chain.height().saturating_add(1);
        let elsewhere = pending.iter().any(|other| {
            let same_height = GroupStatement::of(other).is_some_and(|s| s.height == next);
            same_height
                && other.body != signed.body
                && other.signatures.iter().any(|by| by.key == me)
        });
        // An owner signs one statement a height, or honest owners could fork a group by accident.
        if elsewhere {
            return Err(ApiError::new(ErrorCode::AlreadySigned)
                .with("group", chain.name())
                .into());
        }
        self.state.replica.take_pending(group, signed);
        self.keep_pending(group)?;
        self.finish_pending(group, &signed.body)
    }

    /// Makes a statement that waits valid, once enough owners have signed.
    fn finish_pending(
        &mut self,
        group: &GroupId,
        body: &[u8],
    ) -> Result<MemberOutcome, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", group);
        let found = self.replica().group(group).ok_or_else(unknown)?;
        let chain = found.chain.clone();
        let waiting = found.pending.iter().find(|signed| signed.body == body);
        let waiting = waiting.cloned().ok_or_else(unknown)?;
        match verify::group_statement(&chain, self.replica().agencies(), &wire::encode(&waiting)) {
            Ok(step) => {
                self.take_group(&step)?;
                Ok(MemberOutcome::Done)
            }
            Err(diwan_core::group::GroupError::Signatures { found, needed }) => {
                Ok(MemberOutcome::Waiting(PendingView {
                    statement: hash_of(&waiting),
                    found,
                    needed,
                }))
            }
            Err(error) => Err(group_refused(chain.name(), &error).into()),
        }
    }

    /// A statement that waits at a peer. Only owners' signatures that hold are kept.
    pub(super) fn take_pending(
        &mut self,
        group: &GroupId,
        bytes: &[u8],
    ) -> Result<Option<RefusedItem>, StoreError> {
        let me = self.me().agency;
        let Some(found) = self.replica().group(group) else {
            return Ok(Some(innocent("not-a-member")));
        };
        let chain = found.chain.clone();
        if chain.role(&me) != Some(Role::Owner) {
            return Ok(Some(innocent("not-an-owner")));
        }
        let Ok(mut signed) = Signed::read(bytes) else {
            return Ok(Some(blame("pending")));
        };
        let fits = GroupStatement::of(&signed).is_some_and(|s| chain.follows(&s).is_ok());
        if !fits {
            return Ok(Some(innocent("pending-is-old")));
        }
        let agencies = self.replica().agencies();
        signed
            .signatures
            .retain(|by| verify::owner_signed(&chain, agencies, &signed.body, by));
        if signed.signatures.is_empty() {
            return Ok(Some(blame("pending-unsigned")));
        }
        if self.state.replica.take_pending(group, &signed) {
            self.keep_pending(group)?;
            let finished = self.finish_pending(group, &signed.body);
            if let Err(EngineError::Store(error)) = finished {
                return Err(error);
            }
        }
        Ok(None)
    }

    fn owned_group(&self, group: &GroupId) -> Result<GroupChain, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", group);
        let found = self.replica().group(group).ok_or_else(unknown)?;
        let chain = found.chain.clone();
        let about = |code| Err(ApiError::new(code).with("group", chain.name()).into());
        if chain.role(&self.me().agency) != Some(Role::Owner) || chain.is_own() {
            return about(ErrorCode::NotOwner);
        }
        if found.fork.is_some() {
            return about(ErrorCode::GroupFrozen);
        }
        let own = self.replica().agency(&self.me().agency);
        let own = own.and_then(|chain| chain.certificate(&self.me().node));
        match own.is_some_and(|own| own.may(Capabilities::GOVERN)) {
            true => Ok(chain),
            false => about(ErrorCode::NotGoverning),
        }
    }

    /// Leaves a group, or comes back: nothing of it is synced any more. What is here stays readable.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the group is unknown, or this agency is its last owner.
    pub fn leave_group(&mut self, group: &GroupId, left: bool) -> Result<(), EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownGroup).with("name", group);
        let chain = &self.replica().group(group).ok_or_else(unknown)?.chain;
        let only_owner = chain.role(&self.me().agency) == Some(Role::Owner) && chain.owners() == 1;
        if chain.is_own() || (left && only_owner) {
            return Err(ApiError::new(ErrorCode::LastOwner)
                .with("group", chain.name())
                .into());
        }
        self.tables.set_left(group, left)?;
        self.state.replica.set_left(group, left);
        Ok(())
    }

    /// Certifies another node of this agency. It governs only where no other node does.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the root key is not here, or the chain does not allow it.
    pub fn certify_node(
        &mut self,
        node: NodeKey,
        capabilities: Capabilities,
        addresses: Vec<String>,
    ) -> Result<(), EngineError> {
        self.say(AgencyBody::CertifyNode(node, capabilities))?;
        match addresses.is_empty() {
            true => Ok(()),
            false => self.say(AgencyBody::Addresses(node, addresses)),
        }
    }

    /// Revokes a node of this agency: what it wrote stays valid as far as this node has it. Again
    /// for a revoked node: more of what it wrote is valid than was known then.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the root key is not here, the node is unknown, or it is this
    /// one and governs.
    pub fn revoke_node(&mut self, node: NodeKey) -> Result<u64, EngineError> {
        let me = self.me();
        let chain = self.replica().agency(&me.agency);
        let certificate = chain.and_then(|chain| chain.certificate(&node));
        let unknown = || ApiError::new(ErrorCode::UnknownNode).with("node", node.short());
        let is_revoked = certificate.ok_or_else(unknown)?.revoked.is_some();
        let mut cuts = Vec::new();
        let mut kept = 0;
        for (id, group) in self.replica().groups() {
            let of_node = |(writer, _): &(&Writer, _)| writer.node == node;
            for (writer, log) in group.logs.iter().filter(of_node) {
                kept += log.head.seq;
                cuts.push(SealedCut::of_log(id, writer, log.head.seq, log.head.hash));
            }
            let owns = group.chain.role(&me.agency) == Some(Role::Owner) && !group.chain.is_own();
            if owns {
                let (height, head) = (group.chain.height(), group.chain.head());
                cuts.push(SealedCut::of_chain(id, &node, height, head));
            }
        }
        let mut extend = is_revoked;
        let mut parts: Vec<Vec<SealedCut>> = cuts
            .chunks(limits::SEALED_CUTS - PADDED_TO)
            .map(<[_]>::to_vec)
            .collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        for mut part in parts {
            while part.is_empty() || part.len() % PADDED_TO != 0 {
                let mut random = [0; 72];
                self.machine().fill(&mut random)?;
                part.push(SealedCut::padding(random));
            }
            self.say(match extend {
                true => AgencyBody::ExtendCuts(node, part),
                false => AgencyBody::RevokeNode(node, part),
            })?;
            extend = true;
        }
        Ok(kept)
    }

    /// Hands the agency's chain over to another root key, which signs from here on.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the root key is not here.
    pub fn rotate_root(&mut self, new: &Signing) -> Result<(), EngineError> {
        let me = self.me().agency;
        let missing = || ApiError::new(ErrorCode::RootKeyAway);
        let root = self.root_key().ok_or_else(missing)?;
        let chain = self.replica().agency(&me).ok_or_else(missing)?;
        let statement = chain.next(AgencyBody::RotateRoot(new.public()));
        let bytes = statement.sign_rotation(root, new);
        self.take_own_statement(&bytes)
    }

    fn say(&mut self, body: AgencyBody) -> Result<(), EngineError> {
        let me = self.me().agency;
        let missing = || ApiError::new(ErrorCode::RootKeyAway);
        let root = self.root_key().ok_or_else(missing)?;
        let chain = self.replica().agency(&me).ok_or_else(missing)?;
        let bytes = chain.next(body).sign(root);
        self.take_own_statement(&bytes)
    }

    fn take_own_statement(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        let chain = self.replica().agency(&self.me().agency);
        let step = verify::agency_statement(chain, bytes)
            .map_err(|error| ApiError::new(ErrorCode::ChainRefused).with("detail", error))?;
        self.take_agency(&step)
    }
}

fn hash_of(signed: &Signed) -> StatementHash {
    StatementHash(wire::hash(Domain::GroupStatement, &[&signed.body]))
}
