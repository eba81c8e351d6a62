//! The figures of a siege, beside what they must be.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::gauge::Seen;
use super::{members, strangers};

/// Resident memory: what the configuration allows by default (`node.memory_mb`).
const MEMORY_MIB: f64 = 512.0;
/// Open descriptors: the connections of the configuration, pending handshakes, the node's own files.
const DESCRIPTORS: usize = 64 + 64 + 512;
/// How many times slower the honest peer may be served.
const SLOWER: f64 = 2.0;
/// An answer that takes longer is none for whoever waits.
const ANSWER_S: f64 = 5.0;

/// What a siege cost.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    strangers: strangers::Told,
    members: Vec<members::Told>,
    /// Sessions that the node ended because of the flood.
    sent_away: usize,
    rest: Phase,
    attack: Phase,
    /// Median of the honest rounds under attack, by that at rest.
    slower: f64,
    /// What is not as it must be.
    pub(crate) missed: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Phase {
    rounds: usize,
    round_ms: f64,
    rss_mib: f64,
    descriptors: usize,
    answers: usize,
    answer_p50_ms: f64,
    answer_max_ms: f64,
    unanswered: u64,
}

impl Phase {
    fn of(seen: &Seen, rounds: &[Duration]) -> Self {
        Self {
            rounds: rounds.len(),
            round_ms: median_ms(rounds),
            rss_mib: seen.rss_mib,
            descriptors: seen.descriptors,
            answers: seen.answers.len(),
            answer_p50_ms: median_ms(&seen.answers),
            answer_max_ms: seen.answers.iter().max().map_or(0.0, |max| ms(*max)),
            unanswered: seen.unanswered,
        }
    }
}

impl Report {
    pub(crate) fn of(
        seen: &[Seen],
        (at_rest, under_attack): (Vec<Duration>, Vec<Duration>),
        (strangers, members): (strangers::Told, Vec<members::Told>),
        sent_away: usize,
        timed: bool,
    ) -> Self {
        let rest = Phase::of(&seen[0], &at_rest);
        let attack = Phase::of(&seen[1], &under_attack);
        let slower = attack.round_ms / rest.round_ms;
        let mut missed = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                missed.push(what);
            }
        };
        must(
            attack.rss_mib < MEMORY_MIB,
            format!("{:.0} MiB resident, not below {MEMORY_MIB}", attack.rss_mib),
        );
        must(
            attack.descriptors < DESCRIPTORS,
            format!(
                "{} descriptors, not below {DESCRIPTORS}",
                attack.descriptors
            ),
        );
        must(
            !timed || slower <= SLOWER,
            format!("the honest peer is {slower:.2} times slower, not {SLOWER} at most"),
        );
        must(
            attack.unanswered == 0 && (!timed || attack.answer_max_ms < ANSWER_S * 1_000.0),
            format!(
                "{} questions unanswered, the slowest took {:.0} ms",
                attack.unanswered, attack.answer_max_ms
            ),
        );
        must(sent_away > 0, "no flooding member was sent away".to_owned());
        Self {
            strangers,
            members,
            sent_away,
            rest,
            attack,
            slower,
            missed,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = &self.strangers;
        writeln!(
            f,
            "strangers   {} attempts, {} connected, {} held open, {} bytes",
            told.attempts, told.connected, told.held, told.bytes
        )?;
        for member in &self.members {
            writeln!(
                f,
                "{:<11} {} links, {} frames, {:.1} MB",
                format!("{:?}", member.mischief).to_lowercase(),
                member.links,
                member.frames,
                member.bytes as f64 / 1e6
            )?;
        }
        writeln!(f, "sent away   {} times", self.sent_away)?;
        writeln!(f, "{:<28}{:>10}{:>10}", "", "rest", "attack")?;
        let mut row = |what: &str, of: fn(&Phase) -> f64| {
            writeln!(
                f,
                "{what:<28}{:>10.1}{:>10.1}",
                of(&self.rest),
                of(&self.attack)
            )
        };
        row("honest round, median, ms", |p| p.round_ms)?;
        row("resident, most, MiB", |p| p.rss_mib)?;
        row("descriptors, most", |p| p.descriptors as f64)?;
        row("status answers", |p| p.answers as f64)?;
        row("  median, ms", |p| p.answer_p50_ms)?;
        row("  slowest, ms", |p| p.answer_max_ms)?;
        writeln!(f, "the honest peer is {:.2} times slower", self.slower)?;
        for missed in &self.missed {
            writeln!(f, "missed: {missed}")?;
        }
        Ok(())
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median_ms(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| ms(*time))
}
