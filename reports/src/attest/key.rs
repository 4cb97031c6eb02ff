//! Keys: where they lie, who may read them, and what they are called.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use super::files::sha256;

/// A key that signs.
///
/// Why: it has no form for people, so that no message or report can hold it.
pub struct Key(SigningKey);

/// The part of a key that everybody may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A key that cannot be used.
#[derive(Debug, Error)]
#[error("the key {}: {why}; {mend}", file.display())]
pub struct KeyError {
    /// Its file.
    pub file: PathBuf,
    /// What is wrong.
    pub why: String,
    /// What the user can do.
    pub mend: String,
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is not an Ed25519 public key in PEM form")]
pub struct NotAKey;

impl Key {
    /// The key of a file, which is made if it is not there; and whether it was made.
    ///
    /// Errors: [`KeyError`], also for a file that others than its owner may read.
    pub fn load_or_make(file: &Path) -> Result<(Self, bool), KeyError> {
        match fs::metadata(file) {
            Ok(_) => Ok((Self::load(file)?, false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Self::make(file)?, true)),
            Err(error) => Err(unusable(file, error.to_string(), "name a file that can be read with --key")),
        }
    }

    /// The key of a file.
    ///
    /// Errors: [`KeyError`], also for a file that others than its owner may read.
    pub fn load(file: &Path) -> Result<Self, KeyError> {
        let unreadable =
            |error: io::Error| unusable(file, error.to_string(), "name a file that can be read with --key");
        only_the_owners(file).map_err(unreadable)??;
        let text = fs::read_to_string(file).map_err(unreadable)?;
        let key = SigningKey::from_pkcs8_pem(&text).map_err(|_| {
            let mend = "`assay keys --key FILE` makes one in a file that is not there yet";
            unusable(file, "it is not an Ed25519 private key in PKCS#8 PEM form", mend)
        })?;
        Ok(Self(key))
    }

    /// Makes a key in a file that is not there yet, for its owner alone.
    fn make(file: &Path) -> Result<Self, KeyError> {
        let refuse = |why: String| unusable(file, why, "name a place that can be written to with --key");
        let seed = drawn().map_err(|error| refuse(error.to_string()))?;
        let key = Self::from_seed(seed);
        // Without the public key, which not every reader of this form expects there.
        let pair = KeypairBytes { secret_key: key.0.to_bytes(), public_key: None };
        let text = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| refuse(error.to_string()))?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut made = options.open(file).map_err(|error| refuse(error.to_string()))?;
        made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).map_err(|error| {
            // Half a key is of no use to anybody.
            let _ = fs::remove_file(file);
            refuse(error.to_string())
        })?;
        Ok(key)
    }

    /// The key of these random bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// A signature over these bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// What everybody may know of it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key(of {})", self.public().id())
    }
}

impl PublicKey {
    /// Reads a public key.
    ///
    /// Errors: [`NotAKey`].
    pub fn read(text: &str) -> Result<Self, NotAKey> {
        VerifyingKey::from_public_key_pem(text).map(Self).map_err(|_| NotAKey)
    }

    /// The public key of a file.
    ///
    /// Errors: [`KeyError`].
    pub fn load(file: &Path) -> Result<Self, KeyError> {
        let mend = "name the file of the public key with --key; `assay keys` prints it";
        let text = fs::read_to_string(file).map_err(|error| unusable(file, error.to_string(), mend))?;
        Self::read(&text).map_err(|error| unusable(file, error.to_string(), mend))
    }

    /// The key in PEM form.
    pub fn render(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).expect("a public key always has a PEM form")
    }

    /// What it is called: the hash of its DER form.
    pub fn id(&self) -> String {
        let der = self.0.to_public_key_der().expect("a public key always has a DER form");
        sha256(der.as_bytes())
    }

    /// Whether this is its signature over these bytes.
    pub fn holds(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }
}

/// Thirty-two bytes that nobody can foresee, from the operating system.
pub fn random() -> [u8; 32] {
    drawn().expect("an operating system has randomness for keys")
}

fn drawn() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn unusable(file: &Path, why: impl Into<String>, mend: &str) -> KeyError {
    KeyError { file: file.to_owned(), why: why.into(), mend: mend.to_owned() }
}

/// Refuses a file that others than its owner may read, where a system knows such a thing.
fn only_the_owners(file: &Path) -> io::Result<Result<(), KeyError>> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(file)?) & 0o7777;
        if mode & 0o077 != 0 {
            let why = format!("others than its owner may use it (mode {mode:04o})");
            return Ok(Err(unusable(file, why, &format!("`chmod 600 {}` puts it right", file.display()))));
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, tests 1 and 2: secret key, public key, message, signature.
    const VECTORS: [[&str; 4]; 2] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25b\
             f5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b\
             2eaeb4302aeeb00d291612bb0c00",
        ],
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    #[test]
    fn signatures_are_those_of_the_standard() {
        for [secret, public, message, signature] in VECTORS {
            let key = Key::from_seed(bytes(secret).try_into().unwrap());
            assert_eq!(key.public().0.to_bytes().to_vec(), bytes(public));
            assert_eq!(key.sign(&bytes(message)).to_vec(), bytes(signature));
            assert!(key.public().holds(&bytes(message), &bytes(signature)));
            assert!(!key.public().holds(b"other", &bytes(signature)));
            assert!(!key.public().holds(&bytes(message), &bytes(signature)[..63]));
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let [secret, ..] = VECTORS[0];
        let shown = format!("{:?}", Key::from_seed(bytes(secret).try_into().unwrap()));
        assert!(shown.starts_with("Key(of ") && !shown.contains(&secret[..8]), "{shown}");
    }

    #[test]
    fn a_public_key_reads_back_and_nothing_else_does() {
        let public = Key::from_seed([7; 32]).public();
        assert_eq!(PublicKey::read(&public.render()), Ok(public));
        for bad in ["", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", &public.render()[1..]] {
            assert_eq!(PublicKey::read(bad), Err(NotAKey), "{bad}");
        }
    }
}
