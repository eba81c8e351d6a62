//! How much memory the process uses, as far as it cannot be given back: pages of files, such as the
//! search index, are the system's to take away and do not count.

use std::time::{Duration, Instant};

/// Between two looks: a flood of attempts is not to cost a look each.
const EVERY: Duration = Duration::from_millis(100);

/// Compares the process's memory with a limit.
#[derive(Debug)]
pub(crate) struct Memory {
    max: usize,
    looked: Option<Instant>,
    is_short: bool,
}

impl Memory {
    /// With a limit in bytes.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            looked: None,
            is_short: false,
        }
    }

    /// Whether more is used than the limit. Where the system does not say how much, never.
    pub(crate) fn is_short(&mut self, now: Instant) -> bool {
        let is_due = self
            .looked
            .is_none_or(|looked| now.duration_since(looked) >= EVERY);
        if is_due {
            self.looked = Some(now);
            let was_short = self.is_short;
            self.is_short = used().is_some_and(|used| used > self.max);
            if self.is_short && !was_short {
                tracing::warn!("memory is above node.memory_mb: nobody is let in until it is not");
            }
        }
        self.is_short
    }
}

/// Bytes of anonymous memory that are resident (proc(5), `status`, `RssAnon`).
fn used() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kib: usize = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_counts_and_is_looked_at_now_and_then() {
        let before = used().unwrap();
        let held = vec![1_u8; 64 * 1024 * 1024];
        let after = used().unwrap();
        assert!(after > before + 32 * 1024 * 1024, "{before} and {after}");
        let now = Instant::now();
        let mut memory = Memory::new(before / 2);
        assert!(memory.is_short(now));
        memory.max = usize::MAX;
        assert!(memory.is_short(now), "not looked at again yet");
        assert!(!memory.is_short(now + EVERY));
        drop(held);
    }
}
