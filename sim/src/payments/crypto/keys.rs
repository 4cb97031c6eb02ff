//! RSA keys: reading and writing them, signing, and verifying.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey, EncodeRsaPrivateKey};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::traits::PublicKeyParts;
use sha2::Sha256;
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::der::{DecodePem, Encode};

use super::key_stream::KeyStream;

/// A private key with which one side signs.
#[derive(Clone)]
pub struct SecretKey {
    signing: SigningKey<Sha256>,
    public: PublicKey,
}

impl SecretKey {
    /// A new key of 2,048 bits.
    pub fn generate(stream: &mut KeyStream) -> Self {
        let key = rsa::PrivateKey::new(stream, BITS).expect("2048 bits are a size that the library makes");
        Self::of(key)
    }

    /// Reads a key.
    ///
    /// Shape: PEM as PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), or one of them in bare Base64, as the key
    /// tools of the platforms write it.
    ///
    /// Errors: [`KeyError`] says what was found instead.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let key = match Written::of(text)? {
            Written::Pem("PRIVATE KEY", der) => rsa::PrivateKey::from_pkcs8_der(&der).ok(),
            Written::Pem("RSA PRIVATE KEY", der) => rsa::PrivateKey::from_pkcs1_der(&der).ok(),
            Written::Pem(label, _) => {
                return Err(KeyError::Kind { found: short(label), wanted: "PRIVATE KEY or RSA PRIVATE KEY" });
            }
            Written::Bare(der) => rsa::PrivateKey::from_pkcs8_der(&der)
                .ok()
                .or_else(|| rsa::PrivateKey::from_pkcs1_der(&der).ok()),
        };
        let key = key.ok_or(KeyError::NotRsa)?;
        check_size(key.n().bit_width())?;
        Ok(Self::of(key))
    }

    /// The key as PEM in PKCS#8.
    pub fn to_pkcs8(&self) -> String {
        let key: &rsa::PrivateKey = self.signing.as_ref();
        key.to_pkcs8_pem(LineEnding::LF).expect("a key that exists can be written").to_string()
    }

    /// The key as PEM in PKCS#1.
    pub fn to_pkcs1(&self) -> String {
        let key: &rsa::PrivateKey = self.signing.as_ref();
        key.to_pkcs1_pem(LineEnding::LF).expect("a key that exists can be written").to_string()
    }

    /// Its public half.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of a message: SHA-256 with RSA, PKCS#1 v1.5, in Base64.
    ///
    /// Why: the message alone decides the signature, which keeps runs alike; the key guards nothing.
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.signing.sign(message).to_bytes())
    }

    /// What signs certificates.
    pub(super) const fn signing(&self) -> &SigningKey<Sha256> {
        &self.signing
    }

    fn of(key: rsa::PrivateKey) -> Self {
        let public = PublicKey::of(key.to_public_key());
        Self { signing: SigningKey::new(key), public }
    }
}

/// A secret is not printed.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A public key with which the other side's signatures are verified.
#[derive(Clone, Debug)]
pub struct PublicKey {
    key: rsa::PublicKey,
    verifying: VerifyingKey<Sha256>,
}

