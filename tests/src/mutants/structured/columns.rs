//! Columns that lie about how much there is, and columns that do not belong there.

use super::super::craft::{self, Craft, column};
use super::super::stand::Stand;
use super::{Make, base, edge, run};
use crate::kit::Random;

/// Kinds that spoil a column.
pub(super) const KINDS: &[(&str, Make)] = &[
    ("run-bomb", |s, r| {
        let spec = any(r);
        Some(bomb(s, r, spec).bytes())
    }),
    ("run-bomb-action", |s, r| {
        Some(bomb(s, r, column::ACTION).bytes())
    }),
    ("null-bomb", |s, r| {
        with_column(s, r, |column, r| {
            column.extend([0]);
            craft::unsigned(column, huge(r));
        })
    }),
    ("literal-bomb", |s, r| {
        with_column(s, r, |column, r| {
            craft::signed(column, -(huge(r) as i64));
            column.extend([1; 40]);
        })
    }),
    ("all-columns-bomb", |s, r| Some(whole_bomb(s, r).bytes())),
    ("boolean-bomb", |s, r| {
        let mut craft = base(s, r);
        let insert = craft.column(column::INSERT);
        if r.below(2) == 0 {
            insert.clear();
        }
        craft::unsigned(insert, r.below(2));
        craft::unsigned(insert, huge(r));
        Some(craft.bytes())
    }),
    ("boolean-empty-runs", |s, r| {
        let mut craft = base(s, r);
        craft.column(column::INSERT).extend([0, 0, 0, 1, 0]);
        Some(craft.bytes())
    }),
    ("pred-count-bomb", |s, r| {
        let mut craft = base(s, r);
        let mut item = Vec::new();
        craft::unsigned(&mut item, huge(r));
        let ops = 1 + r.below(5) as i64;
        *craft.column(column::PRED_COUNT) = run(ops, &item);
        *craft.column(column::PRED_ACTOR) = run(huge(r) as i64, &[0]);
        *craft.column(column::PRED_COUNTER) = run(huge(r) as i64, &[1]);
        Some(craft.bytes())
    }),
    ("preds-many", |s, r| {
        // Within the count of operations, and each names thousands.
        let mut craft = base(s, r);
        let each = 2 + r.below(9_000);
        let mut item = Vec::new();
        craft::unsigned(&mut item, each);
        *craft.column(column::PRED_COUNT) = run(2, &item);
        *craft.column(column::PRED_ACTOR) = run(each as i64 * 2, &[0]);
        *craft.column(column::PRED_COUNTER) = run(each as i64 * 2, &[1]);
        Some(craft.bytes())
    }),
    ("value-length-lie", |s, r| {
        let mut craft = base(s, r);
        let mut item = Vec::new();
        craft::unsigned(&mut item, (huge(r) << 4) | r.below(16));
        *craft.column(column::VALUE_META) = run(1 + r.below(3) as i64, &item);
        Some(craft.bytes())
    }),
    ("key-length-lie", |s, r| {
        let mut craft = base(s, r);
        let mut item = Vec::new();
        craft::unsigned(&mut item, edge(r));
        item.extend(b"hcode");
        *craft.column(column::KEY_STRING) = run(-1, &item);
        Some(craft.bytes())
    }),
    ("counter-overflow", |s, r| {
        let mut craft = base(s, r);
        let spec = [column::KEY_COUNTER, column::PRED_COUNTER][r.below(2) as usize];
        let mut item = Vec::new();
        craft::signed(&mut item, edge(r) as i64);
        *craft.column(spec) = run(2 + r.below(9) as i64, &item);
        Some(craft.bytes())
    }),
    ("column-longer", |s, r| {
        with_column(s, r, |column, r| column.push(r.below(256) as u8))
    }),
    ("column-shorter", |s, r| {
        with_column(s, r, |column, _| {
            column.pop();
        })
    }),
    ("column-empty", |s, r| {
        with_column(s, r, |column, _| column.clear())
    }),
    ("column-missing", |s, r| {
        let mut craft = base(s, r);
        craft
            .columns
            .remove(r.below(craft.columns.len() as u64) as usize);
        Some(craft.bytes())
    }),
    ("column-of-another", |s, r| {
        let mut craft = base(s, r);
        let (a, b) = (
            r.below(craft.columns.len() as u64),
            r.below(craft.columns.len() as u64),
        );
        let taken = craft.columns[a as usize].1.clone();
        craft.columns[b as usize].1 = taken;
        Some(craft.bytes())
    }),
    ("column-deflated", |s, r| {
        let mut craft = base(s, r);
        let at = r.below(craft.columns.len() as u64) as usize;
        craft.columns[at].0 |= 8;
        craft.columns[at].1 = craft::deflate_stored(&craft.columns[at].1);
        Some(craft.bytes())
    }),
    ("column-unknown", |s, r| {
        let mut craft = base(s, r);
        let spec = (r.below(20) << 4) | r.below(8);
        craft.column(spec).extend(run(1 + r.below(20) as i64, &[1]));
        Some(craft.bytes())
    }),
    ("column-expand", |s, r| {
        let mut craft = base(s, r);
        craft.column(column::EXPAND).extend([0, 1]);
        Some(craft.bytes())
    }),
    ("column-mark-name", |s, r| {
        let mut craft = base(s, r);
        craft.column(column::MARK_NAME).extend(run(1, b"\x04bold"));
        Some(craft.bytes())
    }),
    ("columns-unsorted", |s, r| {
        let mut craft = base(s, r);
        craft.columns.reverse();
        Some(craft.bytes())
    }),
    ("columns-twice", |s, r| {
        let mut craft = base(s, r);
        let at = r.below(craft.columns.len() as u64) as usize;
        craft.columns.insert(at, craft.columns[at].clone());
        Some(craft.bytes())
    }),
    ("columns-many", |s, r| {
        let mut craft = base(s, r);
        craft
            .columns
            .extend((0..1 + r.below(5_000)).map(|n| (0x200 + n * 16, vec![1, 1])));
        Some(craft.bytes())
    }),
    ("actor-index-out", |s, r| {
        let mut craft = base(s, r);
        let actors = [column::OBJECT_ACTOR, column::KEY_ACTOR, column::PRED_ACTOR];
        let spec = actors[r.below(3) as usize];
        let mut item = Vec::new();
        craft::unsigned(&mut item, 2 + r.below(4) + edge(r) / 2);
        *craft.column(spec) = run(1 + r.below(4) as i64, &item);
        Some(craft.bytes())
    }),
    ("spelt-otherwise", |s, r| {
        // The same operations in other bytes: two spellings of one change.
        let mut craft = base(s, r);
        let at = r.below(craft.columns.len() as u64) as usize;
        let (spec, bytes) = &mut craft.columns[at];
        let reads_names = [column::KEY_STRING, column::VALUE, column::INSERT].contains(spec);
        match bytes.first() {
            // A literal of one becomes a run of one, a run of two or more loses its first.
            Some(0x7f) if !reads_names => bytes[0] = 1,
            Some(2..0x40) if !reads_names => {
                let split = [1, bytes[1], bytes[0] - 1];
                bytes.splice(0..1, split);
            }
            Some(0) if bytes[1] > 1 => {
                let split = [0, 1, 0, bytes[1] - 1];
                bytes.splice(0..2, split);
            }
            Some(0x7f) => bytes[0] = 1,
            _ => return None,
        }
        Some(craft.bytes())
    }),
    ("nulls-left-out", |s, r| {
        let mut craft = base(s, r);
        let nulls = |(_, bytes): &&mut (u64, Vec<u8>)| {
            bytes.len() > 2 && bytes[bytes.len() - 2] == 0 && bytes[bytes.len() - 1] < 0x80
        };
        let mut ending: Vec<_> = craft.columns.iter_mut().filter(nulls).collect();
        let at = r.below(ending.len().max(1) as u64) as usize;
        let (_, bytes) = ending.get_mut(at)?;
        let last = bytes.len() - 1;
        match r.below(2) {
            0 => bytes.truncate(last - 1),
            _ => bytes[last] = bytes[last].saturating_sub(1),
        }
        Some(craft.bytes())
    }),
    ("nulls-spelt-out", |s, r| {
        let mut craft = base(s, r);
        let absent = [column::KEY_ACTOR, column::KEY_COUNTER, column::KEY_STRING];
        let spec = absent[r.below(3) as usize];
        let column = craft.column(spec);
        if !column.is_empty() {
            return None;
        }
        column.extend([0, 1 + r.below(30) as u8]);
        Some(craft.bytes())
    }),
];

