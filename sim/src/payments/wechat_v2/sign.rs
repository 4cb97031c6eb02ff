//! Signatures of v2: the fields in order, then the key, through MD5 or HMAC-SHA256, in capitals of hexadecimal.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

/// How fields are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignType {
    /// With MD5, which is meant where a request says nothing.
    #[default]
    Md5,
    /// With HMAC-SHA256.
    HmacSha256,
}

impl SignType {
    /// As requests write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// Reads what requests write; empty means MD5.
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "" | "MD5" => Some(Self::Md5),
            "HMAC-SHA256" => Some(Self::HmacSha256),
            _ => None,
        }
    }
}

/// The signature of fields; `sign` itself and empty ones do not count.
pub fn sign(fields: &[(String, String)], key: &str, by: SignType) -> String {
    let mut counted: Vec<&(String, String)> =
        fields.iter().filter(|(name, value)| name != "sign" && !value.is_empty()).collect();
    counted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = String::new();
    for (name, value) in counted {
        let _ = write!(text, "{name}={value}&");
    }
    let _ = write!(text, "key={key}");
    match by {
        SignType::Md5 => upper_hex(&Md5::digest(text.as_bytes())),
        SignType::HmacSha256 => {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key fits HMAC");
            mac.update(text.as_bytes());
            upper_hex(&mac.finalize().into_bytes())
        }
    }
}

fn upper_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of the platform's own example, and its key.
    fn example() -> (Vec<(String, String)>, &'static str) {
        let fields = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (fields.to_vec(), "192006250b4c09247ec02edce69f6a2d")
    }

    /// Source: the platform's page on signatures.
    #[test]
    fn the_example_of_the_document_comes_out() {
        let (fields, key) = example();
        assert_eq!(sign(&fields, key, SignType::Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
        assert_eq!(
            sign(&fields, key, SignType::HmacSha256),
            "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
        );
    }

    #[test]
    fn empty_fields_and_the_signature_itself_do_not_count_and_all_else_does() {
        let (mut fields, key) = example();
        fields.push(("attach".to_owned(), String::new()));
        fields.push(("sign".to_owned(), "X".to_owned()));
        assert_eq!(sign(&fields, key, SignType::Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
        assert_ne!(
            sign(&fields, "192006250b4c09247ec02edce69f6a2e", SignType::Md5),
            "9A0A8659F005D6984697E2CA0A9CF3B7"
        );
        fields[5].1.push('0');
        assert_ne!(sign(&fields, key, SignType::Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
    }

    #[test]
    fn ways_of_signing_read_by_their_names_alone() {
        assert_eq!(SignType::read(""), Some(SignType::Md5));
        assert_eq!(SignType::read("HMAC-SHA256"), Some(SignType::HmacSha256));
        assert_eq!(SignType::read("md5"), None);
        assert_eq!(SignType::read("SHA256"), None);
    }
}
