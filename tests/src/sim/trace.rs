//! What happened, one line an event, for people who look for the cause of a broken law. The same
//! seed gives the same lines, byte for byte.

use std::fmt::{self, Write as _};

use super::machine::Time;

/// The lines of one run, or nothing where nobody wants them.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Option<String>,
    time: Time,
}

impl Trace {
    /// A trace that keeps its lines where `wanted`.
    #[must_use]
    pub fn new(wanted: bool, time: Time) -> Self {
        Self {
            lines: wanted.then(String::new),
            time,
        }
    }

    /// Adds a line: when, where, what.
    pub fn say(&mut self, place: &str, what: fmt::Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            let now = self.time.now_ms();
            let (secs, ms) = (now / 1_000, now % 1_000);
            let _ = writeln!(lines, "{secs:>5}.{ms:03} {place:<10} {what}");
        }
    }

    /// Whether lines are kept.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.lines.is_some()
    }

    /// The lines.
    #[must_use]
    pub fn into_text(self) -> String {
        self.lines.unwrap_or_default()
    }
}
