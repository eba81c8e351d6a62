//! Spoils the bytes of an honest change at random and mends the checksum, so that what is wrong is
//! found by meaning and not by the hash.

use super::scene::payload;
use super::{Mutant, Stand, craft};
use crate::kit::Random;

/// Changes some bytes of the stand's honest change.
#[must_use]
pub fn bytes(stand: &Stand, random: &mut Random) -> Mutant {
    let mut change = stand.honest.clone();
    let kind = match random.below(10) {
        0 => span(&mut change, random),
        1 => number(&mut change, random),
        _ => few(&mut change, random),
    };
    craft::mend(&mut change);
    Mutant {
        kind,
        payload: payload(&stand.bases, &change),
    }
}

/// The head of a change is worth as much attention as the long columns behind it.
fn place(change: &[u8], random: &mut Random) -> usize {
    let data = change.len() as u64 - 9;
    let reach = match random.below(3) {
        0 => data.min(200),
        _ => data,
    };
    9 + random.below(reach) as usize
}

fn few(change: &mut [u8], random: &mut Random) -> &'static str {
    for _ in 0..=random.below(3) {
        let at = place(change, random);
        change[at] = match random.below(4) {
            0 => change[at] ^ (1 << random.below(8)),
            1 => change[at].wrapping_add(1),
            2 => change[at].wrapping_sub(1),
            _ => random.below(256) as u8,
        };
    }
    "bytes"
}

/// A number at its edge.
fn number(change: &mut Vec<u8>, random: &mut Random) -> &'static str {
    let at = place(change, random);
    let mut edge = Vec::new();
    match random.below(3) {
        0 => craft::unsigned(&mut edge, u64::MAX >> random.below(64)),
        1 => craft::signed(&mut edge, i64::MAX >> random.below(63)),
        _ => craft::signed(&mut edge, i64::MIN >> random.below(63)),
    }
    let to = (at + random.below(3) as usize).min(change.len());
    change.splice(at..to, edge);
    relength(change, random);
    "number"
}

/// Inserts, removes or doubles a few bytes.
fn span(change: &mut Vec<u8>, random: &mut Random) -> &'static str {
    let at = place(change, random);
    let to = (at + 1 + random.below(16) as usize).min(change.len());
    let piece = change[at..to].to_vec();
    match random.below(3) {
        0 => drop(change.splice(at..to, [])),
        1 => drop(change.splice(at..at, piece)),
        _ => drop(change.splice(at..at, piece.iter().map(|_| random.below(256) as u8))),
    }
    relength(change, random);
    "span"
}

/// Mostly the chunk's length is mended too: otherwise that is what is found.
fn relength(change: &mut Vec<u8>, random: &mut Random) {
    if random.below(8) == 0 {
        return;
    }
    let length = change[9..].iter().take_while(|byte| **byte & 0x80 != 0);
    let data = change.get(10 + length.count()..).unwrap_or_default();
    *change = craft::chunk(change[8], data);
}
