//! The number printed on a water card.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The ten decimal digits that name a card.
///
/// Shape: each byte is one digit, 0 to 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardNumber([u8; 10]);

/// A text that is no card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a card number: ten decimal digits")]
pub struct NotACardNumber;

impl CardNumber {
    /// Reads ten ASCII digits.
    ///
    /// Errors: [`NotACardNumber`] for any other length or a byte that is no digit.
    pub fn parse(text: &[u8]) -> Result<Self, NotACardNumber> {
        let text: [u8; 10] = text.try_into().map_err(|_| NotACardNumber)?;
        if text.iter().all(u8::is_ascii_digit) {
            Ok(Self(text.map(|byte| byte - b'0')))
        } else {
            Err(NotACardNumber)
        }
    }

    /// The digits, most significant first.
    pub const fn digits(self) -> [u8; 10] {
        self.0
    }
}

impl fmt::Display for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl TryFrom<String> for CardNumber {
    type Error = NotACardNumber;
    fn try_from(text: String) -> Result<Self, NotACardNumber> {
        Self::parse(text.as_bytes())
    }
}

impl From<CardNumber> for String {
    fn from(card: CardNumber) -> Self {
        card.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_and_nothing_else() {
        assert_eq!(CardNumber::parse(b"0012345678").map(|card| card.to_string()), Ok("0012345678".into()));
        for bad in ["", "001234567", "00123456789", "001234567x", "-012345678"] {
            assert_eq!(CardNumber::parse(bad.as_bytes()), Err(NotACardNumber), "{bad}");
        }
    }
}
