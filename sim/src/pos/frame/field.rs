//! Fields: any bytes cut at commas, and the forms that some of them have.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::money::Fen;
use crate::short::Short;
use crate::time::Wall;

/// What separates fields. It is never part of a GBK character, so bytes may be cut there before they are decoded.
pub const COMMA: u8 = b',';

/// How many digits of whole yuan an amount has at most.
const YUAN_DIGITS_MAX: usize = 7;

/// The fields of a datagram, as they are.
pub fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == COMMA)
}

/// Where the commas are among eight bytes: the highest bit of each.
const fn commas_in(word: u64) -> u64 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let others = word ^ (0x0101_0101_0101_0101 * COMMA as u64);
    !(((others & LOW) + LOW) | others | LOW)
}

/// The most fields that a message has whose number of fields is looked at.
const FIELDS_MAX: usize = 16;

/// The fields of a datagram, without the blanks around them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    all: [&'a [u8]; FIELDS_MAX],
    len: usize,
}

impl<'a> Fields<'a> {
    /// Nothing yet, for [`Fields::read`].
    pub(super) const NONE: Self = Self { all: [&[]; FIELDS_MAX], len: 0 };

    /// The fields of a datagram; nothing if there are more than any message has.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Self::NONE;
        fields.read(bytes).then_some(fields)
    }

    /// Reads the fields of a datagram in place; false if there are more than any message has.
    pub(super) fn read(&mut self, bytes: &'a [u8]) -> bool {
        self.len = 0;
        let mut from = 0;
        let (words, rest) = bytes.as_chunks::<8>();
        for (at, word) in words.iter().enumerate() {
            let mut commas = commas_in(u64::from_le_bytes(*word));
            while commas != 0 {
                let comma = at * 8 + commas.trailing_zeros() as usize / 8;
                if !self.push(&bytes[from..comma]) {
                    return false;
                }
                from = comma + 1;
                commas &= commas - 1;
            }
        }
        for (at, byte) in (words.len() * 8..).zip(rest) {
            if *byte == COMMA {
                if !self.push(&bytes[from..at]) {
                    return false;
                }
                from = at + 1;
            }
        }
        self.push(&bytes[from..])
    }

    fn push(&mut self, field: &'a [u8]) -> bool {
        let Some(place) = self.all.get_mut(self.len) else { return false };
        *place = trimmed(field);
        self.len += 1;
        true
    }

    /// Takes the last field off.
    pub(super) fn pop(&mut self) -> Option<&'a [u8]> {
        self.len = self.len.checked_sub(1)?;
        Some(self.all[self.len])
    }
}

impl<'a> Deref for Fields<'a> {
    type Target = [&'a [u8]];
    fn deref(&self) -> &[&'a [u8]] {
        &self.all[..self.len]
    }
}

/// A field without the blanks around it, which some devices send.
pub fn trimmed(mut field: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = field {
        field = rest;
    }
    field
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut sum = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        sum = sum * 10 + u64::from(digit - b'0');
    }
    Some(sum)
}

