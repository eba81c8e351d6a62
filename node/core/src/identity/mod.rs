//! Who an agency is: its chain of root-signed statements, its nodes, its card and its fingerprint.
//! `docs/protocol/identity.md` gives the bytes.

mod card;
mod chain;
mod cut;
mod fingerprint;
mod join;

pub use card::{Card, CardError};
pub(crate) use chain::check_name;
pub use chain::{
    AgencyBody, AgencyChain, AgencyStatement, Capabilities, Certificate, ChainError, Genesis,
    is_direction_mark,
};
pub use cut::{Cuts, SealedCut};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use join::{JoinError, JoinRequest};

#[cfg(test)]
mod tests;
