//! Statements of agency and group chains: position, content, signatures.

use std::collections::{BTreeMap, BTreeSet};

use super::Verified;
use crate::group::{Cut, GroupBody, GroupChain, GroupError, GroupStatement, Role};
use crate::id::{AgencyId, NodeKey};
use crate::identity::{AgencyChain, AgencyStatement, Capabilities, Card, CardError, ChainError};
use crate::limits;
use crate::wire::{self, Domain, Signed, signature_holds};

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

impl GroupStep {
    /// The agency that the statement takes rights from, with its cuts; none for other statements.
    #[must_use]
    pub fn ending(&self) -> Option<(AgencyId, Vec<Cut>)> {
        let signed = Signed::read(&self.bytes).ok()?;
        let statement: GroupStatement = wire::decode(&signed.body, limits::STATEMENT_BYTES).ok()?;
        match statement.body {
            GroupBody::Remove(agency, cuts) => Some((agency, cuts)),
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
            chain.genesis().root
        }
    };
    let [by] = signed.signatures.as_slice() else {
        return Err(ChainError::Signature);
    };
    if by.key != root
        || !signature_holds(&root, Domain::AgencyStatement, &signed.body, &by.signature)
    {
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
    let found = owners_signing(&chain, agencies, &signed);
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
    let found = owners_signing(chain, agencies, &signed);
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

/// How many different owners have a governing node among the valid signatures.
fn owners_signing(
    chain: &GroupChain,
    agencies: &BTreeMap<AgencyId, AgencyChain>,
    signed: &Signed,
) -> u32 {
    let governs = |owner: &AgencyId, node: &NodeKey| {
        let certificate = agencies
            .get(owner)
            .and_then(|agency| agency.certificate(node));
        certificate.is_some_and(|c| c.capabilities.include(Capabilities::GOVERN))
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
