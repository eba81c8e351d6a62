//! What BM25 compares a record with: how many records there are, and how long a text is.
//!
//! The engine would count every document, and take the mean length of a field over all of them. Here a field
//! is one language's, and most records lack most fields: the mean would fall with every record in another
//! language, and a long text be held against its record. And words about words (concepts) are no records of
//! police work: a thesaurus of thousands would make rare words of all words. So a length is the mean over those
//! that have the field, and concepts count among themselves alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentId};
use tantivy::postings::{BlockSegmentPostings, SegmentPostings, TermInfo};
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Searcher, SegmentReader, Term};

use super::error::IndexError;
use super::schema::{Fields, TextFields};
use super::score::Lengths;

/// How soon BM25 saturates: so often, in a text of the mean length, a word gives half of what it can (the engine's
/// value).
pub(super) const K1: f32 = 1.2;
/// How much BM25 holds its length against a text, of one (the engine's value).
const B: f32 = 0.75;
/// Standard deviations that a guess from few texts is taken to be off.
const CONFIDENCE: f32 = 2.0;

/// For how many records one text of a language speaks at most: a name in the only Greek text stays a rare word.
const FORETOLD: f32 = 16.0;

/// How many documents of a segment have a field, of those fields that any has.
#[derive(Debug)]
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

    /// The counts of each segment of a searcher, in its order.
    fn of(&self, searcher: &Searcher, fields: &Fields) -> Result<Vec<Arc<Counts>>, IndexError> {
        let each = searcher.segment_readers().iter().map(|segment| {
            let id = segment.segment_id();
            let known = self.known().get(&id).cloned();
            if let Some(known) = known {
                return Ok(known);
            }
            let counts = Arc::new(count(segment, fields)?);
            self.known().insert(id, counts.clone());
            Ok(counts)
        });
        each.collect()
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
    holding.retain(|_, have| *have > 0);
    Ok(Counts {
        all: u64::from(all),
        holding,
    })
}

/// A term that was looked up.
#[derive(Default)]
struct LookedUp {
    /// Records that have it.
    common: u64,
    /// Where each segment has it.
    by_segment: Vec<Option<TermInfo>>,
}

/// The statistics of one search.
pub(super) struct Statistics<'s> {
    /// The state of the index that is searched.
    pub(super) searcher: &'s Searcher,
    pub(super) fields: &'s Fields,
    segments: Vec<Arc<Counts>>,
    /// Records that are compared with each other.
    documents: u64,
    /// The terms that were looked up: most are several times.
    looked_up: RefCell<HashMap<Term, LookedUp>>,
    by_length: RefCell<HashMap<Field, Arc<Lengths>>>,
}

impl<'s> Statistics<'s> {
    /// Those of records of police work, or of words.
    pub(super) fn new(
        searcher: &'s Searcher,
        segments: &Segments,
        fields: &'s Fields,
        of_words: bool,
    ) -> Result<Self, IndexError> {
        let segments = segments.of(searcher, fields)?;
        let all: u64 = segments.iter().map(|counts| counts.all).sum();
        let words = holding(&segments, fields.words().title);
        let documents = match of_words {
            true => words,
            false => all.saturating_sub(words),
        };
        Ok(Self {
            searcher,
            fields,
            segments,
            documents: documents.max(1),
            looked_up: RefCell::default(),
            by_length: RefCell::default(),
        })
    }

    /// Whether any record has one of these fields.
    pub(super) fn holds(&self, of_language: TextFields) -> bool {
        let mut fields = of_language.all().into_iter();
        fields.any(|field| holding(&self.segments, field) > 0)
    }

    /// The terms of a field in a segment, by its number; none where it has none. (The engine opens a field that a
    /// segment lacks anew each time.)
    fn index(
        &self,
        segment: usize,
        field: Field,
    ) -> Result<Option<Arc<InvertedIndexReader>>, IndexError> {
        let counts = self.segments.get(segment);
        let is_there = counts.is_none_or(|counts| counts.holding.contains_key(&field));
        if self.fields.is_text(field) && !is_there {
            return Ok(None);
        }
        let reader = self.searcher.segment_readers().get(segment);
        let index = reader.map(|segment| segment.inverted_index(field));
        Ok(index.transpose()?)
    }

    /// How many records there are that are compared with each other.
    pub(super) fn documents(&self) -> u64 {
        self.documents
    }

