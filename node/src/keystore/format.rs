//! The text of a key file: see the room's own page for its lines.
//!
//! One key file has one text. Whatever differs from what [`encode`] writes, be it a space or an
//! upper-case digit, is damage.

use super::seal::KdfCost;
use super::{KeyPurpose, Secret32};
use data_encoding::HEXLOWER;
use std::fmt::Write;
use zeroize::Zeroizing;

/// The word that opens every key file, of whatever version.
const MAGIC: &str = "diwan-key ";
/// The version that this program writes and reads.
const VERSION: u32 = 1;
/// Room for the longest text, in bytes; reserved at once, since growing leaves copies of secrets.
const TEXT_CAPACITY_BYTES: usize = 512;
/// Bytes of the BLAKE3 hash in the last line: damage is to be noticed, not an attacker.
const CHECK_BYTES: usize = 8;

/// What a key file says.
pub(super) struct KeyFile {
    pub(super) purpose: KeyPurpose,
    pub(super) sealing: Sealing,
}

/// The seed, or what hides it.
pub(super) enum Sealing {
    Open { seed: Secret32 },
    Sealed(Sealed),
}

/// A seed under a passphrase.
#[derive(Clone)]
pub(super) struct Sealed {
    pub(super) cost: KdfCost,
    pub(super) salt: [u8; 16],
    pub(super) nonce: [u8; 24],
    /// The seed's 32 bytes and the 16 of the authentication tag.
    pub(super) ciphertext: [u8; 48],
}

/// Why a text is not a key file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A line, from 1, is not as it was written.
    Damaged { line: usize, reason: &'static str },
    /// An undamaged file of another version.
    UnsupportedVersion { found: u32 },
}

/// The text of a key file.
pub(super) fn encode(key_file: &KeyFile) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(TEXT_CAPACITY_BYTES));
    write_head(&mut text, key_file);
    match &key_file.sealing {
        Sealing::Open { seed } => {
            text.push_str("seed ");
            HEXLOWER.encode_append(seed.as_bytes(), &mut text);
        }
        Sealing::Sealed(sealed) => {
            text.push_str("sealed ");
            HEXLOWER.encode_append(&sealed.ciphertext, &mut text);
        }
    }
    text.push('\n');
    let check = check_of(&text);
    text.push_str(&check);
    text
}

/// The lines above `sealed`: what the cipher vouches for besides the seed.
pub(super) fn associated_data(key_file: &KeyFile) -> String {
    let mut head = String::with_capacity(TEXT_CAPACITY_BYTES);
    write_head(&mut head, key_file);
    head
}

/// Reads a text that [`encode`] wrote.
pub(super) fn decode(bytes: &[u8]) -> Result<KeyFile, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.iter().take(error.valid_up_to());
        damaged(
            1 + good.filter(|byte| **byte == b'\n').count(),
            "is not text",
        )
    })?;
    if !text.starts_with(MAGIC) {
        return Err(damaged(1, "is not that of a key file"));
    }
    // The check stands before everything else, the version included: a flipped bit in the version
    // is damage, not news from the future. So every version to come keeps first and last line.
    let body = checked_body(text)?;
    let mut lines = Lines {
        lines: body.lines(),
        line: 0,
    };

    let version = lines.rest_after(MAGIC)?;
    match parse_number(version).ok_or(damaged(1, "has no version"))? {
        VERSION => {}
        found => return Err(Fault::UnsupportedVersion { found }),
    }
    let purpose = match lines.rest_after("purpose ")? {
        "root" => KeyPurpose::Root,
        "node" => KeyPurpose::Node,
        _ => return Err(lines.fault("names an unknown purpose")),
    };
    let sealing = match lines.rest_after("kdf ")? {
        "none" => Sealing::Open {
            seed: decode_seed(&mut lines)?,
        },
        kdf => Sealing::Sealed(decode_sealed(kdf, &mut lines)?),
    };

    let key_file = KeyFile { purpose, sealing };
    if *encode(&key_file) != text {
        return Err(damaged(
            body.lines().count(),
            "or one before it is not in its only form",
        ));
    }
    Ok(key_file)
}

