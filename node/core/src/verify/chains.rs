//! Statements of agency and group chains: position, content, signatures.

use std::collections::{BTreeMap, BTreeSet};

use super::Verified;
use crate::breaks::{Break, is_left_out};
use crate::group::{Cut, GroupBody, GroupChain, GroupError, GroupStatement, Role};
use crate::id::{AgencyId, GroupId, NodeKey, StatementHash};
use crate::identity::{
    AgencyBody, AgencyChain, AgencyStatement, Capabilities, Card, CardError, Certificate,
    ChainError, JoinRequest,
};
use crate::limits;
use crate::wire::{self, Domain, SignatureBy, Signed, signature_holds};

/// A verified statement of an agency chain, with its bytes as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgencyStep {
    /// The chain as it is with this statement.
    pub chain: AgencyChain,
    /// Its height.
    pub height: u32,
    /// As received.
    pub bytes: Vec<u8>,
}

/// A verified statement of a group chain, with its bytes as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStep {
    /// The chain as it is with this statement.
    pub chain: GroupChain,
    /// Its height.
    pub height: u32,
    /// As received.
    pub bytes: Vec<u8>,
}

impl AgencyStep {
    /// The node that the statement takes rights from, or gives some back to; none for others.
    #[must_use]
    pub fn cuts_off(&self) -> Option<NodeKey> {
        let signed = Signed::read(&self.bytes).ok()?;
        let statement: AgencyStatement =
            wire::decode(&signed.body, limits::STATEMENT_BYTES).ok()?;
        match statement.body {
            AgencyBody::RevokeNode(node, _) | AgencyBody::ExtendCuts(node, _) => Some(node),
            _ => None,
        }
    }
}

impl GroupStep {
    /// Whether the statement gives back what an earlier one took.
    #[must_use]
    pub fn extends(&self) -> bool {
        let signed = Signed::read(&self.bytes).ok();
        let statement = signed.as_ref().and_then(GroupStatement::of);
        statement.is_some_and(|s| matches!(s.body, GroupBody::ExtendCuts(..)))
    }

    /// The agency that the statement takes rights from, with its cuts; none for other statements.
    #[must_use]
    pub fn ending(&self) -> Option<(AgencyId, Vec<Cut>)> {
        let signed = Signed::read(&self.bytes).ok()?;
        let statement: GroupStatement = wire::decode(&signed.body, limits::STATEMENT_BYTES).ok()?;
        match statement.body {
            GroupBody::Remove(agency, cuts) | GroupBody::ExtendCuts(agency, cuts) => {
                Some((agency, cuts))
            }
            GroupBody::SetRole(member, cuts) if member.role < Role::Contributor => {
                Some((member.agency, cuts))
            }
            _ => None,
        }
    }
}

/// Verifies the next statement of an agency chain; the first one without a chain.
///
/// # Errors
/// [`ChainError`] says what is wrong.
pub fn agency_statement(
    chain: Option<&AgencyChain>,
    bytes: &[u8],
) -> Result<Verified<AgencyStep>, ChainError> {
    let signed = Signed::read(bytes)?;
    let statement: AgencyStatement = wire::decode(&signed.body, limits::STATEMENT_BYTES)?;
    let root = match chain {
        None => statement.begins()?.root,
        Some(chain) => {
            chain.follows(&statement)?;
            chain.root()
        }
    };
    // A new root key proves that somebody holds it before everything depends on it.
    let signers = match &statement.body {
        AgencyBody::RotateRoot(new) => vec![root, *new],
        _ => vec![root],
    };
    let found: Vec<NodeKey> = signed.signatures.iter().map(|by| by.key).collect();
    let hold = signed.signatures.iter().all(|by| {
        signature_holds(
            &by.key,
            Domain::AgencyStatement,
            &signed.body,
            &by.signature,
        )
    });
    let is_signed = found == signers && hold;
    if !is_signed && !is_left_out(Break::AgencySignature) {
        return Err(ChainError::Signature);
    }
    let chain = match chain {
        None => {
            AgencyChain::begin(&statement, &signed, bytes.to_vec()).ok_or(ChainError::Genesis)?
        }
        Some(chain) => {
            let mut chain = chain.clone();
            chain.push(&statement, &signed, bytes.to_vec());
            chain
        }
    };
    Ok(Verified(AgencyStep {
        height: statement.height,
        chain,
        bytes: bytes.to_vec(),
    }))
}

/// Verifies a whole agency chain, from its genesis.
///
/// # Errors
/// The height of the first bad statement, and what is wrong with it.
pub fn agency_chain(statements: &[Vec<u8>]) -> Result<Verified<AgencyChain>, (usize, ChainError)> {
    let mut chain = None;
    for (height, bytes) in statements.iter().enumerate() {
        let step = agency_statement(chain.as_ref(), bytes).map_err(|error| (height, error))?;
        chain = Some(step.into_inner().chain);
    }
    chain.map(Verified).ok_or((0, ChainError::Genesis))
}

/// The node of a join request, if it signed it.
#[must_use]
pub fn join_request(request: &JoinRequest) -> Option<NodeKey> {
    let signed = request.signed();
    let [by] = signed.signatures.as_slice() else {
        return None;
    };
    let holds = by.key == request.node
        && signature_holds(&by.key, Domain::JoinRequest, &signed.body, &by.signature);
    holds.then_some(request.node)
}

