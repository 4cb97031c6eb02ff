//! The envelope in which a statement is signed: DSSE 1.0.0, as JSON.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::key::{Key, PublicKey};

/// What the payload of a certificate's envelope is.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A signed payload.
///
/// Shape: `{"payloadType": …, "payload": base64, "signatures": [{"keyid": …, "sig": base64}]}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// What the payload is.
    pub payload_type: String,
    /// The payload in Base64.
    pub payload: String,
    /// Who has signed it.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// A hint at the key, which proves nothing.
    #[serde(default)]
    pub keyid: String,
    /// The signature in Base64.
    pub sig: String,
}

/// A text that is no envelope.
#[derive(Debug, Error)]
#[error("it is not a DSSE envelope: {0}")]
pub struct NotAnEnvelope(#[from] serde_json::Error);

/// An envelope that does not prove what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotSigned {
    /// The type is not one that is understood here.
    #[error("its payload is not of the type {PAYLOAD_TYPE}")]
    OtherType,
    /// The payload is not Base64.
    #[error("its payload is not Base64")]
    NotBase64,
    /// Nobody has signed it.
    #[error("nobody has signed it")]
    Unsigned,
    /// No signature is by this key and over this payload.
    #[error("no signature in it is by this key over what it holds")]
    NotByKey,
}

impl Envelope {
    /// A statement in an envelope, signed.
    pub fn seal(key: &Key, statement: &[u8]) -> Self {
        let sig = key.sign(&pae(PAYLOAD_TYPE, statement));
        let encode = |bytes: &[u8]| general_purpose::STANDARD.encode(bytes);
        Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: encode(statement),
            signatures: vec![Signature { keyid: key.public().id(), sig: encode(&sig) }],
        }
    }

    /// Reads an envelope.
    ///
    /// Errors: [`NotAnEnvelope`].
    pub fn read(text: &str) -> Result<Self, NotAnEnvelope> {
        Ok(serde_json::from_str(text)?)
    }

    /// The envelope as text.
    pub fn render(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts always serialise") + "\n"
    }

    /// The text that sealing this statement with this key would have written, with the first signature that is here.
    pub fn as_sealed(&self, key: &PublicKey, statement: &[u8]) -> String {
        let sig = self.signatures.first().and_then(|signature| decode(&signature.sig)).unwrap_or_default();
        Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: general_purpose::STANDARD.encode(statement),
            signatures: vec![Signature { keyid: key.id(), sig: general_purpose::STANDARD.encode(sig) }],
        }
        .render()
    }

    /// The payload, if this key has signed it.
    ///
    /// Errors: [`NotSigned`].
    /// Why: the type is looked at only after the signature, as the protocol has it.
    pub fn open(&self, key: &PublicKey) -> Result<Vec<u8>, NotSigned> {
        let payload = decode(&self.payload).ok_or(NotSigned::NotBase64)?;
        if self.signatures.is_empty() {
            return Err(NotSigned::Unsigned);
        }
        let signed = pae(&self.payload_type, &payload);
        let holds =
            |signature: &Signature| decode(&signature.sig).is_some_and(|sig| key.holds(&signed, &sig));
        match (self.signatures.iter().any(holds), self.payload_type == PAYLOAD_TYPE) {
            (false, _) => Err(NotSigned::NotByKey),
            (true, false) => Err(NotSigned::OtherType),
            (true, true) => Ok(payload),
        }
    }
}

/// What is signed: the type and the payload, each after its length.
///
/// Shape: `DSSEv1 LEN(type) type LEN(body) body`
/// Source: DSSE protocol 1.0.0, pre-authentication encoding.
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut signed = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len()).into_bytes();
    signed.extend_from_slice(body);
    signed
}

/// Either Base64, as the protocol asks of whoever checks a signature.
fn decode(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engines = [&STANDARD, &URL_SAFE].map(|alphabet| GeneralPurpose::new(alphabet, lenient));
    engines.iter().find_map(|engine| engine.decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> Key {
        Key::from_seed([first; 32])
    }

    #[test]
    fn what_is_signed_is_the_vector_of_the_protocol() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
        // Lengths are of bytes and not of characters.
        assert_eq!(pae("t", "é".as_bytes()), "DSSEv1 1 t 2 é".as_bytes());
    }

    #[test]
    fn an_envelope_opens_with_its_own_key_only() {
        let envelope = Envelope::seal(&key(1), b"{}");
        assert_eq!(envelope.open(&key(1).public()), Ok(b"{}".to_vec()));
        assert_eq!(envelope.open(&key(2).public()), Err(NotSigned::NotByKey));
        let read = Envelope::read(&envelope.render()).unwrap();
        assert_eq!((read.open(&key(1).public()), &read), (Ok(b"{}".to_vec()), &envelope));
    }

    #[test]
    fn whatever_is_changed_in_an_envelope_closes_it() {
        let whole = Envelope::seal(&key(1), b"{}");
        let open = |change: &dyn Fn(&mut Envelope)| {
            let mut envelope = whole.clone();
            change(&mut envelope);
            envelope.open(&key(1).public())
        };
        assert_eq!(open(&|it| it.payload = "e30h".to_owned()), Err(NotSigned::NotByKey));
        assert_eq!(open(&|it| it.payload = "e3!=".to_owned()), Err(NotSigned::NotBase64));
        assert_eq!(open(&|it| it.payload_type = "text/plain".to_owned()), Err(NotSigned::NotByKey));
        assert_eq!(open(&|it| it.signatures[0].sig = "AAAA".to_owned()), Err(NotSigned::NotByKey));
        assert_eq!(open(&|it| it.signatures.clear()), Err(NotSigned::Unsigned));
        // A hint is no proof, and another signer beside ours takes nothing away.
        assert!(open(&|it| it.signatures[0].keyid = "another".to_owned()).is_ok());
        let other = Envelope::seal(&key(2), b"{}").signatures;
        assert!(open(&|it| it.signatures.splice(0..0, other.clone()).for_each(drop)).is_ok());
        for bad in ["", "{}", "[]", r#"{"payloadType":"a","payload":"b"}"#, "\u{feff}{}"] {
            assert!(Envelope::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_signed_payload_of_another_type_is_told_apart() {
        let sig = key(1).sign(&pae("text/plain", b"hello"));
        let envelope = Envelope {
            payload_type: "text/plain".to_owned(),
            payload: "aGVsbG8".to_owned(),
            signatures: vec![Signature {
                keyid: String::new(),
                sig: general_purpose::URL_SAFE_NO_PAD.encode(sig),
            }],
        };
        assert_eq!(envelope.open(&key(1).public()), Err(NotSigned::OtherType));
    }
}
