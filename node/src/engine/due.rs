//! Records that are judged later: what a peer's message gives to judge is bounded in time, so that
//! everybody else's turn comes. The rest is done between the commits that follow, and until it is
//! done no further message of that peer is taken.

use std::time::Duration;

use diwan_core::id::AgencyId;
use diwan_core::record::{ChangeReason, GATE_VERSION};

use super::effect;
use super::step::Step;
use crate::limits::{JUDGED_AT_ONCE, JUDGED_PER_COMMIT};
use crate::store::StoreError;

/// No agency's message called for it.
const BY_NOBODY: AgencyId = AgencyId([0; 32]);

/// Whose message is being taken, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeerJob {
    pub(super) agency: AgencyId,
    pub(super) began_ms: u64,
}

impl Step<'_, '_> {
    /// Judges a record anew, or puts it off where the message that calls for it has had its time.
    pub(super) fn judge_in_time(&mut self, num: u64) -> Result<(), StoreError> {
        let Some(job) = self.peer_job else {
            return effect::judge_again(self, num);
        };
        if self.spent_since(job.began_ms) <= JUDGED_AT_ONCE {
            return effect::judge_again(self, num);
        }
        if self.tables.add_due(num, &job.agency)? {
            *self.state.due.entry(job.agency).or_default() += 1;
        }
        Ok(())
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
            if self.tables.add_due(num, &BY_NOBODY)? {
                *self.state.due.entry(BY_NOBODY).or_default() += 1;
                called += 1;
            }
        }
        self.tables.set_meta_u64("gate", GATE_VERSION)?;
        Ok(called)
    }

    fn spent_since(&self, began_ms: u64) -> Duration {
        Duration::from_millis(self.machine().elapsed_ms().saturating_sub(began_ms))
    }

    /// Judges a record now that is to be judged later: somebody is about to build on what it says.
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

    /// Judges what was put off, for a while.
    pub(super) fn judge_due(&mut self) -> Result<(), StoreError> {
        if self.state.due.is_empty() {
            return Ok(());
        }
        let began_ms = self.machine().elapsed_ms();
        while let Some((num, agency)) = self.tables.take_due()? {
            self.is_done(agency);
            effect::judge_again(self, num)?;
            if self.spent_since(began_ms) > JUDGED_PER_COMMIT {
                break;
            }
        }
        Ok(())
    }
}
