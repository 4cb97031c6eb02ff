//! The numbers that name terminals and orders on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The ten decimal digits that name a terminal.
///
/// Shape: a number below 10¹⁰.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MachineNumber(u64);

/// A text that is no machine number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a machine number: ten decimal digits")]
pub struct NotAMachineNumber;

impl MachineNumber {
    /// Reads ten ASCII digits.
    ///
    /// Errors: [`NotAMachineNumber`] for any other length or a byte that is no digit.
    pub fn parse(text: &[u8]) -> Result<Self, NotAMachineNumber> {
        if text.len() != 10 || !text.iter().all(u8::is_ascii_digit) {
            return Err(NotAMachineNumber);
        }
        Ok(Self(text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))))
    }

    /// Reads five bytes of packed decimal digits.
    ///
    /// Errors: [`NotAMachineNumber`] for a half byte above nine.
    pub fn parse_bcd(packed: [u8; 5]) -> Result<Self, NotAMachineNumber> {
        let mut number = 0;
        for byte in packed {
            let (high, low) = (byte >> 4, byte & 0x0F);
            if high > 9 || low > 9 {
                return Err(NotAMachineNumber);
            }
            number = number * 100 + u64::from(high) * 10 + u64::from(low);
        }
        Ok(Self(number))
    }

    /// The digits packed two to a byte, most significant first.
    pub const fn to_bcd(self) -> [u8; 5] {
        let digits = self.digits();
        let mut packed = [0; 5];
        let mut at = 0;
        while at < 5 {
            packed[at] = digits[2 * at] << 4 | digits[2 * at + 1];
            at += 1;
        }
        packed
    }

    /// The digits, 0 to 9 each, most significant first.
    pub const fn digits(self) -> [u8; 10] {
        let mut digits = [0; 10];
        let (mut rest, mut at) = (self.0, 10);
        while at > 0 {
            at -= 1;
            digits[at] = (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }

    /// The number that the digits spell.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl From<u32> for MachineNumber {
    fn from(number: u32) -> Self {
        Self(u64::from(number))
    }
}

/// Ten digits, leading zeros included.
impl fmt::Display for MachineNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}", self.0)
    }
}

impl TryFrom<String> for MachineNumber {
    type Error = NotAMachineNumber;
    fn try_from(text: String) -> Result<Self, NotAMachineNumber> {
        Self::parse(text.as_bytes())
    }
}

impl From<MachineNumber> for String {
    fn from(machine: MachineNumber) -> Self {
        machine.to_string()
    }
}

/// The number of an order: one to twenty decimal digits, and not zero.
///
/// Why: it is a number, so leading zeros say nothing: `007` and `7` are the same order and print as `7`. Zero stands
/// for *no order* on the wire and is therefore none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderNumber(u128);

/// A text that is no order number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an order number: one to twenty decimal digits, not zero")]
pub struct NotAnOrderNumber;

impl OrderNumber {
    /// The largest: twenty nines.
    pub const MAX: Self = Self(99_999_999_999_999_999_999);

    /// The order of this number.
    ///
    /// Errors: [`NotAnOrderNumber`] for zero, and for more than twenty digits.
    pub const fn new(number: u128) -> Result<Self, NotAnOrderNumber> {
        if number == 0 || number > Self::MAX.0 { Err(NotAnOrderNumber) } else { Ok(Self(number)) }
    }

    /// Reads one to twenty ASCII digits.
    ///
    /// Errors: [`NotAnOrderNumber`] for any other length, a byte that is no digit, and zero.
    pub fn parse(text: &[u8]) -> Result<Self, NotAnOrderNumber> {
        if !(1..=20).contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
            return Err(NotAnOrderNumber);
        }
        Self::new(text.iter().fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0')))
    }

    /// The number.
    pub const fn value(self) -> u128 {
        self.0
    }
}

/// The digits without leading zeros.
impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = NotAnOrderNumber;
    fn try_from(text: String) -> Result<Self, NotAnOrderNumber> {
        Self::parse(text.as_bytes())
    }
}

impl From<OrderNumber> for String {
    fn from(order: OrderNumber) -> Self {
        order.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_numbers_pack_and_print() {
        let machine = MachineNumber::parse(b"2018010925").unwrap();
        assert_eq!(machine.to_bcd(), [0x20, 0x18, 0x01, 0x09, 0x25]);
        assert_eq!(MachineNumber::parse_bcd([0x20, 0x18, 0x01, 0x09, 0x25]), Ok(machine));
        assert_eq!(MachineNumber::parse_bcd([0, 0, 0, 0, 7]).unwrap().to_string(), "0000000007");
        assert_eq!(machine.digits(), [2, 0, 1, 8, 0, 1, 0, 9, 2, 5]);
        for bad in [[0x2A, 0, 0, 0, 0], [0, 0, 0, 0, 0xA2]] {
            assert_eq!(MachineNumber::parse_bcd(bad), Err(NotAMachineNumber));
        }
        for bad in ["", "201801092", "20180109250", "20180109x5"] {
            assert_eq!(MachineNumber::parse(bad.as_bytes()), Err(NotAMachineNumber), "{bad}");
        }
    }

    #[test]
    fn order_numbers_have_one_to_twenty_digits_and_no_leading_zeros() {
        for (text, shown) in [("7", "7"), ("007", "7"), ("99999999999999999999", "99999999999999999999")] {
            assert_eq!(OrderNumber::parse(text.as_bytes()).unwrap().to_string(), shown);
        }
        for bad in ["", "0", "00000000000000000000", "100000000000000000000", "1x", "-1", " 1"] {
            assert_eq!(OrderNumber::parse(bad.as_bytes()), Err(NotAnOrderNumber), "{bad}");
        }
        assert_eq!(OrderNumber::new(OrderNumber::MAX.value() + 1), Err(NotAnOrderNumber));
    }
}
