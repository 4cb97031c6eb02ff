//! A frame as bytes.

use crate::water::frame::format::{FrameFormat, LengthForm, MachineForm};
use crate::water::frame::number::MachineNumber;
use crate::wire::{Scan, Wire};

/// The three answer words.
pub mod word {
    /// A message that asks for something.
    pub const MESSAGE: u8 = 0x00;
    /// The last frame arrived damaged and shall be sent again.
    pub const NEGATIVE: u8 = 0x10;
    /// The answer to a message.
    pub const POSITIVE: u8 = 0x11;
}

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_XMODEM);
const CRC_SIZE: usize = 2;

/// The checksum of a frame: CRC-16/XMODEM.
pub fn crc16_xmodem(bytes: &[u8]) -> u16 {
    CRC.checksum(bytes)
}

/// A frame whose content has not been read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFrame {
    /// The answer word: see [`word`].
    pub answer: u8,
    /// The type of message.
    pub kind: u8,
    /// The protocol version.
    pub version: u8,
    /// Which terminal it comes from or goes to.
    pub machine: MachineNumber,
    /// The fields, separated by `%`; at most [`FrameFormat::content_max`] bytes.
    pub content: Vec<u8>,
}

/// What [`RawFrame::scan_detailed`] found at the front of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// A whole, sound frame.
    Frame {
        /// The frame.
        frame: RawFrame,
        /// How many bytes it took.
        used: usize,
    },
    /// A frame whose CRC is wrong.
    BadCrc {
        /// The frame as it reads, damage included.
        frame: RawFrame,
        /// How many bytes the whole frame took.
        len: usize,
        /// How many bytes to drop before scanning again: one, so that a sound frame inside is found.
        used: usize,
    },
    /// A beginning that may yet become a frame.
    NeedMore,
    /// Bytes that cannot begin a frame.
    Junk {
        /// How many to drop before scanning again.
        used: usize,
        /// What is wrong with them.
        why: &'static str,
    },
}

impl RawFrame {
    /// Looks at the front of `bytes` as [`Wire::scan`] does, and tells a wrong CRC from other junk.
    ///
    /// Source: WAT-F2, WAT-F4, WAT-F5.
    pub fn scan_detailed(format: &FrameFormat, bytes: &[u8]) -> Scanned {
        let length = match header(format, bytes) {
            Header::Length(length) => length,
            Header::NeedMore => return Scanned::NeedMore,
            Header::Junk { used, why } => return Scanned::Junk { used, why },
        };
        let len = length + CRC_SIZE;
        let Some(whole) = bytes.get(..len) else {
            return Scanned::NeedMore;
        };
        let Some(machine) = machine(format, whole) else {
            return Scanned::Junk { used: 1, why: "machine number with a non-digit" };
        };
        let (body, crc) = whole.split_at(length);
        let frame = Self {
            answer: body[2],
            kind: body[3],
            version: body[4],
            machine,
            content: body[format.content_at()..].to_vec(),
        };
        if crc16_xmodem(body).to_be_bytes() == *crc {
            Scanned::Frame { frame, used: len }
        } else {
            Scanned::BadCrc { frame, len, used: 1 }
        }
    }
}

impl Wire for RawFrame {
    type Format = FrameFormat;

    fn len_max(format: &FrameFormat) -> usize {
        format.length_max() + CRC_SIZE
    }

    /// Appends the frame.
    ///
    /// Why no error: contents longer than the form allows, and machine numbers too large for
    /// [`MachineForm::U32`], are faults of a configuration and are written cut to what the field can say.
    fn encode(&self, format: &FrameFormat, into: &mut Vec<u8>) {
        let start = into.len();
        let content_len = self.content.len().min(format.length_max() - format.content_at());
        let length = format.content_at() + content_len;
        into.reserve(length + CRC_SIZE);
        into.extend_from_slice(&format.header);
        into.extend_from_slice(&[self.answer, self.kind, self.version]);
        match format.length {
            LengthForm::U16 => {
                into.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
            }
            LengthForm::U8 => into.push(u8::try_from(length).unwrap_or(u8::MAX)),
        }
        match format.machine {
            MachineForm::Bcd => into.extend_from_slice(&self.machine.to_bcd()),
            MachineForm::Ascii => into.extend(self.machine.digits().map(|digit| b'0' + digit)),
            MachineForm::U32 => {
                let number = u32::try_from(self.machine.value()).unwrap_or(u32::MAX);
                into.extend_from_slice(&number.to_be_bytes());
            }
        }
        into.extend_from_slice(&self.content[..content_len]);
        let crc = crc16_xmodem(&into[start..]);
        into.extend_from_slice(&crc.to_be_bytes());
    }

    fn scan(format: &FrameFormat, bytes: &[u8]) -> Scan<Self> {
        match Self::scan_detailed(format, bytes) {
            Scanned::Frame { frame, used } => Scan::Frame { frame, used },
            Scanned::NeedMore => Scan::NeedMore,
            Scanned::Junk { used, why } => Scan::Junk { used, why },
            Scanned::BadCrc { used, .. } => Scan::Junk { used, why: "wrong CRC" },
        }
    }
}

/// What the bytes before the content say.
enum Header {
    /// All there and plausible: the value of the length field.
    Length(usize),
    NeedMore,
    Junk {
        used: usize,
        why: &'static str,
    },
}

/// Checks each header byte as soon as it is there, so that an impossible frame is junk and not a wait.
fn header(format: &FrameFormat, bytes: &[u8]) -> Header {
    let junk = |why| Header::Junk { used: 1, why };
    match bytes.first() {
        None => return Header::NeedMore,
        Some(first) if *first != format.header[0] => {
            let used = bytes.iter().position(|byte| *byte == format.header[0]).unwrap_or(bytes.len());
            return Header::Junk { used, why: "no header" };
        }
        Some(_) => {}
    }
    if bytes.get(1).is_some_and(|second| *second != format.header[1]) {
        return junk("half a header");
    }
    if bytes.get(4).is_some_and(|version| *version != format.version) {
        return junk("unknown version");
    }
    let Some(field) = bytes.get(5..format.machine_at()) else {
        return Header::NeedMore;
    };
    let length = field.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    if length < format.content_at() {
        return junk("length below the header's own");
    }
    if length > format.length_max() {
        return junk("length over the limit");
    }
    let known = &bytes[format.machine_at()..bytes.len().min(format.content_at())];
    let digits = match format.machine {
        MachineForm::Bcd => known.iter().all(|byte| byte >> 4 <= 9 && byte & 0x0F <= 9),
        MachineForm::Ascii => known.iter().all(u8::is_ascii_digit),
        MachineForm::U32 => true,
    };
    if digits { Header::Length(length) } else { junk("machine number with a non-digit") }
}

/// The machine number of a frame that is all there.
fn machine(format: &FrameFormat, whole: &[u8]) -> Option<MachineNumber> {
    let field = &whole[format.machine_at()..format.content_at()];
    match format.machine {
        MachineForm::Bcd => MachineNumber::parse_bcd(field.try_into().ok()?).ok(),
        MachineForm::Ascii => MachineNumber::parse(field).ok(),
        MachineForm::U32 => Some(u32::from_be_bytes(field.try_into().ok()?).into()),
    }
}

#[cfg(test)]
mod tests;
