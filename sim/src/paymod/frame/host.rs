//! A frame on the line between host and module.

use super::CRC;
use crate::wire::{Scan, Wire};

const MAGIC: [u8; 2] = [0xA5, 0x5A];
/// Magic and length.
const HEAD: usize = 3;
/// The most bytes of a payload.
const PAYLOAD_MAX: usize = 253;

/// A frame on the line between host and module.
///
/// Shape: `A5 5A, len u8, command u8, sequence u8, payload, CRC-16/XMODEM u16 BE`; `len` counts command, sequence and
/// payload, the CRC covers `len` and all that it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFrame {
    /// What is asked or answered.
    pub command: u8,
    /// The asker's count, which the answer gives back.
    pub sequence: u8,
    /// At most 253 bytes.
    pub payload: Vec<u8>,
}

impl HostFrame {
    /// Why a scan drops bytes that a frame's length covers and its check does not.
    pub const BAD_CHECK: &'static str = "the check is wrong";
    /// Why it drops a length that no frame has.
    pub const BAD_LENGTH: &'static str = "no frame has this length";
    /// Why it drops everything else.
    pub const NO_FRAME: &'static str = "no frame begins so";

    /// The frame at the front of some bytes whatever its check says, and how long it is.
    pub fn unchecked(bytes: &[u8]) -> Option<(Self, usize)> {
        let len = usize::from(*bytes.get(2)?);
        let covered = bytes.get(HEAD..HEAD + len)?;
        let [command, sequence, payload @ ..] = covered else { return None };
        (bytes.len() >= HEAD + len + 2 && bytes.starts_with(&MAGIC)).then(|| {
            let frame = Self { command: *command, sequence: *sequence, payload: payload.to_vec() };
            (frame, HEAD + len + 2)
        })
    }
}

impl Wire for HostFrame {
    type Format = ();

    fn len_max((): &()) -> usize {
        HEAD + 2 + PAYLOAD_MAX + 2
    }

    fn encode(&self, (): &(), into: &mut Vec<u8>) {
        let payload = &self.payload[..self.payload.len().min(PAYLOAD_MAX)];
        let start = into.len() + 2;
        into.extend_from_slice(&MAGIC);
        into.extend([u8::try_from(payload.len() + 2).unwrap_or(u8::MAX), self.command, self.sequence]);
        into.extend_from_slice(payload);
        let check = CRC.checksum(&into[start..]);
        into.extend_from_slice(&check.to_be_bytes());
    }

    fn scan((): &(), bytes: &[u8]) -> Scan<Self> {
        let same = bytes.iter().zip(&MAGIC).take_while(|(one, other)| one == other).count();
        if same < MAGIC.len().min(bytes.len()) {
            return Scan::Junk { used: same.max(1), why: Self::NO_FRAME };
        }
        let Some(len) = bytes.get(2) else { return Scan::NeedMore };
        if *len < 2 {
            return Scan::Junk { used: 1, why: Self::BAD_LENGTH };
        }
        let Some((frame, used)) = Self::unchecked(bytes) else { return Scan::NeedMore };
        let check = CRC.checksum(&bytes[2..used - 2]).to_be_bytes();
        if bytes[used - 2..used] == check {
            Scan::Frame { frame, used }
        } else {
            Scan::Junk { used: 1, why: Self::BAD_CHECK }
        }
    }
}

/// The length and name of the unit at the front of some bytes; `None` while it is not whole.
pub fn host_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    match HostFrame::scan(&(), bytes) {
        Scan::NeedMore => None,
        Scan::Frame { frame, used } => Some((used, command_name(frame.command))),
        Scan::Junk { used, .. } => Some((used, "junk")),
    }
}

const fn command_name(command: u8) -> &'static str {
    match command {
        0x01 => "pay",
        0x81 => "pay-answer",
        0x02 => "status",
        0x82 => "status-ack",
        0x03 => "query",
        0x83 => "query-answer",
        0x04 => "cancel",
        0x84 => "cancel-answer",
        0x05 => "data",
        0x85 => "data-ack",
        0x7F => "error",
        _ => "frame-other",
    }
}
