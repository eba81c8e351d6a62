//! The writing side: records in, commits out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::future::Future as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use data_encoding::HEXLOWER;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::schema::Field;
use tantivy::{FutureResult, IndexWriter, TantivyDocument, Term};

use super::analysis::{Language, primary_subtag};
use super::directory::{Committed, Usable, mark_whole};
use super::error::IndexError;
use super::headings::headings;
use super::schema::{Fields, PUBLISHED, TextFields};
use super::tidy::to_merge;
use super::{Index, Indexable, Shared};

/// The least memory that a writer works with, bytes.
pub const MIN_WRITER_MEMORY_BYTES: usize = 15_000_000;

/// The most memory that a writer takes, bytes; more brings nothing to one thread.
pub const MAX_WRITER_MEMORY_BYTES: usize = 2_000_000_000;

/// The most threads that build postings: a small server's cores.
const THREADS: usize = 2;

/// Held as long as there is a writer of the directory, at work or at rest.
const LOCK_FILE: &str = "diwan-index.lock";

/// Changes the index. There is one a directory, owned by one thread.
///
/// Nothing is visible or durable before [`commit`](Self::commit). After an error, call
/// [`rollback`](Self::rollback) (or open the index again) and go on from
/// [`committed_seq`](Self::committed_seq).
pub struct Writer {
    index: tantivy::Index,
    /// Threads and buffers; none while it rests.
    inner: Option<IndexWriter>,
    /// Small segments that become one.
    tidying: Option<FutureResult<Option<SegmentMeta>>>,
    /// The least number above all that were ever put: such records are in no segment, and to look there
    /// for what they replace would cost as much as to index them.
    unused: u64,
    shared: Arc<Shared>,
    memory_bytes: usize,
    /// Where an older index answers until this one has caught up: whom to tell.
    handover: Option<Index>,
    /// Where this one lies.
    dir: PathBuf,
    _lock: File,
}

impl Writer {
    /// A writer at rest.
    pub(super) fn new(
        filled: Usable,
        dir: &Path,
        shared: Arc<Shared>,
        memory_bytes: usize,
        handover: Option<Index>,
    ) -> Result<Self, IndexError> {
        let lock = File::create(dir.join(LOCK_FILE))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => IndexError::Busy(dir.to_owned()),
            TryLockError::Error(error) => error.into(),
        })?;
        let memory_bytes = memory_bytes.clamp(MIN_WRITER_MEMORY_BYTES, MAX_WRITER_MEMORY_BYTES);
        Ok(Self {
            index: filled.index,
            inner: None,
            tidying: None,
            unused: filled.committed.unused,
            shared,
            memory_bytes,
            handover,
            dir: filled.dir,
            _lock: lock,
        })
    }

    /// The store sequence that is committed, from which on it is to be fed. Where an older index answers meanwhile,
    /// that is not what searches see.
    #[must_use]
    pub fn committed_seq(&self) -> u64 {
        self.shared.committed_seq()
    }

    /// To be called when the last commit covers all that there is: where an older index answered, this one does
    /// from now on.
    ///
    /// # Errors
    /// [`IndexError::Io`] where that cannot be written down: then the older one answers again at the next start,
    /// until this one has caught up.
    pub fn caught_up(&mut self) -> Result<(), IndexError> {
        let Some(index) = self.handover.take() else {
            return Ok(());
        };
        index.serve(Arc::clone(&self.shared));
        mark_whole(&self.dir)
    }

    /// The threads and buffers, started where it rested. The threads inherit the priority of the one
    /// that calls.
    fn awake(&mut self) -> Result<&mut IndexWriter, IndexError> {
        let writer = match self.inner.take() {
            Some(writer) => writer,
            None => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let room = self.memory_bytes / MIN_WRITER_MEMORY_BYTES;
                let threads = THREADS.min(cores).min(room).max(1);
                self.index
                    .writer_with_num_threads(threads, self.memory_bytes)?
            }
        };
        Ok(self.inner.insert(writer))
    }

    /// Makes few segments of many while there is nothing else to do, on threads of its own; says whether it is still at
    /// it. Changes may come meanwhile; where they leave one of the segments empty, or merging fails otherwise, the segments
    /// stay as they are. Searches see the outcome from the next commit or [`rest`](Self::rest) on.
    ///
    /// # Errors
    /// [`IndexError::Io`] and [`IndexError::Damaged`] where it cannot be read which segments there are.
    pub fn tidy(&mut self) -> Result<bool, IndexError> {
        if let Some(merged) = &mut self.tidying {
            return match Pin::new(merged).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => Ok(true),
                Poll::Ready(outcome) => {
                    self.tidying = None;
                    if let Err(error) = outcome {
                        tracing::info!(%error, "small segments of the index stay as they are");
                    }
                    Ok(false)
                }
            };
        }
        let Some(writer) = &mut self.inner else {
            return Ok(false);
        };
        let segments = self.index.searchable_segment_metas()?;
        let mut segments: Vec<(u64, SegmentId)> = segments
            .iter()
            .map(|segment| (u64::from(segment.num_docs()), segment.id()))
            .collect();
        segments.sort_unstable_by_key(|(records, _)| *records);
        let sizes: Vec<u64> = segments.iter().map(|(records, _)| *records).collect();
        let ids = segments.iter().map(|(_, id)| *id);
        let ids: Vec<SegmentId> = ids.take(to_merge(&sizes)).collect();
        if !ids.is_empty() {
            self.tidying = Some(writer.merge(&ids));
        }
        Ok(self.tidying.is_some())
    }

    /// Ends the threads and gives their buffers back; the next change starts them again. To be called
    /// behind a commit: what was not committed is lost. Searches see merged segments from then on, and let the
    /// files go that they were made of.
    ///
    /// # Errors
    /// [`IndexError::Io`] where merging segments failed; the last commit is in force.
    pub fn rest(&mut self) -> Result<(), IndexError> {
        let Some(writer) = self.inner.take() else {
            return Ok(());
        };
        self.tidying = None;
        writer.wait_merging_threads()?;
        self.shared.follow()
    }

    /// Puts a record, in place of the one with the same number. Blocks while the writer's
    /// buffers are full.
    ///
    /// # Errors
    /// [`IndexError::Io`] or [`IndexError::Damaged`] when the writer has failed.
    pub fn put(&mut self, record: &Indexable) -> Result<(), IndexError> {
        if record.num < self.unused {
            self.remove(record.num)?;
        }
        self.unused = self.unused.max(record.num.saturating_add(1));
        let document = document(record, &self.shared.fields);
        self.awake()?.add_document(document)?;
        Ok(())
    }

    /// Removes a record; one that is not there is no error.
    ///
    /// # Errors
    /// [`IndexError::Io`] where the writer cannot be started.
    pub fn remove(&mut self, num: u64) -> Result<(), IndexError> {
        let term = Term::from_field_u64(self.shared.fields.num, num);
        self.awake()?.delete_term(term);
        Ok(())
    }

    /// Makes all changes durable and visible to searches that start from now on. `seq` is the
    /// store sequence that the index covers with them.
    ///
    /// # Errors
    /// [`IndexError::Io`] on a full or failing disk: the last commit stays in force.
    pub fn commit(&mut self, seq: u64) -> Result<(), IndexError> {
        let unused = self.unused;
        let mut commit = self.awake()?.prepare_commit()?;
        commit.set_payload(&Committed { seq, unused }.to_string());
        commit.commit()?;
        self.shared.follow()?;
        // Stored after the reload: who reads the sequence finds the records.
        self.shared.committed_seq.store(seq, Ordering::Release);
        Ok(())
    }

    /// Forgets every change since the last commit, and makes a failed writer usable again.
    ///
    /// # Errors
    /// [`IndexError::Io`] when the disk still fails.
    pub fn rollback(&mut self) -> Result<(), IndexError> {
        if let Some(writer) = &mut self.inner {
            writer.rollback()?;
        }
        Ok(())
    }
}

