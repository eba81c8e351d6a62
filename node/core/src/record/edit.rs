//! Local edits: from what an officer wants the record to say to change payloads that merge.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{Transactable, Transaction};
use automerge::{Automerge, AutomergeError, ChangeHash, ObjType, ReadDoc};

use super::base::{self, Maps};
use super::content::{Content, ContentError};
use super::gate::{self, ChangePayload, ChangeReason};
use super::genesis::Genesis;
use super::replay::{AuthoredChange, Detail, Replay, Version};
use super::says::read;
use super::splice::{Splice, splices};
use crate::id::{RecordId, Writer};
use crate::limits;
use crate::wire;

/// What is to change; everything else stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Key (`body.fr`) to new text; none removes it.
    pub texts: BTreeMap<String, Option<String>>,
    /// Field to new value; none removes it.
    pub values: BTreeMap<String, Option<String>>,
    /// Field to its whole new set.
    pub sets: BTreeMap<String, BTreeSet<String>>,
    /// The whole new set of links, as `relation.record`.
    pub links: Option<BTreeSet<String>>,
}

/// Why an edit was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The record says this already.
    #[error("the edit changes nothing")]
    NothingChanged,
    /// The record has no such version.
    #[error("the record has no version {0}")]
    UnknownVersion(Version),
    /// The record would break a bound.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The document refused it: a fault of ours.
    #[error("the document refused the edit: {0}")]
    Document(String),
}

impl From<AutomergeError> for EditError {
    fn from(error: AutomergeError) -> Self {
        Self::Document(error.to_string())
    }
}

impl From<ChangeReason> for EditError {
    fn from(reason: ChangeReason) -> Self {
        Self::Document(reason.to_string())
    }
}

impl Edit {
    /// The content after the edit.
    #[must_use]
    pub fn on(&self, content: &Content) -> Content {
        let mut after = content.clone();
        put_all(&mut after.texts, &self.texts);
        put_all(&mut after.values, &self.values);
        for (field, items) in &self.sets {
            after.set_set(field, items);
        }
        if let Some(links) = &self.links {
            after.links.clone_from(links);
        }
        after
    }
}

fn put_all(map: &mut BTreeMap<String, String>, edits: &BTreeMap<String, Option<String>>) {
    for (key, value) in edits {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    }
}

/// The payloads of the change entries that make an edit, in order.
///
/// With `base`, the edit was made on that version: what others changed since then stays.
///
/// # Errors
/// [`EditError`] where nothing changes, the version is unknown or a bound would break.
pub fn change_payloads(
    genesis: &Genesis,
    record: &RecordId,
    changes: &[AuthoredChange],
    base: Option<&Version>,
    edit: &Edit,
    writer: &Writer,
) -> Result<Vec<Vec<u8>>, EditError> {
    let mut replay = Replay::run(genesis, record, changes, Detail::Result);
    let target = match base.filter(|base| **base != replay.version()) {
        Some(base) => rebased(&mut replay, base, edit)?,
        None => edit.on(&replay.content),
    };
    if target == replay.content {
        return Err(EditError::NothingChanged);
    }
    target.check()?;
    let operations = operations(&replay.content, &target);
    write(replay, operations, writer)
}

/// What the record says when an edit of an older version is merged with what came since.
fn rebased(replay: &mut Replay<'_>, base: &Version, edit: &Edit) -> Result<Content, EditError> {
    replay.open().ok_or(ChangeReason::Apply)?;
    let concerned = edit
        .texts
        .keys()
        .filter(|key| replay.genesis.content.texts.contains_key(*key));
    for key in concerned.cloned().collect::<Vec<_>>() {
        replay.promote(&key)?;
    }
    let mut heads = match *base == Version::first(&replay.record) {
        true => Vec::new(),
        false => replay
            .heads_of(base)
            .ok_or(EditError::UnknownVersion(*base))?,
    };
    heads.extend(
        replay
            .promoted
            .iter()
            .filter(|(key, _)| edit.texts.contains_key(*key))
            .map(|(_, h)| *h),
    );
    let doc = replay.document()?.clone();
    if heads.is_empty() {
        heads.extend(root_head(&doc));
    }
    let mut fork = doc.fork_at(&heads)?.with_actor(base::actor(&[b"rebase"]));
    let there = promoted_in(&fork, &replay.promoted);
    let before = read(&fork, replay.genesis, &there).ok_or(ChangeReason::Schema)?;
    let maps = Maps::of(&fork).ok_or(ChangeReason::Schema)?;
    for operation in operations(&before, &edit.on(&before)) {
        base::commit(&mut fork, |tx| operation.write(tx, &maps))?;
    }
    let mut merged = doc;
    merged.merge(&mut fork)?;
    read(&merged, replay.genesis, &replay.promoted).ok_or_else(|| ChangeReason::Schema.into())
}

fn root_head(doc: &Automerge) -> Option<ChangeHash> {
    doc.get_changes(&[]).first().map(automerge::Change::hash)
}

fn promoted_in(
    doc: &Automerge,
    promoted: &BTreeMap<String, ChangeHash>,
) -> BTreeMap<String, ChangeHash> {
    let there = |(_, hash): &(&String, &ChangeHash)| doc.get_change_by_hash(hash).is_some();
    promoted
        .iter()
        .filter(there)
        .map(|(key, hash)| (key.clone(), *hash))
        .collect()
}

/// One small change of the document.
enum Operation {
    NewText(String),
    RemoveText(String),
    SpliceText(String, Splice),
    Value(String, Option<String>),
    Item(String, bool),
    Link(String, bool),
}

