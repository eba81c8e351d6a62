//! Officers: which local users may do what.

use diwan_api::error::{ApiError, ErrorCode};

use super::EngineError;
use super::step::Step;
use crate::store::{OfficerRole, OfficerRow};

/// Users that a node knows.
const OFFICERS_MAX: usize = 10_000;

impl Step<'_, '_> {
    /// Gives a local user a role, another one, or none any more.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where nobody would be left to decide.
    pub fn set_officer(&mut self, uid: u32, row: OfficerRow) -> Result<(), EngineError> {
        let mut officers = self.state.officers.clone();
        officers.insert(uid, row);
        if officers.len() > OFFICERS_MAX {
            let expected = format!("{OFFICERS_MAX} officers at most");
            return Err(ApiError::invalid("uid", uid, &expected).into());
        }
        let is_admin = |row: &OfficerRow| row.role == Some(OfficerRole::Admin);
        if !officers.values().any(is_admin) {
            return Err(ApiError::new(ErrorCode::LastAdmin).with("uid", uid).into());
        }
        // The first admin of an older store is known from its `init` alone, until now.
        for (uid, row) in &officers {
            self.tables.put_officer(*uid, row)?;
        }
        self.state.officers = officers;
        Ok(())
    }
}
