//! Deliberate faults, for testing the tests: each leaves out one rule that everything rests on. They
//! exist with the feature `breaks` only, which no program is built with; without it, asking costs
//! nothing.

/// A rule that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Break {
    /// An entry's signature is not verified.
    EntrySignature = 1,
    /// A receipt's signature is not verified.
    ReceiptSignature,
    /// Signatures of an agency's statements are not verified.
    AgencySignature,
    /// One owner's signature is enough, however many are needed.
    OwnersThreshold,
    /// Nobody's signature is needed below a group's statement.
    OwnerSignature,
    /// A range that ends where this log ends, with another hash, counts as known.
    OtherHead,
    /// A log's entries may cite ever older heights.
    HeightFalls,
    /// What lies beyond a cut counts.
    BeyondCut,
    /// The entry at a cut may be any.
    CutHead,
    /// A proof that a log forks is thrown away.
    ForkProof,
    /// Who is no member is served.
    NonMember,
    /// Receipts of others are thrown away.
    DropReceipt,
    /// A receipt says one entry more than there is.
    ReceiptAhead,
    /// A commit is acknowledged before the disk has it.
    AckBeforeSync,
    /// Who is no editor may edit.
    NotEditor,
    /// Everybody may say what the origin decides.
    AnyDecision,
    /// Everybody may purge.
    AnyPurge,
    /// A change may bear anybody's actor.
    ChangeActor,
    /// A change's number need not follow.
    ChangeSequence,
    /// A change may leave out its writer's last one.
    ChangePredecessor,
    /// A change's operations may count from anywhere.
    StartOp,
    /// A change's operations are not counted before they are read.
    OpsLimit,
    /// A writer's changes are looked at without end.
    ChangeQuota,
    /// A home that is older than its own log writes on.
    OldHome,
    /// A batch's declared size is not looked at.
    BatchSize,
}

impl Break {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::EntrySignature,
        Self::ReceiptSignature,
        Self::AgencySignature,
        Self::OwnersThreshold,
        Self::OwnerSignature,
        Self::OtherHead,
        Self::HeightFalls,
        Self::BeyondCut,
        Self::CutHead,
        Self::ForkProof,
        Self::NonMember,
        Self::DropReceipt,
        Self::ReceiptAhead,
        Self::AckBeforeSync,
        Self::NotEditor,
        Self::AnyDecision,
        Self::AnyPurge,
        Self::ChangeActor,
        Self::ChangeSequence,
        Self::ChangePredecessor,
        Self::StartOp,
        Self::OpsLimit,
        Self::ChangeQuota,
        Self::OldHome,
        Self::BatchSize,
    ];
}

#[cfg(feature = "breaks")]
static BROKEN: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Leaves out a rule in this process from now on; none leaves out nothing.
#[cfg(feature = "breaks")]
pub fn leave_out(rule: Option<Break>) {
    let number = rule.map_or(0, |rule| rule as u8);
    BROKEN.store(number, std::sync::atomic::Ordering::Relaxed);
}

/// Whether a rule is left out.
#[cfg(feature = "breaks")]
#[must_use]
pub fn is_left_out(rule: Break) -> bool {
    BROKEN.load(std::sync::atomic::Ordering::Relaxed) == rule as u8
}

/// Whether a rule is left out: never.
#[cfg(not(feature = "breaks"))]
#[must_use]
#[inline(always)]
pub const fn is_left_out(_: Break) -> bool {
    false
}
