//! Importing documents: found, read, sent in batches, and their outcomes gathered. The program
//! `diwan import` and the demonstration share it.
//!
//! While batches are at the node the next is read, so that neither waits for the other. Two are on their
//! way at once, so that the node always has one to go on with; an import never holds more than three in
//! memory. Which of the two is stored first is not said, so a document that both may change is sent when
//! the one before is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use super::Client;
use crate::document::{self, Loaded, Options, Plan, ScanError, SkipReason, Warned, Warning};
use crate::error::{ApiError, ErrorCode};
use crate::types::{
    Draft, DraftWarning, Editors, IMPORT_BATCH_DRAFTS, ImportAnswer, ImportBatch, ImportOutcome,
    REQUEST_BYTES_MAX,
};

/// Bytes of JSON at which a batch is sent: a step of the progress bar that is neither jerky nor
/// costs the node a commit for little.
pub(super) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Largest draft in bytes of JSON: what fits a request beside the batch's own few fields.
const DRAFT_BYTES_MAX: usize = REQUEST_BYTES_MAX - 64 * 1024;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct Import {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Group name or id.
    pub group: String,
    /// Kind of documents that name none; the node's default where none is said.
    pub kind: Option<String>,
    /// How documents are read.
    pub options: Options,
    /// Who may edit the records that are created.
    pub editors: Editors,
    /// Say what would happen, write nothing.
    pub dry_run: bool,
    /// Why what the publication guard found may go out.
    pub override_reason: Option<String>,
}

/// What happens while an import runs.
#[derive(Debug)]
pub enum Progress<'a> {
    /// The paths were searched.
    Found {
        /// Documents that will be read.
        documents: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// A document became a record, or is one already.
    Imported(&'a ImportedRecord),
    /// A file was not imported.
    Skipped(&'a Skipped),
    /// A batch is durable at the node.
    Batch {
        /// Documents done so far, skipped ones among them.
        documents: usize,
        /// Bytes done so far.
        bytes: u64,
    },
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A new record.
    Created,
    /// A record that changed.
    Updated,
    /// A record that holds this content already.
    Unchanged,
}

/// A record and the files it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportedRecord {
    /// Record id; empty in a dry run for a record that does not exist yet.
    pub record: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Its files as the user named them, one a language; `path:line` for JSON Lines.
    pub sources: Vec<String>,
}

/// A file, or a line of one, that was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file as the user named it; `path:line` for a line of JSON Lines.
    pub source: String,
    /// Why.
    pub reason: SkippedFor,
}

/// Why a file was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkippedFor {
    /// It is no document, or a damaged one.
    Document(SkipReason),
    /// The node refused it.
    Node(ApiError),
}

impl SkippedFor {
    /// The stable name of the reason, for `"reason"`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(reason) => reason.code(),
            Self::Node(error) => error.code.name(),
        }
    }
}

/// Why an import stopped, or did not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The paths hold nothing that could be imported; nothing was sent.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The node refused a batch as a whole, or does not answer. Batches before it are imported;
    /// importing once more continues.
    #[error(transparent)]
    Node(#[from] ApiError),
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// New records.
    pub created: u64,
    /// Records that changed.
    pub updated: u64,
    /// Records that held this content already.
    pub unchanged: u64,
    /// Files that the records come from.
    pub files: u64,
    /// How many of the records have a text in each language.
    pub languages: BTreeMap<String, u64>,
    /// Files that were not imported.
    pub skipped: Vec<Skipped>,
    /// The records, in the order of the documents.
    pub records: Vec<ImportedRecord>,
    /// What is odd about files that were imported.
    pub warnings: Vec<Warned>,
    /// The store's sequence that holds all of it; 0 where nothing was sent.
    pub seq: u64,
}

impl Report {
    /// Whether any document is at the node now.
    #[must_use]
    pub fn imported_any(&self) -> bool {
        self.created + self.updated + self.unchanged > 0
    }
}

