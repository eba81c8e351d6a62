//! Typed identifiers: 32 bytes each, so that an agency is never taken for a node.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// A text that is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct NotAnId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] { &self.0 }

            /// The first eight hexadecimal digits: enough to point at one, not to name it.
            #[must_use]
            pub fn short(&self) -> String { self.to_string().chars().take(8).collect() }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| NotAnId)?;
                Ok(Self(bytes.try_into().map_err(|_| NotAnId)?))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self, e: &mut Encoder<W>, _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = d.bytes()?;
                let bytes = bytes.try_into()
                    .map_err(|_| minicbor::decode::Error::message("an id has 32 bytes"))?;
                Ok(Self(bytes))
            }
        }
    )+};
}

ids! {
    /// An agency: the hash of its chain's genesis, which names its first root key.
    AgencyId;
    /// A node: its Ed25519 public key, which is also its libp2p identity.
    NodeKey;
    /// A sharing group: the hash of its chain's genesis.
    GroupId;
    /// A record: the salted hash of its genesis payload.
    RecordId;
    /// The hash of an entry's header.
    EntryHash;
    /// The hash of a statement of an agency or group chain.
    StatementHash;
    /// A digest of state, for comparing without sending.
    Digest;
}

impl Digest {
    /// The digest of nothing.
    pub const EMPTY: Digest = Digest([0; 32]);
}

/// A node's life between init or restore and the next restore: a random number, so that a
/// restored copy never continues a log that went further elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Incarnation(#[n(0)] pub u64);

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The writer of a log: a log is one of these in one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Writer {
    /// The node.
    #[n(0)]
    pub node: NodeKey,
    /// Its incarnation.
    #[n(1)]
    pub incarnation: Incarnation,
}

/// Who this node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Me {
    /// Its agency.
    pub agency: AgencyId,
    /// Its key.
    pub node: NodeKey,
    /// Its incarnation.
    pub incarnation: Incarnation,
}

impl Me {
    /// The writer of this node's logs.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer {
            node: self.node,
            incarnation: self.incarnation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text_in_either_case() {
        let id = RecordId([0xab; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        assert_eq!("ab".parse::<RecordId>(), Err(NotAnId));
        assert_eq!("zz".repeat(32).parse::<RecordId>(), Err(NotAnId));
    }

    #[test]
    fn an_id_of_another_length_is_refused() {
        let mut bytes = vec![0x58, 31];
        bytes.extend([0; 31]);
        assert!(minicbor::decode::<RecordId>(&bytes).is_err());
    }
}
