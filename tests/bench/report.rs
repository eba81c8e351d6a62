//! What a benchmark found: rows of figures, a table for people, one JSON document, goals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use anyhow::Result;
use serde::Serialize;

/// Our node's rows begin with this; a goal must hold in each of them.
pub(crate) const OURS: &str = "diwan";

/// One candidate's figures at one size of the workload: medians, by the anchors' names.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) candidate: String,
    pub(crate) n: u64,
    #[serde(flatten)]
    pub(crate) figures: BTreeMap<String, f64>,
}

/// What was found, or why nothing was measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// What is missing for a measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
    /// What did not hold, such as two nodes that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) broken: Vec<String>,
    /// What a reader must know of the figures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// A figure's name in the rows, its words, its unit, and what it is divided by for that unit.
type Figure = (&'static str, &'static str, &'static str, f64);

/// The figures of the table, in its order.
const FIGURES: &[Figure] = &[
    ("cold_s", "cold, durable on B", "s", 1.0),
    ("searchable_s", "cold, searchable on B", "s", 1.0),
    ("cold_bytes", "cold, wire", "MB", 1e6),
    ("cold_of_content", "cold, wire to content", "×", 1.0),
    ("d0_s", "d = 0", "ms", 1e-3),
    ("d0_bytes", "d = 0, wire", "KB", 1e3),
    ("d10_s", "d = 10, durable", "ms", 1e-3),
    (
        "d10_searchable_s",
        "d = 10, shown and searchable",
        "ms",
        1e-3,
    ),
    ("d10_bytes", "d = 10, wire", "KB", 1e3),
    ("d1000_s", "d = 1,000, durable", "ms", 1e-3),
    (
        "d1000_searchable_s",
        "d = 1,000, shown and searchable",
        "ms",
        1e-3,
    ),
    ("d1000_bytes", "d = 1,000, wire", "KB", 1e3),
    ("lat_p50_ms", "live, p50", "ms", 1.0),
    ("lat_p99_ms", "live, p99", "ms", 1.0),
    ("ack_p50_ms", "write acknowledged on A, p50", "ms", 1.0),
    ("ack_p99_ms", "write acknowledged on A, p99", "ms", 1.0),
    ("idle_a", "idle memory of A", "MiB", 1.0),
    ("idle_b", "idle memory of B", "MiB", 1.0),
    ("peak_a", "peak memory of A, cold", "MiB", 1.0),
    ("peak_b", "peak memory of B, cold", "MiB", 1.0),
    ("cpu_a", "CPU of A, cold", "s", 1.0),
    ("cpu_b", "CPU of B, cold", "s", 1.0),
    ("alloc_b", "disk of B", "MB", 1e6),
    ("alloc_of_content", "disk of B to content", "×", 1.0),
    ("index_of_content", "index to content", "×", 1.0),
    ("indexed_s", "index alone, records a second", "1/s", 1.0),
    ("search_p50_ms", "two-term query, p50", "ms", 1.0),
    ("search_p99_ms", "two-term query, p99", "ms", 1.0),
    ("node_p50_ms", "the same within the node, p50", "ms", 1.0),
    ("node_p99_ms", "the same within the node, p99", "ms", 1.0),
    ("ingest_s", "import, durable", "s", 1.0),
    ("ingest_per_s", "import, records a second", "1/s", 1.0),
    ("ingest_searchable_s", "import, searchable", "s", 1.0),
    ("disk_mb", "disk", "MB", 1.0),
    ("disk_of_content", "disk to content", "×", 1.0),
    ("rss_mib", "memory afterwards", "MiB", 1.0),
    (
        "open_clean_s",
        "start after a stop, until the API answers",
        "s",
        1.0,
    ),
    (
        "open_killed_s",
        "start after kill -9, until the API answers",
        "s",
        1.0,
    ),
    ("idle_mib", "idle memory after a start", "MiB", 1.0),
    (
        "stage_write",
        "A: a draft signed, durable, viewable",
        "µs",
        1.0,
    ),
    ("stage_read", "A: read from the store", "µs", 1.0),
    ("stage_compress", "A: encode and compress", "µs", 1.0),
    ("stage_decode", "B: decompress and decode", "µs", 1.0),
    ("stage_hash", "B: hash payloads and headers", "µs", 1.0),
    ("stage_verify", "B: the same, and verify", "µs", 1.0),
    ("stage_view", "B: read the first version", "µs", 1.0),
    ("stage_commit", "B: rows and commit", "µs", 1.0),
    (
        "stage_edit",
        "A: an edit signed, durable, viewable",
        "µs",
        1.0,
    ),
    ("stage_gate", "B: the gate's rules, an edit", "µs", 1.0),
    (
        "stage_apply",
        "B: applied, saved, loaded again, an edit",
        "µs",
        1.0,
    ),
    ("stage_edited_view", "B: view of an edit", "µs", 1.0),
    ("stage_judged", "B: the three together", "µs", 1.0),
    ("stage_index", "B: index", "µs", 1.0),
    ("d0_protocol_bytes", "d = 0, beyond the handshake", "B", 1.0),
    (
        "d0_round_trips",
        "d = 0, round trips beyond the handshake",
        "",
        1.0,
    ),
    ("soak_first_a", "memory of A, first", "MiB", 1.0),
    ("soak_last_a", "memory of A, last", "MiB", 1.0),
    ("soak_first_b", "memory of B, first", "MiB", 1.0),
    ("soak_last_b", "memory of B, last", "MiB", 1.0),
    ("soak_first_fds", "descriptors of both, first", "", 1.0),
    ("soak_last_fds", "descriptors of both, last", "", 1.0),
    ("line_first_s", "poor line, first record", "s", 1.0),
    ("line_s", "poor line, all", "s", 1.0),
    ("line_content", "content", "KB", 1e3),
    ("line_bytes", "poor line, carried", "KB", 1e3),
    ("line_cut_s", "poor line with a cut of 5 s, all", "s", 1.0),
    ("line_cut_bytes", "poor line with a cut, carried", "KB", 1e3),
    (
        "line_again_bytes",
        "the same beyond the run without",
        "KB",
        1e3,
    ),
];

impl Report {
    /// Our node's figures at one size of the workload.
    pub(crate) fn ours<N: Into<String>>(
        n: u64,
        figures: impl IntoIterator<Item = (N, f64)>,
    ) -> Self {
        let figures = figures.into_iter();
        Self {
            rows: vec![Row {
                candidate: OURS.to_owned(),
                n,
                figures: figures.map(|(name, value)| (name.into(), value)).collect(),
            }],
            ..Self::default()
        }
    }

    /// A report without figures, and why.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self {
            skipped: Some(why.into()),
            ..Self::default()
        }
    }

    /// Writes the table, or the document.
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if let Some(why) = &self.skipped {
            eprintln!("skipped: {why}");
        }
        for broken in &self.broken {
            eprintln!("broken: {broken}");
        }
        if json {
            return Ok(writeln!(out, "{}", serde_json::to_string(self)?)?);
        }
        let sizes: BTreeSet<u64> = self.rows.iter().map(|row| row.n).collect();
        for n in sizes {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.n == n).collect();
            writeln!(out, "{}", table(n, &rows))?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }

    /// The goals that our node's figures miss. Nothing was measured, nothing is missed.
    pub(crate) fn missed(&self, goals: &[Goal]) -> Vec<Goal> {
        if self.skipped.is_some() {
            return Vec::new();
        }
        let missed = goals.iter().filter(|goal| !self.meets(goal));
        missed.cloned().collect()
    }

    fn meets(&self, goal: &Goal) -> bool {
        let mut ours = self.rows.iter().filter(|row| is_ours(row)).peekable();
        ours.peek().is_some()
            && ours.all(|row| {
                let limit = match &goal.of {
                    None => Some(goal.value),
                    Some(other) => self
                        .rows
                        .iter()
                        .find(|r| r.n == row.n && r.candidate == *other)
                        .and_then(|r| r.figures.get(&goal.figure))
                        .map(|theirs| theirs * goal.value),
                };
                let found = row.figures.get(&goal.figure);
                matches!((found, limit), (Some(found), Some(limit)) if *found <= limit)
            })
    }
}

