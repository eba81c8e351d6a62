//! What each stage of the pipeline costs a record, in CPU time of the whole process: the same code that
//! a node runs, one stage after the other over W(N).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use diwan_core::group::GroupChain;
use diwan_core::id::{GroupId, RecordId};
use diwan_core::limits;
use diwan_core::log::{LogHead, Range};
use diwan_core::record::{
    AuthoredChange, ChangeReason, Content, Edit, Editors, Gate, Genesis, Tlp, materialise,
};
use diwan_core::sync::Message;
use diwan_core::verify::{self, RangeContext};
use diwan_core::wire::Signing;
use diwan_node::boot::{Founding, NewAgency, read_state};
use diwan_node::engine::{Committer, DraftOutcome, OwnKeys, RecordDraft, ThisMachine};
use diwan_node::index::Index;
use diwan_node::store::{RecordRow, RecordState, Store};
use rustix::time::{ClockId, clock_gettime};
use zeroize::Zeroizing;

use crate::index::Line;
use crate::report::Report;
use crate::workload::{Size, not_built};

/// Records of one job of the writer, as an import has them.
const TOGETHER: usize = 250;
/// Memory of the index's writer, as a node has it.
const INDEX_BYTES: usize = 32 * 1024 * 1024;

/// CPU time of all threads, microseconds.
fn cpu_us() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}

struct Stages {
    records: f64,
    figures: BTreeMap<String, f64>,
}

impl Stages {
    fn time<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let began = cpu_us();
        let done = work()?;
        let spent = (cpu_us() - began) / self.records;
        *self.figures.entry(name.to_owned()).or_default() += spent;
        Ok(done)
    }
}

/// Runs the stages.
pub(crate) fn run(size: Size) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let Some(workload) = size.write(folder.path())? else {
        return Ok(not_built());
    };
    let lines = Line::all(&workload)?;
    let mut stages = Stages {
        records: lines.len() as f64,
        figures: BTreeMap::new(),
    };
    let mut author = author(folder.path())?;
    let group = author
        .run(|step| step.create_group("bench", &[], 1, Tlp::Green))
        .map_err(|error| anyhow!("{error}"))?;
    let records = write(&mut stages, &mut author, &group, &lines)?;
    let frames = send(&mut stages, &author, &group)?;
    take(&mut stages, folder.path(), &author, &group, &frames)?;
    edit(&mut stages, &mut author, &records)?;
    index(&mut stages, folder.path(), &lines)?;
    Ok(Report::ours(lines.len() as u64, stages.figures))
}

/// A node that writes, without devices but its store.
fn author(folder: &Path) -> Result<Committer> {
    let key = |seed| Signing::from_seed(&Zeroizing::new([seed; 32]));
    let agency = NewAgency {
        name: "Bench".to_owned(),
        country: "TN".to_owned(),
        short: "bench".to_owned(),
    };
    let founding = Founding::of(agency, (&key(1), &key(2)), [3; 16])?;
    let path = folder.join("a.redb");
    let store = Store::open(&path, true)?;
    founding.write(&store, 1, 0)?;
    let state = read_state(&path, &store.read()?, &key(2))?;
    let keys = OwnKeys {
        node: key(2),
        root: Some(key(1)),
    };
    Ok(Committer::new(store, state, keys, Arc::new(ThisMachine)))
}

fn draft(line: &Line) -> RecordDraft {
    let mut content = Content::default();
    for (field, text) in [
        ("title", &line.title),
        ("summary", &line.summary),
        ("body", &line.body),
    ] {
        content.set_texts(field, &BTreeMap::from([("en".to_owned(), text.clone())]));
    }
    content.set_set("tags", &line.tags);
    content
        .values
        .insert("import_key".to_owned(), line.id.clone());
    RecordDraft {
        kind: "guideline".to_owned(),
        content,
        editors: Editors::Group,
        record: None,
        file_name: None,
    }
}

fn write(
    stages: &mut Stages,
    author: &mut Committer,
    group: &GroupId,
    lines: &[Line],
) -> Result<Vec<RecordId>> {
    let mut records = Vec::new();
    for part in lines.chunks(TOGETHER) {
        let drafts: Vec<_> = part.iter().map(|line| Ok(draft(line))).collect();
        let outcomes = stages.time("stage_write", || {
            author
                .run(|step| step.import(group, drafts, false))
                .map_err(|error| anyhow!("{error}"))
        })?;
        records.extend(outcomes.iter().filter_map(|outcome| match outcome {
            DraftOutcome::Created(record) => Some(*record),
            _ => None,
        }));
    }
    Ok(records)
}

fn chain_of<'a>(author: &'a Committer, group: &GroupId) -> Result<&'a GroupChain> {
    let found = author.state().replica.group(group);
    Ok(&found.context("the group")?.chain)
}

fn send(stages: &mut Stages, author: &Committer, group: &GroupId) -> Result<Vec<Vec<u8>>> {
    let writer = author.state().replica.me().writer();
    let log = *author
        .state()
        .logs
        .get(&(*group, writer))
        .context("the log")?;
    let reading = author.store().read()?;
    let (mut from, mut frames) = (1, Vec::new());
    loop {
        let range = stages.time("stage_read", || {
            Ok(reading.range(log, from, limits::BATCH_TARGET_BYTES, None)?)
        })?;
        let Some(range) = range else {
            return Ok(frames);
        };
        from += range.entries.len() as u64;
        let message = Message::Entries(vec![range]);
        frames.push(stages.time("stage_compress", || Ok(message.to_frame()?))?);
    }
}

