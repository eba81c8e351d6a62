//! Sharing groups: the group chain, its members, their roles, and the cuts that end a member's
//! logs. `docs/protocol/group.md` gives the bytes.

mod chain;
mod statement;

pub use chain::{GroupChain, Standing};
pub use statement::{Cut, Genesis, GroupBody, GroupError, GroupStatement, Member, Role};

#[cfg(test)]
mod tests;
