//! How long to wait before the next dial. Pure: entropy comes in as a seed, time stays outside.

use std::time::Duration;

/// Exponential backoff with jitter.
///
/// The n-th delay is drawn uniformly between `min * 2^n` and twice that, never below `min` and
/// never above `max`; once `max` is reached it is drawn from the upper half of what `max` allows.
/// The jitter keeps two nodes that lost each other from dialling in step for ever, and a whole
/// network from dialling one restarted node at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    jitter: Jitter,
}

impl Backoff {
    /// A backoff at its start. A `max` below `min` counts as `min`.
    pub(crate) fn new(min: Duration, max: Duration, seed: u64) -> Self {
        Self {
            min,
            max: max.max(min),
            failures: 0,
            jitter: Jitter(seed),
        }
    }

    /// The delay after one more failure.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let growth = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        let lower = self
            .min
            .saturating_mul(growth)
            .min(self.max / 2)
            .max(self.min);
        let upper = lower.saturating_mul(2).min(self.max);
        lower + (upper - lower).mul_f64(self.jitter.next_fraction())
    }

    /// Starts again at `min`.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long a link must have lasted to count as a success and reset the backoff: a peer that
    /// accepts and hangs up at once is dialled ever more seldom, like one that does not answer.
    pub(crate) fn proof_of_health(&self) -> Duration {
        self.min.saturating_mul(10).min(self.max)
    }
}

/// SplitMix64: spreads delays. Nothing secret depends on it.
#[derive(Debug)]
struct Jitter(u64);

impl Jitter {
    /// A number in 0.0..1.0.
    fn next_fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // The upper 32 bits are as good as any, and convert to a float without loss.
        let upper = u32::try_from(mixed >> 32).unwrap_or(0);
        f64::from(upper) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_double_up_to_the_limit() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND, 7);
        for n in 0..5 {
            let delay = backoff.next_delay();
            assert!(delay >= SECOND * 2_u32.pow(n), "delay {n} was {delay:?}");
            assert!(
                delay <= SECOND * 2_u32.pow(n + 1),
                "delay {n} was {delay:?}"
            );
        }
        for _ in 0..100 {
            let delay = backoff.next_delay();
            assert!(delay >= 30 * SECOND && delay <= 60 * SECOND, "{delay:?}");
        }
    }

    #[test]
    fn reset_starts_again() {
        let mut backoff = Backoff::new(SECOND, 60 * SECOND, 7);
        for _ in 0..10 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= 2 * SECOND);
    }

    #[test]
    fn two_seeds_do_not_dial_in_step() {
        let mut one = Backoff::new(SECOND, 60 * SECOND, 1);
        let mut two = Backoff::new(SECOND, 60 * SECOND, 2);
        assert!((0..10).all(|_| one.next_delay() != two.next_delay()));
    }

    proptest! {
        #[test]
        fn every_delay_is_within_the_limits(
            min_ms in 0_u64..100_000,
            max_ms in 0_u64..100_000_000,
            seed: u64,
        ) {
            let min = Duration::from_millis(min_ms);
            let max = Duration::from_millis(max_ms);
            let mut backoff = Backoff::new(min, max, seed);
            for _ in 0..80 {
                let delay = backoff.next_delay();
                prop_assert!(delay >= min && delay <= max.max(min));
            }
        }
    }
}
