//! Reads a change's bytes before Automerge does: every length, run and operation is counted and
//! bounded first, and only what a record's document may have is let through.
//!
//! The format is Automerge's binary format, "change chunks" and "column encodings"
//! (<https://automerge.org/automerge-binary-format-spec/>). This reader takes one form of it only,
//! the one that Automerge itself writes for the edits of [`super::edit`]: uncompressed, no message,
//! no clock, no marks, no counters. Nothing is expanded before it was counted: a change of 69 bytes
//! may stand for ten million operations.

use automerge::{ActorId, ChangeHash};

use super::gate::ChangeReason;
use crate::breaks::{Break, is_left_out};
use crate::limits;

/// Automerge's magic bytes, before checksum and chunk type.
pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
pub(super) const UNCOMPRESSED_CHANGE: u8 = 1;
/// Bytes of an actor here: what [`super::base::actor`] derives.
const ACTOR_BYTES: u64 = 16;

/// An operation's name inside one change: counter, and position in [`Scan::actors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpName {
    pub(super) counter: u64,
    pub(super) actor: usize,
}

/// Where in its object an operation acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A key of a map.
    Key(&'a str),
    /// The beginning of a text.
    Head,
    /// An element of a text.
    Element(OpName),
}

/// What an operation does. Others than these have no place in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action<'a> {
    /// Sets a text value.
    SetText(&'a str),
    /// Sets `true`.
    SetTrue,
    /// Removes.
    Delete,
    /// Makes a text object.
    MakeText,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Op<'a> {
    /// The object; none for the document's root.
    pub(super) object: Option<OpName>,
    pub(super) place: Place<'a>,
    pub(super) insert: bool,
    pub(super) action: Action<'a>,
    /// Where its predecessors stand in [`Scan::preds`].
    pub(super) preds: std::ops::Range<usize>,
}

/// A change as its bytes state it. Nothing is known yet of what it refers to.
#[derive(Clone, Debug)]
pub(super) struct Scan<'a> {
    pub(super) deps: Vec<ChangeHash>,
    /// The author first, then the others that operations refer to.
    pub(super) actors: Vec<ActorId>,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) ops: Vec<Op<'a>>,
    pub(super) preds: Vec<OpName>,
}

/// Reads a change.
///
/// # Errors
/// [`ChangeReason`]: `ChunkType` for what is compressed or no change, `TooLarge` for what is over a
/// limit, `Malformed` for everything else.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan<'_>, ChangeReason> {
    let mut chunk = Bytes(bytes);
    if chunk.take(MAGIC.len())? != MAGIC {
        return Err(ChangeReason::Malformed);
    }
    // The checksum is over everything that follows it; Automerge compares it where it parses.
    chunk.take(4)?;
    if chunk.take(1)? != [UNCOMPRESSED_CHANGE] {
        return Err(ChangeReason::ChunkType);
    }
    if chunk.length()? != chunk.0.len() {
        return Err(ChangeReason::Malformed);
    }
    let mut body = chunk;
    let deps = deps(&mut body)?;
    let author = actor(&mut body)?;
    let seq = body.unsigned()?;
    let start_op = body.unsigned()?;
    let (time, message) = (body.signed()?, body.length()?);
    if time != 0 || message != 0 {
        return Err(ChangeReason::Malformed);
    }
    let operations_end = start_op.checked_add(limits::CHANGE_OPS as u64);
    if seq == 0 || start_op == 0 || operations_end.is_none_or(|end| end > limits::DOCUMENT_OPS) {
        return Err(ChangeReason::StartOp);
    }
    let actors = actors(&mut body, author)?;
    let columns = Columns::split(body)?;
    let (ops, preds) = columns.ops(actors.len())?;
    Ok(Scan {
        deps,
        actors,
        seq,
        start_op,
        ops,
        preds,
    })
}

