//! Time as machines see it: a monotonic instant, a span, and what a device's own clock says.
//!
//! All three are integers. Nothing in this crate reads a clock.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

use jiff::civil;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A point in bench time.
///
/// Units: microseconds since the bench started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(u64);

impl Instant {
    /// The start of the bench.
    pub const ZERO: Self = Self(0);

    /// The instant this many microseconds after the start.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// Microseconds since the start.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// The span from `earlier` to here, zero when `earlier` is in fact later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for Instant {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        self.since(earlier)
    }
}

/// Seconds with six decimals, as every printed tape shows them.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A length of time. In files it is a text with its unit: `"20 s"`, `"31 ms"`, `"256 us"`.
///
/// Units: microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(u64);

/// A text that is no span.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a span of time: write a whole number and its unit, such as \"20 s\", \"31 ms\" or \"256 us\"")]
pub struct NotASpan;

impl FromStr for Span {
    type Err = NotASpan;
    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[..digits].parse().map_err(|_| NotASpan)?;
        let factor = match text[digits..].trim_start() {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "min" => 60_000_000,
            "h" => 3_600_000_000,
            _ => return Err(NotASpan),
        };
        number.checked_mul(factor).map(Self).ok_or(NotASpan)
    }
}

impl TryFrom<String> for Span {
    type Error = NotASpan;
    fn try_from(text: String) -> Result<Self, NotASpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span in microseconds.
    pub const fn us(us: u64) -> Self {
        Self(us)
    }

    /// A span in milliseconds.
    pub const fn ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// A span in seconds.
    pub const fn s(s: u64) -> Self {
        Self(s.saturating_mul(1_000_000))
    }

    /// The span in whole microseconds.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// The span in whole milliseconds, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1_000
    }

    /// The span divided by a whole number, at least one microsecond if it was not zero.
    pub const fn shortened(self, divisor: u64) -> Self {
        if self.0 == 0 || divisor <= 1 {
            return self;
        }
        let us = self.0 / divisor;
        Self(if us == 0 { 1 } else { us })
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Self;
    fn mul(self, by: u64) -> Self {
        Self(self.0.saturating_mul(by))
    }
}

/// The span in the largest unit that shows it without a fraction: `20 s`, `31 ms`, `5600 µs`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1_000_000) {
            write!(f, "{} s", self.0 / 1_000_000)
        } else if self.0.is_multiple_of(1_000) {
            write!(f, "{} ms", self.0 / 1_000)
        } else {
            write!(f, "{} µs", self.0)
        }
    }
}

/// What a calendar clock says, without a zone, as cheap terminals keep it.
///
/// Units: microseconds since 1970-01-01 00:00:00 of that same clock; may be stepped in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(i64);

/// A text that is no date and time in fourteen digits.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not a date and time of the form YYYYMMDDhhmmss")]
pub struct NotADate;

impl Wall {
    /// The wall time this many microseconds after 1970.
    pub const fn from_us(us: i64) -> Self {
        Self(us)
    }

    /// Microseconds since 1970.
    pub const fn as_us(self) -> i64 {
        self.0
    }

    /// The clock moved by a signed number of microseconds.
    pub const fn stepped(self, by_us: i64) -> Self {
        Self(self.0.saturating_add(by_us))
    }

    /// Reads `YYYYMMDDhhmmss`.
    ///
    /// Errors: [`NotADate`] for any other length, a non-digit, or a day that the calendar does not have.
    pub fn parse_digits(text: &[u8]) -> Result<Self, NotADate> {
        if text.len() != 14 || !text.iter().all(u8::is_ascii_digit) {
            return Err(NotADate);
        }
        let number = |from: usize, to: usize| {
            text[from..to].iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'))
        };
        let small = |from: usize| i8::try_from(number(from, from + 2)).map_err(|_| NotADate);
        let civil =
            civil::DateTime::new(number(0, 4), small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0)
                .map_err(|_| NotADate)?;
        let stamp = jiff::tz::Offset::UTC.to_timestamp(civil).map_err(|_| NotADate)?;
        Ok(Self(stamp.as_microsecond()))
    }

    /// Writes `YYYYMMDDhhmmss`; a clock outside the years 1 to 9999 shows the nearest end.
    pub fn digits(self) -> String {
        let (year, [month, day, hour, minute, second]) = self.parts();
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }

    /// The year, and month, day, hour, minute and second; the nearest there is outside the years that a clock has.
    pub fn parts(self) -> (i16, [i8; 5]) {
        let stamp = jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        let c = jiff::tz::Offset::UTC.to_datetime(stamp);
        (c.year(), [c.month(), c.day(), c.hour(), c.minute(), c.second()])
    }
}

/// The two clocks that every input carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Bench time: never goes back.
    pub mono: Instant,
    /// What the device's calendar clock says: may step.
    pub wall: Wall,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_round_trip_and_refuse_impossible_days() {
        let leap = Wall::parse_digits(b"20240229235959").unwrap();
        assert_eq!(leap.digits(), "20240229235959");
        assert_eq!(Wall::parse_digits(b"20230229235959"), Err(NotADate));
        assert_eq!(Wall::parse_digits(b"2024022923595"), Err(NotADate));
        assert_eq!(Wall::parse_digits(b"2024022923595x"), Err(NotADate));
        assert_eq!(Wall::parse_digits(b"19700101000001").unwrap().as_us(), 1_000_000);
    }

    #[test]
    fn spans_print_in_their_largest_whole_unit() {
        assert_eq!(Span::s(20).to_string(), "20 s");
        assert_eq!(Span::ms(31).to_string(), "31 ms");
        assert_eq!(Span::us(5_601).to_string(), "5601 µs");
        assert_eq!(Instant::from_us(1_000_031).to_string(), "1.000031");
        for text in ["20 s", "31 ms", "5601 µs", "0 s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("2min".parse(), Ok(Span::s(120)));
        for bad in
            ["", "20", "s", "-1 s", "1.5 s", "20 parsecs", "99999999999999999999 s", "18446744073709551615 s"]
        {
            assert_eq!(bad.parse::<Span>(), Err(NotASpan), "{bad}");
        }
    }

    #[test]
    fn a_shortened_span_never_vanishes() {
        assert_eq!(Span::us(5).shortened(10), Span::us(1));
        assert_eq!(Span::s(20).shortened(10), Span::s(2));
        assert_eq!(Span::ZERO.shortened(10), Span::ZERO);
    }
}
