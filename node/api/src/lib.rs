//! What the node and its clients share: requests and responses of the local API, its errors, the
//! message catalogue, the client, the document formats that people import and export, and how texts
//! of others are printed.
//!
//! The API is HTTP + JSON on the node's Unix socket, all paths below `/v1`. Every request and
//! response is a type of [`types`]; every failure is an [`error::ApiError`].

pub mod client;
pub mod document;
pub mod error;
pub mod message;
pub mod text;
pub mod types;