fn deps(body: &mut Bytes<'_>) -> Result<Vec<ChangeHash>, ChangeReason> {
    let count = body.length()?;
    if count > limits::CHANGE_DEPS {
        return Err(ChangeReason::TooLarge);
    }
    let mut deps: Vec<ChangeHash> = Vec::with_capacity(count);
    for _ in 0..count {
        let hash = body.take(32)?.try_into();
        let hash = ChangeHash(hash.map_err(|_| ChangeReason::Malformed)?);
        if deps.last().is_some_and(|last| *last >= hash) {
            return Err(ChangeReason::Malformed);
        }
        deps.push(hash);
    }
    Ok(deps)
}

fn actor(body: &mut Bytes<'_>) -> Result<ActorId, ChangeReason> {
    if body.unsigned()? != ACTOR_BYTES {
        return Err(ChangeReason::Actor);
    }
    Ok(ActorId::from(body.take(16)?))
}

/// The author and the others, which follow in order, each once.
fn actors(body: &mut Bytes<'_>, author: ActorId) -> Result<Vec<ActorId>, ChangeReason> {
    let others = body.length()?;
    if others > limits::CHANGE_ACTORS {
        return Err(ChangeReason::TooLarge);
    }
    let mut actors = Vec::with_capacity(others + 1);
    actors.push(author);
    for _ in 0..others {
        let other = actor(body)?;
        let in_order = actors.len() == 1 || actors.last().is_some_and(|last| *last < other);
        if !in_order || actors.first() == Some(&other) {
            return Err(ChangeReason::Malformed);
        }
        actors.push(other);
    }
    Ok(actors)
}

/// The columns of the operations that a record's change may have, by their specification's number
/// (column id × 16 + type). The format's `expand` and `mark` columns have no place here.
#[derive(Default)]
struct Columns<'a> {
    object_actor: Bytes<'a>,
    object_counter: Bytes<'a>,
    key_actor: Bytes<'a>,
    key_counter: Bytes<'a>,
    key_string: Bytes<'a>,
    insert: Bytes<'a>,
    action: Bytes<'a>,
    value_meta: Bytes<'a>,
    value: Bytes<'a>,
    pred_count: Bytes<'a>,
    pred_actor: Bytes<'a>,
    pred_counter: Bytes<'a>,
}

/// Bit of a column's specification that says "deflated".
const DEFLATED: u64 = 0b1000;

impl<'a> Columns<'a> {
    /// Splits the rest of a change into its columns; nothing may follow them.
    fn split(mut body: Bytes<'a>) -> Result<Self, ChangeReason> {
        let count = body.length()?;
        // Twelve are known.
        if count > 12 {
            return Err(ChangeReason::Malformed);
        }
        let mut layout = Vec::with_capacity(count);
        let mut before = None;
        for _ in 0..count {
            let (spec, bytes) = (body.unsigned()?, body.length()?);
            if spec & DEFLATED != 0 {
                return Err(ChangeReason::ChunkType);
            }
            if before.is_some_and(|before| before >= spec) || bytes == 0 {
                return Err(ChangeReason::Malformed);
            }
            before = Some(spec);
            layout.push((spec, bytes));
        }
        let mut columns = Self::default();
        for (spec, bytes) in layout {
            let data = Bytes(body.take(bytes)?);
            let column = match spec {
                0x01 => &mut columns.object_actor,
                0x02 => &mut columns.object_counter,
                0x11 => &mut columns.key_actor,
                0x13 => &mut columns.key_counter,
                0x15 => &mut columns.key_string,
                0x34 => &mut columns.insert,
                0x42 => &mut columns.action,
                0x56 => &mut columns.value_meta,
                0x57 => &mut columns.value,
                0x70 => &mut columns.pred_count,
                0x71 => &mut columns.pred_actor,
                0x73 => &mut columns.pred_counter,
                _ => return Err(ChangeReason::Malformed),
            };
            *column = data;
        }
        match body.0.is_empty() {
            true => Ok(columns),
            false => Err(ChangeReason::Malformed),
        }
    }

