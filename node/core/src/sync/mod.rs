//! Syncing two replicas: a state machine without network, store or clock. Frames and the time go
//! in; frames and wishes come out. `docs/protocol/sync.md` gives the messages and the states.

mod batch;
mod io;
mod message;
mod peer;
mod session;

pub use batch::BatchError;
pub use io::{CloseReason, GroupProgress, Incoming, Input, RefusedItem, SessionStats, Wish};
pub use message::{Hello, Message, MessageError, PROTOCOL_VERSION};
pub use session::Session;

#[cfg(test)]
mod tests;
