//! The derived base of a record's document: the same on every node, from the first version alone.
//!
//! The root change holds the maps, values, sets and links. Each text has a base change of its own,
//! made only when a first edit concerns that text: an edit of one paragraph in French does not pay
//! for the record's nine other languages. See `docs/decisions/base-change-per-text.md`.

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{ActorId, Automerge, AutomergeError, Change, ObjType, ROOT, ReadDoc, Value};

use super::genesis::Genesis;
use crate::wire::{self, Domain};

/// The maps below the document's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Maps {
    pub(super) texts: automerge::ObjId,
    pub(super) values: automerge::ObjId,
    pub(super) sets: automerge::ObjId,
    pub(super) links: automerge::ObjId,
}

impl Maps {
    /// The maps of a document; none when one is missing, no map, or has a rival.
    pub(super) fn of(doc: &Automerge) -> Option<Self> {
        let map = |name: &str| match doc.get_all(ROOT, name).ok()?.as_slice() {
            [(Value::Object(ObjType::Map), id)] => Some(id.clone()),
            _ => None,
        };
        Some(Self {
            texts: map("texts")?,
            values: map("values")?,
            sets: map("sets")?,
            links: map("links")?,
        })
    }
}

/// An actor of 16 bytes that is derived from the parts.
pub(super) fn actor(parts: &[&[u8]]) -> ActorId {
    let hash = wire::hash(Domain::Actor, parts);
    ActorId::from(hash.first_chunk::<16>().copied().unwrap_or_default())
}

/// The document that only holds the root change.
pub(super) fn root(genesis: &Genesis) -> Result<Automerge, AutomergeError> {
    let mut doc = Automerge::new().with_actor(actor(&[b"root"]));
    let content = &genesis.content;
    commit(&mut doc, |tx| {
        tx.put_object(ROOT, "texts", ObjType::Map)?;
        let values = tx.put_object(ROOT, "values", ObjType::Map)?;
        for (field, value) in &content.values {
            tx.put(&values, field.as_str(), value.as_str())?;
        }
        for (name, keys) in [("sets", &content.sets), ("links", &content.links)] {
            let map = tx.put_object(ROOT, name, ObjType::Map)?;
            for key in keys {
                tx.put(&map, key.as_str(), true)?;
            }
        }
        Ok(())
    })?;
    Ok(doc)
}

/// The base change of one text, on the root document.
pub(super) fn text(root: &Automerge, key: &str, text: &str) -> Result<Change, AutomergeError> {
    let mut doc = root.clone().with_actor(actor(&[b"text", key.as_bytes()]));
    let maps = Maps::of(&doc).ok_or(AutomergeError::Fail)?;
    commit(&mut doc, |tx| {
        let object = tx.put_object(&maps.texts, key, ObjType::Text)?;
        tx.splice_text(&object, 0, 0, text)
    })?;
    doc.get_last_local_change().ok_or(AutomergeError::Fail)
}

/// One transaction at time zero: no clock enters a change.
pub(super) fn commit(
    doc: &mut Automerge,
    write: impl FnOnce(&mut Transaction<'_>) -> Result<(), AutomergeError>,
) -> Result<(), AutomergeError> {
    let mut tx = doc.transaction();
    match write(&mut tx) {
        Ok(()) => {
            tx.commit_with(CommitOptions::default().with_time(0));
            Ok(())
        }
        Err(error) => {
            tx.rollback();
            Err(error)
        }
    }
}
