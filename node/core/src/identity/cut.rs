//! Sealed cuts: where a revoked node's logs end, said in a chain that agencies outside those groups
//! read too.
//!
//! An agency's chain is read by all who share any group with it, and no group's existence may reach
//! an agency outside it. So a cut names its log by a hash that only who knows the group's id can
//! find again, and hides the sequence behind a mask from the same source.
//! `docs/protocol/identity.md`, "Sealed cuts".

use std::collections::BTreeMap;

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

use crate::id::{EntryHash, GroupId, NodeKey, StatementHash, Writer};
use crate::wire::{self, Domain};

/// A cut that only members of its group can read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealedCut {
    /// What it is about: a hash over the group and the log, or over the group alone.
    #[n(0)]
    tag: ByteArray<32>,
    /// The last valid sequence, masked.
    #[n(1)]
    place: u64,
    /// Hash of that entry or statement.
    #[n(2)]
    head: ByteArray<32>,
}

impl SealedCut {
    /// The end of a log: its last valid entry; sequence 0 where nothing of it is valid.
    #[must_use]
    pub fn of_log(group: &GroupId, writer: &Writer, seq: u64, head: EntryHash) -> Self {
        let (tag, mask) = seal_log(group, writer);
        Self {
            tag: tag.into(),
            place: seq ^ mask,
            head: head.0.into(),
        }
    }

    /// The end of what the node may have signed of a group's chain: the last valid statement.
    #[must_use]
    pub fn of_chain(group: &GroupId, node: &NodeKey, height: u32, head: StatementHash) -> Self {
        let (tag, mask) = seal_chain(group, node);
        Self {
            tag: tag.into(),
            place: u64::from(height) ^ mask,
            head: head.0.into(),
        }
    }

    /// A cut that is about nothing: it hides how many others there are.
    #[must_use]
    pub fn padding(random: [u8; 72]) -> Self {
        let (tag, rest) = random.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
        let (head, rest) = rest.split_first_chunk::<32>().unwrap_or((&[0; 32], &[]));
        let place = rest.first_chunk().copied().unwrap_or_default();
        Self {
            tag: (*tag).into(),
            place: u64::from_be_bytes(place),
            head: (*head).into(),
        }
    }
}

/// The cuts of one revoked node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts(BTreeMap<[u8; 32], Vec<(u64, [u8; 32])>>);

impl Cuts {
    /// Adds cuts. A log that has one already keeps the further of the two.
    pub(super) fn add(&mut self, cuts: &[SealedCut]) {
        for cut in cuts {
            let known = self.0.entry(*cut.tag).or_default();
            known.push((cut.place, *cut.head));
        }
    }

    /// The last valid entry of a log; sequence 0 where nothing was said of it.
    #[must_use]
    pub fn of_log(&self, group: &GroupId, writer: &Writer) -> (u64, EntryHash) {
        let (seq, head) = self.furthest(seal_log(group, writer)).unwrap_or_default();
        (seq, EntryHash(head))
    }

    /// The last statement of a group's chain that the node may have signed, if any.
    #[must_use]
    pub fn of_chain(&self, group: &GroupId, node: &NodeKey) -> Option<(u32, StatementHash)> {
        let (height, head) = self.furthest(seal_chain(group, node))?;
        Some((u32::try_from(height).ok()?, StatementHash(head)))
    }

    fn furthest(&self, (tag, mask): ([u8; 32], u64)) -> Option<(u64, [u8; 32])> {
        let cuts = self.0.get(&tag)?.iter();
        cuts.map(|(place, head)| (place ^ mask, *head)).max()
    }
}

fn seal_log(group: &GroupId, writer: &Writer) -> ([u8; 32], u64) {
    let incarnation = writer.incarnation.0.to_be_bytes();
    let node = writer.node.as_bytes();
    seal(&[b"log", group.as_bytes(), node, &incarnation])
}

fn seal_chain(group: &GroupId, node: &NodeKey) -> ([u8; 32], u64) {
    seal(&[b"chain", group.as_bytes(), node.as_bytes()])
}

/// The tag and the mask of what the parts name.
fn seal(parts: &[&[u8]]) -> ([u8; 32], u64) {
    let tag = wire::hash(Domain::CutTag, parts);
    let mask = wire::hash(Domain::CutMask, parts);
    let mask = mask.first_chunk().copied().unwrap_or_default();
    (tag, u64::from_be_bytes(mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Incarnation;

    const GROUP: GroupId = GroupId([1; 32]);

    fn writer(n: u8) -> Writer {
        Writer {
            node: NodeKey([n; 32]),
            incarnation: Incarnation(u64::from(n)),
        }
    }

    #[test]
    fn a_cut_is_found_by_who_knows_the_group_and_names_nothing_to_others() {
        let head = EntryHash([7; 32]);
        let cut = SealedCut::of_log(&GROUP, &writer(2), 5, head);
        let bytes = wire::encode(&cut);
        for hidden in [GROUP.as_bytes(), writer(2).node.as_bytes()] {
            assert!(!bytes.windows(32).any(|window| window == hidden));
        }
        assert_ne!(cut.place, 5);
        let mut cuts = Cuts::default();
        cuts.add(&[cut, SealedCut::padding([9; 72])]);
        assert_eq!(cuts.of_log(&GROUP, &writer(2)), (5, head));
        assert_eq!(cuts.of_log(&GROUP, &writer(3)).0, 0);
        assert_eq!(cuts.of_log(&GroupId([4; 32]), &writer(2)).0, 0);
        assert_eq!(cuts.of_chain(&GROUP, &writer(2).node), None);
    }

    #[test]
    fn a_cut_is_extended_and_never_drawn_back() {
        let mut cuts = Cuts::default();
        let of = |seq| SealedCut::of_log(&GROUP, &writer(2), seq, EntryHash([1; 32]));
        for seq in [5, 9, 7] {
            cuts.add(&[of(seq)]);
        }
        assert_eq!(cuts.of_log(&GROUP, &writer(2)).0, 9);
    }
}
