//! Collects one page of an answer, its total and its facets, segment by segment.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocAddress, DocId, SegmentReader};

use super::bits::{Bits, WORD, records_of};
use super::error::IndexError;
use super::evaluate::Evaluation;
use super::order::{Best, Candidate, Cursor, Rank, Ranked};
use super::passage::Passages;
use super::query::{MAX_HITS, Query, Sort};
use super::schema::{ENDORSED, FACETS, NUM, UPDATED_MS};
use super::statistics::Statistics;
use super::worth::Worth;
use super::{Found, Hit, MAX_FACET_VALUES};

/// The facet of years.
const YEAR: &str = "year";
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The year of a time, milliseconds since 1970, in UTC (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", 2013).
fn year(ms: u64) -> i64 {
    let days = i64::try_from(ms / DAY_MS).unwrap_or(0) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    // That year begins in March.
    let is_next = (5 * of_year + 2) / 153 >= 10;
    years + era * 400 + i64::from(is_next)
}

/// The page as far as segments were looked at.
pub(super) struct Page<'q> {
    sort: Sort,
    only: Option<&'q BTreeSet<u64>>,
    worth: Worth,
    total: u64,
    best: Best,
    /// By facet and value, where they are counted.
    facets: Option<BTreeMap<&'static str, BTreeMap<String, u64>>>,
}

impl<'q> Page<'q> {
    /// Prepares for a query that is really sorted by `sort`, at a time; the best records are looked at more closely
    /// where that is wanted.
    pub(super) fn new(
        query: &'q Query,
        sort: Sort,
        worth: Worth,
        closely: bool,
    ) -> Result<Self, IndexError> {
        if query.after.is_some_and(|cursor| cursor.sort != sort) {
            return Err(IndexError::BadCursor);
        }
        let after = query.after.map(|cursor| cursor.rank);
        Ok(Self {
            sort,
            only: query.only.as_deref(),
            worth,
            total: 0,
            best: Best::new(query.limit.min(MAX_HITS), after, closely),
            facets: query.facets.then(BTreeMap::new),
        })
    }

    /// Looks at the records of a segment that are in the filter and, where there is something to evaluate, match.
    pub(super) fn add(
        &mut self,
        number: u32,
        segment: &SegmentReader,
        matching: Option<Evaluation>,
        filter: &Bits,
    ) -> Result<(), IndexError> {
        let mut records = Records::of(number, segment, self.facets.is_some())?;
        match matching {
            Some(matching) => matching.each_window(|first, scores, matching| {
                let words = (first..).zip(matching.words());
                for ((word, matching), scores) in words.zip(scores.chunks(WORD as usize)) {
                    self.add_word(&mut records, word, filter.word(word) & matching, scores);
                }
            }),
            None => {
                for word in filter.each_word() {
                    let records = &mut records;
                    self.add_word(records, word, filter.word(word), &[1.0; WORD as usize]);
                }
            }
        }
        if let Some(facets) = &mut self.facets {
            records.harvest(facets)?;
        }
        Ok(())
    }

    /// Looks at records of one word of bits.
    fn add_word(&mut self, records: &mut Records, word: u32, mut found: u64, scores: &[f32]) {
        if let Some(only) = self.only {
            for record in records_of(word, found) {
                if !only.contains(&records.num(record)) {
                    found &= !(1 << (record % WORD));
                }
            }
        }
        if found == 0 {
            return;
        }
        self.total += u64::from(found.count_ones());
        if self.facets.is_some() {
            records_of(word, found).for_each(|record| records.count(record));
        }
        let near = match self.sort {
            Sort::Relevance => found & above(scores, self.least()),
            Sort::Date => found,
        };
        for record in records_of(word, near) {
            let score = scores.get((record % WORD) as usize);
            self.offer(records, record, score.copied().unwrap_or(0.0));
        }
    }

    /// The score above which a record can come onto the page, with all that it can be worth besides: most are
    /// below, and nothing else of them is looked at.
    fn least(&self) -> f32 {
        let worst = self.best.least();
        worst.map_or(0.0, |worst| worst.score() / Worth::MOST)
    }

    fn offer(&mut self, records: &Records, record: DocId, score: f32) {
        let updated_ms = records.updated_ms.first(record).unwrap_or_default();
        let num = records.num(record);
        let (rank, factor) = match self.sort {
            Sort::Date => (Rank::dated(updated_ms, num), 1.0),
            Sort::Relevance => {
                let endorsed = records.endorsed.first(record).unwrap_or_default();
                let factor = self.worth.factor(updated_ms, endorsed);
                (Rank::scored(score * factor, num), factor)
            }
        };
        self.best.offer(Candidate {
            rank,
            at: DocAddress::new(records.segment, record),
            factor: factor.to_bits(),
        });
    }

