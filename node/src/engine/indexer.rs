//! The index follows the store: it reads the journal behind its own last commit, in its own time.
//!
//! Whoever writes or asks goes first: indexing runs on threads of low priority, and its commits, which
//! wait for the same disk as the store's, keep a distance unless a search waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use diwan_core::record::{Content, SOURCE, WITHDRAWN, kind};
use diwan_core::replica::Replica;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::{Engine, EngineError, was_published};
use crate::index::{Index, IndexError, Indexable, Writer};
use crate::store::{Reading, RecordRow, RecordState, StoreError};
use crate::vocabulary;

/// Journal lines of one index commit: the fewer commits, the fewer segments are to be merged; a search
/// that waits for one waits for as many at most.
const LINES: usize = 10_000;

/// The kind that says that a record was applied, and what it says where that helped.
const ENDORSEMENT: &str = "endorsement";
const HELPED: &str = "helped";

/// Records that link to another and are looked at for what was published of it, or for who endorsed it.
const LINKING: usize = 1_000;

/// Records read from one commit of the store: pages that its writer frees are used again once no reader
/// sees them.
pub(super) const READ_TOGETHER: usize = 500;

/// How long the store is quiet before indexing begins: what arrives goes first.
const QUIET: Duration = Duration::from_millis(40);

/// How long indexing waits for that at most.
const QUIET_AT_LATEST: Duration = Duration::from_secs(5);

/// What lies at least between two index commits, as long as nobody waits for the second.
const PAUSE: Duration = Duration::from_millis(250);

/// Journal lines of a commit that is worth the disk's time, so that no pause follows it.
const WORTH_IT: usize = 1_000;

/// How long nothing was to be indexed when the writer gives its memory back.
const REST_AFTER: Duration = Duration::from_secs(1);

/// Niceness of the threads that index, the greatest: beside others that want the cores they get some
/// hundredths of them (setpriority(2), sched(7)).
pub(super) const NICENESS: i32 = 19;

/// What became of a pass.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The running follower. Cheap to clone.
#[derive(Clone)]
pub struct Indexer {
    index: Index,
    seq: watch::Receiver<u64>,
    /// The newest store sequence that somebody waits for.
    wanted: watch::Sender<u64>,
}

impl Indexer {
    /// Starts following. The follower and its thread end when the engine does.
    #[must_use]
    pub fn start(engine: Engine, index: Index, mut writer: Writer) -> (Self, JoinHandle<()>) {
        let at = writer.committed_seq();
        begin_vocabularies(&engine, &index);
        let (publish, seq) = watch::channel(at);
        let (wanted, wishes) = watch::channel(0);
        let (orders, waiting) = mpsc::channel();
        if engine.state().store_seq <= at
            && let Err(error) = writer.caught_up()
        {
            tracing::warn!(%error, "the older search index answers again at the next start");
        }
        let thread = std::thread::spawn(move || run_passes(writer, &waiting));
        tokio::spawn(follow(engine, at, orders, publish, wishes));
        (Self { index, seq, wanted }, thread)
    }

    /// The index, for searching.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The store sequence that searches see.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.index.committed_seq()
    }

    /// Waits until searches see a store sequence. False where the follower has ended.
    pub async fn wait_for(&self, seq: u64) -> bool {
        wish(&self.wanted, seq);
        self.seq
            .clone()
            .wait_for(|indexed| *indexed >= seq && !self.index.is_older())
            .await
            .is_ok()
    }
}

/// Says that somebody waits for a store sequence.
pub(super) fn wish(wanted: &watch::Sender<u64>, seq: u64) {
    wanted.send_if_modified(|wanted| {
        let is_newer = seq > *wanted;
        *wanted = seq.max(*wanted);
        is_newer
    });
}

/// The index knows by kind which records are of vocabularies: without it each record would be looked at. A
/// failure costs the time to do that.
fn begin_vocabularies(engine: &Engine, index: &Index) {
    let at = index.committed_seq();
    let begun = || -> Result<(), PassError> {
        let mut nums = Vec::new();
        for kind in vocabulary::kinds() {
            nums.extend(index.all_of_kind(kind)?);
        }
        let reading = engine.read()?;
        Ok(engine
            .vocabularies()
            .begin(&reading, at, nums.into_iter())?)
    };
    if let Err(error) = begun() {
        tracing::warn!(%error, "the vocabularies are read from all records");
    }
}

/// A pass that is to be made: from which store sequence on, and who waits for its end.
struct Order {
    engine: Engine,
    from: u64,
    done: oneshot::Sender<Result<Pass, PassError>>,
}

