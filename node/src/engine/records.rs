//! Writing records: new ones, edits, and batches of imported documents.

use std::collections::{BTreeMap, BTreeSet};

use diwan_api::error::{ApiError, ErrorCode};
use diwan_core::id::{GroupId, RecordId};
use diwan_core::limits;
use diwan_core::log::Payload;
use diwan_core::record::{
    Content, ContentError, Edit, EditError, Editors, Genesis, Version, change_payloads, kind,
};
use diwan_core::verify::{OwnEntry, OwnKind};
use diwan_core::wire::{self, Domain};

use super::step::Step;
use super::{EngineError, changes};
use crate::store::{RecordRow, StoreError};

/// A record that is to be written.
#[derive(Clone, Debug)]
pub struct RecordDraft {
    /// Kind.
    pub kind: String,
    /// What it says. Without a label, a new record gets the group's, and a known one keeps its own.
    pub content: Content,
    /// Who may edit it besides this agency.
    pub editors: Editors,
    /// The record that this is a newer state of, if it is known by id.
    pub record: Option<RecordId>,
    /// The imported document's name, without its folders.
    pub file_name: Option<String>,
}

/// What became of a draft of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftOutcome {
    /// A new record.
    Created(RecordId),
    /// The record said something else before.
    Updated(RecordId),
    /// The record says this already.
    Unchanged(RecordId),
    /// Refused; the others of the batch are not concerned.
    Skipped(ApiError),
}

/// A record after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditDone {
    /// Its version.
    pub version: Version,
    /// The store sequence that holds it.
    pub seq: u64,
}

impl Step<'_, '_> {
    /// Writes a new record.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the group, the kind or the content does not allow it.
    pub fn create_record(
        &mut self,
        group: &GroupId,
        draft: RecordDraft,
    ) -> Result<(RecordId, u64), EngineError> {
        self.writable_group(group)?;
        let (record, entry) = self.genesis_entry(group, draft)?;
        self.write_own(group, vec![entry])?;
        Ok((record, self.store_seq()?))
    }

