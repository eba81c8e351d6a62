//! The figures of a run, and the laws that were broken.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use diwan_core::record::ChangeReason;
use serde::Serialize;

use super::Mutant;
use super::trial::Verdict;

/// Peak memory that one mutant may cost, in mebibytes.
const GROWTH_MB: f64 = 64.0;
/// CPU time that one refusal may cost.
const REFUSAL: Duration = Duration::from_millis(5);
/// Broken laws that are kept one by one.
const KEPT: usize = 50;

/// Figures of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Tried.
    pub mutants: u64,
    /// Refused at the gate.
    pub refused: u64,
    /// Applied: what was done to them makes honest changes of them.
    pub applied: u64,
    /// Panics, those that the gate caught included.
    pub panics: u64,
    /// Documents that would not load again, or not as the same.
    pub unreloadable: u64,
    /// Records that differ with the order of arrival.
    pub divergent: u64,
    /// Most memory that one mutant took beyond the honest changes, in mebibytes.
    pub peak_growth_mb: f64,
    /// Most memory of the whole process while a mutant was tried, in mebibytes: what the allocator
    /// kept from before cannot hide there.
    pub peak_rss_mb: f64,
    /// Most CPU time that one refusal took beyond the honest changes, in milliseconds.
    pub worst_refusal_ms: f64,
    /// What took it.
    pub worst_refusal: String,
    /// Refused by Automerge only, behind the gate's own rules.
    pub late: u64,
    /// Honest changes of others that were refused because of a mutant.
    pub harmful: u64,
    /// Records that nobody could edit afterwards.
    pub stuck: u64,
    /// By reason.
    pub reasons: BTreeMap<String, u64>,
    /// By kind: how many, and how many were applied.
    pub kinds: BTreeMap<&'static str, (u64, u64)>,
    /// The first broken laws.
    pub broken: Vec<Broken>,
}

/// A law that a mutant broke; its number and the run's seed make it again.
#[derive(Clone, Debug, Serialize)]
pub struct Broken {
    /// The mutant's number.
    pub number: u64,
    /// What was done.
    pub kind: &'static str,
    /// The record.
    pub scene: &'static str,
    /// The law.
    pub law: &'static str,
}

impl Report {
    pub(super) fn enter(
        &mut self,
        number: u64,
        scene: &'static str,
        mutant: &Mutant,
        verdict: &Verdict,
    ) {
        let kind = mutant.kind;
        self.mutants += 1;
        let counts = self.kinds.entry(kind).or_default();
        counts.0 += 1;
        match verdict.refused {
            Some(reason) => {
                self.refused += 1;
                self.late += u64::from(reason == ChangeReason::Apply);
                *self.reasons.entry(reason.to_string()).or_default() += 1;
            }
            None => {
                counts.1 += 1;
                self.applied += 1;
            }
        }
        let ms = milliseconds(verdict.refusal);
        if ms > self.worst_refusal_ms {
            self.worst_refusal_ms = ms;
            self.worst_refusal = format!("{kind} on {scene}, number {number}");
        }
        self.peak_growth_mb = self.peak_growth_mb.max(verdict.growth_mb);
        self.peak_rss_mb = self.peak_rss_mb.max(verdict.peak_mb);
        self.panics += verdict.panics;
        self.unreloadable += u64::from(verdict.is_unreloadable);
        self.divergent += u64::from(verdict.is_divergent);
        self.harmful += u64::from(verdict.is_harmful);
        self.stuck += u64::from(verdict.is_stuck);
        for (law, is_broken) in [
            ("panic", verdict.panics > 0),
            ("unreloadable", verdict.is_unreloadable),
            ("divergent", verdict.is_divergent),
            ("harmful", verdict.is_harmful),
            ("stuck", verdict.is_stuck),
            ("late", verdict.refused == Some(ChangeReason::Apply)),
            ("growth", verdict.growth_mb >= GROWTH_MB),
            ("slow", verdict.refusal >= REFUSAL),
        ] {
            if is_broken && self.broken.len() < KEPT {
                self.broken.push(Broken {
                    number,
                    kind,
                    scene,
                    law,
                });
            }
        }
    }

    /// Whether every law held and every goal was met.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.is_sound()
            && self.peak_growth_mb < GROWTH_MB
            && self.worst_refusal_ms < milliseconds(REFUSAL)
    }

    /// Whether every law held, whatever time and memory it took.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let faults = [
            self.panics,
            self.unreloadable,
            self.divergent,
            self.harmful,
            self.stuck,
        ];
        faults == [0; 5]
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "mutants            {:>10}", self.mutants)?;
        writeln!(f, "refused            {:>10}", self.refused)?;
        writeln!(f, "applied            {:>10}", self.applied)?;
        writeln!(f, "panics             {:>10}", self.panics)?;
        writeln!(f, "unreloadable       {:>10}", self.unreloadable)?;
        writeln!(f, "divergent          {:>10}", self.divergent)?;
        writeln!(f, "harm to others     {:>10}", self.harmful)?;
        writeln!(f, "no longer editable {:>10}", self.stuck)?;
        writeln!(f, "refused late       {:>10}", self.late)?;
        writeln!(f, "peak growth        {:>10.1} MiB", self.peak_growth_mb)?;
        writeln!(f, "peak memory        {:>10.1} MiB", self.peak_rss_mb)?;
        let worst = &self.worst_refusal;
        writeln!(
            f,
            "worst refusal      {:>10.2} ms ({worst})",
            self.worst_refusal_ms
        )?;
        for (reason, count) in &self.reasons {
            writeln!(f, "  {reason:<20} {count:>8}")?;
        }
        for broken in &self.broken {
            let Broken {
                number,
                kind,
                scene,
                law,
            } = broken;
            writeln!(f, "{law}: {kind} on {scene}, number {number}")?;
        }
        Ok(())
    }
}
