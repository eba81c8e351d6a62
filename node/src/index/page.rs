//! Collects one page of an answer, its total and its facets in a single pass.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use super::error::IndexError;
use super::query::{MAX_HITS, Query, Sort};
use super::schema::{ENDORSED, FACETS, NUM, UPDATED_MS};
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

/// Where a page ended. Opaque: its text is made by `to_string` and read by `parse`, and means
/// something only together with the query that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    sort: Sort,
    rank: Rank,
    /// Number of the state of the index that the page came from.
    pub(super) snapshot: u64,
}

/// A hit's place in the order: the greater the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Score (as bits, which sort like the number for what is not negative) or time.
    key: u64,
    num: Reverse<u64>,
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

/// What to collect.
pub(super) struct PageCollector {
    sort: Sort,
    limit: usize,
    after: Option<Rank>,
    facets: bool,
    worth: Worth,
    only: Option<Arc<BTreeSet<u64>>>,
}

impl PageCollector {
    /// Prepares for a query that is really sorted by `sort`, at a time.
    pub(super) fn new(query: &Query, sort: Sort, worth: Worth) -> Result<Self, IndexError> {
        if query.after.is_some_and(|cursor| cursor.sort != sort) {
            return Err(IndexError::BadCursor);
        }
        Ok(Self {
            sort,
            limit: query.limit.min(MAX_HITS),
            after: query.after.map(|cursor| cursor.rank),
            facets: query.facets,
            worth,
            only: query.only.clone(),
        })
    }

    fn hit(&self, rank: Rank) -> Hit {
        let score = match self.sort {
            Sort::Relevance => u32::try_from(rank.key).map_or(0.0, f32::from_bits),
            Sort::Date => 0.0,
        };
        Hit {
            num: rank.num.0,
            score,
        }
    }
}

impl Collector for PageCollector {
    type Fruit = Found;
    type Child = SegmentPage;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<SegmentPage> {
        let columns = segment.fast_fields();
        let mut facets = Vec::new();
        for name in FACETS.into_iter().filter(|_| self.facets) {
            if let Some(values) = columns.str(name)? {
                facets.push(FacetCounter::new(name, values));
            }
        }
        Ok(SegmentPage {
            sort: self.sort,
            nums: columns.u64(NUM)?,
            updated_ms: columns.u64(UPDATED_MS)?,
            endorsed: columns.u64(ENDORSED)?,
            worth: self.worth,
            only: self.only.clone(),
            years: self.facets.then(BTreeMap::new),
            limit: self.limit,
            after: self.after,
            total: 0,
            behind_cursor: 0,
            best: BinaryHeap::with_capacity(self.limit),
            facets,
        })
    }

    fn requires_scoring(&self) -> bool {
        self.sort == Sort::Relevance
    }

    fn merge_fruits(&self, pages: Vec<io::Result<SegmentFound>>) -> tantivy::Result<Found> {
        let mut total = 0;
        let mut behind_cursor = 0;
        let mut ranks = Vec::new();
        let mut facets: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for page in pages {
            let page = page?;
            total += page.total;
            behind_cursor += page.behind_cursor;
            ranks.extend(page.best);
            for (name, value, count) in page.facets {
                let counts = facets.entry(name.to_owned()).or_default();
                *counts.entry(value).or_default() += count;
            }
        }
        ranks.sort_unstable_by_key(|&rank| Reverse(rank));
        ranks.truncate(self.limit);
        let last = ranks.last().copied();
        let more = behind_cursor > u64::try_from(ranks.len()).unwrap_or(u64::MAX);
        Ok(Found {
            expanded: Vec::new(),
            why: Vec::new(),
            total,
            hits: ranks.into_iter().map(|rank| self.hit(rank)).collect(),
            facets: facets
                .into_iter()
                .map(|(name, counts)| (name, most_frequent(counts)))
                .collect(),
            next: last.filter(|_| more).map(|rank| Cursor {
                sort: self.sort,
                rank,
                snapshot: 0,
            }),
        })
    }
}

