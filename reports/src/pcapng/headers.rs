//! IPv4, UDP and TCP headers.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::record::LinkRecord;

/// One end of a path.
pub(super) type End = SocketAddrV4;

const UDP: u8 = 17;
const TCP: u8 = 6;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// The port at which a party is reached whose address the bench does not say: what the POS server listens on.
const SERVER_PORT: u16 = 39_192;

/// The addresses at both ends of a link: the one that listens has its own, everybody else one for documentation.
///
/// Source: RFC 5737, 192.0.2.0/24.
pub(super) fn ends(link: &LinkRecord, number: usize) -> [End; 2] {
    let own = |end: Option<u16>| {
        let host = end.map_or(254, |party| u8::try_from(party % 250).unwrap_or(0) + 1);
        Ipv4Addr::new(192, 0, 2, host)
    };
    let port = 49_152 + u16::try_from(number % 8_000).unwrap_or(0);
    let far = link.listens.as_deref().and_then(|text| text.parse().ok());
    let [a, b] = link.ends;
    [End::new(own(a), port), far.unwrap_or_else(|| End::new(own(b), SERVER_PORT))]
}

/// A whole datagram.
pub(super) fn datagram(ends: &[End; 2], back: bool, payload: &[u8]) -> Vec<u8> {
    let (from, to) = turned(ends, back);
    let len = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut segment = Vec::with_capacity(payload.len() + 8);
    for word in [from.port(), to.port(), len, 0] {
        segment.extend(word.to_be_bytes());
    }
    segment.extend(payload);
    // Zero stands for no checksum, so that a sum of zero is sent as its complement.
    let sum = match checksum(&from, &to, UDP, &segment) {
        0 => u16::MAX,
        sum => sum,
    };
    segment[6..8].copy_from_slice(&sum.to_be_bytes());
    packet(&from, &to, UDP, &segment)
}

fn turned([a, b]: &[End; 2], back: bool) -> (End, End) {
    if back { (*b, *a) } else { (*a, *b) }
}

/// One connection: what each end has sent so far.
pub(super) struct Stream {
    ends: [End; 2],
    next: [u32; 2],
    opened: bool,
}

impl Stream {
    pub(super) fn new([a, b]: &[End; 2], conn: u16) -> Self {
        // Each connection has a port of its own, so that no two of them run together.
        let a = End::new(*a.ip(), 49_152 + (a.port() - 49_152).wrapping_mul(97).wrapping_add(conn) % 16_000);
        Self { ends: [a, *b], next: [0, 0], opened: false }
    }

    /// What its ends send, told apart from what arrives by addresses of a network of its own.
    ///
    /// Source: RFC 5737, 198.51.100.0/24.
    pub(super) fn sent(ends: &[End; 2], conn: u16) -> Self {
        let apart = |end: &End, half: u8| {
            let [.., host] = end.ip().octets();
            End::new(Ipv4Addr::new(198, 51, 100, half | host & 0x7F), end.port())
        };
        let [a, b] = ends;
        Self::new(&[apart(a, 0), apart(b, 0x80)], conn)
    }

    /// The handshake, the first time that an end learns of the connection.
    pub(super) fn open(&mut self) -> Vec<Vec<u8>> {
        if std::mem::replace(&mut self.opened, true) {
            return Vec::new();
        }
        let shakes = [(false, SYN), (true, SYN | ACK), (false, ACK)];
        shakes.map(|(back, flags)| self.segment(back, flags, &[])).into()
    }

    pub(super) fn data(&mut self, back: bool, payload: &[u8]) -> Vec<u8> {
        self.segment(back, PSH | ACK, payload)
    }

    pub(super) fn close(&mut self, back: bool, reset: bool) -> Vec<u8> {
        self.segment(back, if reset { RST | ACK } else { FIN | ACK }, &[])
    }

    fn segment(&mut self, back: bool, flags: u8, payload: &[u8]) -> Vec<u8> {
        let (from, to) = turned(&self.ends, back);
        let (own, other) = (usize::from(back), usize::from(!back));
        let acked = if flags & ACK == 0 { 0 } else { self.next[other] };
        let mut segment = Vec::with_capacity(payload.len() + 20);
        segment.extend(from.port().to_be_bytes());
        segment.extend(to.port().to_be_bytes());
        segment.extend(self.next[own].to_be_bytes());
        segment.extend(acked.to_be_bytes());
        segment.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        segment.extend(payload);
        let sum = checksum(&from, &to, TCP, &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        let taken = u32::try_from(payload.len()).unwrap_or(0) + u32::from(flags & (SYN | FIN) != 0);
        self.next[own] = self.next[own].wrapping_add(taken);
        packet(&from, &to, TCP, &segment)
    }
}

fn packet(from: &End, to: &End, protocol: u8, segment: &[u8]) -> Vec<u8> {
    let total = u16::try_from(segment.len() + 20).unwrap_or(u16::MAX).to_be_bytes();
    let mut header = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
    header.extend(from.ip().octets());
    header.extend(to.ip().octets());
    let sum = folded(words(&header));
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header.extend(segment);
    header
}

/// The checksum over a segment and its pseudo header.
fn checksum(from: &End, to: &End, protocol: u8, segment: &[u8]) -> u16 {
    let len = u16::try_from(segment.len()).unwrap_or(u16::MAX);
    let pseudo = words(&from.ip().octets()) + words(&to.ip().octets()) + u64::from(protocol) + u64::from(len);
    folded(pseudo + words(segment))
}

fn words(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    bytes.chunks(2).map(word).sum()
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}