/// Imports, and tells `progress` what happens.
///
/// # Errors
/// [`ImportError`]. A document that cannot be imported is none, but a [`Skipped`].
pub async fn import(
    client: &Client,
    request: &Import,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Report, ImportError> {
    let mut gathering = Gathering {
        report: Report::default(),
        progress,
        documents: 0,
        bytes: 0,
    };
    let (bundles, paths) = super::bundles::bundles(request)?;
    if !paths.is_empty() || bundles.is_empty() {
        let request = Import {
            paths,
            ..request.clone()
        };
        documents(client, &request, &mut gathering).await?;
    }
    super::bundles::import(client, request, bundles, &mut gathering).await?;
    Ok(gathering.report)
}

async fn documents(
    client: &Client,
    request: &Import,
    gathering: &mut Gathering<'_>,
) -> Result<(), ImportError> {
    let mut reading = open(request).await?;
    (gathering.progress)(Progress::Found {
        documents: reading.plan.documents().len(),
        bytes: reading.plan.total_bytes(),
    });
    gathering.skip_documents(reading.plan.skipped().to_vec());

    let mut batch;
    let mut sent: Option<Sent> = None;
    (reading, batch) = read_batch(reading).await?;
    while let Some(current) = batch {
        if let Some(before) = sent.take_if(|before| before.shares_a_record_with(&current)) {
            before.answered(gathering).await?;
        }
        let now = Sent::begin(client, request, current);
        let read = read_batch(reading).await;
        if let Some(before) = sent.replace(now) {
            before.answered(gathering).await?;
        }
        (reading, batch) = read?;
    }
    if let Some(last) = sent {
        last.answered(gathering).await?;
    }
    Ok(())
}

type Answered = Result<ImportAnswer, ApiError>;

/// A batch on its way.
struct Sent {
    batch: Batch,
    answer: JoinHandle<Answered>,
}

impl Sent {
    fn begin(client: &Client, request: &Import, mut batch: Batch) -> Self {
        let import = ImportBatch {
            group: request.group.clone(),
            kind: request.kind.clone(),
            drafts: std::mem::take(&mut batch.json),
            dry_run: request.dry_run,
            editors: request.editors.clone(),
            override_reason: request.override_reason.clone(),
        };
        let answer = tokio::spawn(send(client.clone(), import));
        Self { batch, answer }
    }

    /// Whether a later batch may change a record that this one creates or changes.
    fn shares_a_record_with(&self, later: &Batch) -> bool {
        let own: BTreeSet<&str> = self.batch.drafts.iter().flat_map(names_of).collect();
        let mut theirs = later.drafts.iter().flat_map(names_of);
        theirs.any(|name| own.contains(name))
    }

    async fn answered(self, gathering: &mut Gathering<'_>) -> Result<(), ApiError> {
        let answer = self.answer.await;
        let answer =
            answer.map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error));
        gathering.take(self.batch, answer??);
        Ok(())
    }
}

/// What says that a draft is a state of a record: its key at its source, the record's id, its file's name.
fn names_of(draft: &Draft) -> impl Iterator<Item = &str> {
    let names = [&draft.import_key, &draft.record, &draft.file_name];
    names.into_iter().flatten().map(String::as_str)
}

/// Sends the drafts of a batch; a batch of skipped files only needs no request.
async fn send(client: Client, batch: ImportBatch<Box<RawValue>>) -> Answered {
    if batch.drafts.is_empty() {
        return Ok(ImportAnswer::default());
    }
    let answer = client.import_batch(&batch).await?;
    if answer.outcomes.len() != batch.drafts.len() {
        return Err(ApiError::new(ErrorCode::Internal).with(
            "detail",
            format_args!(
                "{} outcomes for {} drafts",
                answer.outcomes.len(),
                batch.drafts.len()
            ),
        ));
    }
    Ok(answer)
}

/// The report as it grows.
pub(super) struct Gathering<'p> {
    pub(super) report: Report,
    progress: &'p mut (dyn FnMut(Progress<'_>) + Send),
    documents: usize,
    bytes: u64,
}

