//! What an asker may see and wants to see, as a set of records for each segment. The same conditions come again
//! and again (an officer's groups, no vocabularies), and segments do not change but for what is deleted: so the
//! sets are kept.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use tantivy::index::SegmentId;
use tantivy::query::{EnableScoring, Query as EngineQuery, RangeQuery, TermQuery, TermSetQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, SegmentReader, Term};

use super::analysis::primary_subtag;
use super::bits::Bits;
use super::error::IndexError;
use super::query::{GroupFilter, Keyword, Query};
use super::schema::Fields;

/// Memory for sets that are kept, bytes: some 60 of them at a million records.
const KEPT_BYTES: usize = 8 * 1024 * 1024;
/// Conditions longer than that are not met again.
const CONDITIONS_BYTES: usize = 16 * 1024;
/// About the memory of a set of no record, bytes.
const SET_BYTES: usize = 512;

/// The conditions of a query that its text says nothing of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Conditions {
    kind: Option<String>,
    tag: Option<String>,
    tlp: Option<String>,
    lang: Option<String>,
    themes: Vec<String>,
    without: Vec<(Keyword, String)>,
    since_ms: Option<u64>,
    until_ms: Option<u64>,
    groups: Option<Vec<[u8; 32]>>,
    origins: Option<Vec<[u8; 32]>>,
}

impl Conditions {
    pub(super) fn of(query: &Query) -> Self {
        Self {
            kind: query.kind.clone(),
            tag: query.tag.clone(),
            tlp: query.tlp.clone(),
            lang: query.lang.as_deref().map(primary_subtag),
            themes: query.themes.clone(),
            without: query.without.clone(),
            since_ms: query.since_ms,
            until_ms: query.until_ms,
            groups: match &query.groups {
                GroupFilter::All => None,
                GroupFilter::Only(groups) => Some(groups.clone()),
            },
            origins: query.origins.clone(),
        }
    }

    /// About their memory, bytes.
    fn bytes(&self) -> usize {
        let ids = self.groups.iter().chain(&self.origins).flatten().flatten();
        let words = self
            .themes
            .iter()
            .chain(self.without.iter().map(|(_, word)| word));
        let words = words.chain(
            [&self.kind, &self.tag, &self.tlp, &self.lang]
                .into_iter()
                .flatten(),
        );
        SET_BYTES + ids.count() + words.map(String::len).sum::<usize>()
    }

    /// The records of a segment that meet all of them, without those that were deleted.
    fn of_segment(
        &self,
        segment: &SegmentReader,
        searcher: &Searcher,
        fields: &Fields,
    ) -> Result<Bits, IndexError> {
        let scan = Scan { segment, searcher };
        let mut met = scan.alive();
        for (field, value) in [
            (fields.kind, &self.kind),
            (fields.tag, &self.tag),
            (fields.tlp, &self.tlp),
            (fields.lang, &self.lang),
        ] {
            if let Some(value) = value {
                met.retain(&scan.one_of(field, [value.as_str()])?);
            }
        }
        if !self.themes.is_empty() {
            let themes = self.themes.iter().map(String::as_str);
            met.retain(&scan.one_of(fields.theme, themes)?);
        }
        for (of, value) in &self.without {
            let field = match of {
                Keyword::Kind => fields.kind,
                Keyword::Theme => fields.theme,
                Keyword::Tag => fields.tag,
                Keyword::Tlp => fields.tlp,
                Keyword::Lang => fields.lang,
                Keyword::State => fields.state,
            };
            met.remove(&scan.one_of(field, [value.as_str()])?);
        }
        let time = |ms| Term::from_field_u64(fields.updated_ms, ms);
        let since = self
            .since_ms
            .map_or(Bound::Unbounded, |ms| Bound::Included(time(ms)));
        let until = self
            .until_ms
            .map_or(Bound::Unbounded, |ms| Bound::Excluded(time(ms)));
        if self.since_ms.is_some() || self.until_ms.is_some() {
            met.retain(&scan.matching(&RangeQuery::new(since, until))?);
        }
        for (field, ids) in [(fields.group, &self.groups), (fields.origin, &self.origins)] {
            if let Some(ids) = ids {
                let ids: Vec<_> = ids.iter().map(|id| HEXLOWER.encode(id)).collect();
                met.retain(&scan.one_of(field, ids.iter().map(String::as_str))?);
            }
        }
        Ok(met)
    }
}

/// Looks for the records of a segment.
struct Scan<'s> {
    segment: &'s SegmentReader,
    searcher: &'s Searcher,
}

impl Scan<'_> {
    /// Those that were not deleted.
    fn alive(&self) -> Bits {
        let records = self.segment.max_doc();
        let Some(alive) = self.segment.alive_bitset() else {
            return Bits::all(records);
        };
        let mut bits = Bits::none(records);
        alive.iter_alive().for_each(|record| bits.insert(record));
        bits
    }

    /// Those with one of these keywords; none where there is no keyword.
    fn one_of<'k>(
        &self,
        field: Field,
        keywords: impl IntoIterator<Item = &'k str>,
    ) -> Result<Bits, IndexError> {
        let keywords = keywords.into_iter();
        let mut terms: Vec<_> = keywords
            .map(|keyword| Term::from_field_text(field, keyword))
            .collect();
        match terms.pop() {
            None => Ok(Bits::none(self.segment.max_doc())),
            Some(only) if terms.is_empty() => {
                self.matching(&TermQuery::new(only, IndexRecordOption::Basic))
            }
            Some(last) => self.matching(&TermSetQuery::new(terms.into_iter().chain([last]))),
        }
    }

    /// Those that a query of the search engine finds.
    fn matching(&self, query: &dyn EngineQuery) -> Result<Bits, IndexError> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(self.searcher))?;
        let mut bits = Bits::none(self.segment.max_doc());
        weight.for_each_no_score(self.segment, &mut |records| {
            records.iter().for_each(|record| bits.insert(*record));
        })?;
        Ok(bits)
    }
}

/// A segment in the state that it has with so many records deleted, and conditions.
type Key = (SegmentId, u32, Conditions);

/// Sets that were asked for.
#[derive(Default)]
pub(super) struct Filters(Mutex<HashMap<Key, Arc<Bits>>>);

impl Filters {
    /// The records of a segment that meet conditions.
    pub(super) fn of(
        &self,
        conditions: &Conditions,
        segment: &SegmentReader,
        searcher: &Searcher,
        fields: &Fields,
    ) -> Result<Arc<Bits>, IndexError> {
        let key = (
            segment.segment_id(),
            segment.num_deleted_docs(),
            conditions.clone(),
        );
        if let Some(known) = self.known().get(&key) {
            return Ok(known.clone());
        }
        let bits = Arc::new(conditions.of_segment(segment, searcher, fields)?);
        if conditions.bytes() > CONDITIONS_BYTES {
            return Ok(bits);
        }
        let mut known = self.known();
        let each = known
            .iter()
            .map(|((.., of), bits)| of.bytes() + bits.bytes());
        if each.sum::<usize>() + conditions.bytes() + bits.bytes() > KEPT_BYTES {
            known.clear();
        }
        known.insert(key, bits.clone());
        Ok(bits)
    }

    /// Forgets the segments that are gone, and earlier states of those that are there.
    pub(super) fn follow(&self, searcher: &Searcher) {
        let segments = searcher.segment_readers().iter();
        let live: HashMap<SegmentId, u32> = segments
            .map(|segment| (segment.segment_id(), segment.num_deleted_docs()))
            .collect();
        self.known()
            .retain(|(id, deleted, _), _| live.get(id) == Some(deleted));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Key, Arc<Bits>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
