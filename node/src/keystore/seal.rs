//! Sealing a seed with a passphrase: Argon2id (RFC 9106) derives a key, XChaCha20-Poly1305 seals.

use super::format::{self, KeyFile, Sealed, Sealing};
use super::{KeyPurpose, KeystoreError, Passphrase, Secret32, fill_random};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// What guessing one passphrase costs, us as well as a thief of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Default for KdfCost {
    /// 64 MiB, 3 passes, 1 lane: RFC 9106's second recommended option but for its 4 lanes, which
    /// help only where they run in parallel, and ours do not.
    fn default() -> Self {
        Self {
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
        }
    }
}

impl KdfCost {
    /// Most memory that a key file can make us use, in KiB (1 GiB).
    const MEMORY_KIB_MAX: u32 = 1024 * 1024;
    /// Most passes that a key file can make us run.
    const PASSES_MAX: u32 = 16;
    /// Most lanes that a key file can make us fill.
    const LANES_MAX: u32 = 8;

    /// The least that Argon2 accepts, for tests that derive many keys.
    #[cfg(test)]
    pub(super) const CHEAPEST_FOR_TESTS: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    /// Takes the parameters that a key file names, if they are within bounds: they come from a
    /// file, and nothing is allocated on a file's word.
    pub(super) fn bounded(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let lanes_fit = (1..=Self::LANES_MAX).contains(&lanes);
        let passes_fit = (1..=Self::PASSES_MAX).contains(&passes);
        // Argon2 asks for 8 KiB a lane at least (RFC 9106, section 3.1).
        let memory_fits = lanes_fit && (8 * lanes..=Self::MEMORY_KIB_MAX).contains(&memory_kib);
        (memory_fits && passes_fit).then_some(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Memory used, in KiB.
    pub(super) fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over that memory.
    pub(super) fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes that the memory is divided into.
    pub(super) fn lanes(self) -> u32 {
        self.lanes
    }
}

/// Seals `seed` under a fresh salt and nonce.
pub(super) fn seal(
    purpose: KeyPurpose,
    seed: &Secret32,
    passphrase: &Passphrase,
    cost: KdfCost,
) -> Result<KeyFile, KeystoreError> {
    let mut sealed = Sealed {
        cost,
        salt: [0; 16],
        nonce: [0; 24],
        ciphertext: [0; 48],
    };
    fill_random(&mut sealed.salt)?;
    fill_random(&mut sealed.nonce)?;

    let cipher = cipher(&sealed, passphrase)?;
    // The ciphertext is not part of its own associated data.
    let associated_data = format::associated_data(&KeyFile {
        purpose,
        sealing: Sealing::Sealed(sealed.clone()),
    });
    let payload = Payload {
        msg: seed.as_bytes(),
        aad: associated_data.as_bytes(),
    };
    sealed.ciphertext = cipher
        .encrypt(&XNonce::from(sealed.nonce), payload)
        .ok()
        .and_then(|ciphertext| ciphertext.try_into().ok())
        .ok_or_else(|| out_of_memory(cost))?;
    Ok(KeyFile {
        purpose,
        sealing: Sealing::Sealed(sealed),
    })
}

/// Opens what [`seal`] made; `None` when the passphrase is another one.
pub(super) fn open(
    sealed: &Sealed,
    associated_data: &str,
    passphrase: &Passphrase,
) -> Result<Option<Secret32>, KeystoreError> {
    let cipher = cipher(sealed, passphrase)?;
    let payload = Payload {
        msg: &sealed.ciphertext,
        aad: associated_data.as_bytes(),
    };
    let opened = cipher
        .decrypt(&XNonce::from(sealed.nonce), payload)
        .map(Zeroizing::new);
    Ok(opened
        .ok()
        .and_then(|seed| seed.first_chunk().map(Secret32::from_bytes)))
}

fn cipher(sealed: &Sealed, passphrase: &Passphrase) -> Result<XChaCha20Poly1305, KeystoreError> {
    let key = derive(sealed.cost, &sealed.salt, passphrase)?;
    Ok(XChaCha20Poly1305::new(<&Key>::from(&*key)))
}

fn derive(
    cost: KdfCost,
    salt: &[u8; 16],
    passphrase: &Passphrase,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(key.len()))
        .map_err(|_| out_of_memory(cost))?;

    // Memory of ours rather than Argon2's own: it is wiped, and its lack is an error, not an end.
    let mut memory: Zeroizing<Vec<Block>> = Zeroizing::default();
    let blocks = params.block_count();
    memory
        .try_reserve_exact(blocks)
        .map_err(|_| out_of_memory(cost))?;
    memory.resize(blocks, Block::default());

    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.as_bytes(), salt, key.as_mut(), &mut **memory)
        .map_err(|_| out_of_memory(cost))?;
    Ok(key)
}

/// The one way in which bounded parameters and a bounded passphrase can fail.
fn out_of_memory(cost: KdfCost) -> KeystoreError {
    KeystoreError::OutOfMemory {
        memory_mib: cost.memory_kib.div_ceil(1024),
    }
}
