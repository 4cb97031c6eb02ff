//! What a server sends.

use super::field::{
    COMMA, MachineNumber, RecordAddress, SaleTime, Seq, command, parse_amount, split, trimmed,
};
use super::format::FrameFormat;
use super::message::{Cue, Key, Line, Malformed, Read, read, small};
use crate::money::Fen;

/// What a server sends. Text is GBK, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerMessage {
    /// 000: who is there?
    Discover,
    /// 001: a message has come.
    Ack {
        /// Its sequence number, byte for byte.
        seq: Seq,
    },
    /// 002: what does the clock say?
    AskClock {
        /// Which machine.
        machine: MachineNumber,
    },
    /// 003: set the clock.
    SetClock {
        /// Which machine.
        machine: MachineNumber,
        /// To what.
        at: Read<SaleTime>,
    },
    /// 006: the sale was refused.
    Refused {
        /// Which machine.
        machine: MachineNumber,
        /// Which sale.
        key: Key,
        /// What is shown.
        text: Vec<u8>,
        /// How.
        cue: Cue,
    },
    /// 008: the sale was made, or is being made.
    Done {
        /// Which machine.
        machine: MachineNumber,
        /// Which sale.
        key: Key,
        /// How much.
        amount: Read<Fen>,
        /// What is shown.
        text: Vec<u8>,
        /// How.
        cue: Cue,
    },
    /// 009: show this.
    Display {
        /// Which machine.
        machine: MachineNumber,
        /// What is shown.
        text: Vec<u8>,
        /// How.
        cue: Cue,
    },
    /// 011: delete a record, and send the next.
    Delete {
        /// Which machine.
        machine: MachineNumber,
        /// The card of the record, as it was sent.
        card: Box<[u8]>,
        /// The amount, as it was sent.
        amount: Box<[u8]>,
        /// The time, or [`SaleTime::IMPOSSIBLE`].
        at: Box<[u8]>,
        /// Where the device keeps it.
        address: RecordAddress,
    },
}

impl ServerMessage {
    /// Reads a datagram.
    ///
    /// Errors: [`Malformed`].
    pub fn parse(bytes: &[u8], format: &FrameFormat) -> Result<Self, Malformed> {
        if bytes.len() > format.datagram_max {
            return Err(Malformed::TooLong);
        }
        if bytes == b"000" {
            return Ok(Self::Discover);
        }
        let command = command(bytes);
        let exactly =
            |count: usize| if split(bytes).count() == count { Ok(()) } else { Err(Malformed::Fields) };
        let field = |at: usize| split(bytes).nth(at).map(trimmed).ok_or(Malformed::Fields);
        let machine = || MachineNumber::of(field(1)?).ok_or(Malformed::Field);
        match command {
            b"001" => {
                exactly(2)?;
                Ok(Self::Ack { seq: Seq::of(field(1)?, format.seq_max).ok_or(Malformed::Seq)? })
            }
            b"002" => exactly(2).and_then(|()| Ok(Self::AskClock { machine: machine()? })),
            b"003" => {
                exactly(3)?;
                Ok(Self::SetClock { machine: machine()?, at: read(field(2)?, SaleTime::of) })
            }
            b"006" => {
                let (text, cue) = shown(bytes, 3)?;
                Ok(Self::Refused { machine: machine()?, key: Key::of(field(2)?), text, cue })
            }
            b"008" => {
                let (text, cue) = shown(bytes, 4)?;
                let amount = read(field(3)?, parse_amount);
                Ok(Self::Done { machine: machine()?, key: Key::of(field(2)?), amount, text, cue })
            }
            b"009" => {
                let (text, cue) = shown(bytes, 2)?;
                Ok(Self::Display { machine: machine()?, text, cue })
            }
            b"011" => {
                exactly(6)?;
                Ok(Self::Delete {
                    machine: machine()?,
                    card: field(2)?.into(),
                    amount: field(3)?.into(),
                    at: field(4)?.into(),
                    address: RecordAddress::of(field(5)?).ok_or(Malformed::Field)?,
                })
            }
            _ => Err(Malformed::Command),
        }
    }

    /// The datagram.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut line = Line::default();
        match self {
            Self::Discover => drop(line.text("000")),
            Self::Ack { seq } => drop(line.text("001").bytes(seq.as_bytes())),
            Self::AskClock { machine } => drop(line.text("002").shown(*machine)),
            Self::SetClock { machine, at } => drop(line.text("003").shown(*machine).read(at)),
            Self::Refused { machine, key, text, cue } => {
                line.text("006").shown(*machine).key(key).bytes(text).cue(*cue);
            }
            Self::Done { machine, key, amount, text, cue } => {
                line.text("008").shown(*machine).key(key).read(amount).bytes(text).cue(*cue);
            }
            Self::Display { machine, text, cue } => line.text("009").shown(*machine).bytes(text).cue(*cue),
            Self::Delete { machine, card, amount, at, address } => {
                line.text("011").shown(*machine).bytes(card).bytes(amount).bytes(at).shown(*address);
            }
        }
        line.0
    }
}

/// The text from field `from` on, commas included, and how it is shown: the last three fields.
fn shown(bytes: &[u8], from: usize) -> Result<(Vec<u8>, Cue), Malformed> {
    let rest = bytes.splitn(from + 1, |byte| *byte == COMMA).nth(from).ok_or(Malformed::Fields)?;
    let mut back = rest.rsplitn(4, |byte| *byte == COMMA);
    let (Some(voice), Some(beep), Some(secs), Some(text)) =
        (back.next(), back.next(), back.next(), back.next())
    else {
        return Err(Malformed::Fields);
    };
    let cue = Cue {
        secs: small(trimmed(secs)).ok_or(Malformed::Field)?,
        beep: small(trimmed(beep)).ok_or(Malformed::Field)?,
        voice: small(trimmed(voice)).ok_or(Malformed::Field)?,
    };
    Ok((text.to_vec(), cue))
}