    /// Reads the operations, which refer to so many actors.
    fn ops(self, actors: usize) -> Result<(Vec<Op<'a>>, Vec<OpName>), ChangeReason> {
        let count = run_total(self.action)?;
        if count == 0 {
            return Err(ChangeReason::Malformed);
        }
        let name = |actor: Option<u64>, counter: Option<i64>| match (actor, counter) {
            (None, None) => Ok(None),
            (Some(actor), Some(counter)) => {
                let actor = usize::try_from(actor).ok().filter(|at| *at < actors);
                // Automerge counts in 32 bits, and panics where it reads a name beyond.
                let is_name = |counter: &u64| (1..=limits::DOCUMENT_OPS).contains(counter);
                let counter = u64::try_from(counter).ok().filter(is_name);
                let name = actor.zip(counter);
                let (actor, counter) = name.ok_or(ChangeReason::Malformed)?;
                Ok(Some(OpName { counter, actor }))
            }
            _ => Err(ChangeReason::Malformed),
        };
        let mut objects = (
            Runs::new(self.object_actor, Bytes::unsigned),
            Runs::new(self.object_counter, Bytes::unsigned),
        );
        let mut key_actor = Runs::new(self.key_actor, Bytes::unsigned);
        let mut key_counter = Deltas::new(self.key_counter);
        let mut key_string = Runs::new(self.key_string, Bytes::text);
        let mut insert = Booleans::new(self.insert);
        let mut action = Runs::new(self.action, Bytes::unsigned);
        let mut meta = Runs::new(self.value_meta, Bytes::unsigned);
        let mut values = self.value;
        let mut pred_count = Runs::new(self.pred_count, Bytes::unsigned);
        let mut pred_actor = Runs::new(self.pred_actor, Bytes::unsigned);
        let mut pred_counter = Deltas::new(self.pred_counter);

        let mut ops = Vec::with_capacity(count);
        let mut preds = Vec::new();
        for _ in 0..count {
            let counter = objects.1.next()?.map(i64::try_from).transpose();
            let counter = counter.map_err(|_| ChangeReason::Malformed)?;
            let object = name(objects.0.next()?, counter)?;
            let place = match (key_actor.next()?, key_counter.next()?, key_string.next()?) {
                (None, None, Some(key)) => Place::Key(key),
                (None, Some(0), None) => Place::Head,
                (actor, counter, None) => {
                    Place::Element(name(actor, counter)?.ok_or(ChangeReason::Malformed)?)
                }
                _ => return Err(ChangeReason::Malformed),
            };
            let first_pred = preds.len();
            let named = pred_count.next()?.ok_or(ChangeReason::Malformed)?;
            let left = limits::CHANGE_OPS.saturating_sub(first_pred) as u64;
            if named > left {
                return Err(ChangeReason::TooLarge);
            }
            for _ in 0..named {
                let pred = name(pred_actor.next()?, pred_counter.next()?)?;
                preds.push(pred.ok_or(ChangeReason::Malformed)?);
            }
            ops.push(Op {
                object,
                place,
                insert: insert.next()?,
                action: action_of(action.next()?, meta.next()?, &mut values)?,
                preds: first_pred..preds.len(),
            });
        }
        let all_read = objects.0.is_done()
            && objects.1.is_done()
            && key_actor.is_done()
            && key_counter.0.is_done()
            && key_string.is_done()
            && insert.is_done()
            && meta.is_done()
            && values.0.is_empty()
            && pred_count.is_done()
            && pred_actor.is_done()
            && pred_counter.0.is_done();
        match all_read {
            true => Ok((ops, preds)),
            false => Err(ChangeReason::Malformed),
        }
    }
}

