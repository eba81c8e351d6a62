//! Writes and reads the bytes of Automerge changes without Automerge, so that what no honest program
//! would write can be written (<https://automerge.org/automerge-binary-format-spec/>).

use sha2::{Digest, Sha256};

/// Columns of a change by their number (id × 16 + type).
pub mod column {
    /// Actor of the object.
    pub const OBJECT_ACTOR: u64 = 0x01;
    /// Counter of the object.
    pub const OBJECT_COUNTER: u64 = 0x02;
    /// Actor of the element.
    pub const KEY_ACTOR: u64 = 0x11;
    /// Counter of the element.
    pub const KEY_COUNTER: u64 = 0x13;
    /// Key of a map.
    pub const KEY_STRING: u64 = 0x15;
    /// Whether an element is inserted.
    pub const INSERT: u64 = 0x34;
    /// What is done.
    pub const ACTION: u64 = 0x42;
    /// Type and length of the value.
    pub const VALUE_META: u64 = 0x56;
    /// The value's bytes.
    pub const VALUE: u64 = 0x57;
    /// How many predecessors.
    pub const PRED_COUNT: u64 = 0x70;
    /// Actor of a predecessor.
    pub const PRED_ACTOR: u64 = 0x71;
    /// Counter of a predecessor.
    pub const PRED_COUNTER: u64 = 0x73;
    /// Whether a mark grows.
    pub const EXPAND: u64 = 0x94;
    /// Name of a mark.
    pub const MARK_NAME: u64 = 0xa5;
    /// All.
    pub const ALL: [u64; 14] = [
        OBJECT_ACTOR,
        OBJECT_COUNTER,
        KEY_ACTOR,
        KEY_COUNTER,
        KEY_STRING,
        INSERT,
        ACTION,
        VALUE_META,
        VALUE,
        PRED_COUNT,
        PRED_ACTOR,
        PRED_COUNTER,
        EXPAND,
        MARK_NAME,
    ];
}

/// Types of values.
pub mod value {
    /// Nothing.
    pub const NULL: u64 = 0;
    /// `false`.
    pub const FALSE: u64 = 1;
    /// `true`.
    pub const TRUE: u64 = 2;
    /// Text.
    pub const TEXT: u64 = 6;
    /// A counter.
    pub const COUNTER: u64 = 8;
}

/// An operation's name: actor in the change's table, counter.
pub type Name = (u64, u64);

/// Where an operation acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place<N = Name> {
    /// A key of a map; bytes, because they need not be text.
    Key(Vec<u8>),
    /// The beginning.
    Head,
    /// An element.
    Element(N),
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Op<N = Name> {
    /// The object; none is the root.
    pub object: Option<N>,
    /// Where in it.
    pub place: Place<N>,
    /// Inserts an element.
    pub insert: bool,
    /// The action's number.
    pub action: u64,
    /// Type and bytes of the value.
    pub value: (u64, Vec<u8>),
    /// Predecessors.
    pub preds: Vec<N>,
    /// Name of a mark, and whether it grows.
    pub mark: Option<(String, bool)>,
}

/// A change, part by part.
#[derive(Clone, Debug)]
pub struct Craft {
    /// The chunk's type: 1 is a change.
    pub chunk: u8,
    /// Hashes of the changes that it depends on.
    pub deps: Vec<[u8; 32]>,
    /// The author.
    pub actor: Vec<u8>,
    /// Its number among the author's.
    pub seq: u64,
    /// Counter of the first operation.
    pub start_op: u64,
    /// Seconds.
    pub time: i64,
    /// A message.
    pub message: Vec<u8>,
    /// The other actors.
    pub others: Vec<Vec<u8>>,
    /// Columns: number and bytes.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// What follows them.
    pub trailing: Vec<u8>,
}

