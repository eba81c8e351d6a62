//! What somebody signed twice: proofs are taken, logs and chains go back to where all agree.

use diwan_core::group::GroupChain;
use diwan_core::id::StatementHash;
use diwan_core::id::{AgencyId, GroupId, Writer};
use diwan_core::identity::AgencyChain;
use diwan_core::log::{Entry, PayloadKind};
use diwan_core::record::ChangeReason;
use diwan_core::replica::ProofTaken;
use diwan_core::sync::{Message, RefusedItem, compare, prove};
use diwan_core::verify::{self, Branch, Proof, ProofError};
use diwan_core::wire::{self, Domain, Signed};

use super::incoming::{blame, innocent};
use super::step::Step;
use super::{State, effect};
use crate::store::{Reading, StoreError};

impl Step<'_, '_> {
    /// Takes a proof, and goes back to where all agree.
    pub(super) fn take_proof(&mut self, bytes: &[u8]) -> Result<Option<RefusedItem>, StoreError> {
        let proof = match verify::proof(self.replica(), bytes) {
            Ok(proof) => proof,
            // It speaks of what has not arrived, or of signers that are not known yet.
            Err(ProofError::Unknown | ProofError::Signature) => {
                return Ok(Some(innocent("proof-unknown")));
            }
            Err(_) => return Ok(Some(blame("proof"))),
        };
        let Some(taken) = self.state.replica.take_proof(&proof) else {
            return Ok(None);
        };
        self.tables.put_proof(&proof)?;
        match taken {
            ProofTaken::Log(group, writer) => {
                tracing::error!(%group, writer = %writer.node.short(), "a log has forked: it stands still");
                self.cut_forked_log(&group, &writer)?;
            }
            ProofTaken::Agency(agency, groups) => {
                tracing::error!(%agency, "an agency's chain has forked: it stands still");
                let next = self
                    .replica()
                    .agency(&agency)
                    .map(|c| c.height().saturating_add(1));
                self.tables.cut_agency_chain(&agency, next.unwrap_or(0))?;
                for group in groups {
                    self.chain_goes_back(&group)?;
                }
            }
            ProofTaken::Group(group) => {
                tracing::error!(%group, "a group's chain has forked: it stands still");
                self.chain_goes_back(&group)?;
            }
        }
        Ok(None)
    }

    fn chain_goes_back(&mut self, group: &GroupId) -> Result<(), StoreError> {
        let height = self.replica().group(group).map(|g| g.chain.height());
        let next = height.map_or(0, |height| height.saturating_add(1));
        self.tables.cut_group_chain(group, next)?;
        self.touch(*group);
        effect::of_group(self, *group)
    }

    /// Takes out of a log what lies beyond its end. Where a cut decides between the sides and this
    /// node has the side that it names, that stays.
    fn cut_forked_log(&mut self, group: &GroupId, writer: &Writer) -> Result<(), StoreError> {
        self.touch(*group);
        let Some(log) = self.state.logs.get(&(*group, *writer)).copied() else {
            return Ok(());
        };
        let Some(found) = self.replica().group(group) else {
            return Ok(());
        };
        let (Some(fork), Some(end)) = (
            found.forks.get(writer).map(|fork| fork.last),
            self.replica().end_of_log(found, writer),
        ) else {
            return Ok(());
        };
        let at_end = self.tables.entry(log, end.last.seq)?;
        let has_it = at_end.is_some_and(|entry| entry.header.hash() == end.last.hash);
        let keep = if has_it { end.last.seq } else { fork.seq };
        let head = found.logs.get(writer).map_or(0, |log| log.head.seq);
        if head > keep {
            self.cut_log(group, writer, log, keep)?;
        }
        Ok(())
    }

    /// Takes the entries behind a sequence out of a log, with their effect.
    pub(super) fn cut_log(
        &mut self,
        group: &GroupId,
        writer: &Writer,
        log: u32,
        keep: u64,
    ) -> Result<(), StoreError> {
        let (gone, end) = self.tables.cut_log(log, keep)?;
        self.state.replica.cut_back(group, writer, end);
        for entry in &gone {
            let place = (*writer, entry.header.seq);
            self.state.replica.set_missing(group, place, false);
            self.undo(log, entry)?;
        }
        for entry in &gone {
            if let Some(num) = self.tables.record_num(&entry.header.record)? {
                effect::judge_again(self, num)?;
            }
        }
        Ok(())
    }

