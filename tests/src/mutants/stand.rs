//! Where a hostile change stands: what its writer has seen, and what it may honestly refer to.

use automerge::{Automerge, ChangeHash, ObjId, ROOT, ReadDoc};
use diwan_core::record::{AuthoredChange, document};

use super::craft::{self, Craft, Op, Place, value};
use super::scene::{self, Scene};

/// An operation's name in the document: actor, counter.
pub type Id = (Vec<u8>, u64);

/// Elements of one text that are read: enough to refer to.
const ELEMENTS: usize = 200;

/// A text of the document.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its key.
    pub key: String,
    /// The object.
    pub object: Id,
    /// Its first elements.
    pub elements: Vec<Id>,
}

/// The place in a scene of one honest change, which mutants take.
#[derive(Debug)]
pub struct Stand {
    /// The change's writer.
    pub writer: u8,
    /// All honest changes but the one whose place is taken and those behind it.
    pub before: Vec<AuthoredChange>,
    /// The others.
    pub rest: Vec<AuthoredChange>,
    /// Texts whose base the honest change names.
    pub bases: Vec<String>,
    /// The honest change.
    pub honest: Vec<u8>,
    /// The same, read.
    pub craft: Craft,
    /// The writer's change before it.
    pub own_last: Option<[u8; 32]>,
    /// The maps below the root: texts, values, sets, links.
    pub maps: [Id; 4],
    /// Texts in the change's past.
    pub texts: Vec<Text>,
    /// Keys of the other maps in its past: map, key, operations that set it.
    pub slots: Vec<(usize, String, Vec<Id>)>,
    /// Elements that are not in its past.
    pub concurrent: Vec<Id>,
    /// A hash in the document that is not in its past.
    pub stranger: Option<[u8; 32]>,
    /// The document before it, as Automerge saves it.
    pub document: Vec<u8>,
    /// CPU time of `before`, once it was measured.
    pub(super) honest_cost: std::sync::OnceLock<std::time::Duration>,
}

impl Stand {
    pub(super) fn new(scene: &Scene, at: usize) -> Self {
        let read: Vec<_> = scene
            .changes
            .iter()
            .map(|c| scene::unpack(&c.payload))
            .collect();
        let hashes: Vec<_> = read.iter().map(|(_, change)| craft::hash(change)).collect();
        let crafts: Vec<_> = read.iter().map(|(_, change)| Craft::read(change)).collect();
        let mut behind = vec![false; hashes.len()];
        behind[at] = true;
        for later in 0..hashes.len() {
            let follows =
                (0..hashes.len()).any(|n| behind[n] && crafts[later].deps.contains(&hashes[n]));
            behind[later] |= follows;
        }
        let of = |is_behind: bool| {
            let changes = scene.changes.iter().zip(&behind);
            changes
                .filter(move |(_, behind)| **behind == is_behind)
                .map(|(c, _)| c.clone())
        };
        let (before, rest): (Vec<_>, Vec<_>) = (of(false).collect(), of(true).collect());
        let (bases, honest) = read[at].clone();
        // The base of a text that only this change names must be in the document too.
        let saved = document(&scene.genesis, &scene.record, &scene.changes).unwrap();
        let whole = Automerge::load(&saved).unwrap();
        let craft = crafts[at].clone();
        let deps: Vec<ChangeHash> = craft.deps.iter().map(|dep| ChangeHash(*dep)).collect();
        let past = whole.fork_at(&deps).unwrap();
        let own = (0..at).rev().find(|n| crafts[*n].actor == craft.actor);
        let maps = ["texts", "values", "sets", "links"];
        let maps = maps.map(|name| id(&past.get(ROOT, name).unwrap().unwrap().1));
        let texts = texts(&past);
        let known: Vec<_> = texts.iter().flat_map(|text| &text.elements).collect();
        let all = self::texts(&whole)
            .into_iter()
            .flat_map(|text| text.elements);
        let spans = past.get_changes(&[]).into_iter();
        let spans = spans.map(|c| {
            (
                c.actor_id().to_bytes().to_vec(),
                c.start_op().get()..=c.max_op(),
            )
        });
        let spans: Vec<_> = spans.collect();
        let in_past = |id: &Id| {
            spans
                .iter()
                .any(|(a, span)| *a == id.0 && span.contains(&id.1))
        };
        let concurrent = all
            .filter(|id| !known.contains(&id) && !in_past(id))
            .collect();
        let stranger = hashes.iter().enumerate();
        let stranger = stranger
            .filter(|(n, hash)| *n != at && past.get_change_by_hash(&ChangeHash(**hash)).is_none());
        Self {
            writer: scene.changes[at].writer.node.0[0],
            document: document(&scene.genesis, &scene.record, &before).unwrap(),
            own_last: own.map(|n| hashes[n]),
            stranger: stranger.map(|(_, hash)| *hash).next(),
            slots: slots(&past),
            before,
            rest,
            bases,
            honest,
            craft,
            maps,
            texts,
            concurrent,
            honest_cost: std::sync::OnceLock::new(),
        }
    }

