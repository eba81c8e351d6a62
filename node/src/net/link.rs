//! A link: the framed duplex stream to one trusted peer.
//!
//! On the wire a frame is its length, four bytes big-endian, and then that many bytes. What the
//! bytes mean is the upper protocol's affair, and so is noticing that a peer fell silent: it
//! closes the link when its heartbeat stays out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter, ReadHalf, WriteHalf,
};
use libp2p::Stream;
use libp2p::swarm::ConnectionId;
use tokio::sync::{mpsc, watch};

use super::error::LinkError;

/// Length of a frame's header in bytes.
const HEADER: usize = 4;

/// Bytes read or written at once. Small frames of a burst share one system call.
const BUFFER: usize = 16 * 1024;

/// Bytes by which a frame's memory grows while it arrives, so that announcing a long frame costs
/// the peer as much as it costs this node.
const GROWTH: usize = 256 * 1024;

/// The one live link to a peer, to be split into its two directions.
///
/// The connection lives as long as the link: dropping the link, or both of its halves, closes it.
#[derive(Debug)]
pub struct Link {
    halves: Box<(LinkReader, LinkWriter)>,
    remote_address: String,
}

impl Link {
    pub(crate) fn new(stream: Stream, state: &Arc<LinkState>, remote_address: String) -> Self {
        let (read, write) = stream.split();
        let in_use = Arc::new(InUse(Arc::clone(state)));
        let reader = LinkReader {
            closed: state.closed.subscribe(),
            frames: FrameReader::new(read, Arc::clone(&state.bytes_read)),
            in_use: Arc::clone(&in_use),
        };
        let writer = LinkWriter {
            closed: state.closed.subscribe(),
            frames: FrameWriter::new(write, Arc::clone(&state.bytes_written)),
            in_use,
        };
        Self {
            halves: Box::new((reader, writer)),
            remote_address,
        }
    }

    /// The peer's address as this node sees it: a multiaddr.
    #[must_use]
    pub fn remote_address(&self) -> &str {
        &self.remote_address
    }

    /// A handle that watches and closes the link from elsewhere, without keeping it alive.
    #[must_use]
    pub fn handle(&self) -> LinkHandle {
        self.halves.0.handle()
    }

    /// The two directions, for two tasks.
    #[must_use]
    pub fn split(self) -> (LinkReader, LinkWriter) {
        *self.halves
    }
}

/// Watches and closes a link. Cheap to clone; does not keep the link alive.
#[derive(Debug, Clone)]
pub struct LinkHandle(Arc<LinkState>);

impl LinkHandle {
    /// Closes the link and its connection at once. Frames under way may be lost; to end in order,
    /// see [`LinkWriter::finish`].
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the link was closed, by whomever on this side.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        *self.0.closed.borrow()
    }

    /// Bytes read from the peer on this link so far, lengths included.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.0.bytes_read.load(Ordering::Relaxed)
    }

    /// Bytes written to the peer on this link so far, lengths included: handed to the connection,
    /// which says nothing of their arrival.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.0.bytes_written.load(Ordering::Relaxed)
    }
}

/// The direction from the peer to this node.
#[derive(Debug)]
pub struct LinkReader {
    closed: watch::Receiver<bool>,
    frames: FrameReader<ReadHalf<Stream>>,
    in_use: Arc<InUse>,
}

impl LinkReader {
    /// The next frame, of at most `max` bytes; `None` once the peer has ended its direction.
    ///
    /// May be dropped before it is done (in a `select!`): the next call goes on where it stopped.
    ///
    /// # Errors
    /// [`LinkError::TooLong`] before anything is allocated, [`LinkError::Truncated`],
    /// [`LinkError::Closed`] as soon as this side closes the link, whatever had arrived before.
    pub async fn read_frame(&mut self, max: u32) -> Result<Option<Vec<u8>>, LinkError> {
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => Err(LinkError::Closed),
            frame = self.frames.next(max) => frame,
        }
    }

    /// A handle to the link.
    #[must_use]
    pub fn handle(&self) -> LinkHandle {
        LinkHandle(Arc::clone(&self.in_use.0))
    }
}

/// The direction from this node to the peer.
#[derive(Debug)]
pub struct LinkWriter {
    closed: watch::Receiver<bool>,
    frames: FrameWriter<WriteHalf<Stream>>,
    in_use: Arc<InUse>,
}

impl LinkWriter {
    /// Writes one frame and flushes it. Waits while the peer does not read: that is the
    /// backpressure. Must not be dropped before it is done, or the link is of no more use.
    ///
    /// # Errors
    /// [`LinkError::Closed`], [`LinkError::Interrupted`] after a write that was dropped half way,
    /// [`LinkError::Unwritable`] from 4 GiB up.
    pub async fn write_frame(&mut self, frame: &[u8]) -> Result<(), LinkError> {
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => Err(LinkError::Closed),
            written = self.frames.write(frame) => written,
        }
    }

    /// Ends this direction in order: the peer reads every frame and then `None`. To part without
    /// loss, finish, read until `None`, and then drop the link.
    ///
    /// # Errors
    /// [`LinkError::Closed`] or [`LinkError::Io`]: the peer may not have read everything.
    pub async fn finish(&mut self) -> Result<(), LinkError> {
        tokio::select! {
            biased;
            _ = self.closed.wait_for(|closed| *closed) => Err(LinkError::Closed),
            finished = self.frames.finish() => finished,
        }
    }

    /// A handle to the link.
    #[must_use]
    pub fn handle(&self) -> LinkHandle {
        LinkHandle(Arc::clone(&self.in_use.0))
    }
}

