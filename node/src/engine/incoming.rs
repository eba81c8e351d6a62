//! What peers bring: verified here, refused item by item, stored with its effect.

use std::collections::BTreeMap;

use diwan_core::breaks::{Break, is_left_out};
use diwan_core::group::{GroupChain, GroupError};
use diwan_core::id::{AgencyId, GroupId, Writer};
use diwan_core::identity::ChainError;
use diwan_core::log::{Entry, RangeError};
use diwan_core::sync::{Incoming, RefusedItem, Suspect};
use diwan_core::verify::{self, AgencyStep, GroupStep, Refusal, SignedReceipt, Verified};

use super::effect;
use super::step::Step;
use crate::store::StoreError;

/// What became of what a peer brought.
#[derive(Debug)]
pub struct Taken {
    /// Entries that are new here.
    pub stored: u64,
    /// What was not taken, and why.
    pub refused: Vec<RefusedItem>,
    /// How many of the new entries went into quarantine for good, by the agency that wrote them.
    pub vain: BTreeMap<AgencyId, u64>,
    /// Something of it was new here: an entry, a statement, a receipt, a proof, a payload.
    pub is_new: bool,
}

impl Step<'_, '_> {
    /// Takes what a peer brought. Everything is verified here; what does not hold is refused item
    /// by item.
    ///
    /// # Errors
    /// [`StoreError`]: nothing of it is stored.
    pub fn take_incoming(
        &mut self,
        from: &AgencyId,
        incoming: Incoming,
    ) -> Result<Taken, StoreError> {
        self.on_behalf_of = Some(*from);
        let before = self.tables.writes();
        let taken = self.take_from(from, incoming);
        self.on_behalf_of = None;
        let is_new = self.tables.writes() > before;
        taken.map(|taken| Taken { is_new, ..taken })
    }

    fn take_from(&mut self, from: &AgencyId, incoming: Incoming) -> Result<Taken, StoreError> {
        let mut refused = Vec::new();
        let mut stored = 0;
        let mut vain = BTreeMap::new();
        match incoming {
            Incoming::Agency(agency, height, statements) => {
                let outcome = self.take_agency_statements(&agency, height, &statements)?;
                // What did not fit the peer believes to have arrived: one group's state corrects it.
                let about = outcome
                    .is_some()
                    .then(|| self.shared_group_of(&agency, from));
                refused.extend(outcome.map(|item| RefusedItem {
                    group: about.flatten().filter(|_| item.innocent),
                    ..item
                }));
            }
            Incoming::Group(group, height, statements) => {
                let outcome = self.take_group_statements(from, &group, height, &statements)?;
                refused.extend(outcome.map(|item| RefusedItem {
                    group: item.innocent.then_some(group),
                    ..item
                }));
            }
            Incoming::Receipts(receipts) => {
                for bytes in receipts {
                    refused.extend(self.take_receipt(&bytes)?);
                }
            }
            Incoming::Entries(ranges) => {
                for range in ranges {
                    let (group, writer) = (range.group, range.writer);
                    let author = self.replica().agency_of(&writer.node).unwrap_or(*from);
                    // Who relays what somebody else wrote does not answer for it.
                    self.on_behalf_of = Some(author);
                    let is_shared = self.replica().shared(&group, from).is_some();
                    let verified = match is_shared {
                        true => self.replica().verify_range(range),
                        false => Err(verify::Refusal::NotMember),
                    };
                    match verified {
                        Ok(entries) => {
                            let (new, of_them_vain) = self.take_foreign(entries)?;
                            stored += new;
                            *vain.entry(author).or_default() += of_them_vain;
                        }
                        Err(refusal) => refused.push(refused_range(&refusal, group, writer)),
                    }
                }
            }
            Incoming::Proofs(proofs) => {
                for bytes in proofs {
                    refused.extend(self.take_proof(&bytes)?);
                }
            }
            Incoming::Branch(group, writer, branch) if self.shares(&group, from) => {
                refused.extend(self.take_branch(&group, &writer, &branch)?);
            }
            Incoming::Pending(group, statements) if self.shares(&group, from) => {
                for bytes in statements {
                    refused.extend(self.take_pending(&group, &bytes)?);
                }
            }
            Incoming::Payload(payload) if self.shares(&payload.group, from) => {
                refused.extend(self.take_payload(payload)?);
            }
            Incoming::Branch(..) | Incoming::Pending(..) | Incoming::Payload(_) => {
                refused.push(innocent("not-a-member"));
            }
        }
        Ok(Taken {
            stored,
            refused,
            vain,
            is_new: false,
        })
    }

