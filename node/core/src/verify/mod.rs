//! From unchecked bytes to checked facts. [`Verified`] can only be made here, and the replica and
//! the store accept nothing else.

mod chains;
mod own;
mod ranges;
mod receipts;

pub use chains::{
    AgencyStep, GroupStep, agency_chain, agency_statement, card, group_genesis, group_statement,
};
pub use own::{OwnEntry, own_entries};
pub use ranges::{RangeContext, Refusal, range};
pub use receipts::{Receipt, ReceiptError, SignedReceipt, receipt};

use std::ops::Deref;

/// A fact that this room has checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// The fact. It cannot be put back.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(test)]
mod tests;
