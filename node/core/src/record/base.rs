//! The derived base of a record's document: the same on every node, from the first version alone.
//!
//! The root change holds the maps, values, sets and links. Each text has a base change of its own,
//! made only when a first edit concerns that text: an edit of one paragraph in French does not pay
//! for the record's nine other languages. See `docs/decisions/base-change-per-text.md`.

mod encode;

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{
    ActorId, Automerge, AutomergeError, Change, ChangeHash, ObjType, ROOT, ReadDoc, Value,
};

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

/// The base change of one text, before Automerge sees it.
#[derive(Clone, Debug)]
pub(super) struct TextBase {
    pub(super) hash: ChangeHash,
    /// The root change, on which it stands.
    pub(super) root: ChangeHash,
    pub(super) actor: ActorId,
    /// The operation that makes the text; each further one inserts a character.
    pub(super) start_op: u64,
    pub(super) bytes: Vec<u8>,
}

/// The base change of one text, on the root change: on the root document alone, under the text's own
/// actor, a text object and one splice with the whole text.
pub(super) fn text(root: &Change, key: &str, text: &str) -> TextBase {
    let actor = actor(&[b"text", key.as_bytes()]);
    let start_op = root.max_op() + 1;
    let (bytes, hash) = encode::change(&encode::Parts {
        root: root.hash(),
        root_actor: root.actor_id(),
        map: root.start_op().get(),
        actor: &actor,
        start_op,
        key,
        text,
    });
    TextBase {
        hash,
        root: root.hash(),
        actor,
        start_op,
        bytes,
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::id::{AgencyId, GroupId};
    use crate::record::{ChangeReason, Content, Editors, scan};
    use proptest::prelude::*;

    /// The same by Automerge: what the derivation means.
    fn by_automerge(root: &Automerge, key: &str, text: &str) -> Change {
        let mut doc = root.clone().with_actor(actor(&[b"text", key.as_bytes()]));
        let maps = Maps::of(&doc).unwrap();
        commit(&mut doc, |tx| {
            let object = tx.put_object(&maps.texts, key, ObjType::Text)?;
            tx.splice_text(&object, 0, 0, text)
        })
        .unwrap();
        doc.get_last_local_change().unwrap()
    }

    #[test]
    fn a_name_that_automerge_cannot_count_is_refused_before_it_is_asked() {
        let actor = actor(&[b"root"]);
        let scanned = |map: u64| {
            let (bytes, _) = encode::change(&encode::Parts {
                root: ChangeHash([3; 32]),
                root_actor: &actor,
                map,
                actor: &super::actor(&[b"writer"]),
                start_op: 9,
                key: "body.fr",
                text: "été",
            });
            scan::scan(&bytes).map(|scan| scan.ops.len())
        };
        assert_eq!(scanned(1), Ok(4));
        for map in [0, (1 << 31) + 1, 1 << 32, 1 << 62, u64::MAX] {
            assert_eq!(scanned(map), Err(ChangeReason::Malformed), "{map}");
        }
    }

    proptest! {
        #[test]
        fn a_base_is_what_automerge_would_write(
            text in prop_oneof!["[a-c]{0,3}", "\\PC{0,40}", "(a|é|ض|🔒){0,300}"],
            items in 0..90_usize,
        ) {
            let sets = (0..items).map(|n| format!("tags.n{n}"));
            let content = Content { sets: sets.collect(), ..Content::default() };
            let genesis = Genesis {
                group: GroupId([1; 32]),
                origin: AgencyId([2; 32]),
                kind: "guideline".into(),
                editors: Editors::Group,
                content: Content { values: BTreeMap::new(), ..content },
            };
            let doc = root(&genesis).unwrap();
            let root = doc.get_last_local_change().unwrap();
            let ours = super::text(&root, "body.fr", &text);
            let theirs = by_automerge(&doc, "body.fr", &text);
            prop_assert_eq!(&ours.bytes, theirs.raw_bytes());
            prop_assert_eq!(ours.hash, theirs.hash());
            prop_assert_eq!(ours.start_op + text.chars().count() as u64, theirs.max_op());
        }
    }
}