fn is_ours(row: &Row) -> bool {
    row.candidate.starts_with(OURS)
}

/// One size of the workload as a Markdown table: a line a figure, a column a candidate, and what ours
/// is to each of the others.
fn table(n: u64, rows: &[&Row]) -> String {
    let (ours, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| is_ours(row));
    let mut head = vec![format!("N = {n}"), String::new()];
    head.extend(ours.iter().chain(&others).map(|row| row.candidate.clone()));
    let first = ours.first();
    if let Some(first) = first {
        let ratio = |other: &&Row| format!("{} to {}", first.candidate, other.candidate);
        head.extend(others.iter().map(ratio));
    }
    let rule = (0..head.len()).map(|at| if at < 2 { "---" } else { "--:" });
    let rule: Vec<String> = rule.map(str::to_owned).collect();
    let mut lines = vec![line(&head), line(&rule)];
    for (key, words, unit, scale) in FIGURES {
        let value = |row: &&Row| row.figures.get(*key).copied();
        if ours.iter().chain(&others).all(|row| value(row).is_none()) {
            continue;
        }
        let mut cells = vec![(*words).to_owned(), (*unit).to_owned()];
        let shown = |row| value(row).map_or_else(|| "–".to_owned(), |v| number(v / scale));
        cells.extend(ours.iter().chain(&others).map(shown));
        if let Some(first) = first {
            let ratio = |other| match (value(first), value(other)) {
                (Some(own), Some(theirs)) if theirs > 0.0 => format!("{:.2} ×", own / theirs),
                _ => "–".to_owned(),
            };
            cells.extend(others.iter().map(ratio));
        }
        lines.push(line(&cells));
    }
    lines.join("\n")
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The value below which this part of the values lies; 0 of none.
pub(crate) fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (1..=sorted.len()).rfind(|rank| (*rank as f64 - 1.0) <= sorted.len() as f64 * part);
    at.and_then(|rank| sorted.get(rank - 1))
        .copied()
        .unwrap_or_default()
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(middle - 1)?, upper))
}

