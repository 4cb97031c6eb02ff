//! The certificate of a report: a statement of what was tested, how, and what came of it, with the hash of every file
//! of the report, signed.
//!
//! The statement is an in-toto Statement v1 with a test-result predicate, in a DSSE envelope, signed with Ed25519. So
//! other software than this can check it.

mod dsse;
mod files;
mod key;
mod statement;

pub use dsse::{Envelope, NotAnEnvelope, NotSigned, PAYLOAD_TYPE, Signature, pae};
pub use files::{Difference, FileRecord, NotListed, compare, list, sha256, sha256_of};
pub use key::{Key, KeyError, NotAKey, PublicKey, random};
pub use statement::{
    Basis, CertificateRecord, Digests, KillScore, NotAStatement, PREDICATE_TYPE, Predicate, Resource,
    STATEMENT_TYPE, Statement, TestResult, TestedCase, TestedSpace,
};

/// The name of the signed statement in a report's directory.
pub const CERTIFICATE_JSON: &str = "certificate.intoto.json";

/// The name of the public key by which it is signed.
pub const PUBLIC_KEY_PEM: &str = "certificate.pub.pem";

/// Bytes as lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
