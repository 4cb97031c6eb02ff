//! A trace as a capture that network tools read.
//!
//! Every link that carries bytes has an interface of its own, with what arrives there, and a second one, `NAME (sent)`,
//! with what its sender meant, as that may be lost or changed on its way. Datagrams and TCP have real IPv4 headers;
//! serial lines are of the link type USER0, and each packet says its direction: from end A to end B is outbound.
//!
//! What is sent on a connection has addresses of 198.51.100.0/24, so that a reader takes it for a connection of its
//! own: the same numbers for other bytes would look like segments that were sent again.

mod headers;

use crate::record::{LinkRecord, Medium, TraceEntry, TraceKind, TraceRecord};
use headers::{Stream, datagram};

/// Raw IPv4.
const LINKTYPE_IPV4: u16 = 228;
/// The first link type that is left to users.
const LINKTYPE_USER0: u16 = 147;

/// The most bytes of one packet.
const PACKET_MAX: usize = 65_000;

/// `NAME.pcapng`: everything that crossed the links of a run.
///
/// Units: times are microseconds since the bench started, counted from 1970.
pub fn render_pcapng(trace: &TraceRecord) -> Vec<u8> {
    let mut capture = Capture::default();
    block(&mut capture.out, 0x0A0D_0D0A, |body| {
        body.extend(0x1A2B_3C4D_u32.to_le_bytes());
        body.extend([1, 0, 0, 0]);
        body.extend(u64::MAX.to_le_bytes());
        option(body, 4, format!("Assay {}", env!("CARGO_PKG_VERSION")).as_bytes());
        end_options(body);
    });
    let mut wires: Vec<Option<Tap>> = Vec::new();
    for (number, link) in trace.head.links.iter().enumerate() {
        wires.push(Tap::new(link, number, &mut capture));
    }
    for entry in &trace.entries {
        let tap = entry.link.and_then(|link| wires.get_mut(usize::from(link))).and_then(Option::as_mut);
        if let Some(tap) = tap {
            tap.take(entry, &mut capture);
        }
    }
    capture.out
}

#[derive(Default)]
struct Capture {
    out: Vec<u8>,
    interfaces: u32,
}

impl Capture {
    fn interface(&mut self, name: &str, link_type: u16) -> u32 {
        block(&mut self.out, 1, |body| {
            body.extend(link_type.to_le_bytes());
            body.extend([0; 2]);
            body.extend(0_u32.to_le_bytes());
            option(body, 2, crate::text::shown(name).as_bytes());
            end_options(body);
        });
        self.interfaces += 1;
        self.interfaces - 1
    }

    fn packet(&mut self, interface: u32, at_us: u64, back: bool, bytes: &[u8]) {
        let [low, high] = [at_us & 0xFFFF_FFFF, at_us >> 32].map(|half| half.to_le_bytes());
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        block(&mut self.out, 6, |body| {
            body.extend(interface.to_le_bytes());
            body.extend(&high[..4]);
            body.extend(&low[..4]);
            body.extend(len);
            body.extend(len);
            body.extend(bytes);
            pad(body);
            // 1 is inbound, 2 is outbound.
            option(body, 2, &u32::from(if back { 1_u8 } else { 2 }).to_le_bytes());
            end_options(body);
        });
    }
}

fn block(out: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    pad(&mut body);
    let total = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    out.extend(kind.to_le_bytes());
    out.extend(total);
    out.extend(body);
    out.extend(total);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn end_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

fn pad(body: &mut Vec<u8>) {
    while !body.len().is_multiple_of(4) {
        body.push(0);
    }
}

/// What listens on one link.
struct Tap {
    arrives: u32,
    sent: u32,
    carries: Carries,
}

/// Connections by their numbers.
type Connections = std::collections::BTreeMap<u16, Stream>;

enum Carries {
    Serial,
    Datagrams([headers::End; 2]),
    /// Its connections, by their numbers: what arrives, and what is sent.
    Streams([headers::End; 2], Connections, Connections),
}

impl Tap {
    /// Of a link that carries bytes.
    fn new(link: &LinkRecord, number: usize, capture: &mut Capture) -> Option<Self> {
        let ends = headers::ends(link, number);
        let (link_type, carries) = match link.kind {
            Medium::Serial => (LINKTYPE_USER0, Carries::Serial),
            Medium::Datagram => (LINKTYPE_IPV4, Carries::Datagrams(ends)),
            Medium::Stream => (LINKTYPE_IPV4, Carries::Streams(ends, Connections::new(), Connections::new())),
            Medium::Pin | Medium::Air => return None,
        };
        let arrives = capture.interface(&link.name, link_type);
        let sent = capture.interface(&format!("{} (sent)", link.name), link_type);
        Some(Self { arrives, sent, carries })
    }

    fn take(&mut self, entry: &TraceEntry, capture: &mut Capture) {
        let interface = match entry.kind {
            TraceKind::Sent => self.sent,
            TraceKind::Heard | TraceKind::Opened | TraceKind::Closed => self.arrives,
            _ => return,
        };
        let bytes = unhex(entry.hex.as_deref().unwrap_or_default());
        let mut put = |packet: &[u8]| capture.packet(interface, entry.at_us, entry.back, packet);
        match &mut self.carries {
            Carries::Serial => bytes.chunks(PACKET_MAX).for_each(&mut put),
            Carries::Datagrams(ends) => {
                put(&datagram(ends, entry.back, &bytes[..bytes.len().min(PACKET_MAX)]));
            }
            Carries::Streams(ends, _, sends) if entry.kind == TraceKind::Sent => {
                let stream = sends.entry(entry.conn).or_insert_with(|| Stream::sent(ends, entry.conn));
                stream.open().iter().for_each(|packet| put(packet));
                bytes.chunks(PACKET_MAX).for_each(|part| put(&stream.data(entry.back, part)));
            }
            Carries::Streams(ends, connections, _) => {
                let new = || Stream::new(ends, entry.conn);
                let stream = connections.entry(entry.conn).or_insert_with(new);
                match entry.kind {
                    TraceKind::Opened => stream.open().iter().for_each(|packet| put(packet)),
                    TraceKind::Closed => {
                        // As its far end learns; the text says how.
                        let reset = !entry.text.contains("connection closed");
                        put(&stream.close(entry.back, reset));
                    }
                    _ => bytes.chunks(PACKET_MAX).for_each(|part| put(&stream.data(entry.back, part))),
                }
            }
        }
    }
}

/// Bytes from their hexadecimal digits, as far as they are some.
fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
