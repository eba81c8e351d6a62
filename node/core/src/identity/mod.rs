//! Who an agency is: its chain of root-signed statements, its nodes, its card and its fingerprint.
//! `docs/protocol/identity.md` gives the bytes.

mod card;
mod chain;
mod fingerprint;

pub use card::{Card, CardError};
pub(crate) use chain::check_name;
pub use chain::{
    AgencyBody, AgencyChain, AgencyStatement, Capabilities, Certificate, ChainError, Genesis,
    is_direction_mark,
};
pub use fingerprint::{Fingerprint, FingerprintError};

#[cfg(test)]
mod tests;
