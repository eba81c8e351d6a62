//! The join request: a new node of an agency asks the one that governs for its certificate. A text
//! file that the admin carries, as the card is. `docs/protocol/identity.md`, "Join request".

use data_encoding::BASE64;
use minicbor::{Decode, Encode};

use crate::id::{AgencyId, NodeKey};
use crate::limits;
use crate::wire::{self, Domain, Signed, Signing, WireError};

const BEGIN: &str = "-----BEGIN DIWAN JOIN REQUEST-----";
const END: &str = "-----END DIWAN JOIN REQUEST-----";
const LINE: usize = 76;

/// Why a text is no join request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The first or the last line is missing, or it is too long.
    #[error("line {BEGIN:?} or {END:?} is missing, or the file is too long")]
    Frame,
    /// The block between is not base 64.
    #[error("the block of letters is damaged at character {0}")]
    Block(usize),
    /// Not its bytes.
    #[error(transparent)]
    Wire(#[from] WireError),
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Body {
    #[n(0)]
    agency: AgencyId,
    #[n(1)]
    node: NodeKey,
    #[n(2)]
    addresses: Vec<String>,
}

/// A join request that was read. Whether its node signed it is `verify::join_request`'s question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// The agency that the node wants to act for.
    pub agency: AgencyId,
    /// The node.
    pub node: NodeKey,
    /// Where it will listen.
    pub addresses: Vec<String>,
    signed: Signed,
}

impl JoinRequest {
    /// The file's text, signed by the node that asks.
    #[must_use]
    pub fn render(agency: AgencyId, node: &Signing, addresses: Vec<String>) -> String {
        let body = Body {
            agency,
            node: node.public(),
            addresses,
        };
        let signed = Signed::by(node, Domain::JoinRequest, wire::encode(&body));
        let block = BASE64.encode(&wire::encode(&signed));
        let mut text = format!("{BEGIN}\n");
        for (at, letter) in block.chars().enumerate() {
            if at > 0 && at % LINE == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push_str(&format!("\n{END}\n"));
        text
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// [`JoinError`] says what is wrong.
    pub fn read(text: &str) -> Result<Self, JoinError> {
        let framed = text
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|t| t.strip_suffix(END));
        let inner = framed.filter(|inner| inner.len() <= limits::STATEMENT_BYTES);
        let letters: String = inner.ok_or(JoinError::Frame)?.split_whitespace().collect();
        let bytes = BASE64
            .decode(letters.as_bytes())
            .map_err(|error| JoinError::Block(error.position + 1))?;
        let signed = Signed::read(&bytes)?;
        let body: Body = wire::decode(&signed.body, limits::STATEMENT_BYTES)?;
        Ok(Self {
            agency: body.agency,
            node: body.node,
            addresses: body.addresses,
            signed,
        })
    }

    /// The envelope.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }
}