    /// The group of a record.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where there is no such record.
    pub fn group_of(&self, record: &RecordId) -> Result<GroupId, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", record);
        let num = self.tables.record_num(record)?.ok_or_else(unknown)?;
        Ok(self.tables.record(num)?.ok_or_else(unknown)?.group)
    }

    fn genesis_entry(
        &self,
        group: &GroupId,
        mut draft: RecordDraft,
    ) -> Result<(RecordId, OwnEntry), EngineError> {
        if kind(&draft.kind).is_none() {
            return Err(ApiError::new(ErrorCode::UnknownName)
                .with("field", "kind")
                .with("value", &draft.kind)
                .with("nearest", nearest_kind(&draft.kind))
                .into());
        }
        let label = self.writable_group(group)?.tlp().name();
        let values = &mut draft.content.values;
        values
            .entry("tlp".to_owned())
            .or_insert_with(|| label.to_owned());
        let genesis = Genesis {
            group: *group,
            origin: self.me().agency,
            kind: draft.kind,
            editors: draft.editors,
            content: draft.content,
        };
        genesis
            .content
            .check()
            .map_err(|error| content_refused(&error))?;
        genesis
            .check()
            .map_err(|error| ApiError::invalid("record", "", &error.to_string()))?;
        let bytes = genesis.to_bytes();
        if bytes.len() > limits::PAYLOAD_BYTES {
            return Err(ApiError::new(ErrorCode::TooLarge)
                .with("field", "record")
                .with("bytes", bytes.len())
                .with("limit", limits::PAYLOAD_BYTES)
                .into());
        }
        let payload = Payload::new(self.salt()?, bytes);
        Ok((
            RecordId(payload.hash()),
            OwnEntry {
                kind: OwnKind::Genesis,
                payload,
            },
        ))
    }

    /// Begins a new incarnation where too many of this node's own changes of a record do not count:
    /// what they built on does not any more, and behind them nobody would look at further ones.
    fn make_room_to_edit(&mut self, group: &GroupId, num: u64) -> Result<(), StoreError> {
        let Some(own) = self.state.logs.get(&(*group, self.me().writer())).copied() else {
            return Ok(());
        };
        let mut uncounted = 0;
        for (log, seq) in self.tables.changes(num)? {
            let is_own = log == own && self.tables.quarantine_reason(log, seq)?.is_some();
            uncounted += usize::from(is_own);
        }
        match uncounted >= limits::UNCOUNTED_CHANGES / 2 {
            true => self.renew(),
            false => Ok(()),
        }
    }

    /// Edits a record. With `base`, the edit was made on that version, and what others changed
    /// since then stays.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where the record is unknown, this agency is no editor, or nothing
    /// changes.
    pub fn edit_record(
        &mut self,
        record: &RecordId,
        base: Option<&Version>,
        edit: &Edit,
    ) -> Result<EditDone, EngineError> {
        let unknown = || ApiError::new(ErrorCode::UnknownRecord).with("id", record);
        let num = self.tables.record_num(record)?.ok_or_else(unknown)?;
        let row = self.tables.record(num)?.ok_or_else(unknown)?;
        self.writable_group(&row.group)?;
        let genesis = self.genesis(&row)?.ok_or_else(unknown)?;
        if !genesis.may_edit(&self.me().agency) {
            let origin = self.replica().agency(&row.origin);
            let origin = origin.map_or_else(|| row.origin.short(), |a| a.genesis().short.clone());
            return Err(ApiError::new(ErrorCode::NotEditor)
                .with("record", record.short())
                .with("origin", origin)
                .into());
        }
        self.judge_if_due(num)?;
        self.make_room_to_edit(&row.group, num)?;
        let changes = changes::counted(self, num)?;
        let writer = self.me().writer();
        let payloads = change_payloads(&genesis, record, &changes, base, edit, &writer)
            .map_err(|error| edit_refused(record, error))?;
        let own = |bytes| {
            Ok(OwnEntry {
                kind: OwnKind::Change(*record),
                payload: Payload::new(self.salt()?, bytes),
            })
        };
        let entries = payloads
            .into_iter()
            .map(own)
            .collect::<Result<Vec<_>, EngineError>>()?;
        self.write_own(&row.group, entries)?;
        let version = self
            .tables
            .record(num)?
            .map_or(row.version, |row| row.version)
            .into();
        Ok(EditDone {
            version,
            seq: self.store_seq()?,
        })
    }

    pub(super) fn genesis(&self, row: &RecordRow) -> Result<Option<Genesis>, EngineError> {
        let entry = self.tables.entry(row.log, row.seq)?;
        let payload = entry.and_then(|entry| entry.payload);
        Ok(payload.and_then(|payload| Genesis::from_bytes(&payload.bytes).ok()))
    }

    /// Imports a batch. A draft that is bad is skipped; the others are written.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where this agency may not write in the group at all.
    pub fn import(
        &mut self,
        group: &GroupId,
        drafts: Vec<Result<RecordDraft, ApiError>>,
        dry_run: bool,
    ) -> Result<Vec<DraftOutcome>, EngineError> {
        self.writable_group(group)?;
        let mut outcomes = Vec::with_capacity(drafts.len());
        let mut created = Created::default();
        for draft in drafts {
            let outcome = match draft {
                Err(error) => DraftOutcome::Skipped(error),
                Ok(draft) => match self.import_one(group, draft, &mut created, dry_run) {
                    Err(EngineError::Refused(error)) => DraftOutcome::Skipped(error),
                    outcome => outcome?,
                },
            };
            outcomes.push(outcome);
        }
        if !created.entries.is_empty() {
            self.write_own(group, created.entries)?;
        }
        let place = self.tables.group_row(group)?.num;
        for (texts, record) in created.texts {
            if let Some(num) = self.tables.record_num(&record)? {
                self.tables.put_import(place, &texts, num)?;
            }
        }
        Ok(outcomes)
    }

    fn import_one(
        &mut self,
        group: &GroupId,
        mut draft: RecordDraft,
        created: &mut Created,
        dry_run: bool,
    ) -> Result<DraftOutcome, EngineError> {
        let by_id = match &draft.record {
            Some(record) => self.record_in(group, record)?,
            None => None,
        };
        if by_id.is_some() {
            // Where a copy of a record lies on somebody's disk is no part of the record.
            draft.content.values.remove("import_key");
        } else if let Some(record) = &draft.record {
            let key = key_of_record(record);
            let values = &mut draft.content.values;
            values.entry("import_key".to_owned()).or_insert(key);
        }
        let key = draft.content.value("import_key").map(str::to_owned);
        let texts = draft.file_name.as_deref();
        let texts = texts.map(|name| key_of_texts(name, &draft.content));
        if let Some(record) = key.as_ref().and_then(|key| created.by_key.get(key)) {
            return Ok(DraftOutcome::Unchanged(*record));
        }
        let known = match by_id {
            Some(known) => Some(known),
            None => self.known_by_key(group, &draft, key.as_deref(), texts.as_deref())?,
        };
        if let Some((num, row)) = known {
            draft.content.values.remove("import_key");
            let Some(now) = self.tables.content(num, &row)? else {
                return Ok(DraftOutcome::Unchanged(row.id));
            };
            let edit = edit_towards(&now, &draft.content);
            if edit.on(&now) == now {
                return Ok(DraftOutcome::Unchanged(row.id));
            }
            if !dry_run {
                self.edit_record(&row.id, None, &edit)?;
                if let Some(texts) = &texts {
                    let group = self.tables.group_row(group)?.num;
                    self.tables.put_import(group, texts, num)?;
                }
            }
            return Ok(DraftOutcome::Updated(row.id));
        }
        let (record, entry) = self.genesis_entry(group, draft)?;
        created.by_key.extend(key.map(|key| (key, record)));
        if !dry_run {
            created.entries.push(entry);
            created.texts.extend(texts.map(|texts| (texts, record)));
        }
        Ok(DraftOutcome::Created(record))
    }

    /// A record of a group.
    fn record_in(
        &mut self,
        group: &GroupId,
        record: &RecordId,
    ) -> Result<Option<(u64, RecordRow)>, EngineError> {
        let Some(num) = self.tables.record_num(record)? else {
            return Ok(None);
        };
        self.judge_if_due(num)?;
        let row = self.tables.record(num)?.filter(|row| row.group == *group);
        Ok(row.map(|row| (num, row)))
    }

    /// The record that a document was imported as before: under this key, or, from another folder,
    /// with the very same texts.
    fn known_by_key(
        &mut self,
        group: &GroupId,
        draft: &RecordDraft,
        key: Option<&str>,
        texts: Option<&str>,
    ) -> Result<Option<(u64, RecordRow)>, EngineError> {
        let place = self.tables.group_row(group)?.num;
        for (key, only_if_same) in [(key, false), (texts, true)] {
            let Some(key) = key else { continue };
            let Some(num) = self.tables.import(place, key)? else {
                continue;
            };
            self.judge_if_due(num)?;
            let row = self.tables.record(num)?.filter(|row| row.group == *group);
            let Some(row) = row else { continue };
            let now = self.tables.content(num, &row)?;
            let is_same = now.is_some_and(|now| now.texts == draft.content.texts);
            if is_same || !only_if_same {
                return Ok(Some((num, row)));
            }
        }
        Ok(None)
    }
}

