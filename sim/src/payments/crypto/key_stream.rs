//! Where keys, nonces and serial numbers come from.

use std::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};

use crate::seed::Seed;

/// Bytes for keys and nonces: from a named stream of the seed in a simulation, from outside for a served platform.
#[derive(Clone, Debug)]
pub struct KeyStream {
    rng: ChaCha20Rng,
}

impl KeyStream {
    /// What this seed has for this name: the same keys in every run.
    pub fn of_seed(seed: Seed, name: &str) -> Self {
        let mut words = seed.stream(name);
        let mut secret = [0; 32];
        for part in secret.chunks_exact_mut(8) {
            part.copy_from_slice(&words.word().to_le_bytes());
        }
        Self::of_secret(secret)
    }

    /// What 32 bytes from the operating system grow into.
    pub fn of_secret(secret: [u8; 32]) -> Self {
        Self { rng: ChaCha20Rng::from_seed(secret) }
    }

    /// A text of so many digits and capital letters: a nonce, an identifier.
    pub fn text(&mut self, len: usize) -> String {
        let mut text = String::with_capacity(len);
        while text.len() < len {
            let word = self.rng.next_u64();
            // Five bits a letter; the alphabet has 32, so every letter is equally likely.
            let letters = (0..12).map(|place| usize::try_from((word >> (5 * place)) & 31).unwrap_or(0));
            text.extend(letters.take(len - text.len()).map(|letter| char::from(ALPHABET[letter])));
        }
        text
    }

    /// So many bytes.
    pub fn bytes<const LEN: usize>(&mut self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}

/// Digits and capitals without those that people take for each other.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

impl TryRng for KeyStream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.rng.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.rng.next_u64())
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        self.rng.fill_bytes(into);
        Ok(())
    }
}

impl TryCryptoRng for KeyStream {}