    /// The page, where all segments were looked at.
    pub(super) fn found(
        self,
        passages: &Passages,
        statistics: &Statistics<'_>,
    ) -> Result<Found, IndexError> {
        let (ranked, more) = self.best.page(passages, statistics)?;
        let hit = |ranked: &Ranked| Hit {
            num: ranked.rank.num(),
            score: match self.sort {
                Sort::Relevance => ranked.rank.score(),
                Sort::Date => 0.0,
            },
            passage: ranked.gain,
        };
        Ok(Found {
            expanded: Vec::new(),
            why: Vec::new(),
            total: self.total,
            hits: ranked.iter().map(hit).collect(),
            facets: self
                .facets
                .into_iter()
                .flatten()
                .map(|(name, counts)| (name.to_owned(), most_frequent(counts)))
                .collect(),
            next: ranked.last().filter(|_| more).map(|last| Cursor {
                sort: self.sort,
                rank: last.rank,
                snapshot: 0,
            }),
        })
    }
}

/// One bit for each score of a word that is above another.
fn above(scores: &[f32], least: f32) -> u64 {
    let bits = (0..).zip(scores);
    bits.fold(0, |word, (bit, score)| {
        word | (u64::from(*score > least) << bit)
    })
}

fn most_frequent(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut values: Vec<_> = counts.into_iter().collect();
    // Stable, so that equal counts stay in the order of their names.
    values.sort_by_key(|&(_, count)| Reverse(count));
    values.truncate(MAX_FACET_VALUES);
    values
}

/// What a segment keeps of its records by column, and the facets that are counted in it.
struct Records {
    /// Number of the segment.
    segment: u32,
    nums: Column<u64>,
    updated_ms: Column<u64>,
    endorsed: Column<u64>,
    /// Records by the year of their newest version.
    years: BTreeMap<i64, u64>,
    facets: Vec<FacetCounter>,
}

impl Records {
    fn of(number: u32, segment: &SegmentReader, counted: bool) -> Result<Self, IndexError> {
        let columns = segment.fast_fields();
        let mut facets = Vec::new();
        for name in FACETS.into_iter().filter(|_| counted) {
            if let Some(values) = columns.str(name)? {
                facets.push(FacetCounter::new(name, values));
            }
        }
        Ok(Self {
            segment: number,
            nums: columns.u64(NUM)?,
            updated_ms: columns.u64(UPDATED_MS)?,
            endorsed: columns.u64(ENDORSED)?,
            years: BTreeMap::new(),
            facets,
        })
    }

    fn num(&self, record: DocId) -> u64 {
        self.nums.first(record).unwrap_or_default()
    }

    /// Counts a record in each facet.
    fn count(&mut self, record: DocId) {
        for facet in &mut self.facets {
            facet.count(record);
        }
        let updated_ms = self.updated_ms.first(record).unwrap_or_default();
        *self.years.entry(year(updated_ms)).or_default() += 1;
    }

    /// Adds what was counted.
    fn harvest(
        self,
        facets: &mut BTreeMap<&'static str, BTreeMap<String, u64>>,
    ) -> Result<(), IndexError> {
        let mut counted = Vec::new();
        for facet in &self.facets {
            facet.harvest(&mut counted)?;
        }
        let years = self.years.into_iter();
        counted.extend(years.map(|(year, count)| (YEAR, year.to_string(), count)));
        for (name, value, count) in counted {
            let counts = facets.entry(name).or_default();
            *counts.entry(value).or_default() += count;
        }
        Ok(())
    }
}

/// Counts the values of one field over the matching records of a segment.
struct FacetCounter {
    name: &'static str,
    values: StrColumn,
    /// By the value's ordinal number in the segment.
    counts: Vec<u64>,
}

impl FacetCounter {
    fn new(name: &'static str, values: StrColumn) -> Self {
        let counts = vec![0; values.num_terms()];
        Self {
            name,
            values,
            counts,
        }
    }

    fn count(&mut self, doc: DocId) {
        for ordinal in self.values.ords().values_for_doc(doc) {
            let count = usize::try_from(ordinal)
                .ok()
                .and_then(|ordinal| self.counts.get_mut(ordinal));
            if let Some(count) = count {
                *count += 1;
            }
        }
    }

    fn harvest(&self, facets: &mut Vec<(&'static str, String, u64)>) -> io::Result<()> {
        for (ordinal, &count) in (0..).zip(&self.counts) {
            let mut value = String::new();
            if count > 0 && self.values.ord_to_str(ordinal, &mut value)? {
                facets.push((self.name, value, count));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn years_begin_in_january() {
        let day = 86_400_000;
        for (days, wanted) in [
            (0, 1970),
            (364, 1970),
            (365, 1971),
            (10_956, 1999),
            (10_957, 2000),
            (11_016, 2000),
            (20_788, 2026),
            (20_818, 2026),
            (20_819, 2027),
        ] {
            assert_eq!(super::year(days * day), wanted, "{days}");
            assert_eq!(super::year(days * day + day - 1), wanted, "{days}");
        }
    }
}