fn any(random: &mut Random) -> u64 {
    column::ALL[random.below(column::ALL.len() as u64) as usize]
}

/// Far more than any change may have, or just more.
fn huge(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => 10_001 + random.below(100),
        1 => 1_000_000 + random.below(10_000_000),
        2 => 1 << (24 + random.below(38)),
        _ => i64::MAX as u64,
    }
}

fn bomb(stand: &Stand, random: &mut Random, spec: u64) -> Craft {
    let mut craft = base(stand, random);
    let bytes = run(huge(random) as i64, &[1, 1][..1 + random.below(2) as usize]);
    let column = craft.column(spec);
    match random.below(2) {
        0 => *column = bytes,
        _ => column.extend(bytes),
    }
    craft
}

/// As many inserts as one likes in some seventy bytes, every column in step.
fn whole_bomb(stand: &Stand, random: &mut Random) -> Craft {
    let Some(text) = stand.texts.first() else {
        return base(stand, random);
    };
    let mut craft = stand.change(&stand.typed(&text.object, None, "aa", 0));
    let count = match random.below(3) {
        0 => 10_000,
        _ => huge(random),
    };
    let object = craft.others.first().map_or(0, |_| 1);
    let mut counter = Vec::new();
    craft::unsigned(&mut counter, text.object.1);
    let mut insert = vec![0];
    craft::unsigned(&mut insert, count);
    let count = count as i64;
    for (spec, bytes) in [
        (column::OBJECT_ACTOR, run(count, &[object])),
        (column::OBJECT_COUNTER, run(count, &counter)),
        (column::KEY_ACTOR, Vec::new()),
        (column::KEY_COUNTER, run(count, &[0])),
        (column::INSERT, insert),
        (column::ACTION, run(count, &[1])),
        (column::VALUE_META, run(count, &[0x06])),
        (column::VALUE, Vec::new()),
        (column::PRED_COUNT, run(count, &[0])),
    ] {
        *craft.column(spec) = bytes;
    }
    craft.columns.retain(|(_, bytes)| !bytes.is_empty());
    craft
}

fn with_column(
    stand: &Stand,
    random: &mut Random,
    spoil: impl FnOnce(&mut Vec<u8>, &mut Random),
) -> Option<Vec<u8>> {
    let mut craft = base(stand, random);
    let at = random.below(craft.columns.len() as u64) as usize;
    spoil(&mut craft.columns[at].1, random);
    Some(craft.bytes())
}
