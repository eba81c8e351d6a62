//! The node: keeps an agency's replica, serves its officers, syncs with trusted peers.
//!
//! Data runs one way: network and local writes enter by the same door, `engine`: verify, store,
//! index, api. The API never writes to the store: it submits to the engine and waits.

pub mod api;
pub mod boot;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod engine;
pub mod guard;
pub mod home;
pub mod index;
pub mod keystore;
mod limits;
pub mod net;
pub mod store;
pub mod vocabulary;
