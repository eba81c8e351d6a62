//! What a run of many seeds found: a table for people, one JSON document for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use diwan_core::sync::Message;
use diwan_core::verify::Receipt;
use serde::Serialize;

/// A law that a seed broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// The law.
    pub law: &'static str,
    /// What was found.
    #[serde(skip)]
    pub detail: String,
}

/// What one seed did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Jobs of officers that were done.
    pub ops: u64,
    /// Laws that were broken.
    pub violations: Vec<Violation>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Misbehaviours by kind.
    pub byzantine: BTreeMap<&'static str, u64>,
    /// Nodes that were started anew because their store took nothing after a disk error.
    pub restarted: u64,
    /// What happened, if a trace was wanted.
    pub trace: String,
}

/// What many seeds did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How many seeds.
    pub seeds: u64,
    /// Jobs of officers that were done.
    pub ops: u64,
    /// Laws that were broken.
    pub violations: Vec<Violation>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Misbehaviours by kind.
    pub byzantine: BTreeMap<&'static str, u64>,
    /// Nodes that were started anew because their store took nothing after a disk error.
    pub restarted: u64,
    /// How long it took.
    pub secs: f64,
}

impl Report {
    /// Adds a seed.
    pub fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.ops += outcome.ops;
        self.restarted += outcome.restarted;
        self.violations.extend(outcome.violations);
        for (kind, count) in outcome.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (kind, count) in outcome.byzantine {
            *self.byzantine.entry(kind).or_default() += count;
        }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{} seeds, {} jobs of officers, {:.1} s\n",
            self.seeds, self.ops, self.secs
        );
        for (title, counts) in [("fault", &self.faults), ("misbehaviour", &self.byzantine)] {
            let _ = writeln!(text, "\n{title:<28} {:>9}", "times");
            for (kind, count) in counts {
                let _ = writeln!(text, "{kind:<28} {count:>9}");
            }
        }
        let restarted = self.restarted;
        let _ = writeln!(text, "\nrestarts after disk errors    {restarted:>8}");
        let _ = writeln!(text, "\n{} laws broken", self.violations.len());
        for broken in &self.violations {
            let Violation { seed, law, detail } = broken;
            let _ = writeln!(text, "seed {seed}: {law}: {detail}");
            let _ = writeln!(text, "hint: replay it with `sim --seed {seed} --trace`");
        }
        text
    }
}

/// A frame in a few words.
#[must_use]
pub fn frame_in_words(frame: &[u8]) -> String {
    match Message::from_frame(frame) {
        Ok(Message::Hello(hello)) => format!("hello, {} groups", hello.groups.len()),
        Ok(Message::GroupState(state)) => format!(
            "state of {}: height {}, {} entries, heard {}, corrects {}",
            state.group.short(),
            state.height,
            state.frontier.entries(),
            state.heard,
            state.corrects
        ),
        Ok(Message::Agency(chain)) => format!(
            "{} statements of agency {} from {}",
            chain.statements.len(),
            chain.agency.short(),
            chain.from
        ),
        Ok(Message::Group(chain)) => format!(
            "{} statements of group {} from {}",
            chain.statements.len(),
            chain.group.short(),
            chain.from
        ),
        Ok(Message::Entries(ranges)) => ranges
            .iter()
            .map(|range| {
                format!(
                    "{} entries of {} ({}) in {} from {} ",
                    range.entries.len(),
                    range.writer.node.short(),
                    range.writer.incarnation,
                    range.group.short(),
                    range.first
                )
            })
            .collect(),
        Ok(Message::Receipts(receipts)) => {
            let claimed = receipts.iter().filter_map(|bytes| Receipt::claimed(bytes));
            let words = claimed.map(|receipt| {
                let (entries, digest) = (receipt.frontier.entries(), receipt.frontier.digest());
                let (node, group) = (receipt.node.short(), receipt.group.short());
                format!(
                    ", {} by {node}: {entries} entries of {group}",
                    digest.short()
                )
            });
            format!("{} receipts{}", receipts.len(), words.collect::<String>())
        }
        Ok(Message::Proofs(proofs)) => format!("{} proofs", proofs.len()),
        Ok(Message::ForkAsk(ask)) => format!(
            "{} places of the log of {} in {}",
            ask.points.len(),
            ask.writer.node.short(),
            ask.group.short()
        ),
        Ok(Message::ForkTell(tell)) => format!(
            "a side of the log of {} in {}",
            tell.writer.node.short(),
            tell.group.short()
        ),
        Ok(Message::Pending(pending)) => format!(
            "{} statements of group {} that wait",
            pending.statements.len(),
            pending.group.short()
        ),
        Ok(Message::Want(want)) => format!(
            "wants {} payloads of {}",
            want.entries.len(),
            want.group.short()
        ),
        Ok(Message::Payload(payload)) => format!("payload of entry {}", payload.seq),
        Ok(Message::Have(have)) => format!("has {:?}", have.logs),
        Ok(Message::Ping) => "ping".to_owned(),
        Ok(Message::Pong) => "pong".to_owned(),
        Err(error) => format!("{} bytes that are no message: {error}", frame.len()),
    }
}