impl Craft {
    /// Reads an honest change.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut at = Reader(&bytes[8..]);
        let chunk = at.take(1)[0];
        at.unsigned();
        let deps = (0..at.unsigned()).map(|_| at.take(32).try_into().unwrap());
        let deps = deps.collect();
        let actor = at.prefixed();
        let (seq, start_op, time) = (at.unsigned(), at.unsigned(), at.signed());
        let message = at.prefixed();
        let others = (0..at.unsigned()).map(|_| at.prefixed()).collect();
        let layout: Vec<(u64, u64)> = (0..at.unsigned())
            .map(|_| (at.unsigned(), at.unsigned()))
            .collect();
        let columns = layout.into_iter();
        let columns = columns.map(|(spec, len)| (spec, at.take(len as usize).to_vec()));
        let columns = columns.collect();
        Self {
            chunk,
            deps,
            actor,
            seq,
            start_op,
            time,
            message,
            others,
            columns,
            trailing: at.0.to_vec(),
        }
    }

    /// What the chunk holds.
    #[must_use]
    pub fn data(&self) -> Vec<u8> {
        let mut out = Vec::new();
        unsigned(&mut out, self.deps.len() as u64);
        self.deps.iter().for_each(|dep| out.extend(dep));
        prefixed(&mut out, &self.actor);
        unsigned(&mut out, self.seq);
        unsigned(&mut out, self.start_op);
        signed(&mut out, self.time);
        prefixed(&mut out, &self.message);
        unsigned(&mut out, self.others.len() as u64);
        self.others
            .iter()
            .for_each(|other| prefixed(&mut out, other));
        unsigned(&mut out, self.columns.len() as u64);
        for (spec, bytes) in &self.columns {
            unsigned(&mut out, *spec);
            unsigned(&mut out, bytes.len() as u64);
        }
        self.columns.iter().for_each(|(_, bytes)| out.extend(bytes));
        out.extend(&self.trailing);
        out
    }

    /// The change's bytes with their true checksum.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        chunk(self.chunk, &self.data())
    }

    /// A column; made where there is none, in order.
    pub fn column(&mut self, spec: u64) -> &mut Vec<u8> {
        let at = self.columns.partition_point(|(there, _)| *there < spec);
        if self.columns.get(at).is_none_or(|(there, _)| *there != spec) {
            self.columns.insert(at, (spec, Vec::new()));
        }
        &mut self.columns[at].1
    }
}

/// The hash of a change: its last bytes but the first eight.
#[must_use]
pub fn hash(change: &[u8]) -> [u8; 32] {
    Sha256::digest(change.get(8..).unwrap_or_default()).into()
}

/// Puts the true checksum into a chunk whose data was changed.
pub fn mend(change: &mut [u8]) {
    let hash = hash(change);
    if let Some(checksum) = change.get_mut(4..8) {
        checksum.copy_from_slice(&hash[..4]);
    }
}

/// A chunk of any type.
#[must_use]
pub fn chunk(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, kind];
    prefixed(&mut out, data);
    mend(&mut out);
    out
}

/// Bytes as DEFLATE (RFC 1951) in stored blocks.
#[must_use]
pub fn deflate_stored(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut blocks = data.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out
}

/// The columns of operations, as Automerge lays them out. Empty ones are left out.
#[must_use]
pub fn columns(ops: &[Op]) -> Vec<(u64, Vec<u8>)> {
    let element = |op: &Op| match &op.place {
        Place::Element(name) => (Some(name.0), Some(name.1)),
        Place::Head => (None, Some(0)),
        Place::Key(_) => (None, None),
    };
    let key = |op: &Op| match &op.place {
        Place::Key(key) => Some(key.clone()),
        _ => None,
    };
    let preds = || ops.iter().flat_map(|op| op.preds.iter());
    let meta = |op: &Op| Some(((op.value.1.len() as u64) << 4) | op.value.0);
    let number = |out: &mut Vec<u8>, n: &u64| unsigned(out, *n);
    let has_marks = ops.iter().any(|op| op.mark.is_some());
    let mark_name = |op: &Op| op.mark.as_ref().map(|(name, _)| name.as_bytes().to_vec());
    let grows = ops.iter().map(|op| op.mark.as_ref().is_some_and(|m| m.1));
    let names = runs(ops.iter().map(mark_name), |out, name| prefixed(out, name));
    let all = [
        (
            column::OBJECT_ACTOR,
            runs(ops.iter().map(|op| op.object.map(|o| o.0)), number),
        ),
        (
            column::OBJECT_COUNTER,
            runs(ops.iter().map(|op| op.object.map(|o| o.1)), number),
        ),
        (
            column::KEY_ACTOR,
            runs(ops.iter().map(|op| element(op).0), number),
        ),
        (
            column::KEY_COUNTER,
            deltas(ops.iter().map(|op| element(op).1)),
        ),
        (
            column::KEY_STRING,
            runs(ops.iter().map(key), |out, key| prefixed(out, key)),
        ),
        (column::INSERT, booleans(ops.iter().map(|op| op.insert))),
        (
            column::ACTION,
            runs(ops.iter().map(|op| Some(op.action)), number),
        ),
        (column::VALUE_META, runs(ops.iter().map(meta), number)),
        (
            column::VALUE,
            ops.iter().flat_map(|op| op.value.1.clone()).collect(),
        ),
        (
            column::PRED_COUNT,
            runs(ops.iter().map(|op| Some(op.preds.len() as u64)), number),
        ),
        (column::PRED_ACTOR, runs(preds().map(|p| Some(p.0)), number)),
        (column::PRED_COUNTER, deltas(preds().map(|p| Some(p.1)))),
        (
            column::EXPAND,
            if has_marks {
                booleans(grows)
            } else {
                Vec::new()
            },
        ),
        (column::MARK_NAME, names),
    ];
    all.into_iter().filter(|(_, b)| !b.is_empty()).collect()
}

