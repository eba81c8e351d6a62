//! A record's first version: who made it, who may edit it, and its plain content.

use minicbor::{Decode, Encode};

use super::content::{Content, ContentError};
use crate::id::{AgencyId, GroupId};
use crate::limits;
use crate::wire::{self, WireError};

/// Who may edit a record besides its origin.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Editors {
    /// Every member of the group that may write.
    #[n(0)]
    Group,
    /// The origin and these agencies.
    #[n(1)]
    Listed(#[n(0)] Vec<AgencyId>),
}

/// Bytes that are no first version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// Not its CBOR, or too long.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// Names another group than the log it lies in.
    #[error("the record belongs to another group")]
    OtherGroup,
    /// Names another origin than the agency that signed it.
    #[error("the record names another origin than its signer")]
    OtherOrigin,
    /// The kind is no word.
    #[error("the kind is no word of small letters")]
    Kind,
    /// More editors than a group has members.
    #[error("too many editors")]
    Editors,
    /// The content breaks a bound.
    #[error(transparent)]
    Content(#[from] ContentError),
}

/// A record's first version. Its salted hash is the record's id.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Genesis {
    /// The group that the record is in, for good.
    #[n(0)]
    pub group: GroupId,
    /// The agency that made it.
    #[n(1)]
    pub origin: AgencyId,
    /// Kind, such as `guideline`. A kind that this version does not know is kept and shown.
    #[n(2)]
    pub kind: String,
    /// Who may edit it.
    #[n(3)]
    pub editors: Editors,
    /// What it says.
    #[n(4)]
    pub content: Content,
}

impl Genesis {
    /// The payload's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// Reads and checks a payload.
    ///
    /// # Errors
    /// [`GenesisError`] says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GenesisError> {
        let genesis: Self = wire::decode(bytes, limits::PAYLOAD_BYTES)?;
        genesis.check()?;
        Ok(genesis)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`GenesisError`] says what is wrong.
    pub fn check(&self) -> Result<(), GenesisError> {
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let length = 1..=limits::FIELD_NAME_BYTES;
        if !length.contains(&self.kind.len()) || !self.kind.bytes().all(word) {
            return Err(GenesisError::Kind);
        }
        if let Editors::Listed(editors) = &self.editors
            && editors.len() > limits::EDITORS
        {
            return Err(GenesisError::Editors);
        }
        Ok(self.content.check()?)
    }

    /// Whether an agency that may write in the group may edit this record.
    #[must_use]
    pub fn may_edit(&self, agency: &AgencyId) -> bool {
        *agency == self.origin
            || match &self.editors {
                Editors::Group => true,
                Editors::Listed(listed) => listed.contains(agency),
            }
    }
}