/// The operations from one content to another, each within [`limits::EDIT_CHARS`].
fn operations(from: &Content, to: &Content) -> Vec<Operation> {
    let mut operations = Vec::new();
    for key in from.texts.keys().filter(|key| !to.texts.contains_key(*key)) {
        operations.push(Operation::RemoveText(key.clone()));
    }
    for (key, text) in &to.texts {
        let old = from.texts.get(key);
        if old == Some(text) {
            continue;
        }
        if old.is_none() {
            operations.push(Operation::NewText(key.clone()));
        }
        let cut = |splice: Splice| splice.cut(limits::EDIT_CHARS);
        for splice in splices(old.map_or("", String::as_str), text)
            .into_iter()
            .flat_map(cut)
        {
            operations.push(Operation::SpliceText(key.clone(), splice));
        }
    }
    for key in from
        .values
        .keys()
        .filter(|key| !to.values.contains_key(*key))
    {
        operations.push(Operation::Value(key.clone(), None));
    }
    for (key, value) in to
        .values
        .iter()
        .filter(|(key, value)| from.values.get(*key) != Some(value))
    {
        operations.push(Operation::Value(key.clone(), Some(value.clone())));
    }
    let differences = |from: &BTreeSet<String>, to: &BTreeSet<String>| {
        let changed = from
            .symmetric_difference(to)
            .map(|key| (key.clone(), to.contains(key)));
        changed.collect::<Vec<_>>()
    };
    let items = differences(&from.sets, &to.sets).into_iter();
    operations.extend(items.map(|(key, present)| Operation::Item(key, present)));
    let links = differences(&from.links, &to.links).into_iter();
    operations.extend(links.map(|(key, present)| Operation::Link(key, present)));
    operations
}

impl Operation {
    fn cost(&self) -> usize {
        match self {
            Operation::SpliceText(_, splice) => splice.cost(),
            _ => 1,
        }
    }

    /// The text that must be in the document before.
    fn needs_base(&self) -> Option<&String> {
        match self {
            Operation::RemoveText(key) | Operation::SpliceText(key, _) => Some(key),
            _ => None,
        }
    }

    fn write(&self, tx: &mut Transaction<'_>, maps: &Maps) -> Result<(), AutomergeError> {
        let set = |tx: &mut Transaction<'_>, map, key: &String, present: bool| match present {
            true => tx.put(map, key.as_str(), true),
            false => tx.delete(map, key.as_str()),
        };
        match self {
            Operation::NewText(key) => tx
                .put_object(&maps.texts, key.as_str(), ObjType::Text)
                .map(drop),
            Operation::RemoveText(key) => tx.delete(&maps.texts, key.as_str()),
            Operation::SpliceText(key, splice) => {
                let found = tx.get(&maps.texts, key.as_str())?;
                let (_, object) = found.ok_or(AutomergeError::Fail)?;
                let delete = isize::try_from(splice.delete).map_err(|_| AutomergeError::Fail)?;
                tx.splice_text(&object, splice.at, delete, &splice.insert)
            }
            Operation::Value(field, Some(value)) => {
                tx.put(&maps.values, field.as_str(), value.as_str())
            }
            Operation::Value(field, None) => tx.delete(&maps.values, field.as_str()),
            Operation::Item(key, present) => set(tx, &maps.sets, key, *present),
            Operation::Link(key, present) => set(tx, &maps.links, key, *present),
        }
    }
}

/// Writes the operations as the writer's changes, each within its bounds.
fn write(
    mut replay: Replay<'_>,
    operations: Vec<Operation>,
    writer: &Writer,
) -> Result<Vec<Vec<u8>>, EditError> {
    replay.open().ok_or(ChangeReason::Apply)?;
    for key in operations.iter().filter_map(Operation::needs_base) {
        if replay.genesis.content.texts.contains_key(key) {
            replay.promote(key)?;
        }
    }
    // Rebasing may have put more into the document than the operations need. The change depends on
    // all that is there, so it names all that nobody named before.
    let named = &replay.named;
    let fresh = replay.promoted.keys().filter(|key| !named.contains(*key));
    let mut bases: Vec<String> = fresh.cloned().collect();
    let actor = gate::actor_of(writer, &replay.record);
    let mut doc = replay.document()?.clone().with_actor(actor);
    let maps = Maps::of(&doc).ok_or(ChangeReason::Schema)?;
    let mut payloads = Vec::new();
    for chunk in chunks(operations) {
        base::commit(&mut doc, |tx| {
            chunk.iter().try_for_each(|op| op.write(tx, &maps))
        })?;
        let change = doc.get_last_local_change().ok_or(ChangeReason::Apply)?;
        let payload = ChangePayload {
            bases: std::mem::take(&mut bases),
            change: change.raw_bytes().to_vec(),
        };
        payloads.push(wire::encode(&payload));
    }
    Ok(payloads)
}

/// Groups operations so that no change exceeds [`limits::EDIT_CHARS`].
fn chunks(operations: Vec<Operation>) -> Vec<Vec<Operation>> {
    let mut chunks: Vec<Vec<Operation>> = Vec::new();
    let mut room = 0;
    for operation in operations {
        let cost = operation.cost();
        if cost > room || chunks.is_empty() {
            chunks.push(Vec::new());
            room = limits::EDIT_CHARS;
        }
        room = room.saturating_sub(cost);
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(operation);
        }
    }
    chunks
}
