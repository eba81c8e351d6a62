//! Diwan's rules, without devices: what an agency, a group, a log and a record are, what is valid,
//! and how two nodes sync. No clock, no files, no sockets, no randomness: time and entropy are
//! inputs, so that a week of network trouble is one fast test.
//!
//! Rooms, each importing only those before it: [`breaks`], [`id`], [`limits`], [`wire`], [`identity`],
//! [`trust`], [`log`], [`record`], [`group`], [`verify`], [`replica`], [`sync`].

pub mod breaks;
pub mod group;
pub mod id;
pub mod identity;
pub mod limits;
pub mod log;
pub mod record;
pub mod replica;
pub mod sync;
#[cfg(test)]
mod testing;
pub mod trust;
#[cfg(test)]
mod vectors;
pub mod verify;
pub mod wire;
