//! Operations that no record may have, or that refer to what is not theirs.

use super::super::craft::{Craft, Op, Place, value};
use super::super::stand::{Id, Stand, delete, put};
use super::Make;
use crate::kit::Random;

/// Kinds that spoil an operation.
pub(super) const KINDS: &[(&str, Make)] = &[
    ("honest", |s, r| Some(honest(s, r).bytes())),
    ("several-chars", |s, r| {
        typed_as(s, r, |op| op.value.1.extend(b"bc"))
    }),
    ("empty-char", |s, r| typed_as(s, r, |op| op.value.1.clear())),
    ("char-not-utf8", |s, r| {
        typed_as(s, r, |op| op.value.1 = vec![0xff])
    }),
    ("char-typed-otherwise", |s, r| {
        let kind = r.below(16);
        typed_as(s, r, |op| op.value.0 = kind)
    }),
    ("char-action", |s, r| {
        let action = r.below(12);
        typed_as(s, r, |op| op.action = action)
    }),
    ("mark", |s, r| {
        let action = 7;
        typed_as(s, r, |op| {
            op.action = action;
            op.mark = Some(("bold".into(), true));
        })
    }),
    ("mark-on-char", |s, r| {
        typed_as(s, r, |op| op.mark = Some(("bold".into(), false)))
    }),
    ("insert-with-pred", |s, r| {
        let text = text(s, r)?;
        let pred = pick(r, &text.elements)?.clone();
        typed_as(s, r, |op| op.preds.push(pred.clone()))
    }),
    ("char-set-not-inserted", |s, r| {
        let text = text(s, r)?;
        let element = pick(r, &text.elements)?.clone();
        let mut op = delete(&text.object, &element);
        (op.action, op.value) = (1, (value::TEXT, b"x".to_vec()));
        Some(s.change(&[op]).bytes())
    }),
    ("object-dangling", |s, r| {
        let object = dangling(s, r);
        typed_as(s, r, |op| op.object = Some(object.clone()))
    }),
    ("object-is-char", |s, r| {
        let object = element(s, r)?;
        typed_as(s, r, |op| op.object = Some(object.clone()))
    }),
    ("object-root", |s, r| typed_as(s, r, |op| op.object = None)),
    ("object-map-for-text", |s, r| {
        let map = s.maps[r.below(4) as usize].clone();
        typed_as(s, r, |op| op.object = Some(map.clone()))
    }),
    ("element-dangling", |s, r| {
        let element = dangling(s, r);
        typed_as(s, r, |op| op.place = Place::Element(element.clone()))
    }),
    ("element-of-other-text", |s, r| {
        let element = element(s, r)?;
        typed_as(s, r, |op| op.place = Place::Element(element.clone()))
    }),
    ("element-concurrent", |s, r| {
        let element = pick(r, &s.concurrent)?.clone();
        typed_as(s, r, |op| op.place = Place::Element(element.clone()))
    }),
    ("element-later", |s, r| {
        let element = s.own(r.below(3));
        typed_as(s, r, |op| op.place = Place::Element(element.clone()))
    }),
    ("element-is-object", |s, r| {
        let element = text(s, r)?.object.clone();
        typed_as(s, r, |op| op.place = Place::Element(element.clone()))
    }),
    ("key-in-text", |s, r| {
        typed_as(s, r, |op| op.place = Place::Key(b"title.fr".to_vec()))
    }),
    ("delete-dangling", |s, r| {
        let element = dangling(s, r);
        Some(s.change(&[delete(&text(s, r)?.object, &element)]).bytes())
    }),
    ("delete-concurrent", |s, r| {
        let element = pick(r, &s.concurrent)?.clone();
        Some(s.change(&[delete(&text(s, r)?.object, &element)]).bytes())
    }),
    ("delete-twice", |s, r| {
        let text = text(s, r)?;
        let element = pick(r, &text.elements)?;
        Some(s.change(&vec![delete(&text.object, element); 2]).bytes())
    }),
    ("delete-own", |s, r| {
        let text = text(s, r)?.object.clone();
        let mut ops = s.typed(&text, None, "ab", 0);
        ops.push(delete(&text, &s.own(0)));
        ops.extend(s.typed(&text, Some(&s.own(0)), "c", 3));
        Some(s.change(&ops).bytes())
    }),
    ("delete-other-pred", |s, r| {
        let text = text(s, r)?;
        let mut op = delete(&text.object, pick(r, &text.elements)?);
        op.preds = vec![pick(r, &text.elements)?.clone()];
        Some(s.change(&[op]).bytes())
    }),
    ("delete-without-pred", |s, r| {
        let text = text(s, r)?;
        let mut op = delete(&text.object, pick(r, &text.elements)?);
        op.preds.clear();
        Some(s.change(&[op]).bytes())
    }),
    ("delete-at-head", |s, r| {
        let text = text(s, r)?;
        let mut op = delete(&text.object, pick(r, &text.elements)?);
        op.place = Place::Head;
        Some(s.change(&[op]).bytes())
    }),
    ("delete-inserting", |s, r| {
        let text = text(s, r)?;
        let mut op = delete(&text.object, pick(r, &text.elements)?);
        op.insert = true;
        Some(s.change(&[op]).bytes())
    }),
    ("root-overwrite", |s, r| {
        let name = ["texts", "values", "sets", "links", "more"][r.below(5) as usize];
        let mut op = put(&s.maps[0], name, (value::TEXT, b"x".to_vec()), vec![]);
        op.object = None;
        if r.below(2) == 0 {
            op.preds.push(s.maps[r.below(4) as usize].clone());
        }
        if r.below(2) == 0 {
            (op.action, op.value) = (r.below(5), (value::NULL, Vec::new()));
        }
        Some(s.change(&[op]).bytes())
    }),
    ("map-made", |s, r| made(s, r, 0)),
    ("list-made", |s, r| made(s, r, 2)),
    ("table-made", |s, r| made(s, r, 6)),
    ("text-made", |s, r| made(s, r, 4)),
    ("text-over-text", |s, r| {
        let text = text(s, r)?;
        let mut op = put(&s.maps[0], &text.key, (value::NULL, Vec::new()), vec![]);
        op.action = 4;
        if r.below(2) == 0 {
            op.preds.push(text.object.clone());
        }
        let mut ops = vec![op];
        ops.extend(s.typed(&s.own(0), None, "neuf", 1));
        Some(s.change(&ops).bytes())
    }),
    ("into-removed-text", |s, r| {
        let text = text(s, r)?;
        let mut op = put(&s.maps[0], &text.key, (value::NULL, Vec::new()), vec![]);
        (op.action, op.preds) = (3, vec![text.object.clone()]);
        let mut ops = vec![op];
        ops.extend(s.typed(&text.object, text.elements.first(), "x", 1));
        Some(s.change(&ops).bytes())
    }),
    ("counter", |s, r| {
        put_as(s, r, 1, |op| op.value = (value::COUNTER, vec![1]))
    }),
    ("increment", |s, r| {
        put_as(s, r, 1, |op| (op.action, op.value) = (5, (4, vec![1])))
    }),
    ("value-typed-otherwise", |s, r| {
        let (map, kind) = (1 + r.below(3) as usize, r.below(16));
        put_as(s, r, map, |op| op.value.0 = kind)
    }),
    ("value-long", |s, r| {
        put_as(s, r, 1, |op| op.value.1 = vec![b'a'; 2_000])
    }),
    ("value-not-utf8", |s, r| {
        put_as(s, r, 1, |op| op.value.1 = vec![0xc3, 0x28])
    }),
    ("value-false", |s, r| {
        put_as(s, r, 2, |op| op.value = (value::FALSE, vec![]))
    }),
    ("label-unknown", |s, _| {
        let op = put(&s.maps[1], "tlp", (value::TEXT, b"PUBLIC".to_vec()), vec![]);
        Some(s.change(&[op]).bytes())
    }),
    ("key-long", |s, r| {
        let map = r.below(4) as usize;
        put_as(s, r, map, |op| op.place = Place::Key(vec![b'a'; 70_000]))
    }),
    ("key-odd", |s, r| {
        let keys: [&[u8]; 7] = [b"", b".", b"\0", b"a b", b"A", b"body.", b"\xff\xfe"];
        let (map, key) = (r.below(4) as usize, keys[r.below(7) as usize]);
        put_as(s, r, map, |op| op.place = Place::Key(key.to_vec()))
    }),
    ("key-inserted", |s, r| {
        put_as(s, r, 1, |op| op.insert = true)
    }),
    ("map-at-element", |s, r| {
        let element = s.own(0);
        put_as(s, r, 1, |op| op.place = Place::Element(element.clone()))
    }),
    ("pred-dangling", |s, r| {
        let pred = dangling(s, r);
        put_as(s, r, 1, |op| op.preds.push(pred.clone()))
    }),
    ("pred-of-other-key", |s, r| {
        let pred = pick(r, &s.slots)?.2.first()?.clone();
        put_as(s, r, 2, |op| op.preds.push(pred.clone()))
    }),
    ("pred-twice", |s, r| {
        on_slot(s, r, |op| op.preds.extend(op.preds.clone()))
    }),
    ("preds-left-out", |s, r| {
        on_slot(s, r, |op| op.preds.clear())
    }),
    ("preds-unsorted", |s, _| {
        let map = &s.maps[2];
        let truth = (value::TRUE, Vec::new());
        let mut ops: Vec<_> = (0..2)
            .map(|_| put(map, "tags.neuf", truth.clone(), vec![]))
            .collect();
        ops.push(put(map, "tags.neuf", truth, vec![s.own(1), s.own(0)]));
        Some(s.change(&ops).bytes())
    }),
    ("same-key-twice", |s, r| {
        let truth = (value::TRUE, Vec::new());
        let mut ops = vec![put(&s.maps[2], "tags.neuf", truth.clone(), vec![]); 2];
        match r.below(3) {
            0 => ops[1].preds = vec![s.own(0)],
            1 => ops[1].preds = vec![s.own(1)],
            _ => {}
        }
        Some(s.change(&ops).bytes())
    }),
    ("removed-twice", |s, r| {
        let mut twice = None;
        on_slot(s, r, |op| {
            (op.action, op.value) = (3, (value::NULL, Vec::new()));
            twice = Some(vec![op.clone(); 2]);
        })?;
        Some(s.change(&twice?).bytes())
    }),
    ("title-long", |s, r| {
        let title = s.texts.iter().find(|text| text.key.starts_with("title"))?;
        let count = 1_010 + r.below(40) as usize;
        let ops = s.typed(&title.object, None, &"a".repeat(count), 0);
        Some(s.change(&ops).bytes())
    }),
    ("operations-many", |s, r| {
        let count = 9_990 + r.below(20) as usize;
        let ops = s.typed(&text(s, r)?.object, None, &"é".repeat(count), 0);
        Some(s.change(&ops).bytes())
    }),
    ("items-many", |s, r| {
        let truth = (value::TRUE, Vec::new());
        let count = 500 + r.below(20);
        let ops = (0..count).map(|n| put(&s.maps[2], &format!("tags.n{n}"), truth.clone(), vec![]));
        Some(s.change(&ops.collect::<Vec<_>>()).bytes())
    }),
    ("control-characters", |s, r| {
        let text = text(s, r)?;
        let ops = s.typed(&text.object, None, "\u{202e}\u{1b}[31m\0\u{7f}\u{feff}", 0);
        Some(s.change(&ops).bytes())
    }),
    ("no-operations", |s, _| Some(s.change(&[]).bytes())),
];

