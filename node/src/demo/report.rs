//! What a demonstration verified, as `--json` prints it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use diwan_api::client::import::Report;
use serde::Serialize;

use super::find::{Found, Shelf};
use super::merge::Merged;
use super::node::Trio;

/// The document of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Verified {
    nodes: Vec<VerifiedNode>,
    imported: Imported,
    /// Records that each of the three holds in the group.
    records: usize,
    /// Languages that they have.
    languages: BTreeSet<String>,
    found: Vec<Found>,
    merged: Merged,
    /// Always true: a demonstration in which they differ prints no document.
    exports_equal: bool,
}

#[derive(Debug, Serialize)]
struct VerifiedNode {
    short: &'static str,
    home: String,
    peer_id: String,
    listen: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Imported {
    created: u64,
    skipped: Vec<SkippedFile>,
}

#[derive(Debug, Serialize)]
struct SkippedFile {
    source: String,
    reason: &'static str,
}

impl Verified {
    /// Gathers what the steps verified.
    pub(super) fn of(
        trio: Trio<'_>,
        report: &Report,
        shelf: &Shelf,
        found: Vec<Found>,
        merged: Merged,
    ) -> Self {
        let nodes = trio.all().map(|node| VerifiedNode {
            short: node.short(),
            home: node.home().display().to_string(),
            peer_id: node.peer_id().to_owned(),
            listen: node.listen().to_vec(),
        });
        let skipped = report.skipped.iter().map(|skipped| SkippedFile {
            source: skipped.source.clone(),
            reason: skipped.reason.code(),
        });
        Self {
            nodes: nodes.into(),
            imported: Imported {
                created: report.created,
                skipped: skipped.collect(),
            },
            records: shelf.len(),
            languages: shelf.languages(),
            found,
            merged,
            exports_equal: true,
        }
    }

    /// What was found, for the commands to try.
    pub(super) fn found(&self) -> &[Found] {
        &self.found
    }

    /// Prints the document.
    pub(super) fn print(&self) -> io::Result<()> {
        let text = serde_json::to_string(self)?;
        writeln!(io::stdout(), "{text}")
    }
}
