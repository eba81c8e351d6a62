//! What BM25 compares a record with: how many records there are, and how long a text is.
//!
//! The engine would count every document, and take the mean length of a field over all of them. Here a field
//! is one language's, and most records lack most fields: the mean would fall with every record in another
//! language, and a long text be held against its record. And words about words (concepts) are no records of
//! police work: a thesaurus of thousands would make rare words of all words. So a length is the mean over those
//! that have the field, and concepts count among themselves alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::index::SegmentId;
use tantivy::query::{Bm25StatisticsProvider, Bm25Weight};
use tantivy::schema::Field;
use tantivy::{Searcher, SegmentReader, Term};

use super::error::IndexError;
use super::schema::{Fields, TextFields};

/// How many documents of a segment, or of several, have a field.
#[derive(Clone, Debug, Default)]
struct Counts {
    all: u64,
    holding: BTreeMap<Field, u64>,
}

/// The counts of segments, each made once: a segment does not change.
#[derive(Default)]
pub(super) struct Segments(Mutex<HashMap<SegmentId, Arc<Counts>>>);

impl Segments {
    /// Counts the segments of a searcher that are new, and forgets those that are gone.
    ///
    /// # Errors
    /// [`IndexError::Io`] and [`IndexError::Damaged`].
    pub(super) fn follow(&self, searcher: &Searcher, fields: &Fields) -> Result<(), IndexError> {
        self.of(searcher, fields)?;
        let live: Vec<SegmentId> = searcher
            .segment_readers()
            .iter()
            .map(SegmentReader::segment_id)
            .collect();
        self.known().retain(|id, _| live.contains(id));
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SegmentId, Arc<Counts>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, searcher: &Searcher, fields: &Fields) -> Result<Counts, IndexError> {
        let mut sum = Counts::default();
        for segment in searcher.segment_readers() {
            let id = segment.segment_id();
            let known = self.known().get(&id).cloned();
            let counts = match known {
                Some(counts) => counts,
                None => {
                    let counts = Arc::new(count(segment, fields)?);
                    self.known().insert(id, counts.clone());
                    counts
                }
            };
            sum.all += counts.all;
            for (field, holding) in &counts.holding {
                *sum.holding.entry(*field).or_default() += holding;
            }
        }
        Ok(sum)
    }
}

fn count(segment: &SegmentReader, fields: &Fields) -> Result<Counts, IndexError> {
    let all = segment.max_doc();
    let mut holding = BTreeMap::new();
    let texts = fields.texts().map(|(_, of_language)| of_language);
    for field in texts.chain([fields.words()]).flat_map(TextFields::all) {
        if let Some(lengths) = segment.fieldnorms_readers().get_field(field)? {
            let have = (0..all).filter(|doc| lengths.fieldnorm_id(*doc) > 0);
            holding.insert(field, have.count() as u64);
        }
    }
    Ok(Counts {
        all: u64::from(all),
        holding,
    })
}

/// The statistics of one search.
pub(super) struct Statistics<'s> {
    searcher: &'s Searcher,
    counts: Counts,
    /// Records that are compared with each other.
    documents: u64,
}

impl<'s> Statistics<'s> {
    /// Those of records of police work, or of words.
    pub(super) fn new(
        searcher: &'s Searcher,
        segments: &Segments,
        fields: &Fields,
        of_words: bool,
    ) -> Result<Self, IndexError> {
        let counts = segments.of(searcher, fields)?;
        let words = counts.holding.get(&fields.words().title);
        let words = words.copied().unwrap_or(0);
        let documents = match of_words {
            true => words,
            false => counts.all.saturating_sub(words),
        };
        Ok(Self {
            searcher,
            counts,
            documents: documents.max(1),
        })
    }

    /// How many records there are that are compared with each other.
    pub(super) fn documents(&self) -> u64 {
        self.documents
    }

    /// How many records have a term.
    pub(super) fn common(&self, term: &Term) -> Result<u64, IndexError> {
        // Keywords such as a group are those of words, too.
        Ok(self.searcher.doc_freq(term)?.min(self.documents))
    }

    /// From how often a term is in a text, and how long that is, to its BM25.
    pub(super) fn bm25(&self, term: &Term) -> Result<Bm25Weight, IndexError> {
        let tokens = self.total_num_tokens(term.field())? as f32;
        let common = self.common(term)?;
        let length = tokens / self.documents as f32;
        Ok(Bm25Weight::for_one_term_without_explain(
            common,
            self.documents,
            length,
        ))
    }

    /// The inverse document frequency that BM25 gives to a term of so many records (Robertson and Zaragoza,
    /// "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3).
    pub(super) fn idf(&self, records: u64) -> f32 {
        let others = self.documents.saturating_sub(records) as f32;
        (1.0 + (others + 0.5) / (records as f32 + 0.5)).ln()
    }
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let tokens = self.searcher.total_num_tokens(field)?;
        // The engine divides by the number of all documents.
        Ok(match self.counts.holding.get(&field) {
            Some(holding) if *holding > 0 => tokens.saturating_mul(self.documents) / holding,
            _ => tokens,
        })
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.searcher.doc_freq(term)?.min(self.documents))
    }
}