    fn undo(&mut self, log: u32, entry: &Entry) -> Result<(), StoreError> {
        let header = &entry.header;
        match header.kind {
            PayloadKind::Genesis => {
                let Some(num) = self.tables.record_num(&header.record)? else {
                    return Ok(());
                };
                let is_this = self
                    .tables
                    .record(num)?
                    .is_some_and(|row| (row.log, row.seq) == (log, header.seq));
                if is_this {
                    for (log, seq) in self.tables.forget_record(num)? {
                        if self.tables.entry(log, seq)?.is_some() {
                            let waiting = Some(ChangeReason::Waiting);
                            self.tables.set_quarantine(log, seq, waiting)?;
                        }
                    }
                }
                Ok(())
            }
            PayloadKind::Change => self.tables.forget_change(&header.record, log, header.seq),
            PayloadKind::Purge => self.tables.forget_purge(&header.record, log, header.seq),
        }
    }

    /// The peer's side of a log that forks, and ours, are a proof.
    pub(super) fn take_branch(
        &mut self,
        group: &GroupId,
        writer: &Writer,
        branch: &Branch,
    ) -> Result<Option<RefusedItem>, StoreError> {
        let Some(log) = self.state.logs.get(&(*group, *writer)).copied() else {
            return Ok(Some(innocent("branch-unknown")));
        };
        match prove(branch, |seq| self.tables.entry(log, seq))? {
            Some(proof) => self.take_proof(&proof.to_bytes()),
            None => Ok(Some(innocent("branch-of-the-same-log"))),
        }
    }

    /// A statement of an agency that differs from the one here at the same height.
    pub(super) fn agency_fork(
        &self,
        agency: &AgencyId,
        from: u32,
        statements: &[Vec<u8>],
    ) -> Option<Proof> {
        let chain = self.replica().agency(agency)?;
        let at = |height| AgencyChain::hash_at(chain, height);
        let (ours, theirs) = differing(Domain::AgencyStatement, at, from, statements)?;
        let ours = chain.statements_from(ours).next()?.clone();
        Some(Proof::of_agency(ours, theirs))
    }

    /// A statement of a group that differs from the one here at the same height.
    pub(super) fn group_fork(
        &self,
        group: &GroupId,
        from: u32,
        statements: &[Vec<u8>],
    ) -> Option<Proof> {
        let chain = &self.replica().group(group)?.chain;
        let at = |height| GroupChain::hash_at(chain, height);
        let (ours, theirs) = differing(Domain::GroupStatement, at, from, statements)?;
        let ours = chain.statements_from(ours).next()?.clone();
        Some(Proof::of_group(ours, theirs))
    }
}

/// The first statement that is another one than ours at its height.
fn differing(
    domain: Domain,
    ours: impl Fn(u32) -> Option<StatementHash>,
    from: u32,
    statements: &[Vec<u8>],
) -> Option<(u32, Vec<u8>)> {
    for (height, bytes) in (from..).zip(statements) {
        let ours = ours(height)?;
        let theirs = Signed::read(bytes).ok()?;
        if wire::hash(domain, &[&theirs.body]) != ours.0 {
            return Some((height, bytes.clone()));
        }
    }
    None
}

/// Answers a peer that compares its copy of a log with ours.
///
/// # Errors
/// [`StoreError`].
pub fn compared(
    state: &State,
    reading: &Reading,
    (group, writer): (GroupId, Writer),
    points: &[diwan_core::log::LogHead],
) -> Result<Option<Message>, StoreError> {
    let log = state.logs.get(&(group, writer)).copied();
    let head = state
        .replica
        .group(&group)
        .and_then(|g| g.logs.get(&writer));
    let (Some(log), Some(head)) = (log, head) else {
        return Ok(None);
    };
    compare((group, writer), head.head.seq, points, |seq| {
        reading.entry(log, seq)
    })
}
