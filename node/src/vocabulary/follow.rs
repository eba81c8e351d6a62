//! The vocabularies follow the store: whoever reads brings them up to the view that it reads.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use diwan_core::record::{CONCEPT, SCHEME, WITHDRAWN};

use super::added::AddedField;
use super::concept::{Concept, Scheme, Source};
use super::{Entry, Vocabulary, is_of_vocabulary};
use crate::store::{Reading, RecordState, StoreError};

/// Lines of the journal that are read at a time.
const LINES: usize = 10_000;

/// What is known of vocabularies, kept up to date. Cheap to clone.
#[derive(Clone, Default)]
pub struct Vocabularies {
    known: Arc<Mutex<Arc<Vocabulary>>>,
}

impl Vocabularies {
    /// Begins at a store sequence with the records of vocabularies that there were by then, so that not all
    /// records are looked at once more. Does nothing where something is known already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(
        &self,
        reading: &Reading,
        seq: u64,
        nums: impl Iterator<Item = u64>,
    ) -> Result<(), StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.seq > 0 {
            return Ok(());
        }
        let mut begun = Vocabulary::default();
        for num in nums {
            begun.put(num, entry(reading, num)?);
        }
        begun.seq = seq;
        *known = Arc::new(begun);
        Ok(())
    }

    /// What is known at the view that is read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn at(&self, reading: &Reading) -> Result<Arc<Vocabulary>, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        while known.seq < reading.store_seq()? {
            let lines = reading.journal_behind(known.seq, LINES)?;
            let Some((last, _)) = lines.last().copied() else {
                break;
            };
            let nums: BTreeSet<u64> = lines.into_iter().map(|(_, num)| num).collect();
            let mut changed = Vec::new();
            for num in nums {
                let entry = entry(reading, num)?;
                if entry.is_some() || known.records.contains_key(&num) {
                    changed.push((num, entry));
                }
            }
            let vocabulary = Arc::make_mut(&mut known);
            for (num, entry) in changed {
                vocabulary.put(num, entry);
            }
            vocabulary.seq = last;
        }
        Ok(known.clone())
    }
}

/// What a record says of a vocabulary; none where it is no part of one, is hidden or withdrawn.
fn entry(reading: &Reading, num: u64) -> Result<Option<Entry>, StoreError> {
    let Some(row) = reading.record(num)? else {
        return Ok(None);
    };
    if !is_of_vocabulary(&row.kind) || row.state == RecordState::Hidden {
        return Ok(None);
    }
    let Some(content) = reading.content(num, &row)? else {
        return Ok(None);
    };
    if content.value(WITHDRAWN).is_some() {
        return Ok(None);
    }
    let Some(source) = Source::of(reading, num, &row)? else {
        return Ok(None);
    };
    Ok(match row.kind.as_str() {
        SCHEME => Some(Entry::Scheme(Scheme::read(source, &content))),
        CONCEPT => Some(Entry::Concept(Concept::read(source, &content))),
        _ => AddedField::read(source, &content).map(Entry::Field),
    })
}