/// An operation's action with its value ("action" and "value" columns of the format).
fn action_of<'a>(
    action: Option<u64>,
    meta: Option<u64>,
    values: &mut Bytes<'a>,
) -> Result<Action<'a>, ChangeReason> {
    const NULL: u64 = 0;
    const TRUE: u64 = 2;
    const TEXT: u64 = 6;
    let meta = meta.ok_or(ChangeReason::Malformed)?;
    let (kind, bytes) = (meta & 0xf, usize::try_from(meta >> 4));
    let bytes = bytes.map_err(|_| ChangeReason::Malformed)?;
    let value = values.take(bytes)?;
    match (action, kind) {
        (Some(1), TEXT) => {
            let text = std::str::from_utf8(value).map_err(|_| ChangeReason::Malformed)?;
            Ok(Action::SetText(text))
        }
        (Some(1), TRUE) if bytes == 0 => Ok(Action::SetTrue),
        (Some(3), NULL) if bytes == 0 => Ok(Action::Delete),
        (Some(4), NULL) if bytes == 0 => Ok(Action::MakeText),
        _ => Err(ChangeReason::Schema),
    }
}

/// How many operations a run-length encoded column stands for, without expanding it.
fn run_total(column: Bytes<'_>) -> Result<usize, ChangeReason> {
    let mut left = column;
    let mut total: u64 = 0;
    while !left.0.is_empty() {
        let length = match left.signed()? {
            0 => left.unsigned()?,
            run if run > 0 => {
                left.unsigned()?;
                run.unsigned_abs()
            }
            literal => {
                let count = literal.unsigned_abs();
                // A literal has at least a byte each, so its length is bounded by what is there.
                if count > left.0.len() as u64 {
                    return Err(ChangeReason::Malformed);
                }
                for _ in 0..count {
                    left.unsigned()?;
                }
                count
            }
        };
        total = total.saturating_add(length);
        if total > limits::CHANGE_OPS as u64 && !is_left_out(Break::OpsLimit) {
            return Err(ChangeReason::TooLarge);
        }
    }
    usize::try_from(total).map_err(|_| ChangeReason::TooLarge)
}

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ChangeReason> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(ChangeReason::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ChangeReason> {
        let (byte, rest) = self.0.split_first().ok_or(ChangeReason::Malformed)?;
        self.0 = rest;
        Ok(*byte)
    }

    /// An unsigned LEB128 number, in its shortest form.
    fn unsigned(&mut self) -> Result<u64, ChangeReason> {
        let mut value: u64 = 0;
        for at in 0..10_u32 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit; a last byte of zero could have been left out.
            let overflows = at == 9 && bits > 1;
            let is_longer = at > 0 && byte == 0;
            if overflows || is_longer {
                return Err(ChangeReason::Malformed);
            }
            value |= bits << (7 * at);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ChangeReason::Malformed)
    }

    /// A signed LEB128 number.
    fn signed(&mut self) -> Result<i64, ChangeReason> {
        let mut value: i64 = 0;
        for at in 0..10_u32 {
            let byte = self.byte()?;
            let bits = i64::from(byte & 0x7f);
            if at == 9 && bits != 0 && bits != 0x7f {
                return Err(ChangeReason::Malformed);
            }
            value |= bits << (7 * at);
            if byte & 0x80 == 0 {
                let used = 7 * (at + 1);
                let is_negative = byte & 0x40 != 0 && used < 64;
                return Ok(if is_negative {
                    value | (-1 << used)
                } else {
                    value
                });
            }
        }
        Err(ChangeReason::Malformed)
    }

    /// A length or a count.
    fn length(&mut self) -> Result<usize, ChangeReason> {
        usize::try_from(self.unsigned()?).map_err(|_| ChangeReason::Malformed)
    }

    fn text(&mut self) -> Result<&'a str, ChangeReason> {
        let bytes = self.length()?;
        std::str::from_utf8(self.take(bytes)?).map_err(|_| ChangeReason::Malformed)
    }
}

/// A run-length encoded column, one item at a time. One that is left out stands for nulls; one that
/// is there has an item for each operation, in the one spelling that Automerge writes: it writes the
/// change anew where it saves the document, and another spelling has another hash.
struct Runs<'a, T> {
    bytes: Bytes<'a>,
    read: fn(&mut Bytes<'a>) -> Result<T, ChangeReason>,
    is_absent: bool,
    has_items: bool,
    left: u64,
    group: Group<T>,
    last: Option<T>,
}

