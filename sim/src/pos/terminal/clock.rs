//! The terminal's calendar clock, and the stamps that it puts on sales.

use std::fmt;

use serde::Deserialize;

use super::policy::LostClock;
use crate::digest::Digest;
use crate::time::{Instant, Now, Span, Wall};

/// The first second of 2000, where a clock begins that has lost its time.
///
/// Units: microseconds since 1970.
const BEGINNING: Wall = Wall::from_us(946_684_800_000_000);

/// A date and time as it is printed and stored, possible or not.
///
/// Shape: seven BCD bytes `YYYYMMDDhhmmss`; printed `YYYY-MM-DD HH:MM:SS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp([u8; 7]);

impl Stamp {
    /// The length of its printed form.
    pub const LEN: usize = 19;
    /// What stands for an impossible time in `011`.
    pub const SENTINEL: Self = Self([0x99; 7]);
    /// What some clocks read that have lost their time.
    pub const NOUGHT: Self = Self([0x20, 0, 0, 0, 0, 0, 0]);

    /// What a clock shows.
    pub fn of(wall: Wall) -> Self {
        let digits = wall.digits();
        let mut bcd = [0; 7];
        for (byte, pair) in bcd.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = (pair[0] - b'0') << 4 | (pair[1] - b'0');
        }
        Self(bcd)
    }

    /// Reads nineteen characters; the digits may make an impossible date.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; Self::LEN] = text.try_into().ok()?;
        let mut digits = [0; 14];
        let mut filled = digits.iter_mut();
        for (at, byte) in text.iter().enumerate() {
            match at {
                4 | 7 if *byte == b'-' => {}
                10 if *byte == b' ' => {}
                13 | 16 if *byte == b':' => {}
                4 | 7 | 10 | 13 | 16 => return None,
                _ if byte.is_ascii_digit() => *filled.next()? = byte - b'0',
                _ => return None,
            }
        }
        let mut bcd = [0; 7];
        for (byte, pair) in bcd.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Some(Self(bcd))
    }

    /// As it is stored.
    pub const fn bcd(self) -> [u8; 7] {
        self.0
    }

    /// From what is stored, whatever that is.
    pub const fn from_bcd(bcd: [u8; 7]) -> Self {
        Self(bcd)
    }

    fn digits(self) -> [u8; 14] {
        let mut digits = [0; 14];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b'0' + (byte >> 4) % 10;
            pair[1] = b'0' + (byte & 15) % 10;
        }
        digits
    }

    /// The wall time, if the calendar has it.
    pub fn wall(self) -> Option<Wall> {
        Wall::parse_digits(&self.digits()).ok()
    }

    /// The next wall time that the calendar has, as a clock bends it that only carries over.
    fn bent(self) -> Wall {
        let number = |at: usize| u64::from(self.0[at] >> 4) * 10 + u64::from(self.0[at] & 15);
        let within = |at: usize, low: u64, high: u64| number(at).clamp(low, high);
        let (century, year) = (number(0), number(1));
        let tail = (within(4, 0, 23), within(5, 0, 59), within(6, 0, 59));
        let mut day = within(3, 1, 31);
        loop {
            let (hour, minute, second) = tail;
            let month = within(2, 1, 12);
            let text = format!("{century:02}{year:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
            match Wall::parse_digits(text.as_bytes()) {
                Ok(wall) => return wall,
                Err(_) if day > 28 => day -= 1,
                Err(_) => return BEGINNING,
            }
        }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        let text = |from: usize, to: usize| std::str::from_utf8(&digits[from..to]).unwrap_or_default();
        write!(f, "{}-{}-{} ", text(0, 4), text(4, 6), text(6, 8))?;
        write!(f, "{}:{}:{}", text(8, 10), text(10, 12), text(12, 14))
    }
}

/// The clock that is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockConfig {
    /// How long it goes on without power.
    pub holds: Span,
}

/// A calendar clock on a battery, or on a capacitor that is soon empty.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    config: ClockConfig,
    /// How far it is from the bench's.
    ///
    /// Units: microseconds.
    offset_us: i64,
    lost: bool,
    off_since: Option<Instant>,
}

impl Clock {
    /// A clock that shows what the bench's does.
    pub fn new(config: ClockConfig) -> Self {
        Self { config, offset_us: 0, lost: false, off_since: None }
    }

    /// A clock that is wrong by this many microseconds.
    pub fn wrong_by(self, offset_us: i64) -> Self {
        Self { offset_us, ..self }
    }

