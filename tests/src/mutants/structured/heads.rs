//! Changes whose head lies: who wrote them, in which place, after what; and what chunk they are.

use super::super::craft::{chunk, deflate_stored};
use super::super::stand::Stand;
use super::{Make, base, edge};
use crate::kit::Random;

/// Kinds that spoil the head.
pub(super) const KINDS: &[(&str, Make)] = &[
    ("actor-of-another", |s, r| {
        let mut craft = base(s, r);
        let other = craft.others.first()?.clone();
        craft.others[0] = std::mem::replace(&mut craft.actor, other);
        craft.others.sort();
        Some(craft.bytes())
    }),
    ("actor-odd", |s, r| {
        let mut craft = base(s, r);
        let length = [0, 1, 15, 17, 32, 300][r.below(6) as usize];
        craft.actor.resize(length, 7);
        Some(craft.bytes())
    }),
    ("seq-gap", |s, r| {
        let mut craft = base(s, r);
        craft.seq += 1 + r.below(3);
        Some(craft.bytes())
    }),
    ("seq-again", |s, r| {
        let mut craft = base(s, r);
        craft.seq = craft.seq.checked_sub(1)?;
        Some(craft.bytes())
    }),
    ("seq-edge", |s, r| {
        let mut craft = base(s, r);
        craft.seq = edge(r);
        Some(craft.bytes())
    }),
    ("predecessor-missing", |s, r| {
        let mut craft = base(s, r);
        let own = s.own_last?;
        craft.deps.retain(|dep| *dep != own);
        Some(craft.bytes())
    }),
    ("predecessor-missing-counted", |s, r| {
        // Everything else fits: the change pretends that its writer forgot one of its own.
        let own = s.own_last?;
        let mut craft = base(s, r);
        craft.deps = s.stranger.into_iter().collect();
        craft.start_op = edge(r).min(craft.start_op);
        craft.deps.retain(|dep| *dep != own);
        Some(craft.bytes())
    }),
    ("start-op-off", |s, r| {
        let mut craft = base(s, r);
        craft.start_op = match r.below(2) {
            0 => craft.start_op + 1,
            _ => craft.start_op.checked_sub(1)?,
        };
        Some(craft.bytes())
    }),
    ("start-op-edge", |s, r| {
        let mut craft = base(s, r);
        craft.start_op = edge(r);
        Some(craft.bytes())
    }),
    ("dep-unknown", |s, r| {
        let mut craft = base(s, r);
        craft.deps.push([r.below(256) as u8; 32]);
        craft.deps.sort_unstable();
        Some(craft.bytes())
    }),
    ("dep-of-another-branch", |s, r| {
        let mut craft = base(s, r);
        craft.deps.push(s.stranger?);
        craft.deps.sort_unstable();
        Some(craft.bytes())
    }),
    ("deps-none", |s, r| {
        let mut craft = base(s, r);
        craft.deps.clear();
        if r.below(2) == 0 {
            (craft.seq, craft.start_op) = (1, 1);
        }
        Some(craft.bytes())
    }),
    ("deps-unsorted", |s, r| {
        let mut craft = base(s, r);
        craft.deps.push([0; 32]);
        Some(craft.bytes())
    }),
    ("deps-twice", |s, r| {
        let mut craft = base(s, r);
        craft.deps.push(*craft.deps.last()?);
        Some(craft.bytes())
    }),
    ("deps-many", |s, r| {
        let mut craft = base(s, r);
        let count = 1_000 + r.below(100);
        craft.deps = (0..count).map(hash_of).collect();
        craft.deps.sort_unstable();
        Some(craft.bytes())
    }),
    ("others-unused", |s, r| {
        with_others(s, r, |others| others.push(vec![0xff; 16]))
    }),
    ("others-many", |s, r| {
        let count = 1_000 + r.below(100);
        with_others(s, r, |others| {
            others.extend((0..count).map(|n| hash_of(n)[..16].to_vec()));
            others.sort();
        })
    }),
    ("others-twice", |s, r| {
        with_others(s, r, |others| others.extend(others.clone()))
    }),
    ("others-unsorted", |s, r| {
        with_others(s, r, |others| others.reverse())
    }),
    ("others-missing", |s, r| {
        with_others(s, r, |others| drop(others.pop()))
    }),
    ("others-odd", |s, r| {
        with_others(s, r, |others| others.push(vec![1; 3]))
    }),
    ("author-among-others", |s, r| {
        let own = s.craft.actor.clone();
        with_others(s, r, |others| {
            others.push(own.clone());
            others.sort();
        })
    }),
    ("time", |s, r| {
        let mut craft = base(s, r);
        craft.time = edge(r) as i64 | 1;
        Some(craft.bytes())
    }),
    ("message", |s, r| {
        let mut craft = base(s, r);
        craft.message = vec![b'm'; 1 + r.below(2_000) as usize];
        Some(craft.bytes())
    }),
    ("message-not-utf8", |s, r| {
        let mut craft = base(s, r);
        craft.message = vec![0xff; 4];
        Some(craft.bytes())
    }),
    ("trailing", |s, r| {
        let mut craft = base(s, r);
        craft.trailing = (0..=r.below(40)).map(|_| r.below(256) as u8).collect();
        Some(craft.bytes())
    }),
    ("chunk-behind", |s, r| {
        let mut bytes = base(s, r).bytes();
        bytes.extend(s.honest.clone());
        Some(bytes)
    }),
    ("chunk-compressed", |s, r| {
        Some(chunk(2, &deflate_stored(&base(s, r).data())))
    }),
    ("chunk-bomb", |_, r| Some(chunk(2, &inflates(r)))),
    ("chunk-document", |s, _| Some(s.document.clone())),
    ("chunk-type", |s, r| {
        let mut craft = base(s, r);
        craft.chunk = [0, 2, 3, 4, 5, 127, 128, 255][r.below(8) as usize];
        Some(craft.bytes())
    }),
    ("magic", |s, r| {
        let mut bytes = base(s, r).bytes();
        bytes[r.below(4) as usize] ^= 1 << r.below(8);
        Some(bytes)
    }),
    ("checksum", |s, r| {
        let mut bytes = base(s, r).bytes();
        bytes[4 + r.below(4) as usize] ^= 1 << r.below(8);
        Some(bytes)
    }),
    ("length", |s, r| {
        let data = base(s, r).data();
        let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
        super::craft::unsigned(&mut bytes, edge(r));
        bytes.extend(data);
        super::craft::mend(&mut bytes);
        Some(bytes)
    }),
    ("length-long-form", |s, r| {
        let data = base(s, r).data();
        let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
        super::craft::unsigned(&mut bytes, data.len() as u64);
        *bytes.last_mut()? |= 0x80;
        bytes.push(0);
        bytes.extend(data);
        super::craft::mend(&mut bytes);
        Some(bytes)
    }),
    ("cut", |s, r| {
        let mut bytes = base(s, r).bytes();
        bytes.truncate(r.below(bytes.len() as u64) as usize);
        super::craft::mend(&mut bytes);
        Some(bytes)
    }),
];

