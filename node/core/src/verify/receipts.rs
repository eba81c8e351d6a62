//! Receipts: a node's signed word for how much of a group it has durably stored.

use minicbor::{Decode, Encode};

use super::Verified;
use crate::breaks::{Break, is_left_out};
use crate::id::{GroupId, NodeKey};
use crate::limits;
use crate::log::Frontier;
use crate::wire::{self, Domain, Signed, Signing, WireError, signature_holds};

/// What a node says that it has durably stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// The node.
    #[n(1)]
    pub node: NodeKey,
    /// The node's clock, milliseconds since 1970; for display only.
    #[n(2)]
    pub wall_ms: u64,
    /// What it has stored.
    #[n(3)]
    pub frontier: Frontier,
}

/// A verified receipt with its bytes, as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    /// What it says.
    pub receipt: Receipt,
    /// As received.
    pub bytes: Vec<u8>,
}

/// Why a receipt is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not its bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// More logs than a group can have.
    #[error("too many logs")]
    TooMany,
    /// Not signed by the node that it speaks for.
    #[error("not signed by its node")]
    Signature,
}

impl Receipt {
    /// What bytes claim to be a receipt of; nothing is verified.
    #[must_use]
    pub fn claimed(bytes: &[u8]) -> Option<Self> {
        let signed: Signed = wire::decode(bytes, limits::FRAME_BYTES).ok()?;
        wire::decode(&signed.body, limits::FRAME_BYTES).ok()
    }

    /// Signs it: the bytes that travel.
    #[must_use]
    pub fn sign(&self, node: &Signing) -> Vec<u8> {
        wire::encode(&Signed::by(node, Domain::Receipt, wire::encode(self)))
    }
}

/// Verifies a receipt's signature. Whether its node belongs to a member is the replica's question.
///
/// # Errors
/// [`ReceiptError`] says what is wrong.
pub fn receipt(bytes: &[u8]) -> Result<Verified<SignedReceipt>, ReceiptError> {
    let signed: Signed = wire::decode(bytes, limits::FRAME_BYTES)?;
    let receipt: Receipt = wire::decode(&signed.body, limits::FRAME_BYTES)?;
    if receipt.frontier.0.len() > limits::LOGS_PER_GROUP {
        return Err(ReceiptError::TooMany);
    }
    let [by] = signed.signatures.as_slice() else {
        return Err(ReceiptError::Signature);
    };
    let holds = by.key == receipt.node
        && signature_holds(&by.key, Domain::Receipt, &signed.body, &by.signature);
    if !holds && !is_left_out(Break::ReceiptSignature) {
        return Err(ReceiptError::Signature);
    }
    Ok(Verified(SignedReceipt {
        receipt,
        bytes: bytes.to_vec(),
    }))
}
