//! The test kit.

pub mod kit;