/// A run-length encoded column; one of nulls only is left out, as Automerge does.
pub fn runs<T: PartialEq>(
    items: impl Iterator<Item = Option<T>>,
    write: impl Fn(&mut Vec<u8>, &T),
) -> Vec<u8> {
    let mut groups: Vec<(Option<T>, u64)> = Vec::new();
    for item in items {
        match groups.last_mut() {
            Some((last, count)) if *last == item => *count += 1,
            _ => groups.push((item, 1)),
        }
    }
    let mut out = Vec::new();
    if groups.iter().all(|(item, _)| item.is_none()) {
        return out;
    }
    let mut literal: Vec<T> = Vec::new();
    let flush = |out: &mut Vec<u8>, literal: &mut Vec<T>| {
        if !literal.is_empty() {
            signed(out, -(literal.len() as i64));
            literal.drain(..).for_each(|item| write(out, &item));
        }
    };
    for (item, count) in groups {
        match item {
            Some(item) if count == 1 => literal.push(item),
            Some(item) => {
                flush(&mut out, &mut literal);
                signed(&mut out, count as i64);
                write(&mut out, &item);
            }
            None => {
                flush(&mut out, &mut literal);
                signed(&mut out, 0);
                unsigned(&mut out, count);
            }
        }
    }
    flush(&mut out, &mut literal);
    out
}

/// A delta encoded column.
pub fn deltas(items: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    let mut last = 0i64;
    let steps = items.map(|item| {
        let item = item? as i64;
        let step = item.wrapping_sub(last);
        last = item;
        Some(step)
    });
    let steps: Vec<_> = steps.collect();
    runs(steps.into_iter(), |out, step| signed(out, *step))
}

/// A column of booleans.
pub fn booleans(items: impl Iterator<Item = bool>) -> Vec<u8> {
    let (mut out, mut value, mut count) = (Vec::new(), false, 0);
    for item in items {
        if item != value {
            unsigned(&mut out, count);
            (value, count) = (item, 0);
        }
        count += 1;
    }
    if count > 0 {
        unsigned(&mut out, count);
    }
    out
}

/// Writes an unsigned LEB128 number.
pub fn unsigned(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Writes a signed LEB128 number.
pub fn signed(out: &mut Vec<u8>, mut n: i64) {
    loop {
        let byte = (n as u8) & 0x7f;
        n >>= 7;
        if (n == 0 && byte & 0x40 == 0) || (n == -1 && byte & 0x40 != 0) {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// Writes bytes behind their length.
pub fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn unsigned(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.take(1)[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
            shift += 7;
        }
    }

    fn signed(&mut self) -> i64 {
        let (mut value, mut shift) = (0i64, 0);
        loop {
            let byte = self.take(1)[0];
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return match byte & 0x40 != 0 && shift < 64 {
                    true => value | (-1 << shift),
                    false => value,
                };
            }
        }
    }

    fn prefixed(&mut self) -> Vec<u8> {
        let count = self.unsigned() as usize;
        self.take(count).to_vec()
    }
}
