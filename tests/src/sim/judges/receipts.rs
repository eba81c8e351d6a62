//! Receipts are true: what an honest node has signed to be stored is on its disk, also after the
//! power went.

use std::collections::BTreeMap;

use diwan_core::id::{GroupId, NodeKey};
use diwan_core::limits;
use diwan_core::log::Frontier;
use diwan_core::sync::Message;
use diwan_core::verify::Receipt;
use diwan_core::wire::{self, Signed};

use crate::sim::node::Node;

/// The furthest receipts that a node has let out.
#[derive(Clone, Debug, Default)]
pub struct Claims(BTreeMap<GroupId, Frontier>);

impl Claims {
    /// Takes the node's own receipts from a frame that it sends.
    pub fn take(&mut self, own: &NodeKey, frame: &[u8]) {
        // Type 5: see docs/protocol/sync.md.
        if frame.first() != Some(&5) {
            return;
        }
        let Ok(Message::Receipts(receipts)) = Message::from_frame(frame) else {
            return;
        };
        for bytes in receipts {
            let receipt = read(&bytes).filter(|receipt| receipt.node == *own);
            if let Some(receipt) = receipt {
                self.0
                    .entry(receipt.group)
                    .or_default()
                    .advance(&receipt.frontier);
            }
        }
    }

    /// What the node claimed and does not have, if anything.
    #[must_use]
    pub fn refuted_by(&self, node: &Node) -> Option<String> {
        let committer = node.committer.as_ref()?;
        let state = committer.state();
        let reading = match committer.store().read() {
            Ok(reading) => reading,
            Err(error) => return Some(error.to_string()),
        };
        for (group, frontier) in &self.0 {
            let found = state.replica.group(group);
            for (writer, head) in &frontier.0 {
                // What a proof took out of the log lies beside it.
                if found.is_some_and(|found| found.forks.contains_key(writer)) {
                    continue;
                }
                let log = state.logs.get(&(*group, *writer));
                let entry = log.and_then(|log| reading.entry(*log, head.seq).ok()?);
                let found = entry.map(|entry| entry.header.hash());
                if found != Some(head.hash) {
                    return Some(format!(
                        "its receipt covers {} of the log of {} in {}, and its disk has {found:?}",
                        head.seq,
                        writer.node.short(),
                        group.short()
                    ));
                }
            }
        }
        None
    }
}

fn read(bytes: &[u8]) -> Option<Receipt> {
    let signed: Signed = wire::decode(bytes, limits::FRAME_BYTES).ok()?;
    wire::decode(&signed.body, limits::FRAME_BYTES).ok()
}
