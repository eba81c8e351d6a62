//! What every verb is given.

use std::path::PathBuf;

use diwan_api::client::Client;

use crate::output::Output;

/// The node to ask, and where to print.
pub(crate) struct Context {
    client: Client,
    out: Output,
}

impl Context {
    /// For the node that listens on this socket.
    pub(crate) fn new(socket: PathBuf, out: Output) -> Self {
        Self {
            client: Client::unix(socket),
            out,
        }
    }

    /// The node.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The output.
    pub(crate) fn out(&self) -> &Output {
        &self.out
    }
}
