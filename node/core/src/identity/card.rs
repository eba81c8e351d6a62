//! The card: an agency's chain as a small text file that admins hand each other.
//!
//! The readable lines are for people; the chain below them is what counts. A card is accepted only
//! when its text is exactly what its chain renders to, so a changed byte anywhere shows.

use std::fmt::Write as _;

use data_encoding::BASE64;
use minicbor::{Decode, Encode};

use super::chain::{AgencyChain, ChainError};
use super::fingerprint::Fingerprint;
use crate::limits;
use crate::wire::{self, WireError};

const BEGIN: &str = "-----BEGIN DIWAN CARD-----";
const END: &str = "-----END DIWAN CARD-----";
const LINE: usize = 76;

/// Why a text is no card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// Longer than [`limits::CARD_BYTES`].
    #[error("{0} bytes are too long for a card")]
    TooLong(usize),
    /// The first or the last line is missing.
    #[error("line {BEGIN:?} or {END:?} is missing: the file is cut or is no card")]
    Frame,
    /// The block between is not base 64 or not a chain.
    #[error("the block of letters is damaged: {0}")]
    Block(String),
    /// A statement does not verify.
    #[error("statement {height} does not verify: {reason}")]
    Statement {
        /// Its height.
        height: usize,
        /// Why.
        reason: ChainError,
    },
    /// The readable lines or the layout are not the chain's: somebody changed them.
    #[error("line {line} was changed: it does not say what the signed chain says")]
    Altered {
        /// Counts from 1.
        line: usize,
    },
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Block {
    #[n(0)]
    statements: Vec<minicbor::bytes::ByteVec>,
}

/// A verified card.
#[derive(Clone, Debug)]
pub struct Card {
    /// The agency's verified chain.
    pub chain: AgencyChain,
}

impl Card {
    /// The file's text.
    #[must_use]
    pub fn render(&self) -> String {
        let genesis = self.chain.genesis();
        let mut text = format!(
            "{BEGIN}\nAgency: {}\nCountry: {}\nShort: {}\nFingerprint: {}\n",
            genesis.name,
            genesis.country,
            genesis.short,
            Fingerprint::of(&self.chain.id())
        );
        for address in self.chain.addresses() {
            let _ = writeln!(text, "Address: {address}");
        }
        text.push('\n');
        let statements = self
            .chain
            .statements_from(0)
            .map(|bytes| bytes.clone().into())
            .collect();
        let block = BASE64.encode(&wire::encode(&Block { statements }));
        for (at, letter) in block.chars().enumerate() {
            if at > 0 && at % LINE == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        let _ = writeln!(text, "\n{END}");
        text
    }

    /// The signed statements inside a card's text. Nothing is verified: `verify::card` does that.
    ///
    /// # Errors
    /// [`CardError`] when the text is no card or its block is damaged.
    pub fn statements(text: &str) -> Result<Vec<Vec<u8>>, CardError> {
        if text.len() > limits::CARD_BYTES {
            return Err(CardError::TooLong(text.len()));
        }
        let text = text.replace("\r\n", "\n");
        let inner = text
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(END))
            .ok_or(CardError::Frame)?;
        let (_, block) = inner.split_once("\n\n").ok_or(CardError::Frame)?;
        let letters: String = block.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = BASE64
            .decode(letters.as_bytes())
            .map_err(|e| CardError::Block(format!("character {}", e.position + 1)))?;
        let block: Block = wire::decode(&bytes, limits::CARD_BYTES)
            .map_err(|e: WireError| CardError::Block(e.to_string()))?;
        Ok(block.statements.into_iter().map(Into::into).collect())
    }

    /// Whether `text` is this card's own, line by line.
    ///
    /// # Errors
    /// [`CardError::Altered`] with the first line that is not.
    pub fn matches(&self, text: &str) -> Result<(), CardError> {
        let text = text.replace("\r\n", "\n");
        let rendered = self.render();
        let mut given = text.trim().lines();
        let mut expected = rendered.trim().lines();
        for line in 1.. {
            match (given.next(), expected.next()) {
                (None, None) => break,
                (given, expected) if given == expected => {}
                _ => return Err(CardError::Altered { line }),
            }
        }
        Ok(())
    }
}
