//! Recordings as lines of text: the traces that this tool leaves, and those of serial lines.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use assay_reports::{LinkRecord, Medium, TraceEntry, TraceKind, TraceRecord, read_trace};

use assay_sim::fault::Way;

use super::serial::{self, Burst, Line, Tx};
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

/// Reads a recording of a serial line: a trace, or text of others.
///
/// Errors: a sentence with the line and the mend.
pub(super) fn read_serial(bytes: &[u8], tx: Tx) -> Result<Line, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        "it is no text: a serial line is read from timestamped hexadecimal, from the CSV of a logic analyser, and \
         from a `.trace.jsonl`"
            .to_owned()
    })?;
    if !text.trim_start().starts_with('{') {
        return serial::read(text, tx);
    }
    let trace = read_trace(text).map_err(|error| format!("as a `.trace.jsonl` it does not read: {error}"))?;
    on_first_line(&trace)
}

/// Whether this is a recording of a serial line and not of a network: text, and no trace with a network in it.
pub(super) fn is_serial(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    if !text.trim_start().starts_with('{') {
        return true;
    }
    let has = |trace: &TraceRecord, kind: Medium| trace.head.links.iter().any(|link| link.kind == kind);
    read_trace(text).is_ok_and(|trace| has(&trace, Medium::Serial) && !has(&trace, Medium::Stream))
}

/// What the host, at end A, has of the first serial line of a trace.
fn on_first_line(trace: &TraceRecord) -> Result<Line, String> {
    let serial = |link: &&LinkRecord| link.kind == Medium::Serial;
    let place = trace.head.links.iter().position(|link| serial(&link));
    let Some(number) = place.and_then(|place| u16::try_from(place).ok()) else {
        return Err("there is no serial line in it".to_owned());
    };
    let mut line = Line::default();
    let others = trace.head.links.iter().filter(serial).count() - 1;
    if others > 0 {
        let name = &trace.head.links[usize::from(number)].name;
        line.notes.push(format!("{others} × serial line besides `{name}`, which is the one that is judged"));
    }
    for entry in trace.entries.iter().filter(|entry| entry.link == Some(number)) {
        let (wanted, way) =
            if entry.back { (TraceKind::Heard, Way::BtoA) } else { (TraceKind::Sent, Way::AtoB) };
        line.span_us = entry.at_us;
        if entry.kind == wanted {
            let bytes = unhex(entry.hex.as_deref().unwrap_or_default());
            line.bursts.push(Burst { at_us: entry.at_us, way, bytes, gap: None });
        }
    }
    Ok(line)
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
