//! Which drafts were published.

use diwan_core::id::RecordId;
use diwan_core::record::{SOURCE, WITHDRAWN};
use diwan_core::replica::Replica;

use crate::store::{Reading, RecordRow, RecordState, StoreError};

/// Whether a record is a draft of this agency that was published and not withdrawn, and how many records that
/// link to it were looked at, `limit` at most.
///
/// # Errors
/// [`StoreError`].
pub fn was_published(
    reading: &Reading,
    replica: &Replica,
    row: &RecordRow,
    limit: usize,
) -> Result<(bool, usize), StoreError> {
    let me = replica.me().agency;
    let own = replica.group(&row.group);
    if !own.is_some_and(|group| group.chain.is_own()) {
        return Ok((false, 0));
    }
    let mut looked_at = 0;
    for num in reading.linking(&row.id, limit)? {
        looked_at += 1;
        let copy = reading.record(num)?;
        let is_copy = |copy: &RecordRow| {
            copy.origin == me && copy.group != row.group && copy.state != RecordState::Hidden
        };
        let Some(copy) = copy.filter(is_copy) else {
            continue;
        };
        let content = reading.content(num, &copy)?.unwrap_or_default();
        let is_source = |(rel, to): (&str, RecordId)| rel == SOURCE && to == row.id;
        if content.value(WITHDRAWN).is_none() && content.link_pairs().any(is_source) {
            return Ok((true, looked_at));
        }
    }
    Ok((false, looked_at))
}
