//! What a peer's message costs this node, and how much of that was in vain.

use std::collections::BTreeMap;
use std::time::Duration;

use diwan_core::id::AgencyId;

use super::Taken;
use crate::limits::VAIN_MESSAGE;

/// What one frame cost this node.
#[derive(Debug, Default)]
pub(super) struct Cost {
    /// Answering it, or finding nothing new in it.
    pub(super) questions: Duration,
    /// Refusing a part of it.
    refused: Duration,
    /// Entries of it that went into quarantine, by the agency that wrote them.
    vain: BTreeMap<AgencyId, Duration>,
    /// Something of it was new.
    is_new: bool,
}

impl Cost {
    /// Splits what it took to take something: what was refused or known is the sender's, what went
    /// into quarantine its author's.
    pub(super) fn add(&mut self, taken: &Taken, spent: Duration) {
        self.is_new |= taken.is_new;
        let items = taken.stored.saturating_add(taken.refused.len() as u64);
        let Ok(items) = u32::try_from(items.max(1)) else {
            return;
        };
        let each = spent / items;
        for (author, vain) in &taken.vain {
            let vain = u32::try_from(*vain).unwrap_or(items);
            *self.vain.entry(*author).or_default() += each.saturating_mul(vain);
        }
        match (taken.is_new, u32::try_from(taken.refused.len())) {
            (false, _) => self.questions += spent,
            (true, refused) => self.refused += each.saturating_mul(refused.unwrap_or(items)),
        }
    }

    /// What was in vain, by whom.
    pub(super) fn in_vain(mut self, sender: AgencyId) -> BTreeMap<AgencyId, Duration> {
        let answering = match self.is_new {
            false => self.questions.max(VAIN_MESSAGE),
            true => Duration::ZERO,
        };
        *self.vain.entry(sender).or_default() += answering + self.refused;
        self.vain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: AgencyId = AgencyId([1; 32]);
    const AUTHOR: AgencyId = AgencyId([2; 32]);

    fn charged(taken: &Taken) -> BTreeMap<AgencyId, Duration> {
        let mut cost = Cost::default();
        cost.add(taken, Duration::from_secs(10));
        cost.in_vain(SENDER)
    }

    fn taken(stored: u64, vain: u64, is_new: bool) -> Taken {
        Taken {
            stored,
            refused: Vec::new(),
            vain: BTreeMap::from([(AUTHOR, vain)]),
            is_new,
        }
    }

    #[test]
    fn what_is_new_is_free_however_long_it_takes() {
        let charged = charged(&taken(0, 0, true));
        assert!(charged.values().all(Duration::is_zero), "{charged:?}");
    }

    #[test]
    fn what_is_known_is_its_senders() {
        assert_eq!(
            charged(&taken(0, 0, false))[&SENDER],
            Duration::from_secs(10)
        );
    }

    #[test]
    fn what_goes_into_quarantine_is_its_authors() {
        let charged = charged(&taken(10, 4, true));
        assert_eq!(charged[&AUTHOR], Duration::from_secs(4));
        assert_eq!(charged[&SENDER], Duration::ZERO);
    }
}