/// A few edits as an honest program could make them.
#[must_use]
pub(super) fn honest(stand: &Stand, random: &mut Random) -> Craft {
    let mut ops = Vec::new();
    if let Some(text) = text(stand, random) {
        let behind = pick(random, &text.elements);
        ops.extend(stand.typed(&text.object, behind, "né à Tunis", 0));
        if let Some(element) = text.elements.first() {
            ops.push(delete(&text.object, element));
        }
    }
    let value = (value::TEXT, b"H4".to_vec());
    let slot = stand
        .slots
        .iter()
        .find(|(map, key, _)| *map == 1 && key == "hcode");
    let preds = slot.map_or(Vec::new(), |(_, _, preds)| sorted(preds.clone()));
    ops.push(put(&stand.maps[1], "hcode", value, preds));
    stand.change(&ops)
}

fn sorted(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    ids
}

fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> Option<&'a T> {
    from.get(random.below(from.len().max(1) as u64) as usize)
}

fn text<'a>(stand: &'a Stand, random: &mut Random) -> Option<&'a super::super::stand::Text> {
    pick(random, &stand.texts)
}

fn element(stand: &Stand, random: &mut Random) -> Option<Id> {
    let text = text(stand, random)?;
    pick(random, &text.elements).cloned()
}

/// A name that means nothing in the change's past.
fn dangling(stand: &Stand, random: &mut Random) -> Id {
    let actor = match random.below(3) {
        0 => stand.craft.actor.clone(),
        1 => vec![0xab; 16],
        _ => stand.maps[0].0.clone(),
    };
    let counter = match random.below(3) {
        0 => super::edge(random),
        1 => stand.craft.start_op + random.below(100),
        _ => random.below(stand.craft.start_op + 1),
    };
    (actor, counter)
}

