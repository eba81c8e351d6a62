//! Hostile changes that are written on purpose: each kind is one thing that no honest program does.

mod columns;
mod heads;
mod operations;

use super::craft::Craft;
use super::scene::payload;
use super::stand::Stand;
use super::{Mutant, craft};
use crate::kit::Random;

/// Makes a change of one kind at a stand; none where the stand has not what it needs.
type Make = fn(&Stand, &mut Random) -> Option<Vec<u8>>;

/// A hostile change of a kind that is drawn.
#[must_use]
pub fn structured(stand: &Stand, random: &mut Random) -> Mutant {
    loop {
        let all = [operations::KINDS, heads::KINDS, columns::KINDS];
        let kinds: usize = all.iter().map(|kinds| kinds.len()).sum();
        let at = random.below(kinds as u64 + PAYLOADS.len() as u64) as usize;
        if let Some(name) = at.checked_sub(kinds).and_then(|at| PAYLOADS.get(at)) {
            return framed(name, stand, random);
        }
        let (name, make) = all.concat()[at];
        if let Some(change) = make(stand, random) {
            return Mutant {
                kind: name,
                payload: payload(&stand.bases, &change),
            };
        }
    }
}

/// All kinds, by their names.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    let all = [operations::KINDS, heads::KINDS, columns::KINDS].concat();
    let names = all.into_iter().map(|(name, _)| name);
    names.chain(PAYLOADS.iter().copied()).collect()
}

/// A hostile change of this kind; none where the stand has not what it needs.
#[must_use]
pub fn of_kind(kind: &str, stand: &Stand, random: &mut Random) -> Option<Mutant> {
    if let Some(name) = PAYLOADS.iter().find(|name| **name == kind) {
        return Some(framed(name, stand, random));
    }
    let all = [operations::KINDS, heads::KINDS, columns::KINDS].concat();
    let (kind, make) = all.into_iter().find(|(name, _)| *name == kind)?;
    Some(Mutant {
        kind,
        payload: payload(&stand.bases, &make(stand, random)?),
    })
}

/// What can be wrong around a change.
const PAYLOADS: &[&str] = &[
    "base-unknown",
    "base-unneeded",
    "base-kept-back",
    "bases-unsorted",
    "bases-many",
    "payload-cut",
    "payload-longer",
    "payload-large",
];

fn framed(kind: &'static str, stand: &Stand, random: &mut Random) -> Mutant {
    let mut bases = stand.bases.clone();
    let mut change = match random.below(2) {
        0 => stand.honest.clone(),
        _ => operations::honest(stand, random).bytes(),
    };
    match kind {
        "base-unknown" => bases.push("body.xx".into()),
        "base-unneeded" => {
            bases.extend(["body.ar", "body.en", "body.fr", "title.ar"].map(String::from));
            bases.sort();
            bases.dedup();
            if random.below(2) == 0 {
                let mut wrong = operations::honest(stand, random);
                wrong.start_op += 1;
                change = wrong.bytes();
            }
        }
        "base-kept-back" => bases.clear(),
        "bases-unsorted" => bases.extend(["body.fr", "body.en"].map(String::from)),
        "bases-many" => bases.extend((0..2_000).map(|n| format!("body.l{n:05}"))),
        "payload-large" => change.resize(300 * 1024, 0),
        _ => {}
    }
    let mut payload = payload(&bases, &change);
    match kind {
        "payload-cut" => payload.truncate(random.below(payload.len() as u64) as usize),
        "payload-longer" => payload.push(random.below(256) as u8),
        _ => {}
    }
    Mutant { kind, payload }
}

/// An honest change at the stand, to spoil.
fn base(stand: &Stand, random: &mut Random) -> Craft {
    match random.below(2) {
        0 => stand.craft.clone(),
        _ => operations::honest(stand, random),
    }
}

/// A number at one of the edges where counters break.
fn edge(random: &mut Random) -> u64 {
    let edges = [
        0,
        1,
        u64::from(u32::MAX) - 20_000,
        u64::from(u32::MAX) - 1,
        u64::from(u32::MAX),
        (1 << 31) - 1,
        1 << 31,
        1 << 32,
        (1 << 63) - 1,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ];
    edges[random.below(edges.len() as u64) as usize]
}

/// A run of one item, however long, and what stands in for nothing.
fn run(count: i64, item: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    craft::signed(&mut out, count);
    out.extend(item);
    out
}
