//! The signature of a request: its header, what it covers, and that it comes once.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::time::Now;

/// The only scheme and signature type that the platform has for RSA.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// Units: seconds between the platform's clock and a signature's time stamp, either way.
const WINDOW_S: i64 = 300;

/// An `Authorization` header.
///
/// Shape: the scheme, a blank, then `name="value"` five times in any order, with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The merchant.
    pub mchid: String,
    /// A text that comes once.
    pub nonce: String,
    /// The signature in Base64.
    pub signature: String,
    /// Units: seconds since 1970.
    pub timestamp: i64,
    /// The serial number of the merchant's certificate.
    pub serial: String,
}

impl Authorization {
    /// Reads a header.
    ///
    /// Errors: [`AuthorizationError`] for another scheme, a part that is missing, there twice, or of another name.
    pub fn read(header: &str) -> Result<Self, AuthorizationError> {
        let (scheme, rest) = header.trim().split_once(' ').ok_or(AuthorizationError::Form)?;
        if scheme != SCHEME {
            return Err(AuthorizationError::Scheme);
        }
        let mut parts = BTreeMap::new();
        for part in rest.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or(AuthorizationError::Form)?;
            let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = value.filter(|value| !value.is_empty() && !value.contains('"'));
            if parts.insert(name, value.ok_or(AuthorizationError::Form)?).is_some() {
                return Err(AuthorizationError::Form);
            }
        }
        let mut take = |name| parts.remove(name).ok_or(AuthorizationError::Missing(name));
        let (mchid, nonce) = (take("mchid")?.to_owned(), take("nonce_str")?.to_owned());
        let (signature, serial) = (take("signature")?.to_owned(), take("serial_no")?.to_owned());
        let timestamp = take("timestamp")?;
        let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let timestamp = timestamp.parse().ok().filter(|_| digits).ok_or(AuthorizationError::Form)?;
        if !parts.is_empty() || nonce.len() > NONCE_LEN_MAX {
            return Err(AuthorizationError::Form);
        }
        Ok(Self { mchid, nonce, signature, timestamp, serial })
    }

    /// What the signature covers: five lines, each ended by a line feed.
    pub fn message(&self, method: &str, target: &str, body: &[u8]) -> Vec<u8> {
        let mut message = format!("{method}\n{target}\n{}\n{}\n", self.timestamp, self.nonce).into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        message
    }

    /// Whether the time stamp is within five minutes of the platform's clock.
    pub const fn is_timely(&self, now: Now) -> bool {
        let clock = now.wall.as_us().div_euclid(1_000_000);
        clock.abs_diff(self.timestamp) <= WINDOW_S.unsigned_abs()
    }
}

/// The longest nonce that is taken.
const NONCE_LEN_MAX: usize = 128;

/// A header that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthorizationError {
    /// Another scheme.
    #[error("the scheme is not {SCHEME}")]
    Scheme,
    /// A part is not there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Anything else.
    #[error(
        "the header is not `{SCHEME} mchid=\"..\",nonce_str=\"..\",signature=\"..\",timestamp=\"..\",serial_no=\"..\"`"
    )]
    Form,
}

/// The nonces that have come, as long as the signatures with them are timely.
#[derive(Clone, Debug, Default)]
pub struct NonceBook {
    seen: BTreeSet<(String, String)>,
    /// By the time stamps of their signatures.
    order: BTreeSet<(i64, (String, String))>,
}

impl NonceBook {
    /// Enters the nonce of a signature that is good and timely; false if it has come before.
    ///
    /// Why: a signature whose time stamp is out of the window is refused for that, so its nonce can be forgotten. Above
    /// `NONCES_MAX` the oldest is forgotten, so that memory stays bounded.
    pub fn enter(&mut self, now: Now, read: &Authorization) -> bool {
        let clock = now.wall.as_us().div_euclid(1_000_000);
        while let Some((timestamp, key)) = self.order.first() {
            if clock - timestamp <= WINDOW_S && self.order.len() < NONCES_MAX {
                break;
            }
            self.seen.remove(key);
            self.order.pop_first();
        }
        let key = (read.mchid.clone(), read.nonce.clone());
        let fresh = self.seen.insert(key.clone());
        if fresh {
            self.order.insert((read.timestamp, key));
        }
        fresh
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// The most nonces that are kept.
const NONCES_MAX: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Instant, Wall};