/// What the items that are left of a group are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group<T> {
    None,
    Nulls,
    Same(T),
    Literal,
}

impl<'a, T: Copy + PartialEq> Runs<'a, T> {
    fn new(bytes: Bytes<'a>, read: fn(&mut Bytes<'a>) -> Result<T, ChangeReason>) -> Self {
        Self {
            bytes,
            read,
            is_absent: bytes.0.is_empty(),
            has_items: false,
            left: 0,
            group: Group::None,
            last: None,
        }
    }

    fn next(&mut self) -> Result<Option<T>, ChangeReason> {
        if self.is_absent {
            return Ok(None);
        }
        if self.left == 0 {
            self.begin()?;
        }
        self.left -= 1;
        let item = match self.group {
            Group::Same(item) => return Ok(Some(item)),
            Group::Literal => Some((self.read)(&mut self.bytes)?),
            Group::Nulls | Group::None => None,
        };
        // Equal neighbours are one run.
        if item.is_some() && item == self.last {
            return Err(ChangeReason::Malformed);
        }
        self.last = item;
        Ok(item)
    }

    fn begin(&mut self) -> Result<(), ChangeReason> {
        let before = self.group;
        let run = self.bytes.signed()?;
        (self.left, self.group) = match run {
            0 => (self.bytes.unsigned()?, Group::Nulls),
            1 => return Err(ChangeReason::Malformed),
            run if run > 0 => {
                let item = (self.read)(&mut self.bytes)?;
                (run.unsigned_abs(), Group::Same(item))
            }
            run => (run.unsigned_abs(), Group::Literal),
        };
        self.has_items |= self.group != Group::Nulls;
        if let Group::Same(item) = self.group
            && self.last.replace(item) == Some(item)
        {
            return Err(ChangeReason::Malformed);
        }
        let could_be_one = match self.group {
            Group::Nulls => before == Group::Nulls,
            Group::Literal => before == Group::Literal,
            Group::None | Group::Same(_) => false,
        };
        match self.left == 0 || could_be_one {
            true => Err(ChangeReason::Malformed),
            false => Ok(()),
        }
    }

    fn is_done(&self) -> bool {
        self.left == 0 && self.bytes.0.is_empty() && (self.is_absent || self.has_items)
    }
}

/// A delta-encoded column: each item is its distance from the one before.
struct Deltas<'a>(Runs<'a, i64>, i64);

impl<'a> Deltas<'a> {
    fn new(bytes: Bytes<'a>) -> Self {
        Self(Runs::new(bytes, Bytes::signed), 0)
    }

    fn next(&mut self) -> Result<Option<i64>, ChangeReason> {
        let Some(delta) = self.0.next()? else {
            return Ok(None);
        };
        self.1 = self.1.checked_add(delta).ok_or(ChangeReason::Malformed)?;
        Ok(Some(self.1))
    }
}

/// A column of booleans: lengths of runs, the first of `false`.
struct Booleans<'a> {
    bytes: Bytes<'a>,
    left: u64,
    value: bool,
    is_first: bool,
}

impl<'a> Booleans<'a> {
    fn new(bytes: Bytes<'a>) -> Self {
        Self {
            bytes,
            left: 0,
            value: true,
            is_first: true,
        }
    }

    fn next(&mut self) -> Result<bool, ChangeReason> {
        while self.left == 0 {
            self.left = self.bytes.unsigned()?;
            self.value = !self.value;
            // Only the first run, of `false`, may be empty.
            if self.left == 0 && !std::mem::take(&mut self.is_first) {
                return Err(ChangeReason::Malformed);
            }
            self.is_first = false;
        }
        self.left -= 1;
        Ok(self.value)
    }

    fn is_done(&self) -> bool {
        self.left == 0 && self.bytes.0.is_empty()
    }
}
