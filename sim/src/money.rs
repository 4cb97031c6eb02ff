//! Money and water as integers. There is no floating point anywhere near an amount.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An amount of money.
///
/// Units: fen, a hundredth of a yuan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Add for Fen {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Fen {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Yuan with two decimals: `12.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

/// A volume of water.
///
/// Units: hundredths of a tonne.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Volume(pub u32);

/// A text that is no volume.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a volume: digits, and at most two decimals after a point")]
pub struct NotAVolume;

impl Volume {
    /// No water.
    pub const ZERO: Self = Self(0);

    /// The sum, or nothing if it does not fit the card's 32 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, zero at the least.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Reads a decimal number of tonnes with at most two decimals.
    ///
    /// Errors: [`NotAVolume`] for signs, blanks, an empty part beside the point, more decimals, or overflow.
    pub fn parse(text: &[u8]) -> Result<Self, NotAVolume> {
        let mut parts = text.splitn(2, |byte| *byte == b'.');
        let whole = parts.next().unwrap_or_default();
        let fraction = parts.next();
        let digits = |part: &[u8], places_max: usize| {
            (1..=places_max).contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
        };
        if !digits(whole, 8) || fraction.is_some_and(|part| !digits(part, 2)) {
            return Err(NotAVolume);
        }
        let number = |part: &[u8]| part.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        let hundredths = match fraction {
            Some([tenth]) => u32::from(tenth - b'0') * 10,
            Some(part) => number(part),
            None => 0,
        };
        number(whole).checked_mul(100).and_then(|sum| sum.checked_add(hundredths)).map(Self).ok_or(NotAVolume)
    }
}

impl Add for Volume {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Volume {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Volume {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// Tonnes with as few decimals as say it all: `12.5`, `12`, `0.05`.
impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest / 10, rest % 10) {
            (0, 0) => write!(f, "{whole}"),
            (tenth, 0) => write!(f, "{whole}.{tenth}"),
            (tenth, hundredth) => write!(f, "{whole}.{tenth}{hundredth}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_read_and_print() {
        for (text, hundredths) in [("12.5", 1250), ("12", 1200), ("0.05", 5), ("42949672.95", u32::MAX)] {
            assert_eq!(Volume::parse(text.as_bytes()), Ok(Volume(hundredths)));
            assert_eq!(Volume(hundredths).to_string(), text);
        }
        for bad in ["", ".", "1.", ".5", "1.234", "-1", "1 ", "1,5", "42949672.96", "999999999"] {
            assert_eq!(Volume::parse(bad.as_bytes()), Err(NotAVolume), "{bad}");
        }
    }

    #[test]
    fn fen_print_as_yuan() {
        assert_eq!(Fen(1250).to_string(), "12.50");
        assert_eq!(Fen(-5).to_string(), "-0.05");
    }
}