    const GOOD: &str = "WECHATPAY2-SHA256-RSA2048 mchid=\"1900009191\",nonce_str=\"593BEC0C930BF1AFEB40B4A08C8FB242\",\
                        signature=\"uOVRnA4qG==\",timestamp=\"1554208460\",\
                        serial_no=\"1DDE55AD98ED71D6EDD4A4A16996DE7B\"";

    fn at(seconds: i64) -> Now {
        Now { mono: Instant::from_us(0), wall: Wall::from_us(seconds * 1_000_000) }
    }

    #[test]
    fn the_platforms_own_example_is_read() {
        let read = Authorization::read(GOOD).unwrap();
        assert_eq!(read.mchid, "1900009191");
        assert_eq!(read.nonce, "593BEC0C930BF1AFEB40B4A08C8FB242");
        assert_eq!(read.signature, "uOVRnA4qG==");
        assert_eq!(
            (read.timestamp, read.serial.as_str()),
            (1_554_208_460, "1DDE55AD98ED71D6EDD4A4A16996DE7B")
        );
        let message = read.message("GET", "/v3/certificates", b"");
        let expected = b"GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n";
        assert_eq!(message, expected);
        assert!(Authorization::read(&GOOD.replace(',', ", ")).is_ok());
    }

    #[test]
    fn a_header_that_differs_in_one_thing_is_refused() {
        let missing = GOOD.replace("mchid=\"1900009191\",", "");
        assert_eq!(Authorization::read(&missing), Err(AuthorizationError::Missing("mchid")));
        let scheme = GOOD.replace("RSA2048", "SM3");
        assert_eq!(Authorization::read(&scheme), Err(AuthorizationError::Scheme));
        for (from, to) in [
            ("\"1554208460\"", "\"-1\""),
            ("\"1554208460\"", "\"+1\""),
            ("\"1554208460\"", "\"99999999999999999999\""),
            ("\"1900009191\"", "1900009191"),
            ("\"1900009191\"", "\"\""),
            ("\"1900009191\"", "\"1900\"009191\""),
            ("mchid", "mchid=\"1\",mchid"),
            (",serial_no", ",extra=\"1\",serial_no"),
            (",serial_no", ",,serial_no"),
        ] {
            assert_eq!(
                Authorization::read(&GOOD.replace(from, to)),
                Err(AuthorizationError::Form),
                "{from} {to}"
            );
        }
        for text in ["", SCHEME, "Basic QQ=="] {
            assert!(Authorization::read(text).is_err(), "{text}");
        }
        let long = GOOD.replace("593BEC0C930BF1AFEB40B4A08C8FB242", &"A".repeat(129));
        assert_eq!(Authorization::read(&long), Err(AuthorizationError::Form));
    }

    #[test]
    fn a_time_stamp_holds_five_minutes_either_way() {
        let read = Authorization::read(GOOD).unwrap();
        for (off, timely) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
            assert_eq!(read.is_timely(at(1_554_208_460 + off)), timely, "{off}");
        }
    }

    #[test]
    fn a_nonce_comes_once_for_each_merchant_until_its_signature_is_old() {
        let mut book = NonceBook::default();
        let read = Authorization::read(GOOD).unwrap();
        let other = Authorization { mchid: "1900009192".to_owned(), ..read.clone() };
        assert!(book.is_empty());
        assert!(book.enter(at(1_554_208_160), &read));
        assert!(!book.enter(at(1_554_208_760), &read));
        assert!(book.enter(at(1_554_208_760), &other));
        assert_eq!(book.len(), 2);
        assert!(book.enter(at(1_554_208_761), &Authorization { timestamp: 1_554_208_761, ..read }));
        assert_eq!(book.len(), 1);
    }
}