fn most_frequent(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut values: Vec<_> = counts.into_iter().collect();
    // Stable, so that equal counts stay in the order of their names.
    values.sort_by_key(|&(_, count)| Reverse(count));
    values.truncate(MAX_FACET_VALUES);
    values
}

/// The page as one segment sees it.
pub(super) struct SegmentPage {
    sort: Sort,
    nums: Column<u64>,
    updated_ms: Column<u64>,
    endorsed: Column<u64>,
    worth: Worth,
    only: Option<Arc<BTreeSet<u64>>>,
    /// Records by the year of their newest version, where they are counted.
    years: Option<BTreeMap<i64, u64>>,
    limit: usize,
    after: Option<Rank>,
    total: u64,
    behind_cursor: u64,
    /// The best so far, the worst of them on top.
    best: BinaryHeap<Reverse<Rank>>,
    facets: Vec<FacetCounter>,
}

/// What one segment contributes.
pub(super) struct SegmentFound {
    total: u64,
    behind_cursor: u64,
    best: Vec<Rank>,
    facets: Vec<(&'static str, String, u64)>,
}

impl SegmentCollector for SegmentPage {
    type Fruit = io::Result<SegmentFound>;

    fn collect(&mut self, doc: DocId, score: Score) {
        if let Some(only) = &self.only
            && !only.contains(&self.nums.first(doc).unwrap_or_default())
        {
            return;
        }
        self.total += 1;
        for facet in &mut self.facets {
            facet.count(doc);
        }
        if let Some(years) = &mut self.years {
            let updated_ms = self.updated_ms.first(doc).unwrap_or_default();
            *years.entry(year(updated_ms)).or_default() += 1;
        }
        if self.sort == Sort::Relevance && self.is_far_behind(score) {
            self.behind_cursor += 1;
            return;
        }
        let updated_ms = self.updated_ms.first(doc).unwrap_or_default();
        let num = self.nums.first(doc).unwrap_or_default();
        let key = match self.sort {
            Sort::Date => updated_ms,
            Sort::Relevance => {
                let endorsed = self.endorsed.first(doc).unwrap_or_default();
                let score = score.max(0.0) * self.worth.factor(updated_ms, endorsed);
                u64::from(score.to_bits())
            }
        };
        let rank = Rank {
            key,
            num: Reverse(num),
        };
        if self.after.is_some_and(|after| rank >= after) {
            return;
        }
        self.behind_cursor += 1;
        if self.best.len() < self.limit {
            self.best.push(Reverse(rank));
        } else if let Some(mut worst) = self.best.peek_mut()
            && rank > worst.0
        {
            *worst = Reverse(rank);
        }
    }

    fn harvest(self) -> io::Result<SegmentFound> {
        let mut facets = Vec::new();
        for facet in &self.facets {
            facet.harvest(&mut facets)?;
        }
        let years = self.years.into_iter().flatten();
        facets.extend(years.map(|(year, count)| (YEAR, year.to_string(), count)));
        Ok(SegmentFound {
            total: self.total,
            behind_cursor: self.behind_cursor,
            best: self.best.into_iter().map(|rank| rank.0).collect(),
            facets,
        })
    }
}

impl SegmentPage {
    /// Whether a score, with all that a record can be worth, comes behind the cursor and behind a full page: most
    /// do, and nothing else of them is looked at.
    fn is_far_behind(&self, score: Score) -> bool {
        let most = u64::from((score.max(0.0) * Worth::MOST).to_bits());
        let worst = self.best.peek().filter(|_| self.best.len() == self.limit);
        worst.is_some_and(|worst| most < worst.0.key)
            && self.after.is_none_or(|after| most < after.key)
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
    use proptest::prelude::*;

    use super::{Cursor, Rank, Reverse, Sort};

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