    /// How many of all records would have a term if all had the field of a language in which so many have it: `the` is in
    /// every English text, and in few records of a federation that writes in ten languages. Of a language with few
    /// texts only so much is believed as they can tell: the lower bound of the part of them that has the term
    /// (Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927).
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a part of a count, rounded down"
    )]
    pub(super) fn as_common(&self, field: Field, records: u64) -> u64 {
        let all = holding(&self.segments, field).max(1) as f32;
        let part = (records as f32 / all).min(1.0);
        let doubt = CONFIDENCE * CONFIDENCE / all;
        let spread = CONFIDENCE * ((part * (1.0 - part) + doubt / 4.0) / all).sqrt();
        let least = ((part + doubt / 2.0 - spread) / (1.0 + doubt)).max(0.0);
        records.max((least * (all * FORETOLD).min(self.documents as f32)) as u64)
    }

    /// How many records have a term.
    pub(super) fn common(&self, term: &Term) -> Result<u64, IndexError> {
        if let Some(known) = self.looked_up.borrow().get(term) {
            return Ok(known.common);
        }
        let mut found = LookedUp::default();
        for segment in 0..self.segments.len() {
            let index = self.index(segment, term.field())?;
            let info = index.map(|index| index.get_term_info(term)).transpose()?;
            let info = info.flatten();
            found.common += info.as_ref().map_or(0, |info| u64::from(info.doc_freq));
            found.by_segment.push(info);
        }
        // Keywords such as a group are those of words, too.
        found.common = found.common.min(self.documents);
        let common = found.common;
        self.looked_up.borrow_mut().insert(term.clone(), found);
        Ok(common)
    }

    /// The records of a segment that have a term; none where none has it.
    pub(super) fn postings(
        &self,
        segment: usize,
        term: &Term,
        option: IndexRecordOption,
    ) -> Result<Option<BlockSegmentPostings>, IndexError> {
        let found = self.find(segment, term)?;
        let blocks =
            found.map(|(index, info)| index.read_block_postings_from_terminfo(&info, option));
        Ok(blocks.transpose()?)
    }

    /// The same, with the places where they have it.
    pub(super) fn positions(
        &self,
        segment: usize,
        term: &Term,
    ) -> Result<Option<SegmentPostings>, IndexError> {
        let found = self.find(segment, term)?;
        let option = IndexRecordOption::WithFreqsAndPositions;
        let postings = found.map(|(index, info)| index.read_postings_from_terminfo(&info, option));
        Ok(postings.transpose()?)
    }

    /// Where a segment has a term.
    fn find(
        &self,
        segment: usize,
        term: &Term,
    ) -> Result<Option<(Arc<InvertedIndexReader>, TermInfo)>, IndexError> {
        self.common(term)?;
        let looked_up = self.looked_up.borrow();
        let found = looked_up.get(term);
        let info = found.and_then(|found| found.by_segment.get(segment)?.clone());
        let Some(info) = info else {
            return Ok(None);
        };
        let index = self.index(segment, term.field())?;
        Ok(index.map(|index| (index, info)))
    }

    /// The mean length of a field, in words, of those that have it.
    fn length(&self, field: Field) -> Result<f32, IndexError> {
        let mut tokens = 0;
        for segment in 0..self.segments.len() {
            let index = self.index(segment, field)?;
            tokens += index.map_or(0, |index| index.total_num_tokens());
        }
        let holding = holding(&self.segments, field);
        Ok(tokens as f32 / holding.max(1) as f32)
    }

    /// By the code of a text's length: what it counts that a word is in a field once. Short texts count more.
    pub(super) fn lengths(&self, field: Field) -> Result<Arc<Lengths>, IndexError> {
        if let Some(known) = self.by_length.borrow().get(&field) {
            return Ok(known.clone());
        }
        let mean = self.length(field)?.max(1.0);
        let mut lengths = [0.0; 256];
        for (code, once) in (0..=u8::MAX).zip(&mut lengths) {
            let length = FieldNormReader::id_to_fieldnorm(code) as f32;
            *once = 1.0 / (1.0 - B + B * length / mean);
        }
        let lengths = Arc::new(lengths);
        self.by_length.borrow_mut().insert(field, lengths.clone());
        Ok(lengths)
    }

    /// The inverse document frequency that BM25 gives to a term of so many records (Robertson and Zaragoza,
    /// "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3).
    pub(super) fn idf(&self, records: u64) -> f32 {
        let others = self.documents.saturating_sub(records) as f32;
        // A word that all of many millions have keeps some weight: without any it would not match.
        ((others + 0.5) / (records as f32 + 0.5)).ln_1p()
    }
}

fn holding(segments: &[Arc<Counts>], field: Field) -> u64 {
    let each = segments
        .iter()
        .filter_map(|counts| counts.holding.get(&field));
    each.sum()
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let tokens = self.searcher.total_num_tokens(field)?;
        // The engine divides by the number of all documents.
        Ok(match holding(&self.segments, field) {
            0 => tokens,
            holding => tokens.saturating_mul(self.documents) / holding,
        })
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        Ok(self.searcher.doc_freq(term)?.min(self.documents))
    }
}