/// An address as it is printed: four numbers of at most three digits, without zeros before them, with points between.
pub(super) fn parse_address(field: &[u8]) -> Option<Ipv4Addr> {
    let (mut address, mut part, mut digits, mut points) = (0_u32, 0_u32, 0, 0);
    for byte in field {
        match byte {
            b'0'..=b'9' if digits < 3 && (digits == 0 || part > 0) => {
                part = part * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && part < 256 && points < 3 => {
                address = address << 8 | part;
                (part, digits, points) = (0, 0, points + 1);
            }
            _ => return None,
        }
    }
    (points == 3 && digits > 0 && part < 256).then(|| Ipv4Addr::from(address << 8 | part))
}

/// The command of a datagram: its first field.
pub fn command(bytes: &[u8]) -> &[u8] {
    match bytes {
        // What nearly every datagram begins with.
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', COMMA, ..] => &bytes[..3],
        _ => split(bytes).next().map_or(bytes, trimmed),
    }
}

/// A sequence number: any text without a comma, echoed byte for byte.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(Short);

impl Seq {
    /// The number of a message, as a terminal counts them.
    ///
    /// Shape: five digits, starting again after 99999.
    pub fn counted(count: u32) -> Self {
        Self(format!("{:05}", count % 100_000).into_bytes().into())
    }

    /// From a field; nothing if it is empty or longer than `max`.
    pub fn of(field: &[u8], max: usize) -> Option<Self> {
        (1..=max).contains(&field.len()).then(|| Self(field.into()))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A number that is the same for the same bytes, to find them by.
    pub(crate) fn spread(&self) -> u64 {
        self.0.spread()
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seq({self})")
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

macro_rules! digits {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// How many digits it has.
            pub const DIGITS: usize = $len;

            /// The number, brought into its range.
            pub const fn new(number: u32) -> Self {
                Self(number % 10_u32.pow($len))
            }

            /// From a field of just as many digits.
            pub fn of(field: &[u8]) -> Option<Self> {
                let number = number(field).filter(|_| field.len() == Self::DIGITS)?;
                u32::try_from(number).ok().map(Self)
            }

            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0width$}", self.0, width = Self::DIGITS)
            }
        }
    };
}

digits!(
    /// The five digits that name a machine.
    MachineNumber,
    5
);
digits!(
    /// The five digits that a terminal gives a scan-code payment, new for each.
    CodeNumber,
    5
);
digits!(
    /// The eight digits of a stored record's place.
    RecordAddress,
    8
);

/// An amount: yuan in digits, a point, two digits.
///
/// Shape: no sign, no blank, no exponent, at most seven digits before the point. Anything else is none.
pub fn parse_amount(field: &[u8]) -> Option<Fen> {
    let point = field.len().checked_sub(3)?;
    let (yuan, rest) = field.split_at(point);
    if rest[0] != b'.' || !(1..=YUAN_DIGITS_MAX).contains(&yuan.len()) {
        return None;
    }
    let fen = number(yuan)? * 100 + number(&rest[1..])?;
    i64::try_from(fen).ok().map(Fen)
}

/// The time of a sale, to the second.
///
/// Shape: `YYYY-MM-DD hh:mm:ss`, local time without a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SaleTime(Wall);

impl TryFrom<String> for SaleTime {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::of(text.as_bytes()).ok_or("not a time: write it as \"2024-01-02 03:04:05\"")
    }
}

impl From<SaleTime> for String {
    fn from(time: SaleTime) -> Self {
        time.to_string()
    }
}

impl SaleTime {
    /// What stands in place of a time that there is not, when a record with such a time is deleted.
    pub const IMPOSSIBLE: &'static [u8] = b"9999-99-99 99:99:99";

    /// How long the text is.
    const LEN: usize = 19;

    /// The second in which a clock stands.
    pub fn at(wall: Wall) -> Self {
        Self(Wall::from_us(wall.as_us().div_euclid(1_000_000) * 1_000_000))
    }

    /// From a field; nothing for a day or time that there is not.
    pub fn of(field: &[u8]) -> Option<Self> {
        let field: &[u8; Self::LEN] = field.try_into().ok()?;
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b' ', h0, h1, b':', n0, n1, b':', s0, s1] = *field
        else {
            return None;
        };
        let digits = [y0, y1, y2, y3, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1];
        Wall::parse_digits(&digits).ok().map(Self)
    }

    /// The clock's time at its beginning.
    pub const fn wall(self) -> Wall {
        self.0
    }

    /// The next second.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.stepped(1_000_000))
    }

    /// Whether two are in the same minute.
    pub fn same_minute(self, other: Self) -> bool {
        let minute = |time: Self| time.0.as_us().div_euclid(60_000_000);
        minute(self) == minute(other)
    }
}

impl fmt::Display for SaleTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.digits();
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        write!(
            f,
            "{}-{}-{} {}:{}:{}",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(8, 10),
            part(10, 12),
            part(12, 14)
        )
    }
}
