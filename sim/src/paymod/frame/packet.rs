//! A message on the link between module and server, as bytes.

use super::CRC;
use super::seal::Cipher;
use crate::wire::{Scan, Wire};

const MAGIC: [u8; 2] = [0x55, 0xAA];
/// Magic, version, command, sequence, device number, length.
const HEAD: usize = 14;
const IV: usize = 16;
/// The most bytes that are sealed in one.
const SEALED_MAX: usize = 512;

/// The commands of the link; an answer has its question's with the highest bit set.
pub mod command {
    /// A module introduces itself.
    pub const LOGIN: u8 = 0x01;
    /// A module is still there.
    pub const HEARTBEAT: u8 = 0x02;
    /// An order is to be made.
    pub const CREATE: u8 = 0x03;
    /// How does an order stand?
    pub const QUERY: u8 = 0x04;
    /// A server tells how an order stands.
    pub const PUSH: u8 = 0x05;
    /// An order is no longer wanted.
    pub const CANCEL: u8 = 0x06;
    /// Bytes that go through.
    pub const DATA: u8 = 0x07;
    /// A server cannot act on a message.
    pub const ERROR: u8 = 0x7F;
    /// What makes an answer of a question.
    pub const ANSWER: u8 = 0x80;
}

/// A message on the link, sealed.
///
/// Shape: `55 AA, version u8, command u8, sequence u32, device u32, n u16, IV (16), sealed (n), CRC-16/XMODEM u16`, all
/// big-endian; the CRC covers everything before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// How it is sealed.
    pub cipher: Cipher,
    /// What is asked or answered.
    pub command: u8,
    /// The asker's count, which the answer gives back.
    pub sequence: u32,
    /// The module's number.
    pub device: u32,
    /// Drawn anew for each.
    pub iv: [u8; IV],
    /// The sealed body.
    pub sealed: Vec<u8>,
}

impl Packet {
    /// The first 14 bytes, which a seal may cover.
    pub(super) fn head(&self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..2].copy_from_slice(&MAGIC);
        head[2] = self.cipher.version();
        head[3] = self.command;
        head[4..8].copy_from_slice(&self.sequence.to_be_bytes());
        head[8..12].copy_from_slice(&self.device.to_be_bytes());
        head[12..].copy_from_slice(&u16::try_from(self.sealed.len()).unwrap_or(u16::MAX).to_be_bytes());
        head
    }
}

impl Wire for Packet {
    type Format = ();

    fn len_max((): &()) -> usize {
        HEAD + IV + SEALED_MAX + 2
    }

    fn encode(&self, (): &(), into: &mut Vec<u8>) {
        let start = into.len();
        into.extend_from_slice(&self.head());
        into.extend_from_slice(&self.iv);
        into.extend_from_slice(&self.sealed);
        let check = CRC.checksum(&into[start..]);
        into.extend_from_slice(&check.to_be_bytes());
    }

    fn scan((): &(), bytes: &[u8]) -> Scan<Self> {
        let junk = |used, why| Scan::Junk { used, why };
        let same = bytes.iter().zip(&MAGIC).take_while(|(one, other)| one == other).count();
        if same < MAGIC.len().min(bytes.len()) {
            return junk(same.max(1), "no message begins so");
        }
        let cipher = match bytes.get(2).map(|version| Cipher::of_version(*version)) {
            None => return Scan::NeedMore,
            Some(None) => return junk(1, "there is no such version"),
            Some(Some(cipher)) => cipher,
        };
        let Some(len) = bytes.get(12..HEAD) else { return Scan::NeedMore };
        let len = usize::from(u16::from_be_bytes([len[0], len[1]]));
        if len > SEALED_MAX {
            return junk(1, "no message is so long");
        }
        let used = HEAD + IV + len + 2;
        let Some(whole) = bytes.get(..used) else { return Scan::NeedMore };
        let (covered, check) = whole.split_at(used - 2);
        if CRC.checksum(covered).to_be_bytes() != check {
            return junk(1, "the check is wrong");
        }
        let word = |at: usize| u32::from_be_bytes([whole[at], whole[at + 1], whole[at + 2], whole[at + 3]]);
        let mut iv = [0; IV];
        iv.copy_from_slice(&whole[HEAD..HEAD + IV]);
        let (command, sequence, device) = (whole[3], word(4), word(8));
        let sealed = covered[HEAD + IV..].to_vec();
        Scan::Frame { frame: Self { cipher, command, sequence, device, iv, sealed }, used }
    }
}

/// The length and name of the unit at the front of some bytes; `None` while it is not whole.
pub fn link_label(bytes: &[u8]) -> Option<(usize, &'static str)> {
    match Packet::scan(&(), bytes) {
        Scan::NeedMore => None,
        Scan::Frame { frame, used } => Some((used, command_name(frame.command))),
        Scan::Junk { used, .. } => Some((used, "junk")),
    }
}

const fn command_name(command: u8) -> &'static str {
    match command {
        0x01 => "login",
        0x81 => "login-answer",
        0x02 => "heartbeat",
        0x82 => "heartbeat-answer",
        0x03 => "create",
        0x83 => "create-answer",
        0x04 => "query",
        0x84 => "query-answer",
        0x05 => "push",
        0x85 => "push-ack",
        0x06 => "cancel",
        0x86 => "cancel-answer",
        0x07 => "data",
        0x87 => "data-ack",
        0x7F => "error",
        _ => "packet-other",
    }
}