impl PublicKey {
    /// Reads a key.
    ///
    /// Shape: PEM as `PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`, or one of the first two in bare Base64.
    ///
    /// Errors: [`KeyError`] says what was found instead.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let key = match Written::of(text)? {
            Written::Pem("PUBLIC KEY", der) => rsa::PublicKey::from_public_key_der(&der).ok(),
            Written::Pem("RSA PUBLIC KEY", der) => rsa::PublicKey::from_pkcs1_der(&der).ok(),
            Written::Pem("CERTIFICATE", _) => key_of_certificate(text),
            Written::Pem(label, _) => {
                let wanted = "PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE";
                return Err(KeyError::Kind { found: short(label), wanted });
            }
            Written::Bare(der) => rsa::PublicKey::from_public_key_der(&der)
                .ok()
                .or_else(|| rsa::PublicKey::from_pkcs1_der(&der).ok()),
        };
        let key = key.ok_or(KeyError::NotRsa)?;
        check_size(key.n().bit_width())?;
        Ok(Self::of(key))
    }

    /// The key as PEM.
    pub fn to_pem(&self) -> String {
        self.key.to_public_key_pem(LineEnding::LF).expect("a key that exists can be written")
    }

    /// Checks a signature in Base64: SHA-256 with RSA, PKCS#1 v1.5.
    ///
    /// Errors: [`BadSignature`] tells an unreadable signature from a false one.
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), BadSignature> {
        let bytes = STANDARD.decode(signature).map_err(|_| BadSignature::NotBase64)?;
        let signature = Signature::try_from(bytes.as_slice()).map_err(|_| BadSignature::False)?;
        self.verifying.verify(message, &signature).map_err(|_| BadSignature::False)
    }

    pub(super) const fn key(&self) -> &rsa::PublicKey {
        &self.key
    }

    fn of(key: rsa::PublicKey) -> Self {
        Self { verifying: VerifyingKey::new(key.clone()), key }
    }
}

/// Units: bits of the modulus of a key that is made here, and the least of one that is read.
const BITS: usize = 2048;

/// A text that is no key for these platforms.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Neither PEM nor Base64.
    #[error(
        "neither PEM nor Base64: paste the whole file, from -----BEGIN to -----END, or the one line of Base64"
    )]
    Unreadable,
    /// PEM of another kind.
    #[error("a PEM file of the kind \"{found}\" where {wanted} is needed")]
    Kind {
        /// Its label, escaped and shortened.
        found: String,
        /// The labels that are taken.
        wanted: &'static str,
    },
    /// A key of another kind, or damaged.
    #[error("not a whole RSA key: both platforms sign with RSA")]
    NotRsa,
    /// A key that the platforms refuse.
    #[error("an RSA key of {0} bits: both platforms take 2048 or more")]
    Small(u32),
}

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadSignature {
    /// It cannot be read.
    #[error("the signature is not Base64")]
    NotBase64,
    /// It is not what this key makes of this message.
    #[error("the signature is not of this key and this message")]
    False,
}

/// A key as a file has it.
enum Written<'a> {
    Pem(&'a str, Vec<u8>),
    Bare(Vec<u8>),
}

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Result<Self, KeyError> {
        let Some((_, rest)) = text.split_once("-----BEGIN ") else {
            return decode(text).map(Self::Bare);
        };
        let (label, rest) = rest.split_once("-----").ok_or(KeyError::Unreadable)?;
        let (body, _) = rest.split_once("-----END ").ok_or(KeyError::Unreadable)?;
        Ok(Self::Pem(label, decode(body)?))
    }
}

/// Base64 whose lines may end anywhere.
fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    let letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(letters).map_err(|_| KeyError::Unreadable)?;
    if bytes.is_empty() { Err(KeyError::Unreadable) } else { Ok(bytes) }
}

fn key_of_certificate(pem: &str) -> Option<rsa::PublicKey> {
    let begin = pem.find("-----BEGIN CERTIFICATE-----")?;
    let end = pem.find("-----END CERTIFICATE-----")? + "-----END CERTIFICATE-----".len();
    let certificate = Certificate::from_pem(pem.get(begin..end)?).ok()?;
    let der = certificate.tbs_certificate().subject_public_key_info().to_der().ok()?;
    rsa::PublicKey::from_public_key_der(&der).ok()
}

fn check_size(bits: u32) -> Result<(), KeyError> {
    if usize::try_from(bits).is_ok_and(|bits| bits < BITS) { Err(KeyError::Small(bits)) } else { Ok(()) }
}

fn short(label: &str) -> String {
    label.chars().take(32).flat_map(char::escape_default).collect()
}
