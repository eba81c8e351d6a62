//! The test kit, and the simulation of whole federations.

pub mod kit;
pub mod sim;
