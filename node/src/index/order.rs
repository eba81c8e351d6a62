//! The order of hits, where a page of them ends, and which are the best.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::str::FromStr;

use tantivy::{DocAddress, DocId};

use super::error::IndexError;
use super::passage::Passages;
use super::query::Sort;
use super::statistics::Statistics;

/// How many records are looked at more closely: three pages.
const CLOSELY: usize = 30;

/// Where a page ended. Opaque: its text is made by `to_string` and read by `parse`, and means
/// something only together with the query that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(super) sort: Sort,
    pub(super) rank: Rank,
    /// Number of the state of the index that the page came from.
    pub(super) snapshot: u64,
}

/// A hit's place in the order: the greater the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Score (as bits, which sort like the number for what is not negative) or time.
    key: u64,
    num: Reverse<u64>,
}

impl Rank {
    /// The place of a record by its score.
    pub(super) fn scored(score: f32, num: u64) -> Self {
        Self {
            key: u64::from(score.to_bits()),
            num: Reverse(num),
        }
    }

    /// The place of a record by its time, milliseconds since 1970.
    pub(super) fn dated(updated_ms: u64, num: u64) -> Self {
        Self {
            key: updated_ms,
            num: Reverse(num),
        }
    }

    /// The store's number of the record.
    pub(super) fn num(self) -> u64 {
        self.num.0
    }

    /// The score, where hits are sorted by it.
    pub(super) fn score(self) -> f32 {
        u32::try_from(self.key).map_or(0.0, f32::from_bits)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = match self.sort {
            Sort::Relevance => 'r',
            Sort::Date => 'd',
        };
        let Self { rank, snapshot, .. } = self;
        write!(f, "{sort}{:x}-{:x}-{snapshot:x}", rank.key, rank.num.0)
    }
}

impl FromStr for Cursor {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let hex = |digits| u64::from_str_radix(digits, 16).map_err(|_| IndexError::BadCursor);
        let (sort, rest) = match text.strip_prefix('r') {
            Some(rest) => (Sort::Relevance, rest),
            None => (
                Sort::Date,
                text.strip_prefix('d').ok_or(IndexError::BadCursor)?,
            ),
        };
        let (key, rest) = rest.split_once('-').ok_or(IndexError::BadCursor)?;
        let (num, snapshot) = rest.split_once('-').ok_or(IndexError::BadCursor)?;
        let rank = Rank {
            key: hex(key)?,
            num: Reverse(hex(num)?),
        };
        Ok(Self {
            sort,
            rank,
            snapshot: hex(snapshot)?,
        })
    }
}

/// A record that may come onto the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) rank: Rank,
    pub(super) at: DocAddress,
    /// What its score was multiplied by, as bits.
    pub(super) factor: u32,
}

/// A record of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    pub(super) rank: Rank,
    /// What of its score a passage gave.
    pub(super) gain: f32,
}

/// The best records as far as they were offered: a page behind a cursor, and those that are looked at more closely.
///
/// These are the best of all by their scores, whatever the cursor, and only gain by it: so all stay before all
/// others, and pages show every record once, in one order.
pub(super) struct Best {
    limit: usize,
    after: Option<Rank>,
    /// How many are looked at more closely.
    closely: usize,
    /// Those that are looked at more closely, the worst on top.
    first: BinaryHeap<Reverse<Candidate>>,
    /// The best of the others behind the cursor, the worst on top.
    others: BinaryHeap<Reverse<Rank>>,
}

impl Best {
    /// For a page of so many records behind a cursor.
    pub(super) fn new(limit: usize, after: Option<Rank>, closely: bool) -> Self {
        Self {
            limit,
            after,
            closely: if closely { CLOSELY } else { 0 },
            first: BinaryHeap::new(),
            others: BinaryHeap::new(),
        }
    }

    /// How many of the others are kept: one more than the page holds, less those that stand before them.
    fn kept(&self) -> usize {
        let before = self.after.map_or(self.closely, |_| 0);
        (self.limit + 1).saturating_sub(before)
    }

    /// The worst that is kept, where that much is.
    pub(super) fn least(&self) -> Option<Rank> {
        let (first, others) = (self.first.len(), self.others.len());
        if first < self.closely || others < self.kept() {
            return None;
        }
        let of_others = self.others.peek().map(|worst| worst.0);
        of_others.or_else(|| self.first.peek().map(|worst| worst.0.rank))
    }

    /// Keeps a record that is better than one that was kept so far.
    pub(super) fn offer(&mut self, candidate: Candidate) {
        let mut out = candidate.rank;
        if self.first.len() < self.closely {
            self.first.push(Reverse(candidate));
            return;
        }
        if let Some(mut worst) = self.first.peek_mut()
            && candidate > worst.0
        {
            out = worst.0.rank;
            *worst = Reverse(candidate);
        }
        if self.after.is_some_and(|after| out >= after) {
            return;
        }
        if self.others.len() < self.kept() {
            self.others.push(Reverse(out));
        } else if let Some(mut worst) = self.others.peek_mut()
            && out > worst.0
        {
            *worst = Reverse(out);
        }
    }

    /// The page, best first, and whether another one follows.
    pub(super) fn page(
        self,
        passages: &Passages,
        statistics: &Statistics<'_>,
    ) -> Result<(Vec<Ranked>, bool), IndexError> {
        let Self { limit, after, .. } = self;
        let first = self.first.into_iter().map(|candidate| candidate.0);
        let mut ranked = closely(first, passages, statistics)?;
        ranked.retain(|record| after.is_none_or(|after| record.rank < after));
        let others = self.others.into_iter();
        ranked.extend(others.map(|rank| Ranked {
            rank: rank.0,
            gain: 0.0,
        }));
        ranked.sort_unstable_by_key(|record| Reverse(record.rank));
        let more = ranked.len() > limit;
        ranked.truncate(limit);
        Ok((ranked, more))
    }
}

/// What records are worth that are looked at more closely.
fn closely(
    candidates: impl Iterator<Item = Candidate>,
    passages: &Passages,
    statistics: &Statistics<'_>,
) -> Result<Vec<Ranked>, IndexError> {
    let mut by_segment: BTreeMap<u32, BTreeMap<DocId, Candidate>> = BTreeMap::new();
    for candidate in candidates {
        let DocAddress {
            segment_ord,
            doc_id,
        } = candidate.at;
        let of_segment = by_segment.entry(segment_ord).or_default();
        of_segment.insert(doc_id, candidate);
    }
    let mut ranked = Vec::new();
    for (segment, candidates) in by_segment {
        let records: Vec<DocId> = candidates.keys().copied().collect();
        let gains = passages.gains(segment as usize, &records, statistics)?;
        let gained = candidates.into_values().zip(gains);
        ranked.extend(gained.map(|(Candidate { rank, factor, .. }, gain)| {
            let score = rank.score() + gain * f32::from_bits(factor);
            Ranked {
                rank: Rank::scored(score, rank.num()),
                gain,
            }
        }));
    }
    Ok(ranked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cursor, Rank, Reverse, Sort};

    proptest! {
        #[test]
        fn cursors_survive_their_text(key: u64, num: u64, snapshot: u64, date: bool) {
            let sort = if date { Sort::Date } else { Sort::Relevance };
            let cursor = Cursor { sort, rank: Rank { key, num: Reverse(num) }, snapshot };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*|[rd][0-9a-f-]*") {
            let _ = text.parse::<Cursor>();
        }
    }
}
