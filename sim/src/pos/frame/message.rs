//! What the messages of both sides have in common.

use std::net::Ipv4Addr;

use thiserror::Error;

use super::field::{COMMA, CodeNumber, parse_address};
use super::write::Field;
use crate::card::number::CardNumber;

/// A field of a message of the right shape: what it says, or its bytes if they say nothing.
///
/// Why: such a message is answered, with a refusal that names the field's bytes.
pub type Read<T> = Result<T, Box<[u8]>>;

/// A datagram that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Longer than anybody reads.
    #[error("longer than a datagram may be")]
    TooLong,
    /// Its first field is no command that is known.
    #[error("no known command")]
    Command,
    /// It has too many or too few fields.
    #[error("a wrong number of fields")]
    Fields,
    /// Its sequence number is missing or too long.
    #[error("no sequence number")]
    Seq,
    /// A field by which it is routed does not read.
    #[error("an unreadable field")]
    Field,
}

/// How a record was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// 0: money.
    Money,
    /// 1: a count.
    Count,
}

/// What an answer is about: a card, or a scan-code payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The card, in ten digits.
    Card(CardNumber),
    /// The payment's number, in five.
    Code(CodeNumber),
    /// Anything else.
    Other(Box<[u8]>),
}

impl Key {
    /// From a field.
    pub fn of(field: &[u8]) -> Self {
        match (CardNumber::parse(field), CodeNumber::of(field)) {
            (Ok(card), _) => Self::Card(card),
            (_, Some(code)) => Self::Code(code),
            _ => Self::Other(field.into()),
        }
    }

    /// The field.
    pub fn to_bytes(&self) -> Box<[u8]> {
        if let Self::Card(card) = self {
            return card.digits().into();
        }
        let mut bytes = Vec::new();
        self.put(&mut bytes);
        bytes.into()
    }

    fn put(&self, into: &mut Vec<u8>) {
        match self {
            Self::Card(card) => into.extend_from_slice(&card.digits()),
            Self::Code(code) => code.put(into),
            Self::Other(bytes) => into.extend_from_slice(bytes),
        }
    }
}

/// Which answer a device confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmed {
    /// 006.
    Refused,
    /// 008.
    Done,
    /// 009.
    Display,
}

impl Confirmed {
    pub(super) const ALL: [(&'static [u8], Self); 3] =
        [(b"006", Self::Refused), (b"008", Self::Done), (b"009", Self::Display)];
}

/// How a text is shown: for how long, with which sound, with which voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cue {
    /// Units: seconds.
    pub secs: u16,
    /// The beep's code.
    pub beep: u8,
    /// The voice prompt's number.
    pub voice: u8,
}

pub(super) fn read<T>(field: &[u8], parse: impl FnOnce(&[u8]) -> Option<T>) -> Read<T> {
    parse(field).ok_or_else(|| field.into())
}

pub(super) fn address(field: &[u8]) -> Read<Ipv4Addr> {
    read(field, parse_address)
}

pub(super) fn card(field: &[u8]) -> Read<CardNumber> {
    read(field, |field| CardNumber::parse(field).ok())
}

pub(super) fn small<T: TryFrom<u32>>(field: &[u8]) -> Option<T> {
    let sound = (1..=9).contains(&field.len()) && field.iter().all(u8::is_ascii_digit);
    let number =
        field.iter().fold(0, |sum: u32, digit| sum.wrapping_mul(10) + u32::from(digit.wrapping_sub(b'0')));
    T::try_from(number).ok().filter(|_| sound)
}

/// A datagram being written.
pub(super) struct Line(pub(super) Vec<u8>);

/// How long most datagrams are at most.
const LEN_USUAL: usize = 128;

impl Default for Line {
    fn default() -> Self {
        Self(Vec::with_capacity(LEN_USUAL))
    }
}

impl Line {
    pub(super) fn bytes(&mut self, field: &[u8]) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push(COMMA);
        }
        self.0.extend_from_slice(field);
        self
    }

    pub(super) fn text(&mut self, field: &str) -> &mut Self {
        self.bytes(field.as_bytes())
    }

    pub(super) fn shown(&mut self, field: impl Field) -> &mut Self {
        self.bytes(b"");
        field.put(&mut self.0);
        self
    }

    pub(super) fn read<T: Field + Copy>(&mut self, field: &Read<T>) -> &mut Self {
        match field {
            Ok(value) => self.shown(*value),
            Err(bytes) => self.bytes(bytes),
        }
    }

    pub(super) fn flag(&mut self, flag: Option<u8>) -> &mut Self {
        if let Some(flag) = flag { self.bytes(&[flag]) } else { self }
    }

    pub(super) fn key(&mut self, key: &Key) -> &mut Self {
        self.bytes(b"");
        key.put(&mut self.0);
        self
    }

    pub(super) fn cue(&mut self, Cue { secs, beep, voice }: Cue) {
        self.shown(secs).shown(beep).shown(voice);
    }
}