fn hash_of(n: u64) -> [u8; 32] {
    super::craft::hash(&[&[0; 8], n.to_be_bytes().as_slice()].concat())
}

fn with_others(
    stand: &Stand,
    random: &mut Random,
    spoil: impl FnOnce(&mut Vec<Vec<u8>>),
) -> Option<Vec<u8>> {
    let mut craft = base(stand, random);
    spoil(&mut craft.others);
    Some(craft.bytes())
}

/// DEFLATE (RFC 1951) of one block with fixed codes: one zero byte, then copies of 258 zeros.
fn inflates(random: &mut Random) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    let mut put = |code: u32, length: u32, out: &mut Vec<u8>| {
        for at in (0..length).rev() {
            bits |= ((code >> at) & 1) << held;
            held += 1;
            if held == 8 {
                out.push(bits as u8);
                (bits, held) = (0, 0);
            }
        }
    };
    // Last block, fixed codes; the block's type is written from its lowest bit.
    put(0b110, 3, &mut out);
    put(0b0011_0000, 8, &mut out);
    for _ in 0..1_000 + random.below(100_000) {
        // Length 258 is code 285, distance 1 is code 0.
        put(0b1100_0101, 8, &mut out);
        put(0, 5, &mut out);
    }
    put(0, 7, &mut out);
    put(0, 7, &mut out);
    out
}