    /// Power has come: if it was away for too long the time is lost.
    pub(super) fn handle_power_on(&mut self, now: Now) {
        if self.off_since.take().is_some_and(|since| now.mono.since(since) > self.config.holds) {
            self.lost = true;
            self.show(now, BEGINNING);
        }
    }

    /// Power has gone.
    pub(super) fn handle_power_off(&mut self, at: Instant) {
        self.off_since.get_or_insert(at);
    }

    fn show(&mut self, now: Now, wall: Wall) {
        self.offset_us = wall.as_us().saturating_sub(now.wall.as_us());
    }

    /// Sets the clock to a possible time; false is an impossible one, which changes nothing.
    pub(super) fn set(&mut self, now: Now, to: Stamp) -> bool {
        let Some(wall) = to.wall() else { return false };
        self.lost = false;
        self.show(now, wall);
        true
    }

    /// Sets the clock, and bends a time that the calendar does not have.
    pub(super) fn set_bent(&mut self, now: Now, to: Stamp) {
        self.lost = false;
        self.show(now, to.bent());
    }

    /// What it reads.
    pub fn reads(&self, now: Now, lost: LostClock) -> Stamp {
        match lost {
            LostClock::ReadsNought if self.lost => Stamp::NOUGHT,
            _ => Stamp::of(now.wall.stepped(self.offset_us)),
        }
    }

    pub(super) fn digest(&self, into: &mut Digest) {
        into.word(self.offset_us.cast_unsigned()).flag(self.lost).flag(self.off_since.is_some());
        if let Some(since) = self.off_since {
            into.age(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Now {
        let wall = Stamp::parse(b"2024-02-28 23:59:58").unwrap().wall().unwrap();
        Now { mono: Instant::from_us(us), wall: wall.stepped(us.cast_signed()) }
    }

    #[test]
    fn stamps_read_and_print_possible_or_not() {
        for (text, possible) in [
            ("2024-02-29 00:00:00", true),
            ("2023-02-29 00:00:00", false),
            ("2000-00-00 00:00:00", false),
            ("9999-99-99 99:99:99", false),
            ("2024-12-31 23:59:60", false),
        ] {
            let stamp = Stamp::parse(text.as_bytes()).unwrap();
            assert_eq!((stamp.to_string(), stamp.wall().is_some()), (text.to_owned(), possible));
            assert_eq!(Stamp::from_bcd(stamp.bcd()), stamp);
        }
        assert_eq!(Stamp::SENTINEL.to_string(), "9999-99-99 99:99:99");
        assert_eq!(Stamp::NOUGHT.to_string(), "2000-00-00 00:00:00");
        for bad in ["", "2024-02-29", "2024/02/29 00:00:00", "2024-02-29 00:00:0x", "2024-02-29 00:00:000"] {
            assert_eq!(Stamp::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_clock_ticks_is_set_and_ignores_impossible_dates() {
        let mut clock = Clock::new(ClockConfig { holds: Span::s(10) });
        let reads = |clock: &Clock, us| clock.reads(at(us), LostClock::CountsFrom2000).to_string();
        assert_eq!(reads(&clock, 1_999_999), "2024-02-28 23:59:59");
        assert_eq!(reads(&clock, 2_000_000), "2024-02-29 00:00:00");
        assert!(!clock.set(at(500_000), Stamp::parse(b"2023-02-29 12:00:00").unwrap()));
        assert_eq!(reads(&clock, 0), "2024-02-28 23:59:58");
        assert!(clock.set(at(500_000), Stamp::parse(b"2025-01-31 12:00:00").unwrap()));
        assert_eq!(reads(&clock, 1_499_999), "2025-01-31 12:00:00");
        assert_eq!(reads(&clock, 1_500_000), "2025-01-31 12:00:01");
        clock.set_bent(at(0), Stamp::parse(b"2023-02-31 25:00:61").unwrap());
        assert_eq!(reads(&clock, 0), "2023-02-28 23:00:59");
    }

    #[test]
    fn a_clock_without_power_holds_its_time_so_long_and_not_longer() {
        for (away, lost) in [(10_000_000, false), (10_000_001, true)] {
            let mut clock = Clock::new(ClockConfig { holds: Span::s(10) });
            clock.handle_power_on(at(0));
            clock.handle_power_off(Instant::from_us(1_000_000));
            clock.handle_power_on(at(1_000_000 + away));
            let now = at(3_000_000 + away);
            let counts = clock.reads(now, LostClock::CountsFrom2000).to_string();
            let nought = clock.reads(now, LostClock::ReadsNought);
            assert_eq!(counts == "2000-01-01 00:00:02", lost, "{counts}");
            assert_eq!(nought == Stamp::NOUGHT, lost);
        }
    }
}