/// Types three characters; the middle one is spoilt.
fn typed_as(
    stand: &Stand,
    random: &mut Random,
    mut spoil: impl FnMut(&mut Op<Id>),
) -> Option<Vec<u8>> {
    let text = text(stand, random)?;
    let behind = pick(random, &text.elements);
    let mut ops = stand.typed(&text.object, behind, "été", 0);
    spoil(&mut ops[random.below(3) as usize]);
    Some(stand.change(&ops).bytes())
}

/// Sets a key of a map, spoilt.
fn put_as(
    stand: &Stand,
    random: &mut Random,
    map: usize,
    mut spoil: impl FnMut(&mut Op<Id>),
) -> Option<Vec<u8>> {
    let link = format!("see.{}", "ab".repeat(32));
    let key = ["body.mt", "hcode2", "tags.neuf", &link][map];
    let value = match map {
        1 => (value::TEXT, b"x".to_vec()),
        _ => (value::TRUE, Vec::new()),
    };
    let mut ops = vec![put(&stand.maps[map], key, value, vec![])];
    spoil(&mut ops[0]);
    if random.below(2) == 0 {
        ops.extend(stand.typed(&text(stand, random)?.object, None, "x", 1));
    }
    Some(stand.change(&ops).bytes())
}

/// Sets a key that is set, spoilt.
fn on_slot(stand: &Stand, random: &mut Random, spoil: impl FnOnce(&mut Op<Id>)) -> Option<Vec<u8>> {
    let settable: Vec<_> = stand.slots.iter().filter(|(map, ..)| *map > 0).collect();
    let (map, key, preds) = pick(random, &settable)?;
    let value = match (map, key.as_str()) {
        (1, "tlp") => (value::TEXT, b"RED".to_vec()),
        (1, _) => (value::TEXT, b"x".to_vec()),
        _ => (value::TRUE, Vec::new()),
    };
    let mut op = put(&stand.maps[*map], key, value, sorted(preds.clone()));
    spoil(&mut op);
    Some(stand.change(&[op]).bytes())
}

/// Makes an object where a text or a value belongs.
fn made(stand: &Stand, random: &mut Random, action: u64) -> Option<Vec<u8>> {
    let map = random.below(4) as usize;
    put_as(stand, random, map, |op| {
        (op.action, op.value) = (action, (value::NULL, Vec::new()));
    })
}
