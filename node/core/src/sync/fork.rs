//! Finding the place where two copies of a log part, and proving it. Pure: the log is read through a
//! function that the caller gives.

use super::message::{ForkAsk, ForkTell, Message};
use crate::id::{GroupId, Writer};
use crate::limits;
use crate::log::{Entry, LogHead};
use crate::verify::{Branch, Proof};

/// Answers a peer's places of a log: with places of our own that narrow the gap, or, once it is
/// small, with our side of it. Without places, begins: with places of the whole log, dense at its
/// end. None where nothing differs.
///
/// # Errors
/// Of `entry`, which reads the log.
pub fn compare<E>(
    (group, writer): (GroupId, Writer),
    head: u64,
    points: &[LogHead],
    entry: impl Fn(u64) -> Result<Option<Entry>, E>,
) -> Result<Option<Message>, E> {
    let ask = |places: Vec<u64>| -> Result<Option<Message>, E> {
        let mut points = Vec::with_capacity(places.len());
        for seq in places {
            if let Some(found) = entry(seq)? {
                let hash = found.header.hash();
                points.push(LogHead { seq, hash });
            }
        }
        let ask = ForkAsk {
            group,
            writer,
            points,
        };
        Ok((!ask.points.is_empty()).then_some(Message::ForkAsk(ask)))
    };
    if points.is_empty() {
        return ask(back_from(head));
    }
    let mut common = 0;
    let mut differs = None;
    for point in points.iter().take(limits::FORK_POINTS) {
        let Some(ours) = entry(point.seq)? else {
            continue;
        };
        if ours.header.hash() == point.hash {
            common = common.max(point.seq);
        } else {
            differs = Some(differs.map_or(point.seq, |seq: u64| seq.min(point.seq)));
        }
    }
    let Some(differs) = differs.filter(|seq| *seq > common) else {
        return Ok(None);
    };
    if differs - common > FEW {
        return ask(between(common, differs));
    }
    let side = side_from(common + 1, differs, &entry)?;
    let tell = side.and_then(|entries| Branch::of(&entries));
    Ok(tell.map(|branch| {
        Message::ForkTell(ForkTell {
            group,
            writer,
            branch,
        })
    }))
}

/// The proof that a peer's side of a log and ours make; none where they do not differ.
///
/// # Errors
/// Of `entry`, which reads the log.
pub fn prove<E>(
    theirs: &Branch,
    entry: impl Fn(u64) -> Result<Option<Entry>, E>,
) -> Result<Option<Proof>, E> {
    let Ok(headers) = theirs.headers() else {
        return Ok(None);
    };
    for (at, header) in headers.iter().enumerate() {
        let Some(ours) = entry(header.seq)? else {
            return Ok(None);
        };
        if ours.header.hash() == header.hash() {
            continue;
        }
        let side = side_from(header.seq, header.seq, &entry)?;
        let ours = side.and_then(|entries| Branch::of(&entries));
        return Ok(ours.map(|ours| Proof::of_log(ours, theirs.clone().from(at))));
    }
    Ok(None)
}

/// Entries between the last common place and the first different one that are told rather than
/// asked about once more.
const FEW: u64 = 256;

/// Places from the head back, each step twice the one before, down to the first.
fn back_from(head: u64) -> Vec<u64> {
    let mut places = Vec::new();
    let (mut at, mut step) = (head, 1);
    while at > 0 && places.len() + 1 < limits::FORK_POINTS {
        places.push(at);
        if at == 1 {
            break;
        }
        at = at.saturating_sub(step).max(1);
        step *= 2;
    }
    places
}

/// Places spread between two, both left out, and the first.
fn between(common: u64, differs: u64) -> Vec<u64> {
    let parts = limits::FORK_POINTS as u64 / 2;
    let place = |part: u64| common + (differs - common) * part / parts;
    let mut places: Vec<u64> = (1..parts).map(place).collect();
    places.dedup();
    places.push(differs);
    places.reverse();
    places
}

/// Entries from one place to the first signed one at or behind another.
fn side_from<E>(
    first: u64,
    through: u64,
    entry: impl Fn(u64) -> Result<Option<Entry>, E>,
) -> Result<Option<Vec<Entry>>, E> {
    let mut entries = Vec::new();
    for seq in first.. {
        let Some(next) = entry(seq)?.filter(|_| entries.len() < limits::BATCH_ENTRIES) else {
            return Ok(None);
        };
        let done = seq >= through && next.signature.is_some();
        entries.push(next);
        if done {
            return Ok(Some(entries));
        }
    }
    Ok(None)
}
