//! Frames on a byte stream, without a network.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::executor::block_on;
use futures::io::Cursor;
use proptest::prelude::*;

use super::*;

/// A byte stream that yields its bytes in given portions, and is not ready before each.
struct Portions {
    portions: Vec<Vec<u8>>,
    ready: bool,
}

impl AsyncRead for Portions {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        self.ready = !self.ready;
        if self.ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(first) = self.portions.first_mut() else {
            return Poll::Ready(Ok(0));
        };
        let taken = first.len().min(buf.len());
        buf[..taken].copy_from_slice(&first[..taken]);
        first.drain(..taken);
        if first.is_empty() {
            self.portions.remove(0);
        }
        Poll::Ready(Ok(taken))
    }
}

/// A byte stream whose other end never takes anything.
struct Stuck;

impl AsyncWrite for Stuck {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Poll::Pending
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

fn reader(bytes: &[u8]) -> FrameReader<Cursor<Vec<u8>>> {
    FrameReader::new(Cursor::new(bytes.to_vec()), Arc::default())
}

fn written(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = FrameWriter::new(Cursor::new(&mut bytes), Arc::default());
    for frame in frames {
        block_on(writer.write(frame)).unwrap();
    }
    drop(writer);
    bytes
}

#[test]
fn the_length_is_four_bytes_big_endian() {
    assert_eq!(written(&[b"abc".to_vec()]), b"\0\0\0\x03abc");
}

#[test]
fn an_empty_frame_is_a_frame() {
    let mut reader = reader(&[0, 0, 0, 0]);
    assert_eq!(block_on(reader.next(10)).unwrap(), Some(Vec::new()));
    assert_eq!(block_on(reader.next(10)).unwrap(), None);
}

/// Case 34.
#[test]
fn an_over_long_frame_is_refused_before_allocation() {
    let mut reader = reader(&[0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    let error = block_on(reader.next(1 << 20)).unwrap_err();
    assert!(
        matches!(
            error,
            LinkError::TooLong {
                length: 0xffff_ffff,
                max: 0x10_0000
            }
        ),
        "{error}"
    );
    assert_eq!(reader.body.capacity(), 0);
}

#[test]
fn memory_grows_with_what_arrives_not_with_what_is_announced() {
    let mut reader = reader(&[0x40, 0, 0, 0, 1, 2, 3]);
    let error = block_on(reader.next(u32::MAX)).unwrap_err();
    assert!(matches!(error, LinkError::Truncated), "{error}");
    assert!(reader.body.capacity() <= GROWTH);
}

#[test]
fn a_frame_of_exactly_the_limit_passes() {
    let bytes = written(&[vec![7; 100]]);
    assert_eq!(
        block_on(reader(&bytes).next(100)).unwrap(),
        Some(vec![7; 100])
    );
    assert!(block_on(reader(&bytes).next(99)).is_err());
}

#[test]
fn an_end_inside_a_frame_is_an_error() {
    let bytes = written(&[vec![7; 100]]);
    for end in 1..bytes.len() {
        let error = block_on(reader(&bytes[..end]).next(100)).unwrap_err();
        assert!(matches!(error, LinkError::Truncated), "at {end}: {error}");
    }
}

#[test]
fn an_abandoned_write_spoils_the_writer() {
    let mut writer = FrameWriter::new(Stuck, Arc::default());
    assert!(writer.write(&[1; 10]).now_or_never().is_none());
    let error = block_on(writer.write(&[2])).unwrap_err();
    assert!(matches!(error, LinkError::Interrupted), "{error}");
    assert!(matches!(
        block_on(writer.finish()),
        Err(LinkError::Interrupted)
    ));
}

proptest! {
    /// However the bytes arrive, and however often a read is abandoned, the same frames come out
    /// and every byte is counted.
    #[test]
    fn frames_survive_portions_and_abandoned_reads(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        portion in 1_usize..50,
    ) {
        let bytes = written(&frames);
        let count = Arc::new(AtomicU64::new(0));
        let portions = bytes.chunks(portion).map(<[u8]>::to_vec).collect();
        let mut reader =
            FrameReader::new(Portions { portions, ready: false }, Arc::clone(&count));
        let mut seen = Vec::new();
        loop {
            // Each attempt is dropped at the first byte that is not there yet.
            match reader.next(300).now_or_never() {
                None => {}
                Some(Ok(Some(frame))) => seen.push(frame),
                Some(end) => {
                    prop_assert!(matches!(end, Ok(None)));
                    break;
                }
            }
        }
        prop_assert_eq!(seen, frames);
        prop_assert_eq!(count.load(Ordering::Relaxed), bytes.len() as u64);
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut reader = reader(&bytes);
        while let Ok(Some(frame)) = block_on(reader.next(1000)) {
            prop_assert!(frame.len() <= 1000);
        }
    }
}
