//! Order numbers, which the host draws and everybody uses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A host's number of an order, which is also the merchant's number of it at the platform.
///
/// Shape: 20 ASCII digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OrderNumber([u8; 20]);

/// What is no order number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an order number has 20 digits")]
pub struct NotAnOrderNumber;

impl OrderNumber {
    /// The number that these bytes write.
    ///
    /// Errors: [`NotAnOrderNumber`].
    pub fn parse(text: &[u8]) -> Result<Self, NotAnOrderNumber> {
        let digits: [u8; 20] = text.try_into().map_err(|_| NotAnOrderNumber)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(Self(digits)) } else { Err(NotAnOrderNumber) }
    }

    /// The number of this value, with zeros in front.
    pub const fn of(value: u64) -> Self {
        let mut digits = [b'0'; 20];
        let (mut rest, mut place) = (value, 20);
        while place > 0 {
            place -= 1;
            digits[place] = b"0123456789"[(rest % 10) as usize];
            rest /= 10;
        }
        Self(digits)
    }

    /// Its digits.
    pub const fn digits(&self) -> &[u8; 20] {
        &self.0
    }

    /// Its digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl From<OrderNumber> for String {
    fn from(order: OrderNumber) -> Self {
        order.as_str().to_owned()
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = NotAnOrderNumber;

    fn try_from(text: String) -> Result<Self, NotAnOrderNumber> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderNumber {
    type Err = NotAnOrderNumber;
    fn from_str(text: &str) -> Result<Self, NotAnOrderNumber> {
        Self::parse(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_digits_are_a_number_and_nothing_else_is() {
        assert_eq!(OrderNumber::of(1_042).as_str(), "00000000000000001042");
        assert_eq!(OrderNumber::of(u64::MAX).as_str(), "18446744073709551615");
        assert_eq!("00000000000000001042".parse(), Ok(OrderNumber::of(1_042)));
        for text in ["", "0000000000000000104", "000000000000000010420", "0000000000000000104a"] {
            assert_eq!(text.parse::<OrderNumber>(), Err(NotAnOrderNumber), "{text}");
        }
    }
}
