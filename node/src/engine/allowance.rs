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
    level_us: i64,
    at_ms: u64,
    /// How long it had to wait since it last was in good standing.
    waited_ms: u64,
    away_until_ms: u64,
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
        let account = self.0.entry(*agency).or_insert(Account {
            level_us: micros(VAIN_AT_ONCE),
            at_ms: now_ms,
            waited_ms: 0,
            away_until_ms: 0,
        });
        let since = i64::try_from(now_ms.saturating_sub(account.at_ms)).unwrap_or(i64::MAX);
        let earned = since.saturating_mul(micros(VAIN_EARNED_PER_S) / 1_000);
        let full = micros(VAIN_AT_ONCE);
        account.level_us = account.level_us.saturating_add(earned).min(full);
        account.at_ms = now_ms;
        if account.level_us == full {
            account.waited_ms = 0;
        }
        account
    }

    /// Counts work that an agency caused in vain.
    pub(super) fn charge(&mut self, agency: &AgencyId, spent: Duration, now_ms: u64) {
        let account = self.account(agency, now_ms);
        account.level_us = account.level_us.saturating_sub(micros(spent));
    }

    /// Whether a message of an agency may be taken, after one that waited for so long.
    pub(super) fn turn(&mut self, agency: &AgencyId, waited_ms: u64, now_ms: u64) -> Turn {
        let account = self.account(agency, now_ms);
        account.waited_ms = account.waited_ms.saturating_add(waited_ms);
        if account.waited_ms < millis(FLOOD_AFTER) {
            return match account.level_us {
                0.. => Turn::Now,
                _ => Turn::Later,
            };
        }
        account.waited_ms = 0;
        account.away_until_ms = now_ms.saturating_add(millis(FLOOD_AWAY));
        Turn::Never
    }

    /// Whether an agency's nodes were sent away and may not be back yet.
    pub(super) fn is_away(&mut self, agency: &AgencyId, now_ms: u64) -> bool {
        let account = self.0.get(agency);
        account.is_some_and(|account| now_ms < account.away_until_ms)
    }

    /// Forgets agencies that are no longer trusted.
    pub(super) fn keep(&mut self, is_trusted: impl Fn(&AgencyId) -> bool) {
        self.0.retain(|agency, _| is_trusted(agency));
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
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
