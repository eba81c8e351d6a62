//! Writes the base change of a text without Automerge: the same bytes, some hundred times sooner.
//!
//! A change that cites a base is judged before anything is applied, and the judge needs the base's
//! hash. Were Automerge asked for it, whoever may write could make every node build the documents of
//! a record's longest texts for a change that is refused in the end.

use automerge::{ActorId, ChangeHash};
use sha2::{Digest, Sha256};

/// Of the base change: what its bytes are made from.
pub(super) struct Parts<'a> {
    pub(super) root: ChangeHash,
    pub(super) root_actor: &'a ActorId,
    /// Counter of the `texts` map's operation.
    pub(super) map: u64,
    pub(super) actor: &'a ActorId,
    pub(super) start_op: u64,
    pub(super) key: &'a str,
    pub(super) text: &'a str,
}

/// The change's bytes (Automerge's binary format, "change chunk") and its hash.
pub(super) fn change(parts: &Parts<'_>) -> (Vec<u8>, ChangeHash) {
    let mut data = vec![1];
    data.extend(parts.root.0);
    prefixed(&mut data, parts.actor.to_bytes());
    unsigned(&mut data, 1);
    unsigned(&mut data, parts.start_op);
    // Time and message.
    data.extend([0, 0]);
    unsigned(&mut data, 1);
    prefixed(&mut data, parts.root_actor.to_bytes());
    let columns = columns(parts);
    let columns = columns.iter().filter(|(_, bytes)| !bytes.is_empty());
    unsigned(&mut data, columns.clone().count() as u64);
    for (spec, bytes) in columns.clone() {
        unsigned(&mut data, *spec);
        unsigned(&mut data, bytes.len() as u64);
    }
    columns.for_each(|(_, bytes)| data.extend(bytes));
    let mut hashed = vec![super::super::scan::UNCOMPRESSED_CHANGE];
    prefixed(&mut hashed, &data);
    let hash: [u8; 32] = Sha256::digest(&hashed).into();
    let mut bytes = super::super::scan::MAGIC.to_vec();
    bytes.extend(hash.iter().take(4));
    bytes.extend(hashed);
    (bytes, ChangeHash(hash))
}

/// One operation makes the text under its key; each further one inserts a character behind the one
/// before.
fn columns(parts: &Parts<'_>) -> [(u64, Vec<u8>); 10] {
    let chars = parts.text.chars().count() as u64;
    let rest = chars.saturating_sub(1);
    let mut object_actor = Runs::default();
    object_actor.push(Some(1), 1);
    object_actor.push(Some(0), chars);
    let mut object_counter = Runs::default();
    object_counter.push(Some(parts.map), 1);
    object_counter.push(Some(parts.start_op), chars);
    let mut key_actor = Runs::default();
    key_actor.push(None, 1 + chars.min(1));
    key_actor.push(Some(0), rest);
    let mut key_string = Vec::new();
    signed(&mut key_string, -1);
    prefixed(&mut key_string, parts.key.as_bytes());
    if chars > 0 {
        key_string.push(0);
        unsigned(&mut key_string, chars);
    }
    // Runs of `false` and of `true`.
    let mut insert = vec![1];
    if chars > 0 {
        unsigned(&mut insert, chars);
    }
    let mut action = Runs::default();
    action.push(Some(4), 1);
    action.push(Some(1), chars);
    let mut meta = Runs::default();
    meta.push(Some(0), 1);
    for char in parts.text.chars() {
        meta.push(Some(((char.len_utf8() as u64) << 4) | 6), 1);
    }
    let mut preds = Runs::default();
    preds.push(Some(0), chars + 1);
    [
        (0x01, object_actor.bytes()),
        (0x02, object_counter.bytes()),
        (0x11, key_actor.bytes()),
        (0x13, key_counter(parts.start_op, chars)),
        (0x15, key_string),
        (0x34, insert),
        (0x42, action.bytes()),
        (0x56, meta.bytes()),
        (0x57, parts.text.as_bytes().to_vec()),
        (0x70, preds.bytes()),
    ]
}

/// Elements as distances: nothing for the key, 0 for the head, then one step each.
fn key_counter(start_op: u64, chars: u64) -> Vec<u8> {
    if chars == 0 {
        return Vec::new();
    }
    let mut steps = Runs::<i64>::signed();
    steps.push(None, 1);
    steps.push(Some(0), 1);
    if chars > 1 {
        steps.push(i64::try_from(start_op + 1).ok(), 1);
        steps.push(Some(1), chars - 2);
    }
    steps.bytes()
}

/// A run-length encoded column.
struct Runs<T = u64> {
    out: Vec<u8>,
    write: fn(&mut Vec<u8>, T),
    /// Items that differ from their neighbours.
    literal: Vec<T>,
    run: Option<(Option<T>, u64)>,
    has_items: bool,
}

impl Default for Runs<u64> {
    fn default() -> Self {
        Self::of(unsigned)
    }
}

impl Runs<i64> {
    fn signed() -> Self {
        Self::of(signed)
    }
}

impl<T: Copy + PartialEq> Runs<T> {
    fn of(write: fn(&mut Vec<u8>, T)) -> Self {
        Self {
            out: Vec::new(),
            write,
            literal: Vec::new(),
            run: None,
            has_items: false,
        }
    }

    fn push(&mut self, item: Option<T>, times: u64) {
        if times == 0 {
            return;
        }
        self.has_items |= item.is_some();
        match &mut self.run {
            Some((last, count)) if *last == item => *count += times,
            _ => {
                self.end_run();
                self.run = Some((item, times));
            }
        }
    }

    fn end_run(&mut self) {
        match self.run.take() {
            Some((Some(item), 1)) => self.literal.push(item),
            Some((Some(item), count)) => {
                self.end_literal();
                signed(&mut self.out, i64::try_from(count).unwrap_or(i64::MAX));
                (self.write)(&mut self.out, item);
            }
            Some((None, count)) => {
                self.end_literal();
                self.out.push(0);
                unsigned(&mut self.out, count);
            }
            None => {}
        }
    }

    fn end_literal(&mut self) {
        let count = i64::try_from(self.literal.len()).unwrap_or(i64::MAX);
        if count > 0 {
            signed(&mut self.out, -count);
        }
        for item in self.literal.drain(..) {
            (self.write)(&mut self.out, item);
        }
    }

    /// The column; empty where it has no items.
    fn bytes(mut self) -> Vec<u8> {
        self.end_run();
        self.end_literal();
        match self.has_items {
            true => self.out,
            false => Vec::new(),
        }
    }
}

/// The low seven bits of a number, with whether more follow.
fn group(bits: u64, is_last: bool) -> u8 {
    let low = u8::try_from(bits & 0x7f).unwrap_or_default();
    if is_last { low } else { low | 0x80 }
}

fn unsigned(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(group(number, false));
        number >>= 7;
    }
    out.push(group(number, true));
}

fn signed(out: &mut Vec<u8>, mut number: i64) {
    loop {
        let bits = number.cast_unsigned();
        number >>= 7;
        let is_negative = bits & 0x40 != 0;
        let is_last = (number == 0 && !is_negative) || (number == -1 && is_negative);
        out.push(group(bits, is_last));
        if is_last {
            return;
        }
    }
}

fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}
