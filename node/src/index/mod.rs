//! The search index: which records speak of what, for one node.
//!
//! One document a record, whatever its languages, so that a multilingual record is one hit. The
//! index holds no text and no truth: records are known by the store's small numbers, titles and
//! bodies stay in the store, and the whole directory can be deleted and filled again from there.
//! Every commit carries the store sequence that it covers, so that the caller knows where to
//! resume.
//!
//! What an asker may see is part of the query ([`GroupFilter`]): totals, facets and pages never
//! count a record of another group. Scores do depend on how common a word is in the whole index.

mod alike;
mod analysis;
mod bits;
mod clauses;
mod column;
mod dictionary;
mod directory;
mod error;
mod evaluate;
mod expand;
mod files;
mod filter;
mod headings;
mod order;
mod page;
mod passage;
mod query;
mod schema;
mod score;
mod snapshots;
mod snippet;
mod statistics;
mod terms;
mod text;
mod tidy;
mod why;
mod words;
mod worth;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tantivy::{IndexReader, ReloadPolicy};

pub use analysis::folded;
pub use clauses::{MAX_QUERY_BYTES, MAX_QUERY_TERMS};
pub(crate) use clauses::{is_blank, is_quote, split_at_quote, split_word};
pub use error::IndexError;
pub use expand::{Expansions, Learner, Lexicon, Parallel, Thesaurus};
pub use order::Cursor;
pub use query::{GroupFilter, Keyword, MAX_HITS, Query, Sort};
pub use schema::PUBLISHED;
pub use snippet::{Marker, Snippet};
pub use why::Why;
pub use writer::{MAX_WRITER_MEMORY_BYTES, MIN_WRITER_MEMORY_BYTES, Writer};

use evaluate::Evaluation;
use filter::{Conditions, Filters};
use page::Page;
use query::{Matching, Plan};
use schema::Fields;
use snapshots::{Snapshot, Snapshots};
use statistics::{Segments, Statistics};
use worth::Worth;

/// What the index learns of one record. Texts are searchable afterwards but not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indexable {
    /// The store's number of the record: the unique key, and what hits are named by.
    pub num: u64,
    /// It is about words: a concept, a concept scheme, a field.
    pub is_word: bool,
    /// It is a draft, and what was published of it is here too.
    pub published: bool,
    /// Agencies besides its own that said that it helped them.
    pub endorsed: u64,
    /// Id of the record's group.
    pub group: [u8; 32],
    /// Kind of the record, as written in its genesis.
    pub kind: String,
    /// Id of the agency that the record comes from.
    pub origin: [u8; 32],
    /// TLP label.
    pub tlp: String,
    /// Themes, as concept names.
    pub themes: Vec<String>,
    /// Free tags.
    pub tags: Vec<String>,
    /// Time of the record's newest version, milliseconds since 1970.
    pub updated_ms: u64,
    /// Title by BCP 47 tag.
    pub title: BTreeMap<String, String>,
    /// Summary by BCP 47 tag.
    pub summary: BTreeMap<String, String>,
    /// Body by BCP 47 tag.
    pub body: BTreeMap<String, String>,
}

/// One page of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Records that match and that the asker may see, on all pages together.
    pub total: u64,
    /// The page, best first; equal ones by rising number.
    pub hits: Vec<Hit>,
    /// Where wanted: counts over all `total` records by `kind`, `theme`, `tlp`, `lang`, `group`
    /// and `origin` (the last two as lower-case hexadecimal), the most frequent values first,
    /// at most [`MAX_FACET_VALUES`] each.
    pub facets: BTreeMap<String, Vec<(String, u64)>>,
    /// Continues behind this page; none on the last one.
    pub next: Option<Cursor>,
    /// Words that were added to the query: language (`other` for those without rules of their own) and word.
    pub expanded: Vec<(String, String)>,
    /// For each hit, where wanted: what its score is made of.
    pub why: Vec<Vec<Why>>,
}

/// To how many milliseconds it matters what time it is: an hour.
const NOW_MS: u64 = 3_600_000;

/// Values that a facet lists at most.
pub const MAX_FACET_VALUES: usize = 100;

/// One record found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The store's number of the record.
    pub num: u64,
    /// BM25 score, and what else it gained; zero where the answer is sorted by date.
    pub score: f32,
    /// What it gained by a passage that says several of the words together.
    pub passage: f32,
}

