//! The agency chain: hash-chained statements, each signed by the root key.
//!
//! A chain is a pure function of its statements; checking signatures is `verify`'s work, and only
//! what it verified is pushed here.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::cut::{Cuts, SealedCut};
use crate::id::{AgencyId, EntryHash, GroupId, NodeKey, StatementHash, Writer};
use crate::limits;
use crate::wire::{self, Domain, Signed, Signing};

/// What a node may do in its agency's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Capabilities(#[n(0)] pub u8);

impl Capabilities {
    /// Hold a replica and sync it.
    pub const SYNC: Capabilities = Capabilities(1);
    /// Write entries.
    pub const WRITE: Capabilities = Capabilities(2);
    /// Sign statements of group chains.
    pub const GOVERN: Capabilities = Capabilities(4);
    /// All of them: an agency's only node.
    pub const ALL: Capabilities = Capabilities(7);

    /// Whether all of `other` is among them.
    #[must_use]
    pub fn include(self, other: Capabilities) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The first statement: who the agency is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Genesis {
    /// The root key that signs the chain.
    #[n(0)]
    pub root: NodeKey,
    /// Full name, in the agency's own words.
    #[n(1)]
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[n(2)]
    pub country: String,
    /// What one types in commands.
    #[n(3)]
    pub short: String,
    /// Random bytes.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum AgencyBody {
    /// The chain begins.
    #[n(0)]
    Genesis(#[n(0)] Genesis),
    /// A node acts for the agency from here on.
    #[n(1)]
    CertifyNode(#[n(0)] NodeKey, #[n(1)] Capabilities),
    /// Where a node listens from now on: multiaddrs.
    #[n(2)]
    Addresses(#[n(0)] NodeKey, #[n(1)] Vec<String>),
    /// A node no longer acts for the agency, for good: what it wrote stays valid up to the cuts.
    #[n(3)]
    RevokeNode(#[n(0)] NodeKey, #[n(1)] Vec<SealedCut>),
    /// More of what a revoked node wrote is valid than its revocation knew of.
    #[n(4)]
    ExtendCuts(#[n(0)] NodeKey, #[n(1)] Vec<SealedCut>),
    /// Another root key signs from here on. Signed by both.
    #[n(5)]
    RotateRoot(#[n(0)] NodeKey),
}

/// One statement of an agency chain.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AgencyStatement {
    /// The chain; none in its genesis, whose hash it is.
    #[n(0)]
    pub agency: Option<AgencyId>,
    /// Position; the genesis has 0.
    #[n(1)]
    pub height: u32,
    /// Hash of the statement before; none in the genesis.
    #[n(2)]
    pub previous: Option<StatementHash>,
    /// What it says.
    #[n(3)]
    pub body: AgencyBody,
}

/// A statement that does not continue its chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The first statement is no genesis, or a later one is.
    #[error("a chain begins with its genesis and has only one")]
    Genesis,
    /// It names another chain.
    #[error("the statement belongs to another chain")]
    OtherChain,
    /// Not the next height.
    #[error("height {found} where {expected} follows")]
    Height {
        /// Found.
        found: u32,
        /// Expected.
        expected: u32,
    },
    /// Not the hash of the statement before: the chain forks here.
    #[error("the statement before height {0} is another one: the chain forks")]
    Fork(u32),
    /// A name, country, short name or address is empty, too long or has characters it may not.
    #[error("{0} is empty, too long or has characters it may not have")]
    Field(&'static str),
    /// Too many statements, nodes or addresses.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// About a node that the chain does not certify.
    #[error("the node is not certified")]
    UnknownNode,
    /// About a node that was revoked; it never comes back.
    #[error("the node was revoked")]
    Revoked,
    /// The node was certified for more than this: rights are only taken away with cuts.
    #[error("a certificate never loses capabilities: revoke the node")]
    Narrowed,
    /// Another node governs for the agency: there is one at a time, so that honest owners cannot
    /// fork a group's chain.
    #[error("another node governs for the agency already")]
    Governs,
    /// Signed by somebody else than the root key, or not at all, or wrongly.
    #[error("not signed by the agency's root key")]
    Signature,
    /// Not the bytes of a statement.
    #[error("not a statement: {0}")]
    Wire(#[from] wire::WireError),
}

/// A node's certificate, as the chain states it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What the node may do.
    pub capabilities: Capabilities,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// What stays valid of a node that was revoked; none while it acts for the agency.
    pub revoked: Option<Cuts>,
}

impl Certificate {
    /// Whether the node acts for its agency now, and may do this.
    #[must_use]
    pub fn may(&self, what: Capabilities) -> bool {
        self.revoked.is_none() && self.capabilities.include(what)
    }

    /// The last valid entry of one of its logs; none where all of it is.
    #[must_use]
    pub fn cut_of_log(&self, group: &GroupId, writer: &Writer) -> Option<(u64, EntryHash)> {
        let cuts = self.revoked.as_ref()?;
        Some(cuts.of_log(group, writer))
    }
}

/// An agency as its verified chain describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgencyChain {
    id: AgencyId,
    genesis: Genesis,
    root: NodeKey,
    head: StatementHash,
    nodes: BTreeMap<NodeKey, Certificate>,
    statements: Vec<Vec<u8>>,
}

impl AgencyChain {
    /// The agency.
    #[must_use]
    pub fn id(&self) -> AgencyId {
        self.id
    }

    /// Root key, name, country, short name.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The root key that signs the next statement.
    #[must_use]
    pub fn root(&self) -> NodeKey {
        self.root
    }

    /// Height of the newest statement.
    #[must_use]
    pub fn height(&self) -> u32 {
        u32::try_from(self.statements.len())
            .unwrap_or(u32::MAX)
            .saturating_sub(1)
    }

    /// Hash of the newest statement.
    #[must_use]
    pub fn head(&self) -> StatementHash {
        self.head
    }

    /// The nodes that act or acted for the agency.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeKey, &Certificate)> {
        self.nodes.iter()
    }

    /// A node's certificate, if it has or had one.
    #[must_use]
    pub fn certificate(&self, node: &NodeKey) -> Option<&Certificate> {
        self.nodes.get(node)
    }

    /// All addresses of the nodes that act for it.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.nodes
            .values()
            .filter(|node| node.revoked.is_none())
            .flat_map(|node| node.addresses.iter().cloned())
            .collect()
    }

    /// The signed statements from `height` on, as received.
    pub fn statements_from(&self, height: u32) -> impl Iterator<Item = &Vec<u8>> {
        self.statements.iter().skip(height as usize)
    }

    /// The hash of the statement at a height.
    #[must_use]
    pub fn hash_at(&self, height: u32) -> Option<StatementHash> {
        let signed = Signed::read(self.statements.get(height as usize)?).ok()?;
        let hash = wire::hash(Domain::AgencyStatement, &[&signed.body]);
        Some(StatementHash(hash))
    }

    /// What the next statement must be built on: its height and the hash before it.
    #[must_use]
    pub fn next(&self, body: AgencyBody) -> AgencyStatement {
        AgencyStatement {
            agency: Some(self.id),
            height: self.height().saturating_add(1),
            previous: Some(self.head),
            body,
        }
    }

    /// The chain that a genesis begins. The envelope must be verified.
    pub(crate) fn begin(
        statement: &AgencyStatement,
        signed: &Signed,
        bytes: Vec<u8>,
    ) -> Option<Self> {
        let AgencyBody::Genesis(genesis) = &statement.body else {
            return None;
        };
        let id = wire::hash(Domain::AgencyStatement, &[&signed.body]);
        Some(Self {
            id: AgencyId(id),
            genesis: genesis.clone(),
            root: genesis.root,
            head: StatementHash(id),
            nodes: BTreeMap::new(),
            statements: vec![bytes],
        })
    }

    /// The chain with one more statement. It must be verified to follow this one.
    pub(crate) fn push(&mut self, statement: &AgencyStatement, signed: &Signed, bytes: Vec<u8>) {
        match &statement.body {
            AgencyBody::Genesis(_) => {}
            AgencyBody::CertifyNode(node, capabilities) => {
                let addresses = self
                    .nodes
                    .get(node)
                    .map(|old| old.addresses.clone())
                    .unwrap_or_default();
                self.nodes.insert(
                    *node,
                    Certificate {
                        capabilities: *capabilities,
                        addresses,
                        revoked: None,
                    },
                );
            }
            AgencyBody::Addresses(node, addresses) => {
                if let Some(certificate) = self.nodes.get_mut(node) {
                    certificate.addresses.clone_from(addresses);
                }
            }
            AgencyBody::RevokeNode(node, cuts) | AgencyBody::ExtendCuts(node, cuts) => {
                if let Some(certificate) = self.nodes.get_mut(node) {
                    certificate.revoked.get_or_insert_default().add(cuts);
                }
            }
            AgencyBody::RotateRoot(root) => self.root = *root,
        }
        self.head = StatementHash(wire::hash(Domain::AgencyStatement, &[&signed.body]));
        self.statements.push(bytes);
    }

    /// Whether a statement may follow: position and content, not signatures.
    ///
    /// # Errors
    /// [`ChainError`] says what is wrong.
    pub fn follows(&self, statement: &AgencyStatement) -> Result<(), ChainError> {
        if statement.agency != Some(self.id) {
            return Err(ChainError::OtherChain);
        }
        let expected = self.height().saturating_add(1);
        if statement.height != expected {
            return Err(ChainError::Height {
                found: statement.height,
                expected,
            });
        }
        if statement.previous != Some(self.head) {
            return Err(ChainError::Fork(statement.height));
        }
        if self.statements.len() >= limits::AGENCY_STATEMENTS {
            return Err(ChainError::TooMany("statements"));
        }
        match &statement.body {
            AgencyBody::Genesis(_) => Err(ChainError::Genesis),
            AgencyBody::CertifyNode(node, capabilities) => self.certifies(node, *capabilities),
            AgencyBody::Addresses(node, addresses) => {
                self.acting(node)?;
                check_addresses(addresses)
            }
            AgencyBody::RevokeNode(node, cuts) => {
                self.acting(node)?;
                check_cuts(cuts)
            }
            AgencyBody::ExtendCuts(node, cuts) => {
                let certificate = self.nodes.get(node).ok_or(ChainError::UnknownNode)?;
                match certificate.revoked {
                    Some(_) => check_cuts(cuts),
                    None => Err(ChainError::UnknownNode),
                }
            }
            AgencyBody::RotateRoot(root) => match *root == self.root {
                true => Err(ChainError::Field("root key")),
                false => Ok(()),
            },
        }
    }

    /// A node that acts for the agency.
    fn acting(&self, node: &NodeKey) -> Result<&Certificate, ChainError> {
        let certificate = self.nodes.get(node).ok_or(ChainError::UnknownNode)?;
        match certificate.revoked {
            None => Ok(certificate),
            Some(_) => Err(ChainError::Revoked),
        }
    }

    fn certifies(&self, node: &NodeKey, capabilities: Capabilities) -> Result<(), ChainError> {
        let governs = |(other, certificate): (&NodeKey, &Certificate)| {
            other != node && certificate.may(Capabilities::GOVERN)
        };
        if capabilities.include(Capabilities::GOVERN) && self.nodes.iter().any(governs) {
            return Err(ChainError::Governs);
        }
        match self.nodes.get(node) {
            None if self.nodes.len() >= limits::NODES_PER_AGENCY => {
                Err(ChainError::TooMany("nodes"))
            }
            None => Ok(()),
            Some(known) if known.revoked.is_some() => Err(ChainError::Revoked),
            Some(known) if !capabilities.include(known.capabilities) => Err(ChainError::Narrowed),
            Some(_) => Ok(()),
        }
    }
}

impl AgencyStatement {
    /// A chain's first statement.
    #[must_use]
    pub fn genesis(genesis: Genesis) -> Self {
        Self {
            agency: None,
            height: 0,
            previous: None,
            body: AgencyBody::Genesis(genesis),
        }
    }

    /// Signs it with the root key: the bytes that travel.
    #[must_use]
    pub fn sign(&self, root: &Signing) -> Vec<u8> {
        wire::encode(&Signed::by(
            root,
            Domain::AgencyStatement,
            wire::encode(self),
        ))
    }

    /// Signs a rotation with the root key that goes and the one that comes.
    #[must_use]
    pub fn sign_rotation(&self, old: &Signing, new: &Signing) -> Vec<u8> {
        let body = wire::encode(self);
        let mut signed = Signed::by(old, Domain::AgencyStatement, body.clone());
        let second = Signed::by(new, Domain::AgencyStatement, body);
        signed.signatures.extend(second.signatures);
        wire::encode(&signed)
    }

    /// Whether it may begin a chain: position and content, not signatures.
    ///
    /// # Errors
    /// [`ChainError`] says what is wrong.
    pub fn begins(&self) -> Result<&Genesis, ChainError> {
        let AgencyBody::Genesis(genesis) = &self.body else {
            return Err(ChainError::Genesis);
        };
        if self.agency.is_some() || self.height != 0 || self.previous.is_some() {
            return Err(ChainError::Genesis);
        }
        check_name("name", &genesis.name)?;
        check_country(&genesis.country)?;
        check_short(&genesis.short)?;
        Ok(genesis)
    }
}

/// A name that people read: not empty, bounded, no control or direction characters.
pub(crate) fn check_name(field: &'static str, name: &str) -> Result<(), ChainError> {
    let bad = name.trim().is_empty()
        || name.len() > limits::NAME_BYTES
        || name.chars().any(|c| c.is_control() || is_direction_mark(c));
    if bad {
        Err(ChainError::Field(field))
    } else {
        Ok(())
    }
}

/// Characters that change the direction of text around them (Unicode Bidirectional Algorithm).
#[must_use]
pub fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check_country(country: &str) -> Result<(), ChainError> {
    let good = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    if good {
        Ok(())
    } else {
        Err(ChainError::Field("country"))
    }
}

fn check_short(short: &str) -> Result<(), ChainError> {
    let good = (2..=limits::SHORT_NAME_BYTES).contains(&short.len())
        && short
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && short.starts_with(|c: char| c.is_ascii_lowercase())
        && short != "own";
    if good {
        Ok(())
    } else {
        Err(ChainError::Field("short name"))
    }
}

fn check_cuts(cuts: &[SealedCut]) -> Result<(), ChainError> {
    match cuts.len() > limits::SEALED_CUTS {
        true => Err(ChainError::TooMany("cuts")),
        false => Ok(()),
    }
}

fn check_addresses(addresses: &[String]) -> Result<(), ChainError> {
    if addresses.len() > limits::ADDRESSES {
        return Err(ChainError::TooMany("addresses"));
    }
    let good = |a: &String| {
        a.starts_with('/')
            && a.len() <= limits::ADDRESS_BYTES
            && a.chars().all(|c| c.is_ascii_graphic())
    };
    if addresses.iter().all(good) {
        Ok(())
    } else {
        Err(ChainError::Field("address"))
    }
}
