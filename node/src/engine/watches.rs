//! Searches that officers saved. What they are is decided where they are written, one step after the other.

use diwan_api::error::{ApiError, ErrorCode};

use super::EngineError;
use super::step::Step;
use crate::store::WatchRow;

/// Saved searches of one officer.
const WATCHES_MAX: usize = 100;

impl Step<'_, '_> {
    /// Saves a search of an officer, in place of one of the same name.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the officer has too many.
    pub fn put_watch(&mut self, uid: u32, name: &str, row: &WatchRow) -> Result<(), EngineError> {
        let is_new = self.tables.watch(uid, name)?.is_none();
        if is_new && self.tables.watches(uid)? >= WATCHES_MAX {
            let expected = format!("{WATCHES_MAX} saved searches at most");
            return Err(ApiError::invalid("name", name, &expected).into());
        }
        Ok(self.tables.put_watch(uid, name, row)?)
    }

    /// Notes up to which store sequence the matches of a saved search were seen, and when. Nobody has seen what
    /// is not stored yet, or sees again what was seen.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where there is none of that name.
    pub fn see_watch(
        &mut self,
        uid: u32,
        name: &str,
        seq: u64,
        seen_ms: u64,
    ) -> Result<(), EngineError> {
        let row = self.tables.watch(uid, name)?;
        let row = row.ok_or_else(|| unknown_watch(name))?;
        let row = WatchRow {
            seq: seq.min(self.state.store_seq).max(row.seq),
            seen_ms,
            ..row
        };
        Ok(self.tables.put_watch(uid, name, &row)?)
    }

    /// Forgets a saved search.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where there is none of that name.
    pub fn remove_watch(&mut self, uid: u32, name: &str) -> Result<(), EngineError> {
        match self.tables.remove_watch(uid, name)? {
            true => Ok(()),
            false => Err(unknown_watch(name).into()),
        }
    }
}

/// The officer saved no search of that name.
pub fn unknown_watch(name: &str) -> ApiError {
    ApiError::new(ErrorCode::UnknownWatch).with("name", name)
}