/// A link whose user is done with it, for the task that owns the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkDone {
    pub(crate) peer: [u8; 32],
    pub(crate) connection: ConnectionId,
}

/// What a link's halves, its handles and the network task share.
#[derive(Debug)]
pub(crate) struct LinkState {
    done: LinkDone,
    reports: mpsc::UnboundedSender<LinkDone>,
    closed: watch::Sender<bool>,
    bytes_read: Arc<AtomicU64>,
    bytes_written: Arc<AtomicU64>,
}

impl LinkState {
    /// `reports` is told once at most, so that its queue never holds more than there are links.
    pub(crate) fn new(done: LinkDone, reports: mpsc::UnboundedSender<LinkDone>) -> Arc<Self> {
        Arc::new(Self {
            done,
            reports,
            closed: watch::Sender::new(false),
            bytes_read: Arc::default(),
            bytes_written: Arc::default(),
        })
    }

    /// The network task's way to close: reading and writing end now, nothing is reported.
    pub(crate) fn cut(&self) {
        self.closed.send_replace(true);
    }

    /// The user's way to close: as [`LinkState::cut`], and the connection is to follow.
    fn close(&self) {
        if !self.closed.send_replace(true) {
            // The task is gone when the node is stopping, and every connection with it.
            let _ = self.reports.send(self.done);
        }
    }
}

/// Held by both halves of a link: the last one to go closes it.
#[derive(Debug)]
struct InUse(Arc<LinkState>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Takes frames off a byte stream. Keeps what has arrived of the next frame between calls.
#[derive(Debug)]
struct FrameReader<R> {
    bytes: BufReader<R>,
    header: [u8; HEADER],
    header_filled: usize,
    body: Vec<u8>,
    body_filled: usize,
    count: Arc<AtomicU64>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    fn new(bytes: R, count: Arc<AtomicU64>) -> Self {
        Self {
            bytes: BufReader::with_capacity(BUFFER, bytes),
            header: [0; HEADER],
            header_filled: 0,
            body: Vec::new(),
            body_filled: 0,
            count,
        }
    }

    async fn next(&mut self, max: u32) -> Result<Option<Vec<u8>>, LinkError> {
        while self.header_filled < HEADER {
            let rest = self
                .header
                .get_mut(self.header_filled..)
                .unwrap_or_default();
            match self.bytes.read(rest).await? {
                0 if self.header_filled == 0 => return Ok(None),
                0 => return Err(LinkError::Truncated),
                read => {
                    self.header_filled += read;
                    self.count(read);
                }
            }
        }
        let announced = u32::from_be_bytes(self.header);
        let length = match usize::try_from(announced) {
            Ok(length) if announced <= max => length,
            _ => {
                return Err(LinkError::TooLong {
                    length: announced.into(),
                    max: max.into(),
                });
            }
        };
        while self.body_filled < length {
            if self.body.len() == self.body_filled {
                let grown = self.body_filled.saturating_add(GROWTH).min(length);
                self.body.resize(grown, 0);
            }
            let rest = self.body.get_mut(self.body_filled..).unwrap_or_default();
            match self.bytes.read(rest).await? {
                0 => return Err(LinkError::Truncated),
                read => {
                    self.body_filled += read;
                    self.count(read);
                }
            }
        }
        self.header_filled = 0;
        self.body_filled = 0;
        Ok(Some(std::mem::take(&mut self.body)))
    }

    fn count(&self, read: usize) {
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.count.fetch_add(read, Ordering::Relaxed);
    }
}

/// Puts frames on a byte stream.
#[derive(Debug)]
struct FrameWriter<W> {
    bytes: BufWriter<W>,
    interrupted: bool,
    count: Arc<AtomicU64>,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    fn new(bytes: W, count: Arc<AtomicU64>) -> Self {
        Self {
            bytes: BufWriter::with_capacity(BUFFER, bytes),
            interrupted: false,
            count,
        }
    }

    async fn write(&mut self, frame: &[u8]) -> Result<(), LinkError> {
        if self.interrupted {
            return Err(LinkError::Interrupted);
        }
        let Ok(length) = u32::try_from(frame.len()) else {
            return Err(LinkError::Unwritable {
                length: frame.len(),
            });
        };
        self.interrupted = true;
        self.bytes.write_all(&length.to_be_bytes()).await?;
        self.bytes.write_all(frame).await?;
        self.bytes.flush().await?;
        self.interrupted = false;
        let written = u64::from(length).saturating_add(HEADER as u64);
        self.count.fetch_add(written, Ordering::Relaxed);
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), LinkError> {
        if self.interrupted {
            return Err(LinkError::Interrupted);
        }
        Ok(self.bytes.close().await?)
    }
}

#[cfg(test)]
mod tests;
