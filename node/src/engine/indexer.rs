//! The index follows the store: it reads the journal behind its own last commit, in its own time. Its
//! commits wait for the same disk as the store's, so they keep a distance, unless a search waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diwan_core::record::Content;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Engine, EngineError};
use crate::index::{Index, IndexError, Indexable, Writer};
use crate::store::{Reading, RecordRow, StoreError};

/// Journal lines of one index commit.
const LINES: usize = 4_000;

/// What lies at least between two index commits, as long as nobody waits for the second.
const PAUSE: Duration = Duration::from_millis(250);

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
    /// Starts following. Ends when the engine does.
    #[must_use]
    pub fn start(engine: Engine, index: Index, writer: Writer) -> Self {
        let (publish, seq) = watch::channel(index.committed_seq());
        let (wanted, wishes) = watch::channel(0);
        tokio::spawn(follow(engine, (index.clone(), writer), publish, wishes));
        Self { index, seq, wanted }
    }

    /// The index, for searching.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The store sequence that searches see.
    #[must_use]
    pub fn seq(&self) -> u64 {
        *self.seq.borrow()
    }

    /// Waits until searches see a store sequence. False where the follower has ended.
    pub async fn wait_for(&self, seq: u64) -> bool {
        self.wanted.send_if_modified(|wanted| {
            let is_newer = seq > *wanted;
            *wanted = seq.max(*wanted);
            is_newer
        });
        self.seq
            .clone()
            .wait_for(|indexed| *indexed >= seq)
            .await
            .is_ok()
    }
}

async fn follow(
    engine: Engine,
    (index, mut writer): (Index, Writer),
    publish: watch::Sender<u64>,
    mut wishes: watch::Receiver<u64>,
) {
    let mut state = engine.watch();
    let mut at = index.committed_seq();
    let mut next = Instant::now();
    loop {
        let mut target = state.borrow_and_update().store_seq;
        if at < target && target - at < LINES as u64 {
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                // Nobody can wish any more where the follower has no handle left.
                Ok(_) = wishes.wait_for(|wanted| *wanted > at) => {}
            }
            target = state.borrow_and_update().store_seq;
        }
        while at < target {
            let (engine, from) = (engine.clone(), at);
            let pass = tokio::task::spawn_blocking(move || {
                let outcome = index_pass(&engine, &mut writer, from);
                (writer, outcome)
            });
            let Ok((returned, outcome)) = pass.await else {
                return;
            };
            writer = returned;
            match outcome {
                Ok(seq) => at = seq,
                Err(error) => {
                    tracing::error!(%error, "indexing failed; it is tried again at the next commit");
                    let _ = writer.rollback();
                    break;
                }
            }
            publish.send_replace(at);
            next = Instant::now() + PAUSE;
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// Indexes what the journal holds behind `from`, and returns how far that is.
fn index_pass(engine: &Engine, writer: &mut Writer, from: u64) -> Result<u64, PassError> {
    let reading = engine.read()?;
    let lines = reading.journal_behind(from, LINES)?;
    let Some((last, _)) = lines.last() else {
        return Ok(from);
    };
    let nums: BTreeSet<u64> = lines.iter().map(|(_, num)| *num).collect();
    for num in nums {
        match indexable(&reading, num)? {
            Some(document) => writer.put(&document)?,
            None => writer.remove(num),
        }
    }
    writer.commit(*last)?;
    Ok(*last)
}

/// A record as the index takes it; none where it is hidden.
fn indexable(reading: &Reading, num: u64) -> Result<Option<Indexable>, StoreError> {
    let Some(row) = reading.record(num)? else {
        return Ok(None);
    };
    let Some(content) = reading.content(num, &row)? else {
        return Ok(None);
    };
    Ok(Some(document(num, row, &content)))
}

fn document(num: u64, row: RecordRow, content: &Content) -> Indexable {
    let texts = |field| -> BTreeMap<String, String> { content.texts_of(field) };
    Indexable {
        num,
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
