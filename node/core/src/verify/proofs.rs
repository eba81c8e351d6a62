//! Proofs that somebody signed two things of which only one may be: two entries at one place of a
//! log, two statements at one height of a chain. Whoever holds one can show it to everybody, so
//! that all stop at the same place. `docs/protocol/sync.md`, "Proofs".

use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use super::{Verified, chains};
use crate::group::{GroupChain, GroupStatement};
use crate::id::{AgencyId, Digest, EntryHash, GroupId, Writer};
use crate::identity::{AgencyChain, AgencyStatement};
use crate::limits;
use crate::log::{Entry, EntryError, HEADER_BYTES, Header};
use crate::wire::{self, Domain, Signature, Signed, WireError, signature_holds};

/// Consecutive headers of a log, from the place where it forks to one that the writer signed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Branch {
    /// The headers.
    #[n(0)]
    headers: Vec<ByteArray<HEADER_BYTES>>,
    /// The writer's signature of the last.
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: Signature,
}

impl Branch {
    /// The headers of entries, the last of which is signed.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let signature = entries.last()?.signature?;
        let header = |entry: &Entry| entry.header.to_bytes().into();
        Some(Self {
            headers: entries.iter().map(header).collect(),
            signature,
        })
    }

    /// The headers, read.
    ///
    /// # Errors
    /// [`ProofError`] where they are none, or not one after the other.
    pub fn headers(&self) -> Result<Vec<Header>, ProofError> {
        if self.headers.is_empty() || self.headers.len() > limits::BATCH_ENTRIES {
            return Err(ProofError::Count(self.headers.len()));
        }
        let mut headers: Vec<Header> = Vec::with_capacity(self.headers.len());
        for bytes in &self.headers {
            let header = Header::from_bytes(bytes.as_slice())?;
            if let Some(last) = headers.last()
                && !follows(last, &header)
            {
                return Err(ProofError::Chain);
            }
            headers.push(header);
        }
        Ok(headers)
    }

    /// The branch from its `skip`th header on.
    #[must_use]
    pub fn from(mut self, skip: usize) -> Self {
        self.headers.drain(..skip.min(self.headers.len()));
        self
    }
}

fn follows(last: &Header, next: &Header) -> bool {
    next.group == last.group
        && next.writer == last.writer
        && next.seq == last.seq.saturating_add(1)
        && next.previous == last.hash()
}

/// A proof, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Proof {
    /// Two branches of one log.
    #[n(0)]
    Log(#[n(0)] Branch, #[n(1)] Branch),
    /// Two statements at one height of an agency's chain.
    #[n(1)]
    Agency(#[n(0)] ByteVec, #[n(1)] ByteVec),
    /// Two statements at one height of a group's chain.
    #[n(2)]
    Group(#[n(0)] ByteVec, #[n(1)] ByteVec),
}

impl Proof {
    /// The proof that two branches are; in one order, whoever makes it.
    #[must_use]
    pub fn of_log(one: Branch, other: Branch) -> Self {
        match one < other {
            true => Proof::Log(one, other),
            false => Proof::Log(other, one),
        }
    }

    /// The proof that two statements of an agency's chain are.
    #[must_use]
    pub fn of_agency(one: Vec<u8>, other: Vec<u8>) -> Self {
        let (one, other) = in_order(one, other);
        Proof::Agency(one, other)
    }

    /// The proof that two statements of a group's chain are.
    #[must_use]
    pub fn of_group(one: Vec<u8>, other: Vec<u8>) -> Self {
        let (one, other) = in_order(one, other);
        Proof::Group(one, other)
    }

    /// The bytes that travel.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(self)
    }
}

fn in_order(one: Vec<u8>, other: Vec<u8>) -> (ByteVec, ByteVec) {
    match one < other {
        true => (one.into(), other.into()),
        false => (other.into(), one.into()),
    }
}

/// Bytes that prove nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not its bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Not the bytes of a header.
    #[error(transparent)]
    Header(#[from] EntryError),
    /// No headers, or more than a range can hold.
    #[error("a branch of {0} headers")]
    Count(usize),
    /// Headers that do not follow each other, or two things at different places.
    #[error("the parts do not belong together")]
    Chain,
    /// The two are the same.
    #[error("the two are one")]
    Same,
    /// Not signed by whom it speaks of.
    #[error("not signed by whom it speaks of")]
    Signature,
    /// About a chain that is not known as far as this.
    #[error("about a chain that is not known here")]
    Unknown,
}

/// What a verified proof is about: where the last thing lies that both sides have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// A log forks behind its entry `seq` (0: from the beginning), whose hash is `head`.
    Log {
        /// The group.
        group: GroupId,
        /// Whose log.
        writer: Writer,
        /// The last common sequence.
        seq: u64,
        /// Its hash.
        head: EntryHash,
    },
    /// An agency's chain forks at this height.
    Agency(AgencyId, u32),
    /// A group's chain forks at this height.
    Group(GroupId, u32),
}

