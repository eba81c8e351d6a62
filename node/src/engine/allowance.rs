//! How much work an agency may cause in vain before its nodes have to wait, and before they have to
//! go. Useful work, entries that are new here and count, is free: bulk is held back by the streams
//! themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use diwan_core::id::AgencyId;

use crate::limits::{FLOOD_AFTER, FLOOD_AWAY, VAIN_AT_ONCE, VAIN_EARNED_PER_S};

/// What an agency may still cause.
#[derive(Clone, Copy, Debug)]
struct Account {
    /// The moment, in microseconds, at which all that it caused is earned back.
    full_at_us: u64,
    /// How long it had to wait since it last was in good standing.
    waited_ms: u64,
    away_until_ms: u64,
    /// Work of judging that was counted so far, of all since the start.
    judging: Duration,
}

impl Account {
    /// Whether it caused more than it may in one go.
    fn is_overdrawn(&self, now_ms: u64) -> bool {
        let owed_us = self.full_at_us.saturating_sub(now_ms.saturating_mul(1_000));
        owed_us > to_earn_us(VAIN_AT_ONCE)
    }
}

/// Microseconds in which so much work is earned back.
fn to_earn_us(work: Duration) -> u64 {
    let earned_us_per_s = VAIN_EARNED_PER_S.as_micros().max(1);
    u64::try_from(work.as_micros().saturating_mul(1_000_000) / earned_us_per_s).unwrap_or(u64::MAX)
}

/// What the next message of an agency has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may be taken.
    Now,
    /// It waits.
    Later,
    /// It waited too often: the session is to end.
    Never,
}

/// The accounts of all agencies that were heard of: as many as are trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowance(BTreeMap<AgencyId, Account>);

impl Allowance {
    fn account(&mut self, agency: &AgencyId, now_ms: u64) -> &mut Account {
        let now_us = now_ms.saturating_mul(1_000);
        let account = self.0.entry(*agency).or_insert(Account {
            full_at_us: now_us,
            waited_ms: 0,
            away_until_ms: 0,
            judging: Duration::ZERO,
        });
        if account.full_at_us <= now_us {
            account.full_at_us = now_us;
            account.waited_ms = 0;
        }
        account
    }

    /// Counts work that an agency caused in vain.
    pub(super) fn charge(&mut self, agency: &AgencyId, spent: Duration, now_ms: u64) {
        let account = self.account(agency, now_ms);
        account.full_at_us = account.full_at_us.saturating_add(to_earn_us(spent));
    }

    /// Counts what judging an agency's changes cost in vain, of which this is all since the start.
    pub(super) fn charge_judging(&mut self, agency: &AgencyId, since_start: Duration, now_ms: u64) {
        let account = self.account(agency, now_ms);
        let spent = since_start.saturating_sub(account.judging);
        account.judging = since_start;
        self.charge(agency, spent, now_ms);
    }

    /// Whether a message of an agency may be taken, after one that waited for so long.
    pub(super) fn turn(&mut self, agency: &AgencyId, waited_ms: u64, now_ms: u64) -> Turn {
        let account = self.account(agency, now_ms);
        account.waited_ms = account.waited_ms.saturating_add(waited_ms);
        if account.waited_ms >= millis(FLOOD_AFTER) {
            account.waited_ms = 0;
            account.away_until_ms = now_ms.saturating_add(millis(FLOOD_AWAY));
            return Turn::Never;
        }
        match account.is_overdrawn(now_ms) {
            true => Turn::Later,
            false => Turn::Now,
        }
    }

    /// Whether an agency's nodes were sent away and may not be back yet.
    pub(super) fn is_away(&self, agency: &AgencyId, now_ms: u64) -> bool {
        let account = self.0.get(agency);
        account.is_some_and(|account| now_ms < account.away_until_ms)
    }

    /// Forgets agencies that are no longer trusted.
    pub(super) fn keep(&mut self, is_trusted: impl Fn(&AgencyId) -> bool) {
        self.0.retain(|agency, _| is_trusted(agency));
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MALLORY: AgencyId = AgencyId([1; 32]);
    const ALICE: AgencyId = AgencyId([2; 32]);

    #[test]
    fn an_agency_waits_once_its_burst_is_spent_and_others_do_not() {
        let mut allowance = Allowance::default();
        allowance.charge(&MALLORY, Duration::from_secs(4), 0);
        assert_eq!(allowance.turn(&MALLORY, 0, 0), Turn::Now);
        allowance.charge(&MALLORY, Duration::from_secs(2), 0);
        assert_eq!(allowance.turn(&MALLORY, 0, 0), Turn::Later);
        assert_eq!(allowance.turn(&ALICE, 0, 0), Turn::Now);
    }

    #[test]
    fn a_tenth_of_a_core_is_earned_back() {
        let mut allowance = Allowance::default();
        allowance.charge(&MALLORY, Duration::from_secs(6), 0);
        assert_eq!(allowance.turn(&MALLORY, 0, 9_999), Turn::Later);
        assert_eq!(allowance.turn(&MALLORY, 0, 10_000), Turn::Now);
    }

    #[test]
    fn whoever_waits_too_often_has_to_go_for_a_while() {
        let mut allowance = Allowance::default();
        allowance.charge(&MALLORY, Duration::from_secs(600), 0);
        let turns = (1..=80).map(|n| allowance.turn(&MALLORY, 250, n * 250));
        let turns: Vec<Turn> = turns.collect();
        let end = turns.iter().position(|turn| *turn == Turn::Never);
        assert_eq!(end, Some(79));
        assert!(allowance.is_away(&MALLORY, 20_000));
        assert!(allowance.is_away(&MALLORY, 79_999));
        assert!(!allowance.is_away(&MALLORY, 80_000));
        assert!(!allowance.is_away(&ALICE, 20_000));
    }

    #[test]
    fn waiting_is_forgotten_once_all_is_earned_back() {
        let mut allowance = Allowance::default();
        allowance.charge(&MALLORY, Duration::from_secs(6), 0);
        assert_eq!(allowance.turn(&MALLORY, 19_000, 0), Turn::Later);
        assert_eq!(allowance.turn(&MALLORY, 0, 100_000), Turn::Now);
        allowance.charge(&MALLORY, Duration::from_secs(6), 100_000);
        assert_eq!(allowance.turn(&MALLORY, 19_000, 100_000), Turn::Later);
    }
}
