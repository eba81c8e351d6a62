//! Searches that officers saved.

use super::EngineError;
use super::step::Step;
use crate::store::WatchRow;

impl Step<'_, '_> {
    /// Saves a search of an officer, in place of one of the same name.
    ///
    /// # Errors
    /// [`EngineError`] where the disk fails.
    pub fn put_watch(&mut self, uid: u32, name: &str, row: &WatchRow) -> Result<(), EngineError> {
        Ok(self.tables.put_watch(uid, name, row)?)
    }

    /// Forgets a saved search.
    ///
    /// # Errors
    /// [`EngineError`] where the disk fails.
    pub fn remove_watch(&mut self, uid: u32, name: &str) -> Result<(), EngineError> {
        Ok(self.tables.remove_watch(uid, name)?)
    }
}
