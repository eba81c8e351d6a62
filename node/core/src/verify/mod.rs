//! From unchecked bytes to checked facts. [`Verified`] can only be made here, and the replica and
//! the store accept nothing else.

mod chains;
mod own;
mod proofs;
mod ranges;
mod receipts;

pub use chains::{
    AgencyStep, GroupStep, agency_chain, agency_statement, card, group_chain, group_genesis,
    group_statement, join_request, owner_signed,
};
pub use own::{OwnEntry, OwnKind, own_entries};
pub use proofs::{Branch, Chains, Forked, Proof, ProofError, SignedProof, proof};
pub use ranges::{LogEnd, RangeContext, Refusal, range};
pub use receipts::{Receipt, ReceiptError, SignedReceipt, receipt};

use std::ops::Deref;

use crate::log::{Entry, Header};

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

/// The same entries without some payloads: headers and signatures hold without them.
#[must_use]
pub fn without_payloads(
    entries: Verified<Vec<Entry>>,
    erased: impl Fn(&Header) -> bool,
) -> Verified<Vec<Entry>> {
    let mut entries = entries.0;
    for entry in &mut entries {
        if erased(&entry.header) {
            entry.payload = None;
        }
    }
    Verified(entries)
}

#[cfg(test)]
mod tests;
