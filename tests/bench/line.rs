//! A poor line: 64 kbit/s, 600 ms round trip, 5 % of the packets lost, between two real nodes. The line
//! is a proxy that carries TCP's bytes as such a line would: each packet waits for those before it, and
//! a lost one, with all behind it, for another round trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{broadcast, mpsc};

use crate::child::Node;
use crate::node::load;
use crate::pairing::{self, GROUP};
use crate::report::Report;
use crate::workload::{Draw, small};

const BITS_PER_S: f64 = 64_000.0;
const ONE_WAY: Duration = Duration::from_millis(300);
const LOST_PERCENT: u64 = 5;
/// Bytes of a packet, and those of its headers.
const PACKET: usize = 1_400;
const HEADERS: usize = 40;
/// How long the line is cut.
const CUT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(900);

/// A line that can be cut.
struct Line {
    port: u16,
    carried: Arc<AtomicU64>,
    cut: broadcast::Sender<()>,
}

/// Syncs so many records over the line, once as it is and once with a cut in the middle, and counts the
/// bytes that it carried.
pub(crate) async fn run(n: u64) -> Result<Report> {
    let whole = sync(n, false).await?;
    let cut = sync(n, true).await?;
    let figures = [
        ("line_s", whole.seconds),
        ("line_first_s", whole.first_s),
        ("line_bytes", whole.bytes),
        ("line_content", whole.content),
        ("line_cut_s", cut.seconds),
        ("line_cut_bytes", cut.bytes),
        ("line_again_bytes", cut.bytes - whole.bytes),
    ];
    Ok(Report::ours(n, figures))
}

struct Synced {
    seconds: f64,
    first_s: f64,
    bytes: f64,
    content: f64,
}

async fn sync(n: u64, with_cut: bool) -> Result<Synced> {
    let folder = tempfile::tempdir()?;
    let lines = small(0..n, 0)?;
    let workload = folder.path().join("w.jsonl");
    std::fs::write(&workload, &lines)?;
    let listening = TcpListener::bind("127.0.0.1:0").await?;
    let port = listening.local_addr()?.port();
    drop(listening);
    let line = Line::open(port).await?;
    let home = folder.path().join("A");
    let a = Node::start_announcing(&home, "aa", port, line.port).await?;
    pairing::ensure_group(a.client()).await?;
    load(&a, &workload, GROUP).await?;
    let b = Node::start(&folder.path().join("B"), "bb", None).await?;
    let card_a = pairing::acquaint(a.client(), b.client()).await?;

    let began = Instant::now();
    pairing::connect(b.client(), &card_a, true).await?;
    b.until_within(PATIENCE, "the first record", |status| status.records > 0)
        .await?;
    let first_s = began.elapsed().as_secs_f64();
    if with_cut {
        b.until_within(PATIENCE, "half of the records", |status| {
            status.records >= n / 2
        })
        .await?;
        let _ = line.cut.send(());
        tokio::time::sleep(CUT).await;
    }
    b.until_within(PATIENCE, "all records", |status| status.records == n)
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    let bytes = line.carried.load(Ordering::Relaxed) as f64;
    a.stop().await?;
    b.stop().await?;
    Ok(Synced {
        seconds,
        first_s,
        bytes,
        content: lines.len() as f64,
    })
}

impl Line {
    /// A line to a port of this machine.
    async fn open(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let carried = Arc::new(AtomicU64::new(0));
        let (cut, _) = broadcast::channel(1);
        let (counter, cuts) = (carried.clone(), cut.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (counter, cuts) = (counter.clone(), cuts.clone());
                tokio::spawn(async move { carry(near, to, &counter, &cuts).await.ok() });
            }
        });
        Ok(Self { port, carried, cut })
    }
}

/// Carries one connection, both ways, until it ends or the line is cut.
async fn carry(
    near: TcpStream,
    to: u16,
    carried: &Arc<AtomicU64>,
    cut: &broadcast::Sender<()>,
) -> Result<()> {
    // What waits in the buffers of this machine has not been on the line: the smaller, the truer.
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    let far = socket.connect(([127, 0, 0, 1], to).into()).await?;
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let mut cuts = cut.subscribe();
    tokio::select! {
        _ = one_way(near_in, far_out, carried.clone(), 1) => {}
        _ = one_way(far_in, near_out, carried.clone(), 2) => {}
        _ = cuts.recv() => {}
    }
    Ok(())
}

async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    carried: Arc<AtomicU64>,
    seed: u64,
) -> Result<()> {
    let (sender, mut under_way) = mpsc::channel::<(tokio::time::Instant, Vec<u8>)>(64);
    let deliver = async move {
        let mut not_before = tokio::time::Instant::now();
        while let Some((due, bytes)) = under_way.recv().await {
            not_before = not_before.max(due);
            tokio::time::sleep_until(not_before).await;
            to.write_all(&bytes).await?;
            carried.fetch_add((bytes.len() + HEADERS) as u64, Ordering::Relaxed);
        }
        anyhow::Ok(())
    };
    let take = async move {
        let mut draw = Draw(seed);
        let mut free = tokio::time::Instant::now();
        let mut packet = vec![0; PACKET];
        loop {
            let bytes = from.read(&mut packet).await?;
            let packet = packet.get(..bytes).context("a packet")?;
            if packet.is_empty() {
                return anyhow::Ok(());
            }
            // The line carries one packet after the other.
            let bits = ((bytes + HEADERS) * 8) as f64;
            free = free.max(tokio::time::Instant::now());
            free += Duration::from_secs_f64(bits / BITS_PER_S);
            let is_lost = draw.below(100) < LOST_PERCENT;
            let due = free + if is_lost { 3 * ONE_WAY } else { ONE_WAY };
            sender.send((due, packet.to_vec())).await?;
            tokio::time::sleep_until(free).await;
        }
    };
    tokio::select! {
        done = deliver => done,
        done = take => done,
    }
}