impl Gathering<'_> {
    fn take(&mut self, batch: Batch, answer: ImportAnswer) {
        let ImportAnswer {
            outcomes,
            seq,
            warnings,
        } = answer;
        self.warn(&batch.sources, &warnings);
        let documents = batch.sources.into_iter().zip(&batch.drafts).zip(outcomes);
        for ((sources, draft), outcome) in documents {
            if !matches!(outcome, ImportOutcome::Skipped { .. }) {
                self.count(&sources, draft);
            }
            match outcome {
                ImportOutcome::Created { record } => {
                    self.report.created += 1;
                    self.imported(record, Outcome::Created, sources);
                }
                ImportOutcome::Updated { record } => {
                    self.report.updated += 1;
                    self.imported(record, Outcome::Updated, sources);
                }
                ImportOutcome::Unchanged { record } => {
                    self.report.unchanged += 1;
                    self.imported(record, Outcome::Unchanged, sources);
                }
                ImportOutcome::Skipped { error } => self.refuse(sources, &error),
            }
        }
        self.refuse(batch.oversize, &oversize());
        self.skip_documents(batch.skipped);
        self.report.warnings.extend(batch.warnings);
        self.report.seq = self.report.seq.max(seq);
        self.documents += batch.documents;
        self.bytes += batch.bytes;
        (self.progress)(Progress::Batch {
            documents: self.documents,
            bytes: self.bytes,
        });
    }

    pub(super) fn count(&mut self, sources: &[String], draft: &Draft) {
        self.report.files += sources.len() as u64;
        let texts = [&draft.title, &draft.summary, &draft.body].into_iter();
        let languages: BTreeSet<&String> = texts.flat_map(|texts| texts.keys()).collect();
        for language in languages {
            let counted = self.report.languages.entry(language.clone());
            *counted.or_default() += 1;
        }
    }

    pub(super) fn imported(&mut self, record: String, outcome: Outcome, sources: Vec<String>) {
        let imported = ImportedRecord {
            record,
            outcome,
            sources,
        };
        (self.progress)(Progress::Imported(&imported));
        self.report.records.push(imported);
    }

    pub(super) fn refuse(&mut self, sources: Vec<String>, error: &ApiError) {
        for source in sources {
            self.skip(source, SkippedFor::Node(error.clone()));
        }
    }

    fn skip_documents(&mut self, skipped: Vec<document::Skipped>) {
        for document::Skipped { source, reason } in skipped {
            self.skip(source, SkippedFor::Document(reason));
        }
    }

    /// What the publication guard said to documents that were imported all the same, a rule once.
    pub(super) fn warn(&mut self, sources: &[Vec<String>], warnings: &[DraftWarning]) {
        for warned in warnings {
            let source = sources.get(warned.draft).and_then(|files| files.first());
            let Some(source) = source else { continue };
            let mut rules = BTreeSet::new();
            for hit in &warned.hits {
                if !rules.insert(&hit.rule) {
                    continue;
                }
                self.report.warnings.push(Warned {
                    source: source.clone(),
                    warning: Warning::Guard {
                        rule: hit.rule.clone(),
                        field: hit.field.clone(),
                        line: hit.line,
                        text: hit.text.clone(),
                    },
                });
            }
        }
    }

    pub(super) fn skip(&mut self, source: String, reason: SkippedFor) {
        let skipped = Skipped { source, reason };
        (self.progress)(Progress::Skipped(&skipped));
        self.report.skipped.push(skipped);
    }
}

/// Documents read together, sent together.
#[derive(Default)]
struct Batch {
    drafts: Vec<Draft>,
    /// The drafts as they are sent.
    json: Vec<Box<RawValue>>,
    /// The files of each draft.
    sources: Vec<Vec<String>>,
    skipped: Vec<document::Skipped>,
    /// Files whose drafts no request could carry.
    oversize: Vec<String>,
    warnings: Vec<Warned>,
    /// Documents that were read to their end.
    documents: usize,
    bytes: u64,
    /// Bytes of the drafts as they are sent.
    json_bytes: usize,
}

