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
    stored: u64,
}

impl Cost {
    /// Splits what it took to take something: what was refused or known is the sender's, what went
    /// into quarantine its author's.
    pub(super) fn add(&mut self, taken: &Taken, spent: Duration) {
        self.stored += taken.stored;
        let items = taken.stored.saturating_add(taken.refused.len() as u64);
        let Ok(items) = u32::try_from(items.max(1)) else {
            return;
        };
        let each = spent / items;
        for (author, vain) in &taken.vain {
            let vain = u32::try_from(*vain).unwrap_or(items);
            *self.vain.entry(*author).or_default() += each.saturating_mul(vain);
        }
        match (taken.stored, u32::try_from(taken.refused.len())) {
            (0, _) => self.questions += spent,
            (_, refused) => self.refused += each.saturating_mul(refused.unwrap_or(items)),
        }
    }

    /// What was in vain, by whom.
    pub(super) fn in_vain(mut self, sender: AgencyId) -> BTreeMap<AgencyId, Duration> {
        let answering = match self.stored {
            0 => self.questions.max(VAIN_MESSAGE),
            _ => Duration::ZERO,
        };
        *self.vain.entry(sender).or_default() += answering + self.refused;
        self.vain
    }
}
