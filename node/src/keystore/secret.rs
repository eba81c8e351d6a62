//! Secrets in memory: wiped when dropped, never printed.

use super::KeystoreError;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Longest passphrase, and longest passphrase file, in bytes.
const PASSPHRASE_MAX_BYTES: usize = 4096;

/// NFC makes UTF-8 text at most three times as long (Unicode Standard Annex 15, section 9).
const NFC_GROWTH_MAX: usize = 3;

/// The seed of an Ed25519 key (RFC 8032, section 5.1.5: the 32 bytes of the private key).
#[derive(Clone)]
pub struct Secret32(Zeroizing<[u8; 32]>);

/// A passphrase: one line of text, never empty, in Unicode normalisation form C, so that `é` is
/// one passphrase whether a keyboard sends one character for it or two.
pub struct Passphrase(Zeroizing<String>);

impl Secret32 {
    /// Draws a new seed from the operating system.
    ///
    /// # Errors
    /// [`KeystoreError::NoEntropy`].
    pub fn random() -> Result<Self, KeystoreError> {
        let mut seed = Self(Zeroizing::new([0; 32]));
        fill_random(seed.0.as_mut())?;
        Ok(seed)
    }

    /// Takes over a seed; the caller wipes its own copy.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The seed itself. Hand it on by reference; do not copy it into memory that nobody wipes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(hidden)")
    }
}

impl Passphrase {
    /// Checks and normalises a passphrase that was obtained elsewhere.
    ///
    /// # Errors
    /// [`KeystoreError::EmptyPassphrase`], [`KeystoreError::PassphraseTooLong`] (over 4 KiB),
    /// [`KeystoreError::PassphraseNotText`] (control characters).
    pub fn new(text: &str) -> Result<Self, KeystoreError> {
        if text.is_empty() {
            return Err(KeystoreError::EmptyPassphrase);
        }
        if text.len() > PASSPHRASE_MAX_BYTES {
            return Err(too_long());
        }
        if text.chars().any(char::is_control) {
            return Err(KeystoreError::PassphraseNotText);
        }
        // All the room at once: growing would leave unwiped copies behind.
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * NFC_GROWTH_MAX));
        text.nfc().for_each(|character| normal.push(character));
        Ok(Self(normal))
    }

    /// Reads a passphrase from a file of at most 4 KiB, leaving out one newline at its end. A pipe
    /// serves as well, such as a shell's process substitution.
    ///
    /// # Errors
    /// As [`Passphrase::new`]; [`KeystoreError::Unreadable`]; [`KeystoreError::PassphraseNotText`]
    /// also for what is not UTF-8.
    pub fn from_file(path: &Path) -> Result<Self, KeystoreError> {
        let unreadable = |source| KeystoreError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let limit = PASSPHRASE_MAX_BYTES + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit));
        let file = File::open(path).map_err(unreadable)?;
        file.take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() > PASSPHRASE_MAX_BYTES {
            return Err(too_long());
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| KeystoreError::PassphraseNotText)?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        Self::new(line.strip_suffix('\r').unwrap_or(line))
    }

    /// Asks for a passphrase on the terminal, without echo; where `confirm_prompt` is given, a
    /// second time with that. The prompts come from the caller's message catalogue.
    ///
    /// # Errors
    /// As [`Passphrase::new`]; [`KeystoreError::NoTerminal`]; [`KeystoreError::PassphrasesDiffer`].
    pub fn ask(prompt: &str, confirm_prompt: Option<&str>) -> Result<Self, KeystoreError> {
        Self::ask_through(prompt, confirm_prompt, |prompt| {
            rpassword::prompt_password(prompt)
                .map(Zeroizing::new)
                .map_err(|source| KeystoreError::NoTerminal { source })
        })
    }

    /// [`Passphrase::ask`] on any device that answers a prompt.
    pub(super) fn ask_through(
        prompt: &str,
        confirm_prompt: Option<&str>,
        mut answer: impl FnMut(&str) -> Result<Zeroizing<String>, KeystoreError>,
    ) -> Result<Self, KeystoreError> {
        let passphrase = Self::new(&answer(prompt)?)?;
        if let Some(confirm_prompt) = confirm_prompt {
            let again = Self::new(&answer(confirm_prompt)?);
            if !again.is_ok_and(|again| again.0 == passphrase.0) {
                return Err(KeystoreError::PassphrasesDiffer);
            }
        }
        Ok(passphrase)
    }

    /// The bytes that a key is derived from.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(hidden)")
    }
}

/// Fills `bytes` from the operating system's random source, the only one in the whole program:
/// everything else takes entropy as an input.
///
/// # Errors
/// [`KeystoreError::NoEntropy`], when the system has none to give.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), KeystoreError> {
    getrandom::fill(bytes).map_err(|source| KeystoreError::NoEntropy { source })
}

fn too_long() -> KeystoreError {
    KeystoreError::PassphraseTooLong {
        max_bytes: PASSPHRASE_MAX_BYTES as u64,
    }
}