/// The reading side: cheap to clone, shared by all threads.
#[derive(Clone)]
pub struct Index {
    /// What answers: another one when an index that is made anew has caught up.
    serving: Arc<RwLock<Arc<Shared>>>,
    /// An older one answers while this is made anew.
    is_older: Arc<AtomicBool>,
}

/// What the writer and the readers have in common.
struct Shared {
    reader: IndexReader,
    fields: Fields,
    segments: Segments,
    filters: Filters,
    snapshots: Snapshots,
    committed_seq: AtomicU64,
}

/// An opened index.
pub struct Opened {
    /// The reading side.
    pub index: Index,
    /// The only writer; give it to one thread.
    pub writer: Writer,
    /// The directory was missing, damaged or of another schema, and the index starts empty.
    /// Whether or not it did, the caller goes on from [`Writer::committed_seq`].
    pub rebuilt: bool,
}

impl Shared {
    fn of(found: &directory::Usable) -> Result<Arc<Self>, IndexError> {
        let reader = found
            .index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        Ok(Arc::new(Self {
            reader,
            fields: Fields::of(&found.index.schema())?,
            segments: Segments::default(),
            filters: Filters::default(),
            snapshots: Snapshots::default(),
            committed_seq: AtomicU64::new(found.committed.seq),
        }))
    }

    fn committed_seq(&self) -> u64 {
        self.committed_seq.load(Ordering::Acquire)
    }

    /// Lets searches see the newest segments, and forgets what was known of those that are gone.
    fn follow(&self) -> Result<(), IndexError> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        self.segments.follow(&searcher, &self.fields)?;
        self.filters.follow(&searcher);
        self.snapshots.expire();
        Ok(())
    }

    /// Makes a plan for the state of the index that the query continues in, or for the newest, and runs it.
    fn run(
        &self,
        query: &Query,
        expansions: Option<Arc<Expansions>>,
        plan: impl FnOnce(&Statistics<'_>, Option<&Expansions>) -> Result<Plan, IndexError>,
    ) -> Result<Found, IndexError> {
        let Shared {
            fields,
            segments,
            snapshots,
            reader,
            ..
        } = self;
        let kept = query.after.and_then(|after| snapshots.find(after.snapshot));
        let snapshot = kept.unwrap_or_else(|| Snapshot {
            searcher: reader.searcher(),
            expansions,
            now_ms: query.now_ms - query.now_ms % NOW_MS,
        });
        let searcher = &snapshot.searcher;
        let worth = Worth::at(snapshot.now_ms);
        let statistics = Statistics::new(searcher, segments, fields, query.words)?;
        let plan = plan(&statistics, snapshot.expansions.as_deref())?;
        let mut found = self.page(query, &plan, &statistics, worth)?;
        let told = plan.told.into_iter();
        found.expanded = told
            .map(|(of, word)| (of.code().to_owned(), word))
            .collect();
        if query.explain {
            let hits = found.hits.iter();
            let each = hits.map(|hit| why::why(hit, &plan.readings, &statistics, worth));
            found.why = each.collect::<Result<_, _>>()?;
        }
        if let Some(next) = &mut found.next {
            next.snapshot = snapshots.keep(snapshot.clone());
        }
        Ok(found)
    }

    /// Looks at one segment behind the other.
    fn page(
        &self,
        query: &Query,
        plan: &Plan,
        statistics: &Statistics<'_>,
        worth: Worth,
    ) -> Result<Found, IndexError> {
        let searcher = statistics.searcher;
        let closely = plan.sort == Sort::Relevance && !plan.passages.is_empty();
        let mut page = Page::new(query, plan.sort, worth, closely)?;
        let conditions = Conditions::of(query);
        for (number, segment) in (0..).zip(searcher.segment_readers()) {
            let open = |score| Evaluation::open(score, number as usize, statistics);
            let matching = match &plan.matching {
                Matching::All => None,
                Matching::None => continue,
                Matching::Scored(score) => Some(open(score)?),
            };
            let filters = &self.filters;
            let mut filter = filters.of(&conditions, segment, searcher, &self.fields)?;
            for excluded in &plan.excluded {
                let excluded = open(excluded)?.matches(filter.records());
                Arc::make_mut(&mut filter).remove(&excluded);
            }
            page.add(number, segment, matching, &filter)?;
        }
        page.found(&plan.passages, statistics)
    }
}

