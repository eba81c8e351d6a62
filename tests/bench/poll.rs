//! Asking a node for its state, often and cheaply: one connection kept open, plain HTTP/1.1.
//!
//! The client that programs use makes a connection a request, which is right for them and would be
//! most of the cost of asking twice a millisecond.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use diwan_api::types::Status;

/// How long the node may stay silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer that is read: a state is a few hundred bytes and some a peer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// An open connection to a node's API.
pub(crate) struct Poll {
    stream: BufReader<UnixStream>,
}

impl Poll {
    /// Connects to the node's socket.
    pub(crate) fn open(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let stream = BufReader::new(stream);
        Ok(Self { stream })
    }

    /// The node's state, as of its last durable commit.
    pub(crate) fn status(&mut self) -> Result<Status> {
        self.stream
            .get_mut()
            .write_all(b"GET /v1/status HTTP/1.1\r\nhost: diwan\r\n\r\n")?;
        let bytes = self.answer()?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    fn answer(&mut self) -> Result<Vec<u8>> {
        let mut length = None;
        let mut line = String::new();
        let mut first = true;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the node closed the connection");
            }
            let text = line.trim_end();
            if first && !text.contains(" 200 ") {
                bail!("the node answered {text}");
            }
            first = false;
            if text.is_empty() {
                break;
            }
            if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let length = length.context("an answer without its length")?;
        if length > ANSWER_BYTES_MAX {
            bail!("an answer of {length} bytes");
        }
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
