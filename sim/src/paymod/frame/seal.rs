//! How messages on the link are sealed: AES-128 in CBC mode, or the stricter GCM.

use std::fmt;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Nonce};
use serde::Deserialize;
use thiserror::Error;

use super::{Body, NotABody, Packet};

/// How messages are sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cipher {
    /// AES-128-CBC with PKCS #7 padding: secret, and not authentic.
    #[default]
    Cbc,
    /// AES-128-GCM, whose tag covers the message's head as well. The nonce is the first 12 bytes of the IV.
    Gcm,
}

impl Cipher {
    pub(super) const fn version(self) -> u8 {
        match self {
            Self::Cbc => 0x01,
            Self::Gcm => 0x02,
        }
    }

    pub(super) const fn of_version(version: u8) -> Option<Self> {
        match version {
            0x01 => Some(Self::Cbc),
            0x02 => Some(Self::Gcm),
            _ => None,
        }
    }

    /// How many bytes of sealed text such a plain text gives.
    const fn sealed_len(self, plain: usize) -> usize {
        match self {
            Self::Cbc => plain / 16 * 16 + 16,
            Self::Gcm => plain + 16,
        }
    }
}

/// A module's key, which its server has as well.
///
/// Shape: 16 bytes; 32 hexadecimal digits in a profile.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LinkKey([u8; 16]);

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a key has 32 hexadecimal digits")]
pub struct NotAKey;

/// Why a message cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsealed {
    /// It is sealed in another way than was agreed.
    #[error("it is sealed in another way")]
    OtherCipher,
    /// Padding or tag are wrong: another key, or damage.
    #[error("its seal is broken")]
    Broken,
    /// What is in it is none.
    #[error("{0}")]
    Body(#[from] NotABody),
    /// What is in it names another command, sequence or device than its head.
    #[error("its head and its body differ")]
    HeadDiffers,
}

impl LinkKey {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Seals a body.
    pub fn seal(&self, cipher: Cipher, iv: [u8; 16], body: &Body) -> Packet {
        let plain = body.to_bytes();
        let (command, sequence, device) = (body.command, body.sequence, body.device);
        let sealed = vec![0; cipher.sealed_len(plain.len())];
        let mut packet = Packet { cipher, command, sequence, device, iv, sealed };
        packet.sealed = match cipher {
            Cipher::Cbc => self.cbc_encrypt(iv, &plain),
            Cipher::Gcm => self.gcm_encrypt(nonce(iv), &packet.head(), &plain),
        };
        packet
    }

    /// Opens a message that must be sealed so.
    ///
    /// Errors: [`Unsealed`].
    pub fn open(&self, cipher: Cipher, packet: &Packet) -> Result<Body, Unsealed> {
        if packet.cipher != cipher {
            return Err(Unsealed::OtherCipher);
        }
        let plain = match cipher {
            Cipher::Cbc => self.cbc_decrypt(packet.iv, &packet.sealed),
            Cipher::Gcm => self.gcm_decrypt(nonce(packet.iv), &packet.head(), &packet.sealed),
        };
        let body = Body::read(&plain.ok_or(Unsealed::Broken)?)?;
        let same =
            (body.command, body.sequence, body.device) == (packet.command, packet.sequence, packet.device);
        if same { Ok(body) } else { Err(Unsealed::HeadDiffers) }
    }

    pub(super) fn cbc_encrypt(&self, iv: [u8; 16], plain: &[u8]) -> Vec<u8> {
        cbc::Encryptor::<Aes128>::new(&self.0.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(plain)
    }

    pub(super) fn cbc_decrypt(&self, iv: [u8; 16], sealed: &[u8]) -> Option<Vec<u8>> {
        cbc::Decryptor::<Aes128>::new(&self.0.into(), &iv.into()).decrypt_padded_vec::<Pkcs7>(sealed).ok()
    }

    pub(super) fn gcm_encrypt(&self, nonce: [u8; 12], head: &[u8], plain: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: head };
        let sealed = Aes128Gcm::new(&self.0.into()).encrypt(&Nonce::from(nonce), payload);
        sealed.expect("a body far below the limit of 64 GiB")
    }

    pub(super) fn gcm_decrypt(&self, nonce: [u8; 12], head: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg: sealed, aad: head };
        Aes128Gcm::new(&self.0.into()).decrypt(&Nonce::from(nonce), payload).ok()
    }
}

fn nonce(iv: [u8; 16]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&iv[..12]);
    nonce
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey")
    }
}

impl TryFrom<String> for LinkKey {
    type Error = NotAKey;
    fn try_from(text: String) -> Result<Self, NotAKey> {
        let mut bytes = [0; 16];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(NotAKey);
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digit = |of: u8| char::from(of).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or(NotAKey)?;
        }
        Ok(Self(bytes))
    }
}