/// A pass that was made.
struct Pass {
    /// The store sequence that the index covers now.
    seq: u64,
    /// Journal lines that were read.
    lines: usize,
}

async fn follow(
    engine: Engine,
    mut at: u64,
    orders: mpsc::Sender<Order>,
    publish: watch::Sender<u64>,
    mut wishes: watch::Receiver<u64>,
) {
    let mut state = engine.watch();
    let mut next = Instant::now();
    loop {
        let mut target = state.borrow_and_update().store_seq;
        if at < target {
            tokio::select! {
                () = quiet(&mut state, |now| now.store_seq, next) => {}
                // Nobody can wish any more where the follower has no handle left.
                Ok(_) = wishes.wait_for(|wanted| *wanted > at) => {}
            }
            target = state.borrow_and_update().store_seq;
        }
        while at < target {
            let (done, made) = oneshot::channel();
            let order = Order {
                engine: engine.clone(),
                from: at,
                done,
            };
            if orders.send(order).is_err() {
                return;
            }
            match made.await {
                Ok(Ok(pass)) => {
                    at = pass.seq;
                    next = match pass.lines < WORTH_IT {
                        true => Instant::now() + PAUSE,
                        false => Instant::now(),
                    };
                }
                Ok(Err(error)) => {
                    tracing::error!(%error, "indexing failed; it is tried again at the next commit");
                    break;
                }
                Err(_) => return,
            }
            publish.send_replace(at);
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until a moment, and until nothing was committed for a while: records that are judged, peers that
/// come and go, change the state and not its store sequence.
pub(super) async fn quiet<T>(
    state: &mut watch::Receiver<T>,
    seq_of: impl Fn(&T) -> u64,
    from: Instant,
) {
    let latest = Instant::now() + QUIET_AT_LATEST;
    tokio::time::sleep_until(from).await;
    while Instant::now() < latest {
        let seen = seq_of(&state.borrow_and_update());
        let committed = state.wait_for(|now| seq_of(now) != seen);
        match tokio::time::timeout(QUIET, committed).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// The thread that owns the index's writer: makes passes as they are ordered, and while there are none makes few segments
/// of many and gives the writer's memory back.
fn run_passes(mut writer: Writer, orders: &mpsc::Receiver<Order>) {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "indexing runs at the priority of everything else");
    }
    loop {
        let order = match orders.recv_timeout(REST_AFTER) {
            Err(RecvTimeoutError::Timeout) => match writer.tidy() {
                Ok(true) => continue,
                tidied => {
                    let outcomes = [tidied.map(drop), writer.rest()];
                    for error in outcomes.into_iter().filter_map(Result::err) {
                        tracing::warn!(%error, "merging the index's segments failed");
                    }
                    orders.recv().ok()
                }
            },
            order => order.ok(),
        };
        let Some(order) = order else { return };
        let outcome = index_pass(&order.engine, &mut writer, order.from);
        if outcome.is_err() {
            let _ = writer.rollback();
        }
        let _ = order.done.send(outcome);
    }
}

/// Indexes what the journal holds behind `from`.
fn index_pass(engine: &Engine, writer: &mut Writer, from: u64) -> Result<Pass, PassError> {
    let stored = engine.state().store_seq;
    let lines = engine.read()?.journal_behind(from, LINES)?;
    let Some((last, _)) = lines.last() else {
        return Ok(Pass {
            seq: from,
            lines: 0,
        });
    };
    let nums: BTreeSet<u64> = lines.iter().map(|(_, num)| *num).collect();
    let nums: Vec<u64> = nums.into_iter().collect();
    let mut sources = BTreeSet::new();
    for chunk in nums.chunks(READ_TOGETHER) {
        sources.extend(index_records(engine, writer, chunk)?);
    }
    // What a draft is depends on what was published of it, and what a record is worth on who endorsed it.
    let is_other = |num: &u64| nums.binary_search(num).is_err();
    let drafts: Vec<u64> = sources.into_iter().filter(is_other).collect();
    for chunk in drafts.chunks(READ_TOGETHER) {
        index_records(engine, writer, chunk)?;
    }
    writer.commit(*last)?;
    // What came meanwhile is for the next pass: writes without end must not keep an older index in its place.
    if stored <= *last {
        writer.caught_up()?;
    }
    Ok(Pass {
        seq: *last,
        lines: lines.len(),
    })
}

/// Indexes records; says which others are to be indexed again: drafts that they were made from, and what they
/// endorse.
fn index_records(
    engine: &Engine,
    writer: &mut Writer,
    nums: &[u64],
) -> Result<Vec<u64>, PassError> {
    let (reading, state) = (engine.read()?, engine.state());
    let mut sources = Vec::new();
    for num in nums {
        match indexable(&reading, &state.replica, *num, &mut sources)? {
            Some(document) => writer.put(&document)?,
            None => writer.remove(*num)?,
        }
    }
    Ok(sources)
}

/// A record as the index takes it; none where it is hidden or withdrawn. Adds the drafts that it was made
/// from, and what it endorses.
fn indexable(
    reading: &Reading,
    replica: &Replica,
    num: u64,
    sources: &mut Vec<u64>,
) -> Result<Option<Indexable>, StoreError> {
    let Some(row) = reading.record(num)? else {
        return Ok(None);
    };
    let Some(content) = reading.content(num, &row)? else {
        return Ok(None);
    };
    if row.kind == ENDORSEMENT {
        for (_, about) in content.link_pairs() {
            sources.extend(reading.record_num(&about)?);
        }
    }
    if row.origin == replica.me().agency {
        for (_, source) in content.link_pairs().filter(|(rel, _)| *rel == SOURCE) {
            sources.extend(reading.record_num(&source)?);
        }
    }
    if content.value(WITHDRAWN).is_some() {
        return Ok(None);
    }
    let (published, _) = was_published(reading, replica, &row, LINKING)?;
    Ok(Some(Indexable {
        published,
        endorsed: endorsed(reading, replica, &row)?,
        ..document(num, row, &content)
    }))
}

/// How many agencies said that a record helped them, not counting the one that it comes from.
fn endorsed(reading: &Reading, replica: &Replica, row: &RecordRow) -> Result<u64, StoreError> {
    let mut agencies = BTreeSet::new();
    if kind(&row.kind).is_none_or(|kind| kind.annotation || kind.vocabulary) {
        return Ok(0);
    }
    for num in reading.linking(&row.id, LINKING)? {
        let Some(by) = reading.record(num)? else {
            continue;
        };
        let counts = by.kind == ENDORSEMENT
            && by.group == row.group
            && by.origin != row.origin
            && !replica.trust().is_blocked(&by.origin)
            && by.state != RecordState::Hidden;
        if !counts || agencies.contains(&by.origin) {
            continue;
        }
        let content = reading.content(num, &by)?.unwrap_or_default();
        let is_about = content.link_pairs().any(|(_, about)| about == row.id);
        let helped = content
            .value("result")
            .is_none_or(|result| result == HELPED);
        if is_about && helped && content.value(WITHDRAWN).is_none() {
            agencies.insert(by.origin);
        }
    }
    Ok(agencies.len() as u64)
}

/// What the index learns of a record by itself, apart from what other records say of it.
pub fn document(num: u64, row: RecordRow, content: &Content) -> Indexable {
    let texts = |field| -> BTreeMap<String, String> { content.texts_of(field) };
    Indexable {
        num,
        published: false,
        endorsed: 0,
        is_word: vocabulary::is_of_vocabulary(&row.kind),
        group: row.group.0,
        kind: row.kind,
        origin: row.origin.0,
        tlp: content.tlp().name().to_owned(),
        themes: content.set_of("themes"),
        tags: content.set_of("tags"),
        updated_ms: row.updated_ms,
        title: texts("title"),
        summary: texts("summary"),
        body: texts("body"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long `quiet` waits while something happens every few milliseconds, in time that only passes
    /// where everybody waits.
    async fn waited(
        every: Duration,
        change: impl Fn(&mut (u64, u64)) + Send + 'static,
    ) -> Duration {
        let (publish, mut state) = watch::channel((0_u64, 0_u64));
        let busy = tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                publish.send_modify(&change);
            }
        });
        let began = Instant::now();
        let quiet = quiet(&mut state, |(seq, _)| *seq, began + PAUSE);
        // A wait without an end is to fail, not to hang.
        let _ = tokio::time::timeout(4 * QUIET_AT_LATEST, quiet).await;
        busy.abort();
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn indexing_waits_for_a_quiet_store_and_not_for_ever() {
        let quick = Duration::from_millis(10);
        let commits = waited(quick, |(seq, _)| *seq += 1).await;
        assert!(commits >= QUIET_AT_LATEST, "{commits:?}");
        assert!(commits < QUIET_AT_LATEST + 2 * QUIET, "{commits:?}");
        let judging = waited(quick, |(_, judged)| *judged += 1).await;
        assert!(judging < PAUSE + 2 * QUIET, "{judging:?}");
        let rare = waited(2 * QUIET, |(seq, _)| *seq += 1).await;
        assert!(rare < PAUSE + 3 * QUIET, "{rare:?}");
    }
}