/// A verified proof with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedProof {
    /// What it is about.
    pub about: Forked,
    /// As received.
    pub bytes: Vec<u8>,
    /// Names it.
    pub digest: Digest,
}

/// The chains that a proof about a chain is judged against.
pub trait Chains {
    /// An agency's chain.
    fn agency_chain(&self, agency: &AgencyId) -> Option<&AgencyChain>;
    /// A group's chain.
    fn group_chain(&self, group: &GroupId) -> Option<&GroupChain>;
    /// Every agency's chain.
    fn all_agencies(&self) -> &std::collections::BTreeMap<AgencyId, AgencyChain>;
}

/// Verifies a proof.
///
/// # Errors
/// [`ProofError`] says what is wrong with it.
pub fn proof(known: &impl Chains, bytes: &[u8]) -> Result<Verified<SignedProof>, ProofError> {
    let about = match wire::decode(bytes, limits::FRAME_BYTES)? {
        Proof::Log(one, other) => log_forks(&one, &other)?,
        Proof::Agency(one, other) => agency_forks(known, &one, &other)?,
        Proof::Group(one, other) => group_forks(known, &one, &other)?,
    };
    Ok(Verified(SignedProof {
        about,
        bytes: bytes.to_vec(),
        digest: Digest(wire::hash(Domain::Proof, &[bytes])),
    }))
}

fn log_forks(one: &Branch, other: &Branch) -> Result<Forked, ProofError> {
    if one >= other {
        return Err(ProofError::Chain);
    }
    let firsts = (branch_begins(one)?, branch_begins(other)?);
    let (a, b) = &firsts;
    let same_place =
        a.group == b.group && a.writer == b.writer && a.seq == b.seq && a.previous == b.previous;
    match (same_place, a == b) {
        (false, _) => Err(ProofError::Chain),
        (true, true) => Err(ProofError::Same),
        (true, false) => Ok(Forked::Log {
            group: a.group,
            writer: a.writer,
            seq: a.seq.saturating_sub(1),
            head: a.previous,
        }),
    }
}

/// The first header of a branch that its writer signed.
fn branch_begins(branch: &Branch) -> Result<Header, ProofError> {
    let headers = branch.headers()?;
    let last = headers.last().ok_or(ProofError::Count(0))?;
    let signed = signature_holds(
        &last.writer.node,
        Domain::Entry,
        &last.to_bytes(),
        &branch.signature,
    );
    match (signed, headers.into_iter().next()) {
        (true, Some(first)) => Ok(first),
        _ => Err(ProofError::Signature),
    }
}

fn agency_forks(known: &impl Chains, one: &[u8], other: &[u8]) -> Result<Forked, ProofError> {
    let statement: AgencyStatement = read(one)?;
    let agency = statement.agency.ok_or(ProofError::Unknown)?;
    let chain = known.agency_chain(&agency).ok_or(ProofError::Unknown)?;
    different(one, other)?;
    let before: Vec<Vec<u8>> = chain
        .statements_from(0)
        .take(statement.height as usize)
        .cloned()
        .collect();
    if before.len() != statement.height as usize {
        return Err(ProofError::Unknown);
    }
    let before = chains::agency_chain(&before).map_err(|_| ProofError::Unknown)?;
    for bytes in [one, other] {
        chains::agency_statement(Some(&before), bytes).map_err(|_| ProofError::Signature)?;
    }
    Ok(Forked::Agency(agency, statement.height))
}

fn group_forks(known: &impl Chains, one: &[u8], other: &[u8]) -> Result<Forked, ProofError> {
    let statement: GroupStatement = read(one)?;
    let group = statement.group.ok_or(ProofError::Unknown)?;
    let chain = known.group_chain(&group).ok_or(ProofError::Unknown)?;
    different(one, other)?;
    let height = statement.height as usize;
    let before: Vec<Vec<u8>> = chain.statements_from(0).take(height).cloned().collect();
    let before = chains::group_chain(known.all_agencies(), &before);
    let before = before.filter(|chain| chain.height().checked_add(1) == Some(statement.height));
    let before = before.ok_or(ProofError::Unknown)?;
    for bytes in [one, other] {
        chains::group_statement(&before, known.all_agencies(), bytes)
            .map_err(|_| ProofError::Signature)?;
    }
    Ok(Forked::Group(group, statement.height))
}

fn read<T: for<'b> Decode<'b, ()>>(envelope: &[u8]) -> Result<T, ProofError> {
    let signed = Signed::read(envelope)?;
    Ok(wire::decode(&signed.body, limits::STATEMENT_BYTES)?)
}

/// Two statements are two when their bodies differ; other signatures below one body prove nothing.
fn different(one: &[u8], other: &[u8]) -> Result<(), ProofError> {
    match one >= other || Signed::read(one)?.body == Signed::read(other)?.body {
        true => Err(ProofError::Same),
        false => Ok(()),
    }
}
