//! The test kit, the simulation of whole federations, and the laboratory of hostile changes.

pub mod kit;
pub mod mutants;
pub mod sim;
pub mod vectors;