impl Batch {
    /// Takes what was read; gives it back when its draft belongs into the next batch.
    fn take(&mut self, mut loaded: Loaded) -> Option<Loaded> {
        if let Some(draft) = loaded.draft.take() {
            match sendable(&draft) {
                Some(json) if !self.has_room_for(json.get().len()) => {
                    loaded.draft = Some(draft);
                    return Some(loaded);
                }
                Some(json) => {
                    self.json_bytes += json.get().len();
                    self.json.push(json);
                    self.drafts.push(draft);
                    self.sources.push(loaded.sources);
                }
                None => self.oversize.extend(loaded.sources),
            }
        }
        self.skipped.extend(loaded.skipped);
        self.warnings.extend(loaded.warnings);
        self.bytes += loaded.bytes;
        None
    }

    /// Whether a draft of this size still belongs into the batch; a large one goes alone.
    fn has_room_for(&self, json_bytes: usize) -> bool {
        self.drafts.is_empty()
            || (self.drafts.len() < IMPORT_BATCH_DRAFTS
                && self.json_bytes + json_bytes <= BATCH_BYTES)
    }
}

/// How far the documents were read, in the plan's order.
struct Reading {
    plan: Plan,
    options: Options,
    next: usize,
    current: Option<document::Reader>,
    /// What was read and did not fit the batch before.
    waiting: Option<Loaded>,
}

impl Reading {
    /// The next batch; none when everything was read.
    fn batch(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        loop {
            if let Some(loaded) = self.waiting.take() {
                self.waiting = batch.take(loaded);
                if self.waiting.is_some() {
                    return Some(batch);
                }
            }
            if let Some(reader) = &mut self.current {
                self.waiting = reader.next();
                if self.waiting.is_none() {
                    self.current = None;
                    batch.documents += 1;
                }
                continue;
            }
            let Some(document) = self.plan.documents().get(self.next) else {
                return (batch.documents > 0 || batch.bytes > 0).then_some(batch);
            };
            self.next += 1;
            self.current = Some(document::read(document, &self.options));
        }
    }
}

async fn open(request: &Import) -> Result<Reading, ImportError> {
    let paths = request.paths.clone();
    let options = request.options.clone();
    let reading = apart(move || {
        let plan = document::scan(&paths, &options)?;
        Ok::<_, ScanError>(Reading {
            plan,
            options,
            next: 0,
            current: None,
            waiting: None,
        })
    });
    Ok(reading.await??)
}

/// Reads the next batch on a thread where reading files may block.
async fn read_batch(mut reading: Reading) -> Result<(Reading, Option<Batch>), ApiError> {
    apart(move || {
        let batch = reading.batch();
        (reading, batch)
    })
    .await
}

pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ApiError::new(ErrorCode::Internal).with("detail", error))
}

fn oversize() -> ApiError {
    ApiError::new(ErrorCode::TooLarge)
        .with("field", "document")
        .with("bytes", format_args!("more than {DRAFT_BYTES_MAX}"))
        .with("limit", DRAFT_BYTES_MAX)
}

/// A draft in JSON; none where no request can carry it.
fn sendable(draft: &Draft) -> Option<Box<RawValue>> {
    let json = serde_json::value::to_raw_value(draft).ok()?;
    (json.get().len() <= DRAFT_BYTES_MAX).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(draft: Draft) -> Sent {
        let drafts = vec![Draft::default(), draft];
        Sent {
            batch: Batch {
                drafts,
                ..Batch::default()
            },
            answer: tokio::spawn(async { Ok(ImportAnswer::default()) }),
        }
    }

    #[tokio::test]
    async fn a_document_waits_for_the_one_that_it_may_be_a_state_of() {
        let named = |name: &str| Some(name.to_owned());
        let drafts = [
            Draft {
                import_key: named("key"),
                ..Draft::default()
            },
            Draft {
                record: named("id"),
                ..Draft::default()
            },
            Draft {
                file_name: named("README.md"),
                ..Draft::default()
            },
        ];
        for (at, before) in drafts.iter().enumerate() {
            for (later, draft) in drafts.iter().enumerate() {
                let batch = Batch {
                    drafts: vec![draft.clone()],
                    ..Batch::default()
                };
                let shares = sent(before.clone()).shares_a_record_with(&batch);
                assert_eq!(shares, at == later);
            }
        }
    }
}
