//! Frontiers: how far each log of a group goes.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::id::{Digest, EntryHash, Writer};
use crate::wire::{self, Domain};

/// The newest entry of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogHead {
    /// Its position; the first entry has 1.
    #[n(0)]
    pub seq: u64,
    /// Its hash.
    #[n(1)]
    pub hash: EntryHash,
}

/// Per log of a group: its newest entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Frontier(#[n(0)] pub BTreeMap<Writer, LogHead>);

impl Frontier {
    /// How far a log goes; 0 where nothing of it is there.
    #[must_use]
    pub fn seq(&self, writer: &Writer) -> u64 {
        self.0.get(writer).map_or(0, |head| head.seq)
    }

    /// Entries in all logs.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.0
            .values()
            .map(|head| head.seq)
            .fold(0, u64::saturating_add)
    }

    /// Entries that both hold: the smaller sequence of each log.
    #[must_use]
    pub fn entries_in_common(&self, other: &Frontier) -> u64 {
        let common = |(writer, head): (&Writer, &LogHead)| head.seq.min(other.seq(writer));
        self.0.iter().map(common).fold(0, u64::saturating_add)
    }

    /// Whether every log goes at least as far here as there.
    #[must_use]
    pub fn covers(&self, other: &Frontier) -> bool {
        other
            .0
            .iter()
            .all(|(writer, head)| self.seq(writer) >= head.seq)
    }

    /// Takes the further head of each log from another frontier. Heights never fall.
    pub fn advance(&mut self, other: &Frontier) {
        for (writer, head) in &other.0 {
            self.advance_log(*writer, *head);
        }
    }

    /// Moves one log forward; never back.
    pub fn advance_log(&mut self, writer: Writer, head: LogHead) {
        if self.seq(&writer) < head.seq {
            self.0.insert(writer, head);
        }
    }

    /// A digest that is equal where frontiers are.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(wire::hash(Domain::State, &[&wire::encode(self)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Incarnation, NodeKey};
    use proptest::prelude::*;

    fn frontier(heads: Vec<(u8, u64)>) -> Frontier {
        let line = |(node, seq): (u8, u64)| {
            let writer = Writer {
                node: NodeKey([node; 32]),
                incarnation: Incarnation(1),
            };
            (
                writer,
                LogHead {
                    seq,
                    hash: EntryHash([u8::try_from(seq).unwrap(); 32]),
                },
            )
        };
        Frontier(heads.into_iter().map(line).collect())
    }

    proptest! {
        #[test]
        fn advancing_covers_both_and_never_falls(
            a in prop::collection::vec((0..5u8, 1..9u64), 0..5),
            b in prop::collection::vec((0..5u8, 1..9u64), 0..5),
        ) {
            let (a, b) = (frontier(a), frontier(b));
            let mut both = a.clone();
            both.advance(&b);
            prop_assert!(both.covers(&a) && both.covers(&b));
            let mut other_way = b.clone();
            other_way.advance(&a);
            prop_assert_eq!(both.digest(), other_way.digest());
            prop_assert_eq!(a.entries_in_common(&both), a.entries());
        }
    }
}