/// Verifies a card: its chain, and that its readable lines say what the chain says.
///
/// # Errors
/// [`CardError`] names the line or the statement.
pub fn card(text: &str) -> Result<Verified<Card>, CardError> {
    let statements = Card::statements(text)?;
    let chain = agency_chain(&statements)
        .map_err(|(height, reason)| CardError::Statement { height, reason })?
        .into_inner();
    let card = Card { chain };
    card.matches(text)?;
    Ok(Verified(card))
}

/// Verifies the genesis of a group chain: signed by a governing node of one of its owners.
///
/// # Errors
/// [`GroupError`] says what is wrong.
pub fn group_genesis(
    agencies: &BTreeMap<AgencyId, AgencyChain>,
    bytes: &[u8],
) -> Result<Verified<GroupStep>, GroupError> {
    let signed = Signed::read(bytes)?;
    let statement: GroupStatement = wire::decode(&signed.body, limits::STATEMENT_BYTES)?;
    let genesis = GroupChain::begins(&statement)?;
    let chain = GroupChain::begin(genesis, &signed, bytes.to_vec());
    let found = owners_signing(&chain, agencies, &signed, 0);
    if found == 0 {
        return Err(GroupError::Signatures { found, needed: 1 });
    }
    Ok(Verified(GroupStep {
        chain,
        height: 0,
        bytes: bytes.to_vec(),
    }))
}

/// Verifies the next statement of a group chain: signed by governing nodes of at least `threshold`
/// owners of the statement before it.
///
/// # Errors
/// [`GroupError`] says what is wrong.
pub fn group_statement(
    chain: &GroupChain,
    agencies: &BTreeMap<AgencyId, AgencyChain>,
    bytes: &[u8],
) -> Result<Verified<GroupStep>, GroupError> {
    let signed = Signed::read(bytes)?;
    let statement: GroupStatement = wire::decode(&signed.body, limits::STATEMENT_BYTES)?;
    chain.follows(&statement)?;
    let mut found = owners_signing(chain, agencies, &signed, statement.height);
    if is_left_out(Break::OwnerSignature) || (found > 0 && is_left_out(Break::OwnersThreshold)) {
        found = chain.threshold();
    }
    if found < chain.threshold() {
        return Err(GroupError::Signatures {
            found,
            needed: chain.threshold(),
        });
    }
    let mut chain = chain.clone();
    chain.push(&statement, &signed, bytes.to_vec());
    Ok(Verified(GroupStep {
        chain,
        height: statement.height,
        bytes: bytes.to_vec(),
    }))
}

/// The group that the longest valid beginning of a chain describes; none where not even the genesis
/// holds.
#[must_use]
pub fn group_chain(
    agencies: &BTreeMap<AgencyId, AgencyChain>,
    statements: &[Vec<u8>],
) -> Option<Verified<GroupChain>> {
    let (genesis, later) = statements.split_first()?;
    let mut chain = group_genesis(agencies, genesis).ok()?.into_inner().chain;
    for bytes in later {
        match group_statement(&chain, agencies, bytes) {
            Ok(step) => chain = step.into_inner().chain,
            Err(_) => break,
        }
    }
    Some(Verified(chain))
}

/// Whether a node's signature counts on a statement: it governs, and if it was revoked since, the
/// statement is not beyond the cut.
fn governed(
    certificate: &Certificate,
    node: &NodeKey,
    (group, height, hash): (&GroupId, u32, StatementHash),
) -> bool {
    if !certificate.capabilities.include(Capabilities::GOVERN) {
        return false;
    }
    let Some(cuts) = &certificate.revoked else {
        return true;
    };
    cuts.of_chain(group, node)
        .is_some_and(|(last, head)| height < last || (height == last && hash == head))
}

/// Whether a signature below a group's next statement is one of its owners'.
#[must_use]
pub fn owner_signed(
    chain: &GroupChain,
    agencies: &BTreeMap<AgencyId, AgencyChain>,
    body: &[u8],
    by: &SignatureBy,
) -> bool {
    let signed = Signed {
        body: body.to_vec(),
        signatures: vec![by.clone()],
    };
    owners_signing(chain, agencies, &signed, chain.height().saturating_add(1)) == 1
}

/// How many different owners have a governing node among the valid signatures.
fn owners_signing(
    chain: &GroupChain,
    agencies: &BTreeMap<AgencyId, AgencyChain>,
    signed: &Signed,
    height: u32,
) -> u32 {
    let hash = StatementHash(wire::hash(Domain::GroupStatement, &[&signed.body]));
    let place = (&chain.id(), height, hash);
    let governs = |owner: &AgencyId, node: &NodeKey| {
        let certificate = agencies
            .get(owner)
            .and_then(|agency| agency.certificate(node));
        certificate.is_some_and(|c| governed(c, node, place))
    };
    let owners = chain.members().filter(|(_, role)| *role == Role::Owner);
    let owners: Vec<&AgencyId> = owners.map(|(agency, _)| agency).collect();
    let mut signing = BTreeSet::new();
    for by in &signed.signatures {
        let owner = owners.iter().find(|owner| governs(owner, &by.key));
        if let Some(owner) = owner
            && signature_holds(&by.key, Domain::GroupStatement, &signed.body, &by.signature)
        {
            signing.insert(**owner);
        }
    }
    u32::try_from(signing.len()).unwrap_or(u32::MAX)
}
