//! Bytes: bounded CBOR (RFC 8949), domain-separated hashes (BLAKE3 in its key-derivation mode) and
//! Ed25519 signatures (RFC 8032). Bytes are signed and hashed as received, never encoded again.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::id::NodeKey;
use crate::limits;

/// Bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Longer than the limit of its kind.
    #[error("{bytes} bytes where at most {limit} are allowed")]
    TooLong {
        /// Found.
        bytes: usize,
        /// Allowed.
        limit: usize,
    },
    /// Not the CBOR of its type.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Bytes follow the end.
    #[error("{0} bytes follow the end")]
    Trailing(usize),
}

/// The CBOR of a value. Encoding into memory cannot fail; types here have no failing encoder.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).unwrap_or_default()
}

/// Decodes exactly one value from at most `limit` bytes.
///
/// # Errors
/// [`WireError`], with nothing allocated beyond the input's own size.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8], limit: usize) -> Result<T, WireError> {
    if bytes.len() > limit {
        return Err(WireError::TooLong {
            bytes: bytes.len(),
            limit,
        });
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder
        .decode()
        .map_err(|e| WireError::Malformed(e.to_string()))?;
    match bytes.len().saturating_sub(decoder.position()) {
        0 => Ok(value),
        left => Err(WireError::Trailing(left)),
    }
}

/// What a hash or a signature is about, so that bytes of one kind never pass for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A statement of an agency chain.
    AgencyStatement,
    /// A statement of a group chain.
    GroupStatement,
    /// The id of an agency's own group.
    OwnGroup,
    /// An entry's header.
    Entry,
    /// An entry's salt and payload.
    Payload,
    /// A signed frontier.
    Receipt,
    /// A digest of a frontier or of a group's state.
    State,
    /// An Automerge actor.
    Actor,
    /// A record's version.
    Version,
    /// A card's text.
    Card,
    /// A node's request to act for an agency.
    JoinRequest,
    /// What a sealed cut is about.
    CutTag,
    /// What hides a sealed cut's sequence.
    CutMask,
    /// A proof that somebody signed two things of which only one may be.
    Proof,
}

impl Domain {
    fn context(self) -> &'static str {
        match self {
            Domain::AgencyStatement => "diwan agency statement 1",
            Domain::GroupStatement => "diwan group statement 1",
            Domain::OwnGroup => "diwan own group 1",
            Domain::Entry => "diwan entry 1",
            Domain::Payload => "diwan payload 1",
            Domain::Receipt => "diwan receipt 1",
            Domain::State => "diwan state 1",
            Domain::Actor => "diwan actor 1",
            Domain::Version => "diwan version 1",
            Domain::Card => "diwan card 1",
            Domain::JoinRequest => "diwan join request 1",
            Domain::CutTag => "diwan cut tag 1",
            Domain::CutMask => "diwan cut mask 1",
            Domain::Proof => "diwan proof 1",
        }
    }
}

/// Hashes the parts, one after the other, in a domain.
#[must_use]
pub fn hash(domain: Domain, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(domain.context());
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// An Ed25519 signature.
pub type Signature = [u8; 64];

/// A secret signing key, of a root or of a node. Wiped from memory when dropped.
pub struct Signing(SigningKey);

impl Signing {
    /// The key of a 32-byte seed (the entropy is the caller's).
    #[must_use]
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> NodeKey {
        NodeKey(self.0.verifying_key().to_bytes())
    }

    /// Signs the domain's hash of the bytes.
    #[must_use]
    pub fn sign(&self, domain: Domain, bytes: &[u8]) -> Signature {
        self.0.sign(&hash(domain, &[bytes])).to_bytes()
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signing({})", self.public().short())
    }
}

/// Whether `signature` is `key`'s over the domain's hash of the bytes. Strict: no small-order keys,
/// no malleable signatures, so that all nodes agree.
#[must_use]
pub fn signature_holds(key: &NodeKey, domain: Domain, bytes: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&key.0) else {
        return false;
    };
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(&hash(domain, &[bytes]), &signature)
        .is_ok()
}

/// Bytes with the signatures that somebody put below them: nothing is verified yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Signed {
    /// The signed bytes, as received.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// Who signed, and the signatures.
    #[n(1)]
    pub signatures: Vec<SignatureBy>,
}

/// One signature below a statement.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignatureBy {
    /// The key that signed.
    #[n(0)]
    pub key: NodeKey,
    /// 64 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Signature,
}

impl Signed {
    /// Signs with one key.
    #[must_use]
    pub fn by(key: &Signing, domain: Domain, body: Vec<u8>) -> Self {
        let signature = key.sign(domain, &body);
        Self {
            body,
            signatures: vec![SignatureBy {
                key: key.public(),
                signature,
            }],
        }
    }

    /// Reads an envelope, in bounds.
    ///
    /// # Errors
    /// [`WireError`] when it is too long or malformed or has more signatures than a group has members.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let signed: Self = decode(bytes, limits::STATEMENT_BYTES)?;
        if signed.signatures.len() > limits::SIGNATURES {
            return Err(WireError::TooLong {
                bytes: signed.signatures.len(),
                limit: limits::SIGNATURES,
            });
        }
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> Signing {
        Signing::from_seed(&Zeroizing::new([seed; 32]))
    }

    #[test]
    fn a_signature_holds_only_for_its_key_domain_and_bytes() {
        let signature = key(1).sign(Domain::Entry, b"header");
        let public = key(1).public();
        assert!(signature_holds(
            &public,
            Domain::Entry,
            b"header",
            &signature
        ));
        assert!(!signature_holds(
            &key(2).public(),
            Domain::Entry,
            b"header",
            &signature
        ));
        assert!(!signature_holds(
            &public,
            Domain::Receipt,
            b"header",
            &signature
        ));
        assert!(!signature_holds(
            &public,
            Domain::Entry,
            b"headeR",
            &signature
        ));
        assert!(!signature_holds(
            &NodeKey([0; 32]),
            Domain::Entry,
            b"header",
            &signature
        ));
    }

    #[test]
    fn trailing_and_overlong_bytes_are_refused() {
        let mut bytes = encode(&Signed::by(&key(1), Domain::Receipt, vec![1, 2, 3]));
        assert!(Signed::read(&bytes).is_ok());
        bytes.push(0);
        assert_eq!(Signed::read(&bytes), Err(WireError::Trailing(1)));
        let long = vec![0; limits::STATEMENT_BYTES + 1];
        assert!(matches!(
            Signed::read(&long),
            Err(WireError::TooLong { .. })
        ));
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // An array of 2^60 signatures, in eleven bytes.
        let bytes = [0x82, 0x40, 0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0];
        assert!(matches!(Signed::read(&bytes), Err(WireError::Malformed(_))));
    }
}
