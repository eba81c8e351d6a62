//! Records that are judged behind the commit that stored their entries: an entry is durable and
//! acknowledged first, and shown right after. It keeps what peers give to judge from holding others up,
//! and lets all cores judge.

use std::time::{Duration, Instant};

use diwan_core::id::AgencyId;
use diwan_core::record::{ChangeReason, GATE_VERSION, Genesis, Materialised};

use super::effect::{self, Case, Verdict};
use super::step::Step;
use crate::limits::{JUDGED_TOGETHER, JUDGED_TOGETHER_BYTES};
use crate::store::StoreError;

/// Which links are remembered: 1, all.
const LINKS_VERSION: u64 = 1;

/// No agency's message called for it.
const BY_NOBODY: AgencyId = AgencyId([0; 32]);

impl Step<'_, '_> {
    /// Judges a record anew that entries changed: at once where this node wrote them, behind the
    /// commit, and at their author's expense, where a peer brought them.
    pub(super) fn judge_soon(&mut self, num: u64) -> Result<(), StoreError> {
        match self.on_behalf_of {
            None => effect::judge_again(self, num),
            Some(agency) => self.put_off(num, agency).map(drop),
        }
    }

    /// Judges a record anew because a chain's statement changed who might write it: nobody is to pay
    /// for that.
    pub(super) fn judge_for_all(&mut self, num: u64) -> Result<(), StoreError> {
        match self.on_behalf_of {
            None => effect::judge_again(self, num),
            Some(_) => self.put_off(num, BY_NOBODY).map(drop),
        }
    }

    /// False where the record was waiting already.
    fn put_off(&mut self, num: u64, agency: AgencyId) -> Result<bool, StoreError> {
        let is_new = self.tables.add_due(num, &agency)?;
        if is_new {
            *self.state.due.entry(agency).or_default() += 1;
        }
        Ok(is_new)
    }

    /// Calls every record up to be judged by the gate's rules of today, where the store was judged by
    /// others. Returns how many there are.
    pub(super) fn call_up_for_new_gate(&mut self) -> Result<u64, StoreError> {
        if self.tables.meta_u64("gate")? == Some(GATE_VERSION) {
            return Ok(0);
        }
        for (log, seq) in self.tables.quarantined_for(ChangeReason::Genesis)? {
            if let Some(entry) = self.tables.entry(log, seq)? {
                effect::first_version_again(self, log, &entry)?;
            }
        }
        let mut called = 0;
        for num in self.tables.changed_records()? {
            called += u64::from(self.put_off(num, BY_NOBODY)?);
        }
        self.tables.set_meta_u64("gate", GATE_VERSION);
        Ok(called)
    }

    /// Remembers what every record links to, where an older version of this program remembered what
    /// annotations are about and nothing else. Returns how many records it looked at.
    pub(super) fn remember_all_links(&mut self) -> Result<u64, StoreError> {
        if self.tables.meta_u64("links")? == Some(LINKS_VERSION) {
            return Ok(0);
        }
        let last = self.tables.last_record()?;
        for num in 1..=last {
            let Some(row) = self.tables.record(num)? else {
                continue;
            };
            // What it first said and what it says now: a record that is hidden may be shown again.
            let first = self.tables.entry(row.log, row.seq)?;
            let first = first.and_then(|entry| entry.payload);
            let first = first.and_then(|payload| Genesis::from_bytes(&payload.bytes).ok());
            let now = self.tables.content(num, &row)?;
            for content in first.map(|first| first.content).iter().chain(&now) {
                effect::remember_links(self, num, content)?;
            }
        }
        self.tables.set_meta_u64("links", LINKS_VERSION);
        Ok(last)
    }

    /// Judges a record now that waits to be judged: somebody is about to build on what it says.
    pub(super) fn judge_if_due(&mut self, num: u64) -> Result<(), StoreError> {
        let Some(agency) = self.tables.take_due_record(num)? else {
            return Ok(());
        };
        self.is_done(agency);
        effect::judge_again(self, num)
    }

    fn is_done(&mut self, agency: AgencyId) {
        if let Some(count) = self.state.due.get_mut(&agency) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.state.due.remove(&agency);
            }
        }
    }

    /// Judges what waits, for so long, or until somebody waits for the writer: on all cores, as many
    /// records at once as [`JUDGED_TOGETHER`] and [`JUDGED_TOGETHER_BYTES`] say.
    pub(super) fn judge_due(
        &mut self,
        time: Duration,
        is_awaited: &dyn Fn() -> bool,
    ) -> Result<(), StoreError> {
        if self.state.due.is_empty() {
            return Ok(());
        }
        let began_ms = self.machine().elapsed_ms();
        loop {
            let mut cases = Vec::new();
            let (mut taken, mut bytes) = (0, 0);
            while taken < JUDGED_TOGETHER && bytes < JUDGED_TOGETHER_BYTES {
                let Some((num, agency)) = self.tables.take_due()? else {
                    break;
                };
                self.is_done(agency);
                taken += 1;
                if let Some(case) = effect::case(self, num)? {
                    bytes += case.bytes();
                    cases.push((agency, case));
                }
            }
            if taken == 0 {
                return Ok(());
            }
            for ((agency, case), (told, spent)) in cases.iter().zip(told_together(&cases)) {
                let verdict = effect::settle(self, case, told)?;
                self.charge(*agency, spent, verdict);
            }
            let spent_ms = self.machine().elapsed_ms().saturating_sub(began_ms);
            if Duration::from_millis(spent_ms) > time || is_awaited() {
                return Ok(());
            }
        }
    }

    /// Work that brought nothing is its author's, in the share of the changes that do not count.
    fn charge(&mut self, agency: AgencyId, spent: Duration, verdict: Verdict) {
        if verdict.refused > 0 && agency != BY_NOBODY {
            let share = verdict.refused as f64 / (verdict.refused + verdict.counted) as f64;
            *self.state.in_vain.entry(agency).or_default() += spent.mul_f64(share);
        }
    }
}

/// What each case comes to, in the cases' order, and how long it took.
fn told_together(cases: &[(AgencyId, Case)]) -> Vec<(Materialised, Duration)> {
    let tell = |(_, case): &(AgencyId, Case)| {
        let began = Instant::now();
        (case.tell(), began.elapsed())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = cases.len().div_ceil(cores).max(1);
    if share >= cases.len() {
        return cases.iter().map(tell).collect();
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = cases
            .chunks(share)
            .map(|part| (part, scope.spawn(move || part.iter().map(tell).collect())))
            .collect();
        let told = parts.into_iter().map(|(part, thread)| {
            thread
                .join()
                .unwrap_or_else(|_| part.iter().map(tell).collect::<Vec<_>>())
        });
        told.flatten().collect()
    })
}
