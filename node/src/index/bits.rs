//! Sets of a segment's records, one bit each.

use std::ops::Range;

use tantivy::DocId;

/// Records of a word of bits.
pub(super) const WORD: u32 = u64::BITS;

/// A set of the records of one segment.
#[derive(Debug, Clone)]
pub(super) struct Bits {
    words: Vec<u64>,
    records: u32,
}

impl Bits {
    /// None of so many records.
    pub(super) fn none(records: u32) -> Self {
        Self {
            words: vec![0; records.div_ceil(WORD) as usize],
            records,
        }
    }

    /// All of so many.
    pub(super) fn all(records: u32) -> Self {
        let mut all = Self::none(records);
        all.words.fill(u64::MAX);
        if let (Some(last), rest @ 1..) = (all.words.last_mut(), records % WORD) {
            *last = (1 << rest) - 1;
        }
        all
    }

    /// How many records the segment has.
    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// Adds a record; one outside of the segment is ignored.
    pub(super) fn insert(&mut self, record: DocId) {
        let word = self.words.get_mut((record / WORD) as usize);
        if let Some(word) = word.filter(|_| record < self.records) {
            *word |= 1 << (record % WORD);
        }
    }

    /// Adds the records of a word of bits; those outside of the segment are ignored.
    pub(super) fn insert_all(&mut self, word: u32, bits: u64) {
        let inside = self.records.saturating_sub(word.saturating_mul(WORD));
        let bits = match inside {
            0 => 0,
            1..WORD => bits & ((1 << inside) - 1),
            _ => bits,
        };
        if let Some(word) = self.words.get_mut(word as usize) {
            *word |= bits;
        }
    }

    /// Takes all records out that are in the other set.
    pub(super) fn remove(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Takes all records out that are not in the other set.
    pub(super) fn retain(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// The bits of the records from `word * WORD` on.
    pub(super) fn word(&self, word: u32) -> u64 {
        self.words.get(word as usize).copied().unwrap_or(0)
    }

    /// Memory, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// The numbers of the words.
    pub(super) fn each_word(&self) -> Range<u32> {
        0..self.records.div_ceil(WORD)
    }
}

/// The records of a word of bits.
pub(super) fn records_of(word: u32, mut bits: u64) -> impl Iterator<Item = DocId> {
    std::iter::from_fn(move || {
        let lowest = bits.trailing_zeros();
        (lowest < WORD).then(|| {
            bits &= bits - 1;
            word * WORD + lowest
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_end_where_the_segment_does() {
        for records in [0, 1, 63, 64, 65, 128, 200] {
            let all = Bits::all(records);
            let listed = |bits: &Bits| -> Vec<DocId> {
                let words = bits.each_word();
                words
                    .flat_map(|word| records_of(word, bits.word(word)))
                    .collect()
            };
            assert_eq!(listed(&all), (0..records).collect::<Vec<_>>());
            let mut even = Bits::none(records);
            (0..records + 70)
                .step_by(2)
                .for_each(|record| even.insert(record));
            assert_eq!(
                listed(&even).len(),
                records.div_ceil(2) as usize,
                "{records}"
            );
            let mut odd = all.clone();
            odd.remove(&even);
            assert!(listed(&odd).iter().all(|record| record % 2 == 1));
            odd.retain(&even);
            assert!(listed(&odd).is_empty());
            let mut words = Bits::none(records);
            for word in 0..5 {
                words.insert_all(word, u64::MAX);
            }
            assert_eq!(listed(&words), listed(&all), "{records}");
        }
    }
}
