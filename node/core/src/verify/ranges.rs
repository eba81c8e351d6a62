//! Ranges of entries: hash chain, last signature, bounds, heights.

use super::Verified;
use crate::group::GroupChain;
use crate::identity::{AgencyChain, Capabilities};
use crate::log::{Entry, LogHead, Range, RangeError};
use crate::wire::{Domain, signature_holds};

/// Why a range was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The group is unknown here, or the sender or the writer is no member: one answer for all.
    #[error("not-a-member")]
    NotMember,
    /// The writer's node may not write.
    #[error("not-certified")]
    NotCertified,
    /// Its shape is wrong.
    #[error("bad-range: {0}")]
    Range(#[from] RangeError),
    /// An entry cites a height of the group chain that is not known here yet.
    #[error("unknown-height")]
    UnknownHeight,
    /// An entry cites an older height than the one before it.
    #[error("height-fell")]
    HeightFell,
    /// The signature does not hold: forged, altered, or on another history of this log.
    #[error("bad-signature")]
    Signature,
}

impl Refusal {
    /// A stable word for reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotMember => "not-a-member",
            Refusal::NotCertified => "not-certified",
            Refusal::Range(RangeError::Gap { .. }) => "gap",
            Refusal::Range(_) => "bad-range",
            Refusal::UnknownHeight => "unknown-height",
            Refusal::HeightFell => "height-fell",
            Refusal::Signature => "bad-signature",
        }
    }

    /// Whether an honest peer can cause it: by being ahead of us, by racing another relay, or by
    /// having stored entries of a writer before it had too many logs or lost the right to write.
    #[must_use]
    pub fn is_innocent(&self) -> bool {
        matches!(
            self,
            Refusal::UnknownHeight
                | Refusal::NotMember
                | Refusal::NotCertified
                | Refusal::Range(RangeError::Gap { .. })
        )
    }
}

/// What a range is judged against.
#[derive(Clone, Copy, Debug)]
pub struct RangeContext<'a> {
    /// The group's chain.
    pub group: &'a GroupChain,
    /// The chain of the writer's agency.
    pub agency: &'a AgencyChain,
    /// The log's head here, if there is one, and the group height that it cites.
    pub head: Option<(&'a LogHead, u32)>,
}

/// Verifies a range. Entries that are here already are left out; nothing new is an empty result.
///
/// # Errors
/// [`Refusal`] says why nothing of it may be stored.
pub fn range(context: RangeContext<'_>, range: Range) -> Result<Verified<Vec<Entry>>, Refusal> {
    let writer = range.writer;
    let certificate = context
        .agency
        .certificate(&writer.node)
        .ok_or(Refusal::NotCertified)?;
    if !certificate.capabilities.include(Capabilities::WRITE) {
        return Err(Refusal::NotCertified);
    }
    if range.group != context.group.id() {
        return Err(Refusal::NotMember);
    }
    let Some(range) = without_known(range, context.head.map_or(0, |(head, _)| head.seq)) else {
        return Ok(Verified(Vec::new()));
    };
    let entries = range.into_entries(context.head.map(|(head, _)| head))?;
    let mut height = context.head.map_or(0, |(_, height)| height);
    for entry in &entries {
        if entry.header.height < height {
            return Err(Refusal::HeightFell);
        }
        height = entry.header.height;
    }
    if height > context.group.height() {
        return Err(Refusal::UnknownHeight);
    }
    let last = entries
        .last()
        .and_then(|last| Some((last.header.to_bytes(), last.signature?)));
    let (header, signature) = last.ok_or(Refusal::Signature)?;
    if !signature_holds(&writer.node, Domain::Entry, &header, &signature) {
        return Err(Refusal::Signature);
    }
    Ok(Verified(entries))
}

/// The range without entries up to `seq`; none where all of it is known.
fn without_known(mut range: Range, seq: u64) -> Option<Range> {
    let known = seq.saturating_add(1).saturating_sub(range.first);
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    if known >= range.entries.len() && !range.entries.is_empty() {
        return None;
    }
    range.entries.drain(..known);
    range.first = range.first.saturating_add(known as u64);
    Some(range)
}
