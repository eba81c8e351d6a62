//! Scores of some records that lie side by side, and which of them match.

use tantivy::DocId;

use super::bits::{WORD, records_of};

/// Records of a window: some words of bits.
pub(super) const RECORDS: u32 = 512;
/// The same, as a length.
const WINDOW: usize = RECORDS as usize;
/// Words of bits of a window.
const WORDS: usize = WINDOW / WORD as usize;

/// One number for each record of a window.
pub(super) type Column = [f32; WINDOW];

/// A column of nothing.
pub(super) const NOTHING: Column = [0.0; WINDOW];

/// Records of a window, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mask([u64; WORDS]);

impl Mask {
    /// None of them.
    pub(super) const NONE: Self = Self([0; WORDS]);
    /// All of them.
    pub(super) const ALL: Self = Self([u64::MAX; WORDS]);

    /// Adds the record at a place; one outside of the window is ignored.
    pub(super) fn insert(&mut self, at: u32) {
        if let Some(word) = self.0.get_mut((at / WORD) as usize) {
            *word |= 1 << (at % WORD);
        }
    }

    /// Adds the records of another one.
    pub(super) fn unite(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
    }

    /// Takes all records out that are not in the other one.
    pub(super) fn retain(&mut self, other: Self) {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= other;
        }
    }

    /// Whether there is none.
    pub(super) fn is_empty(self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The words of bits.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

/// Behind the last record of the window that begins at `from`.
pub(super) fn end_of(from: DocId) -> DocId {
    from.saturating_add(RECORDS)
}

/// Adds one column to another.
pub(super) fn add(to: &mut Column, scores: &Column) {
    for (to, score) in to.iter_mut().zip(scores) {
        *to += *score;
    }
}

/// Adds to one record of a column, or of a part of one; one outside of it is ignored.
pub(super) fn gain(to: &mut [f32], at: u32, score: f32) {
    if let Some(to) = to.get_mut(at as usize) {
        *to += score;
    }
}

/// The better of two numbers for each record.
pub(super) fn better(best: &mut Column, scores: &Column) {
    for (best, score) in best.iter_mut().zip(scores) {
        *best = if *score > *best { *score } else { *best };
    }
}

/// Adds to each record of a mask what comes of its own number.
pub(super) fn gain_where(mask: Mask, to: &mut Column, scores: &Column, what: impl Fn(f32) -> f32) {
    let words = to
        .chunks_mut(WORD as usize)
        .zip(scores.chunks(WORD as usize));
    for ((to, scores), bits) in words.zip(mask.0) {
        for at in records_of(0, bits) {
            if let Some(score) = scores.get(at as usize) {
                gain(to, at, what(*score));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_hold_what_is_put_into_them() {
        let (mut even, mut third) = (Mask::NONE, Mask::NONE);
        (0..RECORDS + 70).step_by(2).for_each(|at| even.insert(at));
        (0..RECORDS).step_by(3).for_each(|at| third.insert(at));
        let count = |mask: Mask| mask.words().map(u64::count_ones).sum::<u32>();
        assert_eq!(count(even), RECORDS / 2);
        let mut both = even;
        both.retain(third);
        let mut any = even;
        any.unite(third);
        assert_eq!(count(both), RECORDS.div_ceil(6));
        assert_eq!(count(any) + count(both), count(even) + count(third));
        assert!(Mask::NONE.is_empty() && !both.is_empty());
        both.retain(Mask::NONE);
        assert!(both.is_empty());
    }

    #[test]
    fn what_is_outside_of_a_mask_stays_as_it_is() {
        let mut mask = Mask::NONE;
        for at in [0, 63, 64, RECORDS - 1] {
            mask.insert(at);
        }
        let mut to = NOTHING;
        gain_where(mask, &mut to, &[2.0; WINDOW], |score| score + 1.0);
        for (at, score) in (0..).zip(to) {
            let is_in = [0, 63, 64, RECORDS - 1].contains(&at);
            assert_eq!(score, if is_in { 3.0 } else { 0.0 }, "{at}");
        }
    }
}
