//! What counts and what does not: cuts, forks, proofs, and statements that wait.

use super::{GroupReplica, LogFork, LogState, ProofTaken, Replica};
use crate::breaks::{Break, is_left_out};
use crate::group::{Role, Standing};
use crate::id::{AgencyId, Digest, GroupId, Incarnation, Writer};
use crate::limits;
use crate::log::{Header, LogHead};
use crate::verify::{self, Forked, LogEnd, SignedProof, SignedReceipt, Verified};
use crate::wire::Signed;

impl Replica {
    /// Every proof that concerns a group: of its logs, of its chain, of its agencies' chains.
    pub fn proofs_of<'a>(
        &'a self,
        group: &'a GroupReplica,
    ) -> impl Iterator<Item = &'a SignedProof> {
        let logs = group.forks.values().map(|fork| &fork.proof);
        let chain = group.fork.iter().map(|(_, proof)| proof);
        let agencies = group.chain.agencies();
        let agencies = agencies.filter_map(|agency| self.agency_forks.get(agency));
        logs.chain(chain).chain(agencies.map(|(_, proof)| proof))
    }

    /// Agencies whose chain was found to fork, and at which height.
    pub fn forked_agencies(&self) -> impl Iterator<Item = (&AgencyId, u32)> {
        self.agency_forks
            .iter()
            .map(|(agency, (height, _))| (agency, *height))
    }

    /// Where a log ends for good, if it was cut or has forked. A cut decides between the sides of a
    /// fork below it: its owner says which one was meant.
    #[must_use]
    pub fn end_of_log(&self, group: &GroupReplica, writer: &Writer) -> Option<LogEnd> {
        let agency = self.agency_of(&writer.node)?;
        let certificate = self.agencies.get(&agency)?.certificate(&writer.node);
        let revoked = certificate.and_then(|c| c.cut_of_log(&group.chain.id(), writer));
        let cut = revoked.or_else(|| group.chain.cut_of_log(&agency, writer));
        let cut = cut.map(|(seq, hash)| LogHead { seq, hash });
        let fork = group.forks.get(writer).map(|fork| fork.last);
        match (fork, cut) {
            (Some(fork), Some(cut)) if cut.seq > fork.seq => Some(LogEnd {
                last: cut,
                is_fork: true,
            }),
            (Some(fork), _) => Some(LogEnd {
                last: fork,
                is_fork: true,
            }),
            (None, Some(cut)) => Some(LogEnd {
                last: cut,
                is_fork: false,
            }),
            (None, None) => None,
        }
    }

    /// What the chains say of an entry: whether it might be written, by whom it was, when it was.
    #[must_use]
    pub fn standing(&self, header: &Header) -> Standing {
        let (Some(group), Some(agency)) = (
            self.groups.get(&header.group),
            self.agency_of(&header.writer.node),
        ) else {
            return Standing::NotContributor;
        };
        if is_left_out(Break::BeyondCut) {
            return Standing::Valid;
        }
        let hash = header.hash();
        let certificate = self
            .agencies
            .get(&agency)
            .and_then(|chain| chain.certificate(&header.writer.node));
        let cut = certificate.and_then(|c| c.cut_of_log(&header.group, &header.writer));
        match cut {
            Some((last, head)) if header.seq == last && head != hash => return Standing::Forked,
            Some((last, _)) if header.seq > last => return Standing::BeyondCut,
            _ => {}
        }
        let place = (header.seq, &hash);
        group
            .chain
            .standing(&agency, &header.writer, place, header.height)
    }

    /// Whether an agency may purge a record of another one, at a height of the group's chain.
    #[must_use]
    pub fn curates(&self, group: &GroupId, agency: &AgencyId, height: u32) -> bool {
        let group = self.groups.get(group);
        group.is_some_and(|g| g.chain.role_at(agency, height) >= Some(Role::Curator))
    }

    /// Takes a verified proof, if it says more than what is known. What follows from it is returned:
    /// the caller cuts its own copies back to it.
    pub fn take_proof(&mut self, proof: &Verified<SignedProof>) -> Option<ProofTaken> {
        if is_left_out(Break::ForkProof) {
            return None;
        }
        let better = |known: Option<(u64, Digest)>, place: u64| {
            known.is_none_or(|(known, digest)| (place, proof.digest) < (known, digest))
        };
        match proof.about {
            Forked::Log {
                group,
                writer,
                seq,
                head,
            } => {
                let agency = self.agency_of(&writer.node)?;
                let found = self.groups.get_mut(&group)?;
                found.chain.agencies().find(|member| **member == agency)?;
                let known = found.forks.get(&writer);
                let known = known.map(|fork| (fork.last.seq, fork.proof.digest));
                better(known, seq).then_some(())?;
                let fork = LogFork {
                    last: LogHead { seq, hash: head },
                    proof: (**proof).clone(),
                };
                found.forks.insert(writer, fork);
                found.losses += 1;
                self.drop_receipts_beyond(&group, &writer);
                Some(ProofTaken::Log(group, writer))
            }
            Forked::Agency(agency, height) => {
                let known = self.agency_forks.get(&agency);
                let known = known.map(|(height, known)| (u64::from(*height), known.digest));
                better(known, height.into()).then_some(())?;
                let statements = self.agencies.get(&agency)?.statements_from(0);
                let before: Vec<_> = statements.take(height as usize).cloned().collect();
                let chain = verify::agency_chain(&before).ok()?.into_inner();
                self.agency_forks
                    .insert(agency, (height, (**proof).clone()));
                self.agencies.insert(agency, chain);
                Some(ProofTaken::Agency(agency, self.derive_groups_of(&agency)))
            }
            Forked::Group(group, height) => {
                let found = self.groups.get_mut(&group)?;
                let known = found.fork.as_ref();
                let known = known.map(|(height, known)| (u64::from(*height), known.digest));
                better(known, height.into()).then_some(())?;
                found.fork = Some((height, (**proof).clone()));
                found.derive(&self.agencies);
                Some(ProofTaken::Group(group))
            }
        }
    }

    /// What a node said to have stored of the other side of a fork says nothing now.
    fn drop_receipts_beyond(&mut self, group: &GroupId, writer: &Writer) {
        let Some(found) = self.groups.get(group) else {
            return;
        };
        let end = self
            .end_of_log(found, writer)
            .map_or(u64::MAX, |end| end.last.seq);
        if let Some(found) = self.groups.get_mut(group) {
            let within = |signed: &SignedReceipt| signed.receipt.frontier.seq(writer) <= end;
            found.receipts.retain(|_, signed| within(signed));
        }
    }

    /// Moves a log back to its end, after the entries beyond it were taken out of the store.
    pub fn cut_back(&mut self, group: &GroupId, writer: &Writer, to: Option<LogState>) {
        if let Some(group) = self.groups.get_mut(group) {
            match to {
                Some(log) => group.logs.insert(*writer, log),
                None => group.logs.remove(writer),
            };
        }
    }

    /// A new life of this node: its logs so far are over, new ones begin.
    pub fn set_incarnation(&mut self, incarnation: Incarnation) {
        self.me.incarnation = incarnation;
    }

    /// Notes that a payload is missing here, or no longer is.
    pub fn set_missing(&mut self, group: &GroupId, place: (Writer, u64), is_missing: bool) {
        if let Some(group) = self.groups.get_mut(group) {
            match is_missing {
                true => group.missing.insert(place),
                false => group.missing.remove(&place),
            };
        }
    }

    /// Leaves a group, or comes back to it.
    pub fn set_left(&mut self, group: &GroupId, left: bool) {
        if let Some(group) = self.groups.get_mut(group) {
            group.left = left;
        }
    }

    /// Keeps a statement that waits for signatures, with all that are known below it. True where it
    /// says more than before. Whether it may follow is judged by the caller.
    pub fn take_pending(&mut self, group: &GroupId, signed: &Signed) -> bool {
        let Some(group) = self.groups.get_mut(group) else {
            return false;
        };
        if let Some(known) = group
            .pending
            .iter_mut()
            .find(|known| known.body == signed.body)
        {
            let before = known.signatures.len();
            for by in &signed.signatures {
                if known.signatures.iter().all(|known| known.key != by.key) {
                    known.signatures.push(by.clone());
                }
            }
            return known.signatures.len() > before;
        }
        if group.pending.len() >= limits::PENDING_STATEMENTS {
            return false;
        }
        group.pending.push(signed.clone());
        true
    }
}