/// What a receiver does until the entries are durable and viewable.
fn take(
    stages: &mut Stages,
    folder: &Path,
    author: &Committer,
    group: &GroupId,
    frames: &[Vec<u8>],
) -> Result<()> {
    let store = Store::open(&folder.join("b.redb"), true)?;
    let me = author.state().replica.me();
    let agency = author
        .state()
        .replica
        .agency(&me.agency)
        .context("the agency")?;
    let chain = chain_of(author, group)?;
    let mut head: Option<LogHead> = None;
    for frame in frames {
        let message = stages.time("stage_decode", || Ok(Message::from_frame(frame)?))?;
        let Message::Entries(ranges) = message else {
            continue;
        };
        for range in ranges {
            let again: Range = range.clone();
            stages.time("stage_hash", || Ok(again.into_entries(head.as_ref())?))?;
            let context = RangeContext {
                group: chain,
                agency,
                head: head.as_ref().map(|head| (head, 0)),
                end: None,
            };
            let entries = stages.time("stage_verify", || Ok(verify::range(context, range)?))?;
            let last = entries.last().context("entries")?;
            head = Some(LogHead {
                seq: last.header.seq,
                hash: last.header.hash(),
            });
            let genesis = stages.time("stage_view", || {
                let read =
                    |payload: &diwan_core::log::Payload| Genesis::from_bytes(&payload.bytes).ok();
                let of = entries
                    .iter()
                    .map(|entry| entry.payload.as_ref().and_then(read));
                Ok(of.collect::<Vec<_>>())
            })?;
            stages.time("stage_commit", || {
                store.write(|tables| {
                    tables.put_entries(1, &entries)?;
                    for (entry, genesis) in entries.iter().zip(&genesis) {
                        let Some(genesis) = genesis else { continue };
                        let header = &entry.header;
                        let num = tables.add_record(&RecordRow {
                            id: header.record,
                            group: header.group,
                            origin: genesis.origin,
                            kind: genesis.kind.clone(),
                            log: 1,
                            seq: header.seq,
                            created_ms: header.wall_ms,
                            updated_ms: header.wall_ms,
                            version: diwan_core::record::Version::first(&header.record).into(),
                            state: RecordState::Plain,
                        })?;
                        tables.journal(num)?;
                    }
                    Ok::<_, anyhow::Error>(())
                })
            })?;
        }
    }
    Ok(())
}

/// Edits every twentieth record, and has each judged as a receiver does.
fn edit(stages: &mut Stages, author: &mut Committer, records: &[RecordId]) -> Result<()> {
    let edited: Vec<&RecordId> = records.iter().step_by(20).collect();
    stages.records = edited.len() as f64;
    for (at, record) in edited.iter().enumerate() {
        let mut edit = Edit::default();
        let summary = format!("Another summary, the {at}th of them, which says something else.");
        edit.texts.insert("summary.en".to_owned(), Some(summary));
        stages.time("stage_edit", || {
            let edited = author.run(|step| step.edit_record(record, None, &edit));
            edited.map_err(|error| anyhow!("{error}"))
        })?;
    }
    let reading = author.store().read()?;
    for record in edited {
        let num = reading.record_num(record)?.context("the record")?;
        let row = reading.record(num)?.context("its row")?;
        let first = reading
            .entry(row.log, row.seq)?
            .and_then(|entry| entry.payload);
        let genesis = Genesis::from_bytes(&first.context("its first version")?.bytes)?;
        let mut changes = Vec::new();
        for (log, seq) in reading.changes(num)? {
            changes.extend(reading.entry(log, seq)?.and_then(AuthoredChange::of));
        }
        judge(stages, &genesis, record, &changes)?;
    }
    Ok(())
}

/// A record's only edit as a receiver judges it, step by step; the whole must come to the same.
fn judge(
    stages: &mut Stages,
    genesis: &Genesis,
    record: &RecordId,
    changes: &[AuthoredChange],
) -> Result<()> {
    let refused = |reason: ChangeReason| anyhow!("an honest edit was refused: {reason:?}");
    let mut gate = stages.time("stage_gate", || {
        let mut gate = Gate::behind(genesis, record, &[]);
        let reason = changes.iter().find_map(|change| gate.refuses(change));
        reason.map_or(Ok(gate), |reason| Err(refused(reason)))
    })?;
    stages.time("stage_apply", || gate.apply().map_err(refused))?;
    let content = stages.time("stage_edited_view", || gate.read().map_err(refused))?;
    let whole = stages.time("stage_judged", || Ok(materialise(genesis, record, changes)))?;
    match content == whole.content {
        true => Ok(()),
        false => Err(anyhow!("judged step by step, {record} says something else")),
    }
}

fn index(stages: &mut Stages, folder: &Path, lines: &[Line]) -> Result<()> {
    stages.records = lines.len() as f64;
    let mut opened = Index::open(&folder.join("index"), INDEX_BYTES)?;
    stages.time("stage_index", || {
        for (num, line) in (1..).zip(lines) {
            opened.writer.put(&line.indexable(num))?;
        }
        opened.writer.commit(1)?;
        Ok(opened.writer.rest()?)
    })
}
