//! Ranges of entries: hash chain, last signature, bounds, heights.

use super::Verified;
use crate::breaks::{Break, is_left_out};
use crate::group::GroupChain;
use crate::identity::{AgencyChain, Capabilities};
use crate::log::{Entry, Header, LogHead, Range, RangeError};
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
    /// It leads elsewhere than to the last valid entry that a cut or a proof names.
    #[error("other-branch")]
    OtherBranch,
    /// Beyond the place where the log was found to fork.
    #[error("frozen")]
    Frozen,
}

impl Refusal {
    /// A stable word for reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::NotMember => "not-a-member",
            Refusal::NotCertified => "not-certified",
            Refusal::Range(RangeError::Gap { .. }) => "gap",
            Refusal::Range(
                RangeError::Count(_)
                | RangeError::Kind(_)
                | RangeError::PayloadTooLong(_)
                | RangeError::Record,
            ) => "bad-range",
            Refusal::UnknownHeight => "unknown-height",
            Refusal::HeightFell => "height-fell",
            Refusal::Signature => "bad-signature",
            Refusal::Range(RangeError::OtherHead) | Refusal::OtherBranch => "other-branch",
            Refusal::Frozen => "frozen",
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
                | Refusal::OtherBranch
                | Refusal::Frozen
                | Refusal::Range(RangeError::Gap { .. } | RangeError::OtherHead)
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
    /// Where the log ends for good, if it was cut or has forked: the last valid entry.
    pub end: Option<LogEnd>,
}

/// Where a log ends for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// Its last valid entry; sequence 0 where nothing is valid.
    pub last: LogHead,
    /// Nothing beyond it is stored: the log has forked, and there is no telling which side is meant.
    /// Where it was only cut, what lies beyond is stored without effect.
    pub is_fork: bool,
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
    let known = context.head.map_or(0, |(head, _)| head.seq);
    let last = range.first.saturating_add(range.entries.len() as u64);
    if let Some((head, _)) = context.head
        && last.checked_sub(1) == Some(head.seq)
        && range.first <= head.seq
    {
        // It ends where this log ends here: the same, or another side of it.
        let count = range.entries.len();
        return match range.skip(count)?.previous == head.hash {
            true => Ok(Verified(Vec::new())),
            false if is_left_out(Break::OtherHead) => Ok(Verified(Vec::new())),
            false => Err(RangeError::OtherHead.into()),
        };
    }
    let Some(range) = without_known(range, known)? else {
        return Ok(Verified(Vec::new()));
    };
    let mut entries = range.into_entries(context.head.map(|(head, _)| head))?;
    let mut height = context.head.map_or(0, |(_, height)| height);
    for entry in &entries {
        if entry.header.height < height && !is_left_out(Break::HeightFalls) {
            return Err(Refusal::HeightFell);
        }
        height = entry.header.height;
    }
    if height > context.group.height() {
        return Err(Refusal::UnknownHeight);
    }
    let last = entries
        .last_mut()
        .and_then(|last| Some((last.header.clone(), last.signature?, last)));
    let (header, signature, last) = last.ok_or(Refusal::Signature)?;
    let signed = signature_holds(&writer.node, Domain::Entry, &header.to_bytes(), &signature)
        || is_left_out(Break::EntrySignature);
    let is_end = context.end.is_some_and(|end| end.last == head_of(&header));
    if !signed {
        // The cut or the proof that names this very entry vouches for it and all before it.
        if !is_end {
            return Err(Refusal::Signature);
        }
        last.signature = None;
    }
    if let Some(end) = context.end {
        keep_to(&mut entries, &end)?;
    }
    Ok(Verified(entries))
}

/// Leaves out what lies beyond a fork, and refuses what is not the log that its end belongs to.
fn keep_to(entries: &mut Vec<Entry>, end: &LogEnd) -> Result<(), Refusal> {
    let at_end = entries
        .iter()
        .find(|entry| entry.header.seq == end.last.seq);
    let is_other = at_end.is_some_and(|entry| entry.header.hash() != end.last.hash);
    if is_other && !is_left_out(Break::CutHead) {
        return Err(Refusal::OtherBranch);
    }
    if end.is_fork {
        entries.retain(|entry| entry.header.seq <= end.last.seq);
        if entries.is_empty() {
            return Err(Refusal::Frozen);
        }
    }
    Ok(())
}

fn head_of(header: &Header) -> LogHead {
    LogHead {
        seq: header.seq,
        hash: header.hash(),
    }
}

/// The range without entries up to `seq`; none where all of it is known.
fn without_known(range: Range, seq: u64) -> Result<Option<Range>, RangeError> {
    let known = seq.saturating_add(1).saturating_sub(range.first);
    let known = usize::try_from(known).unwrap_or(usize::MAX);
    if known >= range.entries.len() && !range.entries.is_empty() {
        return Ok(None);
    }
    range.skip(known).map(Some)
}
