//! The frames of the terminal protocol.

use crc::{CRC_16_XMODEM, Crc};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
const HEADER: [u8; 2] = [0xAA, 0x55];
const VERSION: u8 = 1;
const CONTENT_AT: usize = 12;
const CONTENT_MAX: usize = 64;

/// Answer word of a message.
pub const MESSAGE: u8 = 0x00;
/// Answer word of a positive answer.
pub const POSITIVE: u8 = 0x11;
/// Answer word of a negative answer.
pub const NEGATIVE: u8 = 0x10;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The answer word.
    pub word: u8,
    /// The type.
    pub kind: u8,
    /// The machine number, packed BCD.
    pub machine: [u8; 5],
    /// The content.
    pub content: Vec<u8>,
}

impl Frame {
    /// The frame on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u16::try_from(CONTENT_AT + self.content.len()).unwrap_or(u16::MAX);
        let mut bytes = Vec::with_capacity(usize::from(length) + 2);
        bytes.extend_from_slice(&HEADER);
        bytes.extend_from_slice(&[self.word, self.kind, VERSION]);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.machine);
        bytes.extend_from_slice(&self.content);
        let crc = CRC.checksum(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        bytes
    }
}

/// What stands at the front of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// A frame, and how long it is.
    Whole(Frame, usize),
    /// A frame whose CRC is wrong: its type and machine number as they were read.
    Damaged {
        /// The type.
        kind: u8,
        /// The machine number.
        machine: [u8; 5],
    },
    /// Something that cannot begin a frame.
    Junk,
    /// The beginning of what may become a frame, or nothing.
    Short,
}

/// Looks at the front of the input.
pub fn front(input: &[u8]) -> Front {
    let known = |at: usize, fits: &dyn Fn(u8) -> bool| input.get(at).is_none_or(|byte| fits(*byte));
    let digits = |byte: u8| byte >> 4 <= 9 && byte & 15 <= 9;
    let sound = known(0, &|byte| byte == HEADER[0])
        && known(1, &|byte| byte == HEADER[1])
        && known(4, &|byte| byte == VERSION);
    if !sound {
        return Front::Junk;
    }
    let Some(length) = input.get(5..7) else { return Front::Short };
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if !(CONTENT_AT..=CONTENT_AT + CONTENT_MAX).contains(&length)
        || !(7..CONTENT_AT).all(|at| known(at, &digits))
    {
        return Front::Junk;
    }
    let Some(whole) = input.get(..length + 2) else { return Front::Short };
    let (body, crc) = whole.split_at(length);
    let mut machine = [0; 5];
    machine.copy_from_slice(&body[7..CONTENT_AT]);
    if CRC.checksum(body).to_be_bytes() != crc {
        return Front::Damaged { kind: body[3], machine };
    }
    let frame = Frame { word: body[2], kind: body[3], machine, content: body[CONTENT_AT..].to_vec() };
    Front::Whole(frame, length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame worked out by hand in the protocol's description.
    const WORKED: &[u8] = b"\xAA\x55\x00\x01\x01\x00\x1B\x20\x18\x01\x09\x250012345678%12.5\x5A\x46";

    #[test]
    fn the_worked_frame_is_read_and_written() {
        let Front::Whole(frame, 29) = front(WORKED) else { panic!("{:?}", front(WORKED)) };
        assert_eq!((frame.word, frame.kind, &frame.content[..]), (MESSAGE, 1, &b"0012345678%12.5"[..]));
        assert_eq!(frame.bytes(), WORKED);
    }

    #[test]
    fn a_beginning_is_short_a_wrong_bit_is_damage_and_nonsense_is_junk() {
        for len in 0..WORKED.len() {
            assert_eq!(front(&WORKED[..len]), Front::Short, "{len}");
        }
        let mut damaged = WORKED.to_vec();
        damaged[20] ^= 1;
        assert!(matches!(front(&damaged), Front::Damaged { kind: 1, .. }));
        for (at, value) in [(0, 0), (1, 0), (4, 2), (5, 1), (6, 11), (6, 77), (7, 0xA0), (11, 0x0F)] {
            let mut junk = WORKED.to_vec();
            junk[at] = value;
            assert_eq!(front(&junk), Front::Junk, "{at}");
        }
    }
}
