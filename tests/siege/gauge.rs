//! What the besieged node spends, and whether it answers: looked at from outside, five times a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diwan_api::client::Client;
use diwan_tests::kit::TestNode;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(200);
/// Between two questions for a number of records.
const POLL: Duration = Duration::from_millis(5);
/// Longest wait for records that must come.
const PATIENCE: Duration = Duration::from_secs(120);

/// What was seen in one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) rss_mib: f64,
    pub(crate) descriptors: usize,
    pub(crate) answers: Vec<Duration>,
    pub(crate) unanswered: u64,
}

pub(crate) struct Gauge {
    runtime: tokio::runtime::Runtime,
    client: Client,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    watching: Option<JoinHandle<()>>,
}

impl Gauge {
    pub(crate) fn start(victim: &TestNode) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let socket = victim.home().join("run/node.sock");
        let seen = Arc::new(Mutex::new(vec![Seen::default()]));
        let stop = Arc::new(AtomicBool::new(false));
        let watching = {
            let (seen, stop, pid) = (seen.clone(), stop.clone(), victim.pid());
            let client = Client::unix(socket.clone());
            std::thread::spawn(move || watch(&client, pid, &seen, &stop))
        };
        Self {
            runtime,
            client: Client::unix(socket),
            seen,
            stop,
            watching: Some(watching),
        }
    }

    /// Records that the victim shows.
    pub(crate) fn records(&self) -> u64 {
        let status = self.runtime.block_on(self.client.status());
        status.unwrap().records
    }

    pub(crate) fn until_records(&self, target: u64) {
        let began = Instant::now();
        while self.records() < target {
            assert!(began.elapsed() < PATIENCE, "the honest peer is not served");
            std::thread::sleep(POLL);
        }
    }

    /// What follows is seen under attack.
    pub(crate) fn begin_attack(&mut self) {
        lock(&self.seen).push(Seen::default());
    }

    /// What was seen at rest and under attack.
    pub(crate) fn end(mut self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(watching) = self.watching.take() {
            watching.join().unwrap();
        }
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> std::sync::MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(client: &Client, pid: u32, seen: &Mutex<Vec<Seen>>, stop: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let answer = runtime.block_on(client.status());
        let took = asked.elapsed();
        let (rss, descriptors) = (rss_mib(pid), descriptors(pid));
        let mut all = lock(seen);
        if let Some(now) = all.last_mut() {
            now.rss_mib = now.rss_mib.max(rss);
            now.descriptors = now.descriptors.max(descriptors);
            match answer {
                Ok(_) => now.answers.push(took),
                Err(_) => now.unanswered += 1,
            }
        }
        drop(all);
        std::thread::sleep(EVERY);
    }
}

/// Resident memory of a process (proc(5), `status`).
fn rss_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0.0) / 1024.0
}

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}
