//! The statements of a group chain, as bytes.

use minicbor::{Decode, Encode};

use crate::id::{AgencyId, EntryHash, GroupId, StatementHash, Writer};
use crate::limits;
use crate::wire::{self, Domain, Signed, Signing};

/// What a member may do in a group. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Receives.
    #[n(0)]
    Reader,
    /// Writes records and annotations.
    #[n(1)]
    Contributor,
    /// Also takes care of other agencies' records (purge).
    #[n(2)]
    Curator,
    /// Also signs the group's statements.
    #[n(3)]
    Owner,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Role; 4] = [Role::Reader, Role::Contributor, Role::Curator, Role::Owner];

    /// The word of the API and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Contributor => "contributor",
            Role::Curator => "curator",
            Role::Owner => "owner",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Role> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An agency with its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Member {
    /// The agency.
    #[n(0)]
    pub agency: AgencyId,
    /// What it may do.
    #[n(1)]
    pub role: Role,
}

/// Where a log ends for good: the last valid entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cut {
    /// Whose log.
    #[n(0)]
    pub writer: Writer,
    /// The last valid sequence; 0 where nothing is valid.
    #[n(1)]
    pub seq: u64,
    /// Hash of that entry.
    #[n(2)]
    pub head: EntryHash,
}

/// The first statement: what the group is and who is in it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Genesis {
    /// Name.
    #[n(0)]
    pub name: String,
    /// Default TLP label of new records.
    #[n(1)]
    pub tlp: String,
    /// How many owners must sign a later statement: a majority of them.
    #[n(2)]
    pub threshold: u32,
    /// First members.
    #[n(3)]
    pub members: Vec<Member>,
    /// Random bytes.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum GroupBody {
    /// The chain begins.
    #[n(0)]
    Genesis(#[n(0)] Genesis),
    /// An agency joins.
    #[n(1)]
    Add(#[n(0)] Member),
    /// An agency leaves: its logs end at the cuts; a log without a cut has no valid entry.
    #[n(2)]
    Remove(#[n(0)] AgencyId, #[n(1)] Vec<Cut>),
    /// A member's role changes. Where it loses the right to write, its logs end at the cuts.
    #[n(3)]
    SetRole(#[n(0)] Member, #[n(1)] Vec<Cut>),
    /// How many owners must sign from now on.
    #[n(4)]
    SetThreshold(#[n(0)] u32),
    /// More of what a removed or demoted agency wrote is valid than that statement knew of.
    #[n(5)]
    ExtendCuts(#[n(0)] AgencyId, #[n(1)] Vec<Cut>),
}

/// One statement of a group chain. Signed by nodes with the capability `govern`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GroupStatement {
    /// The chain; none in its genesis, whose hash it is.
    #[n(0)]
    pub group: Option<GroupId>,
    /// Position; the genesis has 0.
    #[n(1)]
    pub height: u32,
    /// Hash of the statement before; none in the genesis.
    #[n(2)]
    pub previous: Option<StatementHash>,
    /// What it says.
    #[n(3)]
    pub body: GroupBody,
}

impl GroupStatement {
    /// A chain's first statement.
    #[must_use]
    pub fn genesis(genesis: Genesis) -> Self {
        Self {
            group: None,
            height: 0,
            previous: None,
            body: GroupBody::Genesis(genesis),
        }
    }

    /// The statement in an envelope; none where it is none. Nothing is verified.
    #[must_use]
    pub fn of(signed: &Signed) -> Option<Self> {
        wire::decode(&signed.body, limits::STATEMENT_BYTES).ok()
    }

    /// Signs it with one governing node: the bytes that travel.
    #[must_use]
    pub fn sign(&self, node: &Signing) -> Vec<u8> {
        wire::encode(&Signed::by(
            node,
            Domain::GroupStatement,
            wire::encode(self),
        ))
    }
}

/// A statement that does not continue its chain, or that nobody entitled has signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The first statement is no genesis, or a later one is.
    #[error("a chain begins with its genesis and has only one")]
    Genesis,
    /// It names another chain.
    #[error("the statement belongs to another group")]
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
    /// The name or the label is not allowed.
    #[error("{0} is empty, too long or not a known one")]
    Field(&'static str),
    /// Too many statements or members.
    #[error("too many {0}")]
    TooMany(&'static str),
    /// No owner, or one member twice.
    #[error("the members have no owner, or name one agency twice")]
    Members,
    /// The threshold is no majority of the owners, or more than there are.
    #[error("the threshold {threshold} is not a majority of {owners} owners")]
    Threshold {
        /// Found.
        threshold: u32,
        /// How many owners there are.
        owners: u32,
    },
    /// The agency is a member already.
    #[error("the agency is a member already")]
    AlreadyMember,
    /// The agency has lost no right, so no cut of it can be extended.
    #[error("the agency's logs have no cut")]
    NotCut,
    /// The agency is no member.
    #[error("the agency is not a member")]
    NotMember,
    /// Fewer owners signed than must.
    #[error("signed by {found} owners where {needed} must sign")]
    Signatures {
        /// Valid ones.
        found: u32,
        /// The threshold.
        needed: u32,
    },
    /// Not the bytes of a statement.
    #[error("not a statement: {0}")]
    Wire(#[from] wire::WireError),
}