    /// A group that this agency shares with a peer, and that an agency is or was in.
    fn shared_group_of(&self, agency: &AgencyId, with: &AgencyId) -> Option<GroupId> {
        let mut shared = self.replica().shared_with(with);
        let found = shared.find(|(_, group)| group.chain.agencies().any(|a| a == agency));
        found.map(|(id, _)| *id)
    }

    fn shares(&self, group: &GroupId, with: &AgencyId) -> bool {
        self.replica().shared(group, with).is_some()
    }

    /// Entries that came from elsewhere. Some of this node's own log mean that it is a copy of a home
    /// that went on: it begins a new life before it writes anything.
    /// Returns how many are new, and how many of those went into quarantine for good.
    fn take_foreign(&mut self, entries: Verified<Vec<Entry>>) -> Result<(u64, u64), StoreError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok((0, 0));
        };
        let (group, writer) = (first.header.group, first.header.writer);
        let (first, last) = (first.header.seq, last.header.seq);
        let is_own = writer == self.me().writer();
        let stored = self.take_entries(entries)?;
        let vain = match self.state.logs.get(&(group, writer)) {
            Some(log) => self.tables.quarantined_between(*log, first, last)?,
            None => 0,
        };
        if is_own && stored > 0 && !is_left_out(Break::OldHome) {
            tracing::warn!(
                "this home is older than its own log: it goes on under a new incarnation"
            );
            self.renew()?;
        }
        Ok((stored, vain))
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
        if let Some(proof) = self.agency_fork(agency, from, statements) {
            return self.take_proof(&proof.to_bytes());
        }
        for bytes in statements.iter().skip(known.saturating_sub(from) as usize) {
            let step = match verify::agency_statement(self.replica().agency(agency), bytes) {
                Ok(step) if step.chain.id() == *agency => step,
                Ok(_) => return Ok(Some(blame("agency-chain"))),
                Err(ChainError::Height { .. }) => return Ok(Some(innocent("agency-gap"))),
                Err(ChainError::Fork(_)) => {
                    return Ok(Some(suspect("agency-fork", Suspect::Agency(*agency))));
                }
                Err(_) => return Ok(Some(blame("agency-chain"))),
            };
            if !self.take_agency_step(&step)? {
                return Ok(Some(innocent("agency-not-taken")));
            }
        }
        Ok(None)
    }

    /// Takes one more statement of an agency's chain, with what it changes. False where there is no
    /// room for it, or the chain has forked below.
    pub(super) fn take_agency_step(
        &mut self,
        step: &Verified<AgencyStep>,
    ) -> Result<bool, StoreError> {
        let Ok(shorter) = self.state.replica.take_agency_step(step) else {
            return Ok(false);
        };
        self.tables.put_agency_step(step)?;
        for group in shorter {
            self.group_is_shorter(&group)?;
        }
        if let Some(node) = step.cuts_off() {
            effect::of_node(self, node)?;
        }
        Ok(true)
    }

    /// A group's chain lost its newest statements: what rested on them is judged again.
    fn group_is_shorter(&mut self, group: &GroupId) -> Result<(), StoreError> {
        let Some(found) = self.replica().group(group) else {
            return Ok(());
        };
        let next = found.chain.height().saturating_add(1);
        self.tables.cut_group_chain(group, next)?;
        self.touch(*group);
        effect::of_group(self, *group)
    }

    fn take_group_statements(
        &mut self,
        sender: &AgencyId,
        group: &GroupId,
        from: u32,
        statements: &[Vec<u8>],
    ) -> Result<Option<RefusedItem>, StoreError> {
        if let Some(proof) = self.group_fork(group, from, statements) {
            return self.take_proof(&proof.to_bytes());
        }
        let mut chain: Option<GroupChain> = self.replica().group(group).map(|g| g.chain.clone());
        let is_new = chain.is_none();
        if is_new && from > 0 {
            // A former member is told of its removal by whoever believes that it has the rest.
            return Ok(Some(innocent("group-gap")));
        }
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
                Err(GroupError::Fork(_)) => {
                    return Ok(Some(suspect("group-fork", Suspect::Group(*group))));
                }
                Err(_) => return Ok(Some(blame("group-chain"))),
            };
            chain = Some(step.chain.clone());
            steps.push(step);
        }
        let follow = chain
            .as_ref()
            .is_some_and(|chain| self.is_for_us_from(chain, sender));
        if is_new && !follow {
            return Ok(None);
        }
        for step in &steps {
            if !self.take_group_step(step)? {
                return Ok(Some(innocent("group-not-taken")));
            }
        }
        Ok(None)
    }

    /// Takes one more statement of a group's chain, with what it changes. False where there is no
    /// room for it, or the chain has forked below.
    pub(super) fn take_group_step(
        &mut self,
        step: &Verified<GroupStep>,
    ) -> Result<bool, StoreError> {
        if self.state.replica.take_group_step(step).is_err() {
            return Ok(false);
        }
        let group = step.chain.id();
        self.tables.put_group_step(step)?;
        self.keep_pending(&group)?;
        self.touch(group);
        self.judge_after(step)?;
        Ok(true)
    }

    /// Judges again what a statement may have made invalid, or valid again.
    fn judge_after(&mut self, step: &Verified<GroupStep>) -> Result<(), StoreError> {
        let Some((agency, cuts)) = step.ending() else {
            return Ok(());
        };
        let last: BTreeMap<Writer, u64> = cuts.iter().map(|cut| (cut.writer, cut.seq)).collect();
        let extends = step.extends();
        let unchanged = |writer: &Writer| match extends {
            true => 0,
            // The entry at the cut may be another one than the cut names.
            false => last.get(writer).map_or(0, |seq| seq.saturating_sub(1)),
        };
        effect::of_ending(self, step.chain.id(), agency, unchanged)
    }

    /// Whether this node follows a group: a pinned owner names its agency, or another node of its
    /// agency follows it already.
    fn is_for_us_from(&self, chain: &GroupChain, sender: &AgencyId) -> bool {
        let me = self.me().agency;
        self.replica().is_for_us(chain) || (*sender == me && chain.role(&me).is_some())
    }

    fn take_receipt(&mut self, bytes: &[u8]) -> Result<Option<RefusedItem>, StoreError> {
        let Ok(signed) = verify::receipt(bytes) else {
            return Ok(Some(blame("receipt")));
        };
        self.look_for_own_future(&signed)?;
        if self.state.replica.take_receipt(&signed) {
            self.tables.put_receipt(&signed)?;
            return Ok(None);
        }
        // Its node may be certified, or its agency become a member, by what is still under way.
        let group = signed.receipt.group;
        let is_known = self.replica().receipt_fits(&group, &signed.receipt.node);
        Ok((!is_known).then(|| RefusedItem {
            group: Some(group),
            ..innocent("receipt-early")
        }))
    }

    /// This node's own word that it stored more than it has: the home is a copy of a younger one.
    fn look_for_own_future(&mut self, signed: &SignedReceipt) -> Result<(), StoreError> {
        let me = self.me();
        let (node, group) = (signed.receipt.node, &signed.receipt.group);
        let here = self.replica().own_head(group).seq;
        let is_older = node == me.node && signed.receipt.frontier.seq(&me.writer()) > here;
        if is_older && !is_left_out(Break::OldHome) {
            tracing::warn!(
                "this home is older than its own receipt: it goes on under a new incarnation"
            );
            self.renew()?;
        }
        Ok(())
    }
}

fn refused_range(refusal: &Refusal, group: GroupId, writer: Writer) -> RefusedItem {
    let forks = match refusal {
        Refusal::OtherBranch | Refusal::Range(RangeError::OtherHead) => {
            Some(Suspect::Log(group, writer))
        }
        _ => None,
    };
    RefusedItem {
        code: refusal.code(),
        innocent: refusal.is_innocent(),
        group: refusal.is_innocent().then_some(group),
        forks,
    }
}

fn suspect(code: &'static str, forks: Suspect) -> RefusedItem {
    RefusedItem {
        forks: Some(forks),
        ..innocent(code)
    }
}

pub(super) fn blame(code: &'static str) -> RefusedItem {
    RefusedItem {
        code,
        innocent: false,
        group: None,
        forks: None,
    }
}

pub(super) fn innocent(code: &'static str) -> RefusedItem {
    RefusedItem {
        code,
        innocent: true,
        group: None,
        forks: None,
    }
}
