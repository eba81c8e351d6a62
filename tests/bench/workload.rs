//! The workload: W(N) of the anchors where they are built, a small one of our own for `--smoke`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use crate::report::Report;

/// Records of the small workload.
const SMOKE_RECORDS: u64 = 200;
/// Words of the small workload's vocabulary.
const VOCABULARY: u64 = 2_000;

/// How much work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Our own small workload.
    Smoke,
    /// W(N).
    Records(u64),
}

impl Size {
    /// How many records that is.
    pub(crate) fn records(self) -> u64 {
        match self {
            Self::Smoke => SMOKE_RECORDS,
            Self::Records(n) => n,
        }
    }

    /// Writes the workload into a folder; nothing where the anchors' generator is not built.
    pub(crate) fn write(self, folder: &Path) -> Result<Option<PathBuf>> {
        let path = folder.join("w.jsonl");
        match self {
            Self::Smoke => std::fs::write(&path, small(0..SMOKE_RECORDS, 0)?)?,
            Self::Records(n) => {
                let generator = generator();
                if !generator.is_file() {
                    return Ok(None);
                }
                let made = Command::new(&generator)
                    .arg(n.to_string())
                    .arg(&path)
                    .status()?;
                if !made.success() {
                    bail!("{} ended: {made}", generator.display());
                }
            }
        }
        Ok(Some(path))
    }
}

/// What a measurement answers for which there is no workload.
pub(crate) fn not_built() -> Report {
    let generator = generator();
    Report::skipped(format!(
        "{} is not built; see docs/benchmarks.md",
        generator.display()
    ))
}

/// The anchors' generator of W(N).
pub(crate) fn generator() -> PathBuf {
    anchors_target().join("release/gen")
}

/// Where the anchors are built: `ANCHORS_TARGET_DIR`, or a folder of the temporary one.
pub(crate) fn anchors_target() -> PathBuf {
    let named = std::env::var_os("ANCHORS_TARGET_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| std::env::temp_dir().join("target-anchors"))
}

/// Lines of the shape of W(N): the same id and `variant` above 0 is the record after an edit.
pub(crate) fn small(ids: std::ops::Range<u64>, variant: u64) -> Result<String> {
    let mut lines = String::new();
    for id in ids {
        let mut draw = Draw(id);
        let (title, summary) = (draw.text(60), draw.text(200));
        let mut body = draw.text(1_500);
        if variant > 0 {
            write!(body, " {}", Draw(id ^ (variant << 40)).text(80))?;
        }
        let tags = [draw.word(), draw.word(), draw.word(), draw.word()];
        let record = json!({
            "id": format!("smoke-workload-record-{id:08}"),
            "title": title, "summary": summary, "body": body, "tags": tags, "lang": "en",
        });
        writeln!(lines, "{record}")?;
    }
    Ok(lines)
}

/// A reproducible sequence of words (splitmix64), the frequent ones far more often than the rare.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// The next number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    fn word(&mut self) -> String {
        const PARTS: [&str; 16] = [
            "ba", "con", "de", "fi", "gra", "in", "la", "mi", "no", "per", "ro", "sta", "ta",
            "ver", "po", "lu",
        ];
        let widest = self.below(VOCABULARY) + 1;
        let mut rank = self.below(widest);
        let mut word = String::from("w");
        while rank > 0 {
            let part = usize::try_from(rank % 16).unwrap_or_default();
            word.push_str(PARTS.get(part).copied().unwrap_or_default());
            rank /= 16;
        }
        word
    }

    fn text(&mut self, bytes: usize) -> String {
        let mut text = self.word();
        while text.len() < bytes {
            let mark = if self.below(12) == 0 { ". " } else { " " };
            text.push_str(mark);
            text.push_str(&self.word());
        }
        text
    }
}

/// What of a line of the workload a query is made from.
#[derive(Deserialize)]
struct Line {
    summary: String,
    body: String,
}

/// Two-term queries over a workload: two different words of one record each, so that each finds
/// something. The same for the same file.
pub(crate) fn queries(workload: &Path, count: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(workload)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut draw = Draw(7);
    let mut queries = Vec::with_capacity(count);
    while queries.len() < count {
        let line = pick(&mut draw, &lines).context("the workload is empty")?;
        let line: Line = serde_json::from_str(line)?;
        let texts = format!("{} {}", line.summary, line.body);
        let words: Vec<&str> = texts
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() > 3)
            .collect();
        let pair = (pick(&mut draw, &words), pick(&mut draw, &words));
        if let (Some(one), Some(other)) = pair
            && one != other
        {
            queries.push(format!("{one} {other}"));
        }
    }
    Ok(queries)
}

fn pick<'a>(draw: &mut Draw, of: &[&'a str]) -> Option<&'a str> {
    let at = usize::try_from(draw.below(of.len() as u64)).ok()?;
    of.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_workload_is_the_same_every_time_and_an_edit_keeps_the_id() {
        let lines = small(0..20, 0).unwrap();
        assert_eq!(lines, small(0..20, 0).unwrap());
        let of = |text: &str, at: usize| -> serde_json::Value {
            serde_json::from_str(text.lines().nth(at).unwrap()).unwrap()
        };
        let edited = small(3..4, 1).unwrap();
        let (before, after) = (of(&lines, 3), of(&edited, 0));
        assert_eq!(before["id"], after["id"]);
        assert_eq!(before["title"], after["title"]);
        assert_ne!(before["body"], after["body"]);
        assert_ne!(before["id"], of(&lines, 4)["id"]);
    }

    #[test]
    fn queries_are_two_words_of_one_record() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.jsonl");
        let lines = small(0..20, 0).unwrap();
        std::fs::write(&path, &lines).unwrap();
        let asked = queries(&path, 50).unwrap();
        assert_eq!(asked, queries(&path, 50).unwrap());
        for query in asked {
            let (one, other) = query.split_once(' ').unwrap();
            assert!(
                lines.lines().any(|l| l.contains(one) && l.contains(other)),
                "{query}"
            );
        }
    }
}
