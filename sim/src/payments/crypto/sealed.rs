//! What WeChat Pay v3 seals with a merchant's APIv3 key: notifications and its own certificates.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use thiserror::Error;

/// The key that a merchant types in on the platform's page: AES-256-GCM.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ApiV3Key(String);

impl TryFrom<String> for ApiV3Key {
    type Error = ApiV3KeyError;

    fn try_from(text: String) -> Result<Self, ApiV3KeyError> {
        Self::new(&text)
    }
}

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
        STANDARD.encode(sealed(self.0.as_bytes(), nonce, associated.as_bytes(), text))
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

/// A sealed text with its tag behind it.
fn sealed(key: &[u8], nonce: &[u8; 12], associated: &[u8], text: &[u8]) -> Vec<u8> {
    let cipher = Aes256Gcm::new_from_slice(key).expect("the key has 32 bytes");
    let sealed = cipher.encrypt(&Nonce::from(*nonce), Payload { msg: text, aad: associated });
    sealed.expect("a text far below the limit of 64 GiB")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: test case 16 of "The Galois/Counter Mode of Operation" by McGrew and Viega, as submitted to NIST.
    #[test]
    fn the_published_test_case_is_sealed_as_published() {
        let key = [&FEFF[..], &FEFF[..]].concat();
        assert_eq!(STANDARD.encode(sealed(&key, &NONCE, &ASSOCIATED, &TEXT)), SEALED);
    }

    const FEFF: [u8; 16] = 0xFEFF_E992_8665_731C_6D6A_8F94_6730_8308_u128.to_be_bytes();
    const NONCE: [u8; 12] = [0xCA, 0xFE, 0xBA, 0xBE, 0xFA, 0xCE, 0xDB, 0xAD, 0xDE, 0xCA, 0xF8, 0x88];
    const ASSOCIATED: [u8; 20] = [
        0xFE, 0xED, 0xFA, 0xCE, 0xDE, 0xAD, 0xBE, 0xEF, 0xFE, 0xED, 0xFA, 0xCE, 0xDE, 0xAD, 0xBE, 0xEF, 0xAB,
        0xAD, 0xDA, 0xD2,
    ];
    const TEXT: [u8; 60] = [
        0xD9, 0x31, 0x32, 0x25, 0xF8, 0x84, 0x06, 0xE5, 0xA5, 0x59, 0x09, 0xC5, 0xAF, 0xF5, 0x26, 0x9A, 0x86,
        0xA7, 0xA9, 0x53, 0x15, 0x34, 0xF7, 0xDA, 0x2E, 0x4C, 0x30, 0x3D, 0x8A, 0x31, 0x8A, 0x72, 0x1C, 0x3C,
        0x0C, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2F, 0xCF, 0x0E, 0x24, 0x49, 0xA6, 0xB5, 0x25, 0xB1, 0x6A, 0xED,
        0xF5, 0xAA, 0x0D, 0xE6, 0x57, 0xBA, 0x63, 0x7B, 0x39,
    ];
    const SEALED: &str = concat!(
        "Ui3B8JlWfQf0fzejKoRCfWQ6jNy/5cDJdZiivSVV0aqMsI5IWQ27PaewixBWgog4xfYeY5O6egq8yfZi",
        "dvxuzg9OF2jN34hTuy1VGw=="
    );
}