impl Index {
    /// Opens the index in `dir`, which belongs to it alone: **everything in it is deleted** when
    /// it is not a sound index of today's schema. All files are read once to check them, about
    /// a second a gigabyte. One of an earlier version with the same fields answers until the new one, which is
    /// made in a directory beside it (`.next`), has [caught up](Writer::caught_up).
    ///
    /// `writer_memory_bytes` bounds the writer's buffers; it is brought between
    /// [`MIN_WRITER_MEMORY_BYTES`] and [`MAX_WRITER_MEMORY_BYTES`].
    ///
    /// # Errors
    /// [`IndexError::Io`] when the disk or its rights fail, [`IndexError::Busy`] when another
    /// writer holds the directory.
    pub fn open(dir: &Path, writer_memory_bytes: usize) -> Result<Opened, IndexError> {
        let directory::Found { filled, serving } = directory::open_or_empty(dir)?;
        let shared = Shared::of(&filled)?;
        let answering = match &serving {
            Some(older) => Shared::of(older)?,
            None => Arc::clone(&shared),
        };
        let index = Self {
            serving: Arc::new(RwLock::new(answering)),
            is_older: Arc::new(AtomicBool::new(serving.is_some())),
        };
        let handover = serving.is_some().then(|| index.clone());
        let rebuilt = filled.emptied;
        let writer = Writer::new(filled, dir, shared, writer_memory_bytes, handover)?;
        Ok(Opened {
            index,
            writer,
            rebuilt,
        })
    }

    fn shared(&self) -> Arc<Shared> {
        let serving = self.serving.read();
        Arc::clone(&serving.unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets another one answer from now on.
    fn serve(&self, shared: Arc<Shared>) {
        let serving = self.serving.write();
        *serving.unwrap_or_else(PoisonError::into_inner) = shared;
        self.is_older.store(false, Ordering::Release);
    }

    /// Whether an index that an earlier version made answers, until the new one has caught up with the store.
    #[must_use]
    pub fn is_older(&self) -> bool {
        self.is_older.load(Ordering::Acquire)
    }

    /// The store sequence up to which searches see everything; zero for an empty index.
    #[must_use]
    pub fn committed_seq(&self) -> u64 {
        self.shared().committed_seq()
    }

    /// How many records the index holds, in all groups. Not for officers' eyes.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.shared().reader.searcher().num_docs()
    }

    /// Answers a query from the newest commit.
    ///
    /// # Errors
    /// [`IndexError::QueryTooLong`], [`IndexError::TooManyTerms`] and [`IndexError::BadCursor`]
    /// blame the asker; [`IndexError::Io`] and [`IndexError::Damaged`] do not.
    pub fn search(&self, query: &Query) -> Result<Found, IndexError> {
        self.search_expanded(query, None)
    }

    /// The same, with what the words are called otherwise.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_expanded(
        &self,
        query: &Query,
        expansions: Option<Arc<Expansions>>,
    ) -> Result<Found, IndexError> {
        self.shared()
            .run(query, expansions, |statistics, expansions| {
                query::plan(query, statistics, expansions)
            })
    }

    /// Records that are like another one, best first, under the conditions of a query; its text is not looked
    /// at.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn similar(
        &self,
        record: &Indexable,
        query: &Query,
        expansions: Option<Arc<Expansions>>,
    ) -> Result<Found, IndexError> {
        self.shared()
            .run(query, expansions, |statistics, expansions| {
                alike::alike(record, statistics, expansions)
            })
    }

    /// The numbers of all records of a kind, in all groups. Not for officers' eyes.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn all_of_kind(&self, kind: &str) -> Result<Vec<u64>, IndexError> {
        let mut query = Query {
            kind: Some(kind.to_owned()),
            groups: GroupFilter::All,
            limit: MAX_HITS,
            ..Query::default()
        };
        let mut nums = Vec::new();
        loop {
            let found = self.search(&query)?;
            nums.extend(found.hits.iter().map(|hit| hit.num));
            query.after = found.next;
            if query.after.is_none() {
                return Ok(nums);
            }
        }
    }
}

#[cfg(test)]
mod tests;
