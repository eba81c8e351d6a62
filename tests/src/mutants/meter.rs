//! Measures one trial: panics of this thread, its CPU time, the process's peak memory.

use std::cell::Cell;
use std::fs;
use std::sync::Once;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

thread_local! {
    static PANICS: Cell<u64> = const { Cell::new(0) };
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Counts panics from now on, also those that the gate catches.
pub(super) fn watch_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match WATCHED.get() {
            true => PANICS.set(PANICS.get() + 1),
            false => before(info),
        }));
    });
}

/// Runs something; the panics inside are counted, not printed.
pub(super) fn panics_of<T>(run: impl FnOnce() -> T) -> (Option<T>, u64) {
    let before = PANICS.get();
    WATCHED.set(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    WATCHED.set(false);
    (result.ok(), PANICS.get() - before)
}

/// CPU time of this thread.
pub(super) fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Memory of this process, in kibibytes: what `/proc/self/status` says under this name.
fn status_kb(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(":"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Growth of memory above what there was.
pub(super) struct Memory(u64);

impl Memory {
    /// Forgets the peak of before.
    pub(super) fn start() -> Self {
        // Where the kernel does not let us, the peak of the whole run stands: the stricter figure.
        let reset = fs::write("/proc/self/clear_refs", "5");
        Self(match reset {
            Ok(()) => status_kb("VmRSS"),
            Err(_) => 0,
        })
    }

    /// Mebibytes that the peak since then lies above what there was.
    pub(super) fn growth_mb(&self) -> f64 {
        mebibytes(status_kb("VmHWM").saturating_sub(self.0))
    }

    /// The peak since then, in mebibytes: the scenes, what the allocator kept, and the trial.
    pub(super) fn peak_mb() -> f64 {
        mebibytes(status_kb("VmHWM"))
    }
}

fn mebibytes(kb: u64) -> f64 {
    u32::try_from(kb).map_or(f64::MAX, f64::from) / 1024.0
}
