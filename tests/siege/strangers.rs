//! Strangers: they have no key that anybody trusts, many addresses, and time.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use diwan_tests::kit::Random;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Connections that are held open at once by those who never end their handshake.
const HELD: usize = 2_000;
/// How long one of them is held, where the node does not close it before.
const HOLD: Duration = Duration::from_secs(15);
/// Attempts under way at once.
const AT_ONCE: u32 = 4_000;

/// What came of the attempts.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Told {
    pub(crate) attempts: u64,
    pub(crate) connected: u64,
    pub(crate) held: u64,
    pub(crate) bytes: u64,
}

#[derive(Default)]
struct Counts {
    connected: AtomicU64,
    held: AtomicU64,
    bytes: AtomicU64,
}

/// Attempts to connect, evenly spread over a time, from thousands of addresses.
pub(crate) async fn attack(to: SocketAddr, attempts: u64, over: Duration) -> Told {
    let counts = Arc::new(Counts::default());
    let (room, held) = (
        Arc::new(Semaphore::new(AT_ONCE as usize)),
        Arc::new(Semaphore::new(HELD)),
    );
    let began = Instant::now();
    let mut random = Random::seeded(33);
    let mut made = 0;
    while made < attempts {
        let due = over.mul_f64(made as f64 / attempts.max(1) as f64);
        sleep_until(began + due).await;
        let permit = room.clone().acquire_owned().await.unwrap();
        let (kind, from) = (random.between(0, 9), address(&mut random));
        let (counts, held) = (counts.clone(), held.clone());
        made += 1;
        tokio::spawn(async move {
            let _permit = permit;
            attempt(to, from, kind, &counts, &held).await;
        });
    }
    // The last ones end by themselves.
    let _ = room.acquire_many(AT_ONCE).await;
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Told {
        attempts: made,
        connected: read(&counts.connected),
        held: read(&counts.held),
        bytes: read(&counts.bytes),
    }
}

/// One of five thousand addresses of this machine.
fn address(random: &mut Random) -> Ipv4Addr {
    let n = random.between(0, 4_999);
    let part = |n: u64| u8::try_from(n).unwrap_or(1);
    Ipv4Addr::new(
        127,
        1 + part(n / 1_000),
        part(n / 100 % 10),
        1 + part(n % 100),
    )
}

async fn attempt(to: SocketAddr, from: Ipv4Addr, kind: u64, counts: &Counts, held: &Semaphore) {
    let Ok(socket) = TcpSocket::new_v4() else {
        return;
    };
    // Closing resets the connection: ports of this machine do not run out.
    let _ = socket.set_zero_linger();
    if socket.bind(SocketAddrV4::new(from, 0).into()).is_err() {
        return;
    }
    let Ok(Ok(mut stream)) = timeout(HOLD, socket.connect(to)).await else {
        return;
    };
    counts.connected.fetch_add(1, Ordering::Relaxed);
    match kind {
        0..=3 => {}
        4..=6 => send(&mut stream, &garbage(kind, 64), counts).await,
        // Half a greeting of multistream-select, then nothing: a handshake that never ends.
        7 | 8 => {
            let Ok(_permit) = held.try_acquire() else {
                return;
            };
            counts.held.fetch_add(1, Ordering::Relaxed);
            send(&mut stream, b"\x13/multistream/1.", counts).await;
            until_closed(&mut stream).await;
        }
        // The greeting, the TLS protocol, and a ClientHello that is none.
        _ => {
            send(
                &mut stream,
                b"\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n",
                counts,
            )
            .await;
            send(&mut stream, &garbage(kind, 512), counts).await;
            sleep(Duration::from_millis(200)).await;
        }
    }
}

fn garbage(kind: u64, len: u16) -> Vec<u8> {
    let step = u8::try_from(kind).unwrap_or(7);
    (0..len)
        .map(|at| at.to_le_bytes()[0].wrapping_mul(step).wrapping_add(0x16))
        .collect()
}

async fn send(stream: &mut TcpStream, bytes: &[u8], counts: &Counts) {
    if stream.write_all(bytes).await.is_ok() {
        counts
            .bytes
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

async fn until_closed(stream: &mut TcpStream) {
    use tokio::io::AsyncReadExt;
    let mut byte = [0; 64];
    let closed = async { while matches!(stream.read(&mut byte).await, Ok(read) if read > 0) {} };
    let _ = timeout(HOLD, closed).await;
}