    /// A change of the writer at this place, with these operations.
    #[must_use]
    pub fn change(&self, ops: &[Op<Id>]) -> Craft {
        let mut others: Vec<Vec<u8>> = Vec::new();
        let mut note = |id: &Id| {
            if id.0 != self.craft.actor && !others.contains(&id.0) {
                others.push(id.0.clone());
            }
        };
        for op in ops {
            op.object.iter().chain(&op.preds).for_each(&mut note);
            if let Place::Element(id) = &op.place {
                note(id);
            }
        }
        others.sort();
        let name = |id: &Id| {
            let at = others.iter().position(|other| *other == id.0);
            (at.map_or(0, |at| at as u64 + 1), id.1)
        };
        let ops: Vec<Op> = ops
            .iter()
            .map(|op| Op {
                object: op.object.as_ref().map(name),
                place: match &op.place {
                    Place::Key(key) => Place::Key(key.clone()),
                    Place::Head => Place::Head,
                    Place::Element(id) => Place::Element(name(id)),
                },
                insert: op.insert,
                action: op.action,
                value: op.value.clone(),
                preds: op.preds.iter().map(name).collect(),
                mark: op.mark.clone(),
            })
            .collect();
        Craft {
            columns: craft::columns(&ops),
            others,
            ..self.craft.clone()
        }
    }

    /// The name of the change's own operation number `n`.
    #[must_use]
    pub fn own(&self, n: u64) -> Id {
        (self.craft.actor.clone(), self.craft.start_op + n)
    }

    /// Inserts characters one behind the other, the first behind `behind`; it will be the change's
    /// operation number `first`.
    #[must_use]
    pub fn typed(&self, text: &Id, behind: Option<&Id>, chars: &str, first: u64) -> Vec<Op<Id>> {
        let mut place = behind.map_or(Place::Head, |id| Place::Element(id.clone()));
        let mut ops = Vec::new();
        for (n, char) in (first..).zip(chars.chars()) {
            ops.push(Op {
                object: Some(text.clone()),
                place: std::mem::replace(&mut place, Place::Element(self.own(n))),
                insert: true,
                action: 1,
                value: (value::TEXT, char.to_string().into_bytes()),
                preds: Vec::new(),
                mark: None,
            });
        }
        ops
    }
}

/// Sets a key of a map.
#[must_use]
pub fn put(map: &Id, key: &str, value: (u64, Vec<u8>), preds: Vec<Id>) -> Op<Id> {
    Op {
        object: Some(map.clone()),
        place: Place::Key(key.as_bytes().to_vec()),
        insert: false,
        action: 1,
        value,
        preds,
        mark: None,
    }
}

/// Removes an element of a text.
#[must_use]
pub fn delete(text: &Id, element: &Id) -> Op<Id> {
    Op {
        object: Some(text.clone()),
        place: Place::Element(element.clone()),
        insert: false,
        action: 3,
        value: (value::NULL, Vec::new()),
        preds: vec![element.clone()],
        mark: None,
    }
}

fn id(object: &ObjId) -> Id {
    match object {
        ObjId::Id(counter, actor, _) => (actor.to_bytes().to_vec(), *counter),
        ObjId::Root => panic!("the root is no operation"),
    }
}

fn texts(doc: &Automerge) -> Vec<Text> {
    let (_, map) = doc.get(ROOT, "texts").unwrap().unwrap();
    let texts = doc.keys(&map).map(|key| {
        let (_, object) = doc.get(&map, key.as_str()).unwrap().unwrap();
        let count = doc.length(&object).min(ELEMENTS);
        let elements = (0..count).filter_map(|at| doc.get(&object, at).unwrap());
        let mut elements: Vec<Id> = elements.map(|(_, element)| id(&element)).collect();
        elements.dedup();
        Text {
            key,
            object: id(&object),
            elements,
        }
    });
    texts.collect()
}

fn slots(doc: &Automerge) -> Vec<(usize, String, Vec<Id>)> {
    let mut slots = Vec::new();
    for (at, name) in ["texts", "values", "sets", "links"].into_iter().enumerate() {
        let (_, map) = doc.get(ROOT, name).unwrap().unwrap();
        for key in doc.keys(&map) {
            let all = doc.get_all(&map, key.as_str()).unwrap();
            slots.push((at, key, all.iter().map(|(_, set)| id(set)).collect()));
        }
    }
    slots
}