/// A figure of our node that must be at most a value, or at most a part of an anchor's figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Goal {
    figure: String,
    value: f64,
    of: Option<String>,
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write FIGURE<=VALUE or FIGURE<=VALUE*CANDIDATE".to_owned();
        let (figure, limit) = text.split_once("<=").ok_or_else(wrong)?;
        let (value, of) = match limit.split_once('*') {
            Some((value, of)) => (value, Some(of.trim().to_owned())),
            None => (limit, None),
        };
        Ok(Self {
            figure: figure.trim().to_owned(),
            value: value.trim().parse().map_err(|_| wrong())?,
            of,
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<={}", self.figure, self.value)?;
        match &self.of {
            Some(of) => write!(f, "*{of}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(candidate: &str, cold_s: f64) -> Row {
        Row {
            candidate: candidate.to_owned(),
            n: 10,
            figures: BTreeMap::from([("cold_s".to_owned(), cold_s)]),
        }
    }

    fn report() -> Report {
        Report {
            rows: vec![row("git", 1.0), row("diwan", 0.4)],
            ..Report::default()
        }
    }

    fn goals(texts: &[&str]) -> Vec<Goal> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn goals_are_absolute_or_against_a_candidate_of_the_same_run() {
        let met = goals(&["cold_s<=0.4", "cold_s <= 0.5*git"]);
        assert_eq!(report().missed(&met), []);
        let texts = [
            "cold_s<=0.3",
            "cold_s<=0.3*git",
            "cold_s<=1*rsync",
            "lost_s<=1",
        ];
        let unmet = goals(&texts);
        assert_eq!(report().missed(&unmet), unmet);
        assert!("cold_s<1".parse::<Goal>().is_err());
    }

    #[test]
    fn nothing_measured_misses_nothing() {
        assert_eq!(Report::skipped("no git").missed(&goals(&["cold_s<=0"])), []);
    }

    #[test]
    fn the_table_shows_ours_first_and_its_ratio() {
        let report = report();
        let rows: Vec<&Row> = report.rows.iter().collect();
        assert_eq!(
            table(10, &rows),
            "| N = 10 |  | diwan | git | diwan to git |\n\
             | --- | --- | --: | --: | --: |\n\
             | cold, durable on B | s | 0.400 | 1.00 | 0.40 × |"
        );
    }

    #[test]
    fn medians_and_percentiles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        let hundred: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.5), 50.0);
        assert_eq!(percentile(&hundred, 0.99), 99.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
    }
}
