//! The trust list: the agencies that the local admin has pinned, and nothing that the network says.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::id::AgencyId;

/// What the local admin decided about an agency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum TrustState {
    /// Its card was added, but nobody compared the fingerprint: it is neither dialled nor let in,
    /// and cannot become a member of a group here.
    #[n(0)]
    Unverified,
    /// Its nodes are dialled and let in.
    #[n(1)]
    Pinned,
    /// No connection for now; resumes as it was.
    #[n(2)]
    Suspended,
    /// No connection, and its content is hidden.
    #[n(3)]
    Blocked,
}

impl TrustState {
    /// The word of the API and the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TrustState::Unverified => "unverified",
            TrustState::Pinned => "pinned",
            TrustState::Suspended => "suspended",
            TrustState::Blocked => "blocked",
        }
    }
}

/// Who compared the fingerprint, and when.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Verification {
    /// Milliseconds since 1970, by the local clock.
    #[n(0)]
    pub at_ms: u64,
    /// The local uid of the admin.
    #[n(1)]
    pub by_uid: u32,
}

/// One agency of the trust list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TrustEntry {
    /// What the admin decided.
    #[n(0)]
    pub state: TrustState,
    /// The comparison of fingerprints, if there was one.
    #[n(1)]
    pub verification: Option<Verification>,
}

impl TrustEntry {
    /// A card was added without its fingerprint.
    #[must_use]
    pub fn unverified() -> Self {
        Self {
            state: TrustState::Unverified,
            verification: None,
        }
    }

    /// The fingerprint was compared.
    #[must_use]
    pub fn pinned(verification: Verification) -> Self {
        Self {
            state: TrustState::Pinned,
            verification: Some(verification),
        }
    }

    /// The entry after a suspension was lifted or a block removed: pinned if it was ever verified.
    #[must_use]
    pub fn resumed(&self) -> Self {
        let state = match self.verification {
            Some(_) => TrustState::Pinned,
            None => TrustState::Unverified,
        };
        Self {
            state,
            verification: self.verification.clone(),
        }
    }

    /// The entry in another state.
    #[must_use]
    pub fn with_state(&self, state: TrustState) -> Self {
        Self {
            state,
            verification: self.verification.clone(),
        }
    }
}

/// The local admin's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustList {
    entries: BTreeMap<AgencyId, TrustEntry>,
}

impl TrustList {
    /// What the admin decided about an agency.
    #[must_use]
    pub fn get(&self, agency: &AgencyId) -> Option<&TrustEntry> {
        self.entries.get(agency)
    }

    /// Whether an agency's nodes may be talked to.
    #[must_use]
    pub fn is_pinned(&self, agency: &AgencyId) -> bool {
        self.get(agency)
            .is_some_and(|entry| entry.state == TrustState::Pinned)
    }

    /// Whether an agency's content is hidden.
    #[must_use]
    pub fn is_blocked(&self, agency: &AgencyId) -> bool {
        self.get(agency)
            .is_some_and(|entry| entry.state == TrustState::Blocked)
    }

    /// Adds or replaces an entry.
    pub fn set(&mut self, agency: AgencyId, entry: TrustEntry) {
        self.entries.insert(agency, entry);
    }

    /// Forgets an agency.
    pub fn remove(&mut self, agency: &AgencyId) -> Option<TrustEntry> {
        self.entries.remove(agency)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&AgencyId, &TrustEntry)> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resuming_never_pins_what_was_never_verified() {
        let unverified = TrustEntry::unverified().with_state(TrustState::Suspended);
        assert_eq!(unverified.resumed().state, TrustState::Unverified);
        let pinned = TrustEntry::pinned(Verification {
            at_ms: 1,
            by_uid: 0,
        });
        assert_eq!(pinned.with_state(TrustState::Blocked).resumed(), pinned);
    }

    #[test]
    fn only_pinned_agencies_are_talked_to() {
        let mut list = TrustList::default();
        let agency = AgencyId([1; 32]);
        assert!(!list.is_pinned(&agency));
        for (state, pinned) in [
            (TrustState::Unverified, false),
            (TrustState::Pinned, true),
            (TrustState::Suspended, false),
            (TrustState::Blocked, false),
        ] {
            list.set(
                agency,
                TrustEntry {
                    state,
                    verification: None,
                },
            );
            assert_eq!(list.is_pinned(&agency), pinned, "{state:?}");
        }
        list.remove(&agency);
        assert!(!list.is_pinned(&agency));
    }
}
