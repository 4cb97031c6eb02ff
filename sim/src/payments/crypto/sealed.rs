//! What WeChat Pay v3 seals with a merchant's APIv3 key: notifications and its own certificates.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

/// The key that a merchant types in on the platform's page: AES-256-GCM.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiV3Key(String);

impl ApiV3Key {
    /// A key of these 32 letters or digits.
    ///
    /// Errors: [`ApiV3KeyError`] for any other length or other characters.
    pub fn new(text: &str) -> Result<Self, ApiV3KeyError> {
        if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ApiV3KeyError(text.chars().count()))
        }
    }

    /// The letters, as a merchant types them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Seals a text.
    ///
    /// Shape: Base64 of the sealed text and its tag of 16 bytes; the nonce has 12 letters.
    pub fn seal(&self, nonce: &[u8; 12], associated: &str, text: &[u8]) -> String {
        let payload = Payload { msg: text, aad: associated.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(*nonce), payload);
        STANDARD.encode(sealed.expect("a text far below the limit of 64 GiB"))
    }

    /// Opens a sealed text.
    ///
    /// Errors: [`Unsealed`] if it is not Base64, or not sealed with this key, this nonce and this associated text.
    pub fn open(&self, nonce: &[u8; 12], associated: &str, sealed: &str) -> Result<Vec<u8>, Unsealed> {
        let sealed = STANDARD.decode(sealed).map_err(|_| Unsealed)?;
        let payload = Payload { msg: &sealed, aad: associated.as_bytes() };
        self.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| Unsealed)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new_from_slice(self.0.as_bytes()).expect("the key has 32 bytes")
    }
}

/// A secret is not printed.
impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(..)")
    }
}

/// A text that is no APIv3 key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("an APIv3 key has 32 letters and digits; this has {0} characters, or others than those")]
pub struct ApiV3KeyError(usize);

/// A text that was not sealed with this key, nonce and associated text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not sealed with this key, nonce and associated text")]
pub struct Unsealed;