fn write_head(text: &mut String, key_file: &KeyFile) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{MAGIC}{VERSION}\npurpose {}",
        key_file.purpose.name()
    );
    let _ = match &key_file.sealing {
        Sealing::Open { .. } => writeln!(text, "kdf none"),
        Sealing::Sealed(Sealed {
            cost, salt, nonce, ..
        }) => writeln!(
            text,
            "kdf argon2id m={} t={} p={} salt={}\ncipher xchacha20poly1305 nonce={}",
            cost.memory_kib(),
            cost.passes(),
            cost.lanes(),
            HEXLOWER.encode(salt),
            HEXLOWER.encode(nonce),
        ),
    };
}

fn decode_seed(lines: &mut Lines<'_>) -> Result<Secret32, Fault> {
    let hex = lines.rest_after("seed ")?;
    let seed = Zeroizing::new(decode_hex::<32>(hex).ok_or(lines.fault("has no valid seed"))?);
    Ok(Secret32::from_bytes(&seed))
}

fn decode_sealed(kdf: &str, lines: &mut Lines<'_>) -> Result<Sealed, Fault> {
    let (cost, salt) = decode_kdf(kdf).ok_or(lines.fault("asks for an unknown or costly kdf"))?;
    let nonce = lines.rest_after("cipher xchacha20poly1305 nonce=")?;
    let nonce = decode_hex(nonce).ok_or(lines.fault("has no valid nonce"))?;
    let ciphertext = lines.rest_after("sealed ")?;
    let ciphertext = decode_hex(ciphertext).ok_or(lines.fault("has no valid sealed key"))?;
    Ok(Sealed {
        cost,
        salt,
        nonce,
        ciphertext,
    })
}

fn decode_kdf(kdf: &str) -> Option<(KdfCost, [u8; 16])> {
    let mut words = kdf.strip_prefix("argon2id ")?.split(' ');
    let memory_kib = parse_number(words.next()?.strip_prefix("m=")?)?;
    let passes = parse_number(words.next()?.strip_prefix("t=")?)?;
    let lanes = parse_number(words.next()?.strip_prefix("p=")?)?;
    let salt = decode_hex(words.next()?.strip_prefix("salt=")?)?;
    Some((KdfCost::bounded(memory_kib, passes, lanes)?, salt))
}

/// The lines above the check line, which must agree with it.
fn checked_body(text: &str) -> Result<&str, Fault> {
    let start = text
        .trim_end_matches('\n')
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let (body, check) = text.split_at(start);
    if check == check_of(body) {
        Ok(body)
    } else {
        Err(damaged(
            text.lines().count(),
            "does not agree with the lines before",
        ))
    }
}

fn check_of(body: &str) -> String {
    let hash = blake3::hash(body.as_bytes());
    let start = hash.as_bytes().first_chunk::<CHECK_BYTES>();
    format!(
        "check {}\n",
        start
            .map(|start| HEXLOWER.encode(start))
            .unwrap_or_default()
    )
}

fn decode_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if HEXLOWER.decode_len(hex.len()).ok()? != N {
        return None;
    }
    HEXLOWER.decode_mut(hex.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

fn parse_number(digits: &str) -> Option<u32> {
    digits.parse().ok()
}

fn damaged(line: usize, reason: &'static str) -> Fault {
    Fault::Damaged { line, reason }
}

/// The lines of the body, counted, so that a fault can say where.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    line: usize,
}

impl<'a> Lines<'a> {
    /// The next line without the words that it must begin with.
    fn rest_after(&mut self, words: &'static str) -> Result<&'a str, Fault> {
        self.line += 1;
        let line = self.lines.next().ok_or(damaged(self.line, "is missing"))?;
        line.strip_prefix(words)
            .ok_or(damaged(self.line, "begins with the wrong words"))
    }

    /// A fault in the line read last.
    fn fault(&self, reason: &'static str) -> Fault {
        damaged(self.line, reason)
    }
}
