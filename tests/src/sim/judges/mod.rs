//! The judges: each holds one law, has its own simple model, and does not trust the code it judges.

mod convergence;
mod durable;
mod heights;
mod leaks;
mod receipts;
mod rest;
mod standing;

use std::collections::BTreeMap;

use diwan_core::replica::Replica;
use diwan_core::sync::{CloseReason, Wish};

use super::driver::QUEUED_BYTES;
use super::network::{LinkId, NodeId};
use super::world::World;
use diwan_core::limits;

pub use convergence::{GroupDump, Shown, difference};
pub use durable::{Places, missing_entry, missing_mark};
pub use heights::Heights;
pub use leaks::leaked;
pub use receipts::Claims;
pub use standing::without_standing;

/// What the judges measure while the federation runs.
#[derive(Debug, Default)]
pub struct Judges {
    heights: BTreeMap<NodeId, Heights>,
    claims: BTreeMap<NodeId, Claims>,
    most_waiting: usize,
    /// Nodes that were started anew because their store took nothing after a disk error.
    pub restarts_after_disk_errors: u64,
}

impl Judges {
    /// So many bytes wait for one peer.
    pub fn waiting_bytes(&mut self, bytes: usize) {
        self.most_waiting = self.most_waiting.max(bytes);
    }
}

impl World {
    /// Looks at what a node is about to send: nothing of a group for an agency outside of it, and
    /// its own receipts are kept, to be held against its disk.
    pub(super) fn judge_wishes(
        &mut self,
        (from, to): (NodeId, NodeId),
        replica: &Replica,
        wishes: &[Wish],
    ) {
        if self.nodes[from].byzantine {
            return;
        }
        let frames = wishes.iter().filter_map(|wish| match wish {
            Wish::Send(frame) => Some(frame),
            _ => None,
        });
        let mut found = Vec::new();
        for frame in frames {
            let agency = self.nodes[to].agency;
            let height =
                |group: &diwan_core::id::GroupId| Some(replica.group(group)?.chain.height());
            found.extend(leaked(frame, &agency, height, &self.model));
            let claims = self.judges.claims.entry(from).or_default();
            claims.take(&self.nodes[from].me.node, frame);
        }
        for group in found {
            let detail = format!(
                "{} sends something of group {} to {}, which is not in it",
                self.name(from),
                group.short(),
                self.name(to)
            );
            self.broken("leak", detail);
        }
    }

    /// An honest node never closes on an honest one for what it sent.
    pub(super) fn judge_close(&mut self, (node, link): (NodeId, LinkId), reason: &CloseReason) {
        let Some(peer) = self.network.other(link, node) else {
            return;
        };
        let honest = !self.nodes[node].byzantine && !self.nodes[peer].byzantine;
        let blames = !matches!(reason, CloseReason::Silent | CloseReason::Trust);
        if honest && blames {
            let detail = format!(
                "{} closes on {}: {reason}",
                self.name(node),
                self.name(peer)
            );
            self.broken("blame", detail);
        }
    }

    /// A node committed.
    pub(super) fn judge_commit(&mut self, node: NodeId) {
        let at = &self.nodes[node];
        if at.byzantine {
            return;
        }
        let Some(state) = at.state() else { return };
        let heights = self.judges.heights.entry(node).or_default();
        if let Some(fell) = heights.see(&state.replica) {
            let detail = format!("{}: {fell}", self.name(node));
            self.broken("heights", detail);
        }
    }

    /// A node came up again: what it had said is held against what it has.
    pub(super) fn judge_start(&mut self, node: NodeId) {
        if self.nodes[node].byzantine {
            return;
        }
        self.model.learn_groups(&self.nodes[node]);
        self.judge_commit(node);
        self.judge_receipts(node);
        self.judge_own_entries(node);
    }

    fn judge_receipts(&mut self, node: NodeId) {
        let found = {
            let at = &self.nodes[node];
            let claims = self.judges.claims.get(&node);
            claims.and_then(|claims| claims.refuted_by(at))
        };
        if let Some(found) = found {
            let detail = format!("{}: {found}", self.name(node));
            self.broken("receipts", detail);
        }
    }

    /// An honest node holds every entry of its own that was acknowledged.
    fn judge_own_entries(&mut self, node: NodeId) {
        let own = self.model.entries.iter().filter(|entry| entry.node == node);
        if let Some(lost) = missing_entry(&self.nodes[node], own) {
            let detail = format!("{} lost {lost}", self.name(node));
            self.broken("durable", detail);
        }
    }

    fn judge_bounds(&mut self) {
        let allowed = QUEUED_BYTES + limits::FRAME_BYTES;
        if self.judges.most_waiting > allowed {
            let detail = format!("{} bytes waited for one peer", self.judges.most_waiting);
            self.broken("bounds", detail);
        }
    }
}