fn document(record: &Indexable, fields: &Fields) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    document.add_u64(fields.num, record.num);
    document.add_u64(fields.updated_ms, record.updated_ms);
    document.add_u64(fields.endorsed, record.endorsed);
    document.add_text(fields.kind, &record.kind);
    document.add_text(fields.tlp, &record.tlp);
    document.add_text(fields.group, HEXLOWER.encode(&record.group));
    document.add_text(fields.origin, HEXLOWER.encode(&record.origin));
    // Sets, because a value given twice would count twice in its facet.
    add_keywords(&mut document, fields.theme, record.themes.iter().cloned());
    add_keywords(&mut document, fields.tag, record.tags.iter().cloned());
    let languages = [&record.title, &record.summary, &record.body]
        .into_iter()
        .flatten()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(tag, _)| primary_subtag(tag));
    add_keywords(&mut document, fields.lang, languages);
    let state = record.published.then(|| PUBLISHED.to_owned());
    add_keywords(&mut document, fields.state, state.into_iter());
    add_texts(&mut document, fields, record, &record.title, |of| of.title);
    add_texts(&mut document, fields, record, &record.summary, |of| {
        of.summary
    });
    add_texts(&mut document, fields, record, &record.body, |of| of.body);
    add_headings(&mut document, fields, record);
    document
}

/// Headings count as words of the summary, too: they say what a text is about.
fn add_headings(document: &mut TantivyDocument, fields: &Fields, record: &Indexable) {
    for (tag, text) in &record.body {
        let headings: Vec<&str> = headings(text).collect();
        if let Some(of_language) = fields.text(Language::of_tag(tag))
            && !record.is_word
            && !headings.is_empty()
        {
            document.add_text(of_language.summary, headings.join("\n"));
        }
    }
}

fn add_keywords(
    document: &mut TantivyDocument,
    field: Field,
    values: impl Iterator<Item = String>,
) {
    for value in values.collect::<BTreeSet<_>>() {
        document.add_text(field, value);
    }
}

fn add_texts(
    document: &mut TantivyDocument,
    fields: &Fields,
    record: &Indexable,
    texts: &BTreeMap<String, String>,
    part: impl Fn(TextFields) -> Field,
) {
    for (tag, text) in texts {
        let of_language = match record.is_word {
            true => Some(fields.words()),
            false => fields.text(Language::of_tag(tag)),
        };
        if let Some(of_language) = of_language {
            document.add_text(part(of_language), text);
        }
        if !record.is_word {
            document.add_text(fields.spelt, text);
        }
    }
}
