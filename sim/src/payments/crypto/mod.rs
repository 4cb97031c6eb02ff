//! Keys, signatures, certificates and sealed texts of the platforms that sign with RSA: WeChat Pay v3 and Alipay.
//!
//! Everything here is a function of its arguments; what has to be random is drawn from a [`KeyStream`].

mod certificate;
mod key_stream;
mod keys;
mod sealed;
#[cfg(test)]
mod tests;

pub use certificate::{CertificateError, PlatformCertificate};
pub use key_stream::KeyStream;
pub use keys::{BadSignature, KeyError, PublicKey, SecretKey};
pub use sealed::{ApiV3Key, ApiV3KeyError, Unsealed};
