//! Recordings as lines of text: the traces that this tool leaves.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use assay_reports::{LinkRecord, Medium, TraceEntry, TraceKind, TraceRecord, read_trace};

use super::{Captured, Carried, Packet, Segment};

/// The port of the server, where a trace has no addresses.
const SERVER: u16 = 39_192;

/// The port before that of a place's first connection, where a trace has no addresses.
const FIRST_PORT: u16 = 50_000;

/// The port of a terminal, where a trace has no addresses.
const TERMINAL: u16 = 39_190;

/// Reads a trace.
///
/// Errors: a sentence with the line and the mend.
pub(super) fn read(bytes: &[u8]) -> Result<Captured, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        "it is neither pcap, nor pcapng, nor text: give a capture of one of these forms".to_owned()
    })?;
    let trace = read_trace(text).map_err(|error| {
        format!("it is neither pcap nor pcapng, and as a `.trace.jsonl` it does not read: {error}")
    })?;
    Ok(packets(&trace))
}

/// What reached end B of each path of datagrams, and what left it.
fn packets(trace: &TraceRecord) -> Captured {
    let mut captured = Captured::default();
    let mut streams = Streams::default();
    for entry in &trace.entries {
        let Some(link) = entry.link.and_then(|link| trace.head.links.get(usize::from(link))) else {
            continue;
        };
        let wanted = if entry.back { TraceKind::Sent } else { TraceKind::Heard };
        if link.kind == Medium::Stream {
            captured.packets.extend(streams.segment(entry, link));
            captured.all += 1;
            continue;
        }
        if link.kind != Medium::Datagram || entry.kind != wanted {
            if matches!(entry.kind, TraceKind::Sent | TraceKind::Heard) && link.kind != Medium::Datagram {
                captured.foreign += 1;
            }
            continue;
        }
        captured.all += 1;
        let number = u32::from(entry.link.unwrap_or_default());
        let terminal = Ipv4Addr::from(u32::from(Ipv4Addr::new(192, 0, 2, 0)).wrapping_add(number + 1));
        let terminal = SocketAddr::from((terminal, TERMINAL));
        let server = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 0), SERVER));
        let (from, to) = if entry.back { (server, terminal) } else { (terminal, server) };
        captured.packets.push(Packet {
            number: entry.ordinal + 1,
            at_us: entry.at_us,
            from,
            to,
            id: 0,
            interface: None,
            carried: Carried::Datagram(unhex(entry.hex.as_deref().unwrap_or_default())),
        });
    }
    if captured.foreign > 0 {
        captured.notes.push(format!("{} × entry of other links than networks", captured.foreign));
    }
    captured
}

/// The connections of a trace, as segments.
#[derive(Default)]
struct Streams {
    /// How many bytes each way of a connection has had.
    passed: BTreeMap<(u16, u16, bool), u32>,
}

impl Streams {
    fn segment(&mut self, entry: &TraceEntry, link: &LinkRecord) -> Option<Packet> {
        let number = entry.link?;
        let server: SocketAddr = link.listens.as_deref()?.parse().ok()?;
        let far = Ipv4Addr::from(u32::from(Ipv4Addr::new(192, 0, 2, 0)).wrapping_add(u32::from(number) + 1));
        let far = SocketAddr::from((far, FIRST_PORT.wrapping_add(entry.conn)));
        let passed = self.passed.entry((number, entry.conn, entry.back)).or_default();
        // Its opening is counted like a byte.
        let seq = passed.wrapping_add(1);
        let blank = Segment { seq, ack: None, syn: false, fin: false, rst: false, bytes: Vec::new() };
        let segment = match (entry.kind, entry.back) {
            (TraceKind::Opened, false) => Segment { seq: 0, syn: true, ..blank },
            (TraceKind::Heard, false) | (TraceKind::Sent, true) => {
                let bytes = unhex(entry.hex.as_deref().unwrap_or_default());
                *passed = passed.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                Segment { bytes, ..blank }
            }
            (TraceKind::Closed, _) => Segment { fin: true, ..blank },
            _ => return None,
        };
        let (from, to) = if entry.back { (server, far) } else { (far, server) };
        Some(Packet {
            number: entry.ordinal + 1,
            at_us: entry.at_us,
            from,
            to,
            id: 0,
            interface: None,
            carried: Carried::Segment(segment),
        })
    }
}

/// Bytes from their hexadecimal digits, as far as they are some.
fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
