//! Syncing two replicas: a state machine without network, store or clock. Frames and the time go
//! in; frames and wishes come out. `docs/protocol/sync.md` gives the messages and the states.

mod batch;
mod fork;
mod io;
mod message;
mod peer;
mod session;

pub use batch::BatchError;
pub use fork::{compare, prove};
pub use io::{
    CloseReason, GroupProgress, Incoming, Input, RefusedItem, SessionStats, Suspect, Wish,
};
pub use message::{
    ForkAsk, ForkTell, GroupState, GroupStatements, Hello, Message, MessageError, PROTOCOL_VERSION,
    Pending, Want, WantedPayload,
};
pub use session::Session;

#[cfg(test)]
mod tests;