/// Under which key a copy of a record of another group is imported.
fn key_of_record(record: &RecordId) -> String {
    short_hash(&[b"copy of a record", record.as_bytes()])
}

/// Under which key a document of this name with these texts was imported, whatever folder it lay
/// in.
fn key_of_texts(name: &str, content: &Content) -> String {
    short_hash(&[b"texts", name.as_bytes(), &wire::encode(&content.texts)])
}

fn short_hash(parts: &[&[u8]]) -> String {
    let hash = RecordId(wire::hash(Domain::State, parts)).to_string();
    hash.chars().take(32).collect()
}

#[derive(Default)]
struct Created {
    entries: Vec<OwnEntry>,
    by_key: BTreeMap<String, RecordId>,
    texts: Vec<(String, RecordId)>,
}

/// The edit by which a record comes to say what an imported document says. What the document does
/// not mention stays: absence is never deletion.
pub(crate) fn edit_towards(now: &Content, document: &Content) -> Edit {
    let some = |(key, value): (&String, &String)| (key.clone(), Some(value.clone()));
    let mut edit = Edit {
        texts: document.texts.iter().map(some).collect(),
        values: document.values.iter().map(some).collect(),
        ..Edit::default()
    };
    let fields: BTreeSet<&str> = document
        .sets
        .iter()
        .filter_map(|key| key.split('.').next())
        .collect();
    for field in fields {
        edit.sets.insert(
            field.to_owned(),
            document.set_of(field).into_iter().collect(),
        );
    }
    if !document.links.is_empty() {
        edit.links = Some(now.links.union(&document.links).cloned().collect());
    }
    edit
}

fn nearest_kind(name: &str) -> &'static str {
    let distance = |kind: &&diwan_core::record::Kind| strsim::damerau_levenshtein(kind.name, name);
    diwan_core::record::kinds()
        .iter()
        .min_by_key(distance)
        .map_or("", |kind| kind.name)
}

fn content_refused(error: &ContentError) -> ApiError {
    match error {
        ContentError::TooLong {
            field,
            bytes,
            limit,
        } => ApiError::new(ErrorCode::TooLarge)
            .with("field", field)
            .with("bytes", bytes)
            .with("limit", limit),
        ContentError::Tlp(label) => {
            ApiError::invalid("tlp", label, "CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
        }
        ContentError::Lang(lang) => {
            ApiError::invalid("lang", lang, "a language tag such as fr, en, ar or pt-BR")
        }
        other => ApiError::invalid("record", "", &other.to_string()),
    }
}

fn edit_refused(record: &RecordId, error: EditError) -> ApiError {
    match error {
        EditError::NothingChanged => {
            ApiError::new(ErrorCode::NothingChanged).with("record", record.short())
        }
        EditError::UnknownVersion(version) => ApiError::new(ErrorCode::UnknownVersion)
            .with("version", version)
            .with("record", record.short()),
        EditError::Content(error) => content_refused(&error),
        EditError::Document(detail) => ApiError::new(ErrorCode::Internal).with("detail", detail),
    }
}
