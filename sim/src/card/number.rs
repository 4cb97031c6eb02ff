//! The ten-digit number of a water card.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A card number.
///
/// Shape: ten decimal digits, packed two a byte, the first digit in the high half of the first byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CardNumber([u8; 5]);

/// Something that is no card number.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a card number: exactly ten decimal digits")]
pub struct NotACardNumber;

impl CardNumber {
    /// How many digits a card number has.
    pub const DIGITS: usize = 10;

    /// Reads ten ASCII digits.
    ///
    /// Errors: [`NotACardNumber`] for any other length or a byte that is no digit.
    pub fn parse(text: &[u8]) -> Result<Self, NotACardNumber> {
        if text.len() != Self::DIGITS || !text.iter().all(u8::is_ascii_digit) {
            return Err(NotACardNumber);
        }
        let mut bcd = [0; 5];
        for (byte, pair) in bcd.iter_mut().zip(text.chunks_exact(2)) {
            *byte = ((pair[0] - b'0') << 4) | (pair[1] - b'0');
        }
        Ok(Self(bcd))
    }

    /// Takes packed digits.
    ///
    /// Errors: [`NotACardNumber`] when a half byte is above nine.
    pub fn from_bcd(bcd: [u8; 5]) -> Result<Self, NotACardNumber> {
        if bcd.iter().any(|byte| byte >> 4 > 9 || byte & 0x0F > 9) {
            return Err(NotACardNumber);
        }
        Ok(Self(bcd))
    }

    /// The packed digits.
    pub const fn bcd(self) -> [u8; 5] {
        self.0
    }

    /// The ten ASCII digits.
    pub fn digits(self) -> [u8; Self::DIGITS] {
        let mut digits = [0; Self::DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b'0' + (byte >> 4);
            pair[1] = b'0' + (byte & 0x0F);
        }
        digits
    }
}

impl fmt::Display for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl TryFrom<String> for CardNumber {
    type Error = NotACardNumber;
    fn try_from(text: String) -> Result<Self, NotACardNumber> {
        Self::parse(text.as_bytes())
    }
}

impl From<CardNumber> for String {
    fn from(number: CardNumber) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_and_nothing_else() {
        let number = CardNumber::parse(b"0012345678").unwrap();
        assert_eq!(number.bcd(), [0x00, 0x12, 0x34, 0x56, 0x78]);
        assert_eq!(number.to_string(), "0012345678");
        assert_eq!(&number.digits(), b"0012345678");
        assert_eq!(CardNumber::from_bcd([0x00, 0x12, 0x34, 0x56, 0x78]), Ok(number));
        for bad in ["", "001234567", "00123456789", "001234567x", " 012345678", "-012345678"] {
            assert_eq!(CardNumber::parse(bad.as_bytes()), Err(NotACardNumber), "{bad}");
        }
        assert_eq!(CardNumber::from_bcd([0, 0x12, 0x3A, 0, 0]), Err(NotACardNumber));
        assert_eq!(CardNumber::from_bcd([0xA0, 0x12, 0x34, 0, 0]), Err(NotACardNumber));
    }

    #[test]
    fn numbers_order_as_numbers() {
        let of = |text: &str| CardNumber::parse(text.as_bytes()).unwrap();
        assert!(of("0000000009") < of("0000000010"));
        assert!(of("0999999999") < of("1000000000"));
        assert_eq!(CardNumber::try_from("0000000007".to_owned()), Ok(of("0000000007")));
        assert_eq!(CardNumber::try_from("7".to_owned()), Err(NotACardNumber));
    }
}
