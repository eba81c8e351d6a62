//! What a record is worth besides its words: mildly more where it is new, and where agencies say that it helped.

/// What the newest record gains.
const RECENT: f32 = 0.08;
/// In how many milliseconds half of that is gone: two years.
const HALF_LIFE_MS: f32 = 2.0 * 365.25 * 86_400_000.0;
/// What a record gains that many agencies endorsed.
const ENDORSED: f32 = 0.15;
/// How many agencies bring half of that.
const HALF_ENDORSED: f32 = 2.0;

/// The factors of a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    now_ms: u64,
}

impl Worth {
    /// More than the greatest factor.
    pub(super) const MOST: f32 = (1.0 + RECENT) * (1.0 + ENDORSED) * 1.001;

    /// Those at a time, milliseconds since 1970.
    pub(super) fn at(now_ms: u64) -> Self {
        Self { now_ms }
    }

    /// What the score is multiplied by: between 1 and 1.23.
    pub(super) fn factor(self, updated_ms: u64, endorsed: u64) -> f32 {
        (1.0 + self.recency(updated_ms)) * (1.0 + Self::endorsement(endorsed))
    }

    /// What a record gains by its age; one of the future nothing more than one of now.
    pub(super) fn recency(self, updated_ms: u64) -> f32 {
        let age_ms = self.now_ms.saturating_sub(updated_ms) as f32;
        RECENT * (-age_ms / HALF_LIFE_MS).exp2()
    }

    /// What a record gains by agencies that endorsed it.
    pub(super) fn endorsement(endorsed: u64) -> f32 {
        let endorsed = endorsed as f32;
        ENDORSED * endorsed / (endorsed + HALF_ENDORSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_mild_and_grow() {
        let now = 1_800_000_000_000;
        let worth = Worth::at(now);
        let year = 31_557_600_000;
        let by_age: Vec<f32> = [0, 1, 2, 10]
            .map(|n| worth.factor(now - n * year, 0))
            .into();
        assert!(
            by_age.is_sorted_by(|newer, older| newer > older),
            "{by_age:?}"
        );
        assert_eq!(worth.factor(now + year, 0), worth.factor(now, 0));
        let by_agencies: Vec<f32> = [0, 1, 2, 50].map(|n| worth.factor(0, n)).into();
        assert!(
            by_agencies.is_sorted_by(|fewer, more| fewer < more),
            "{by_agencies:?}"
        );
        assert!(worth.factor(now, u64::MAX) < Worth::MOST);
    }
}
