//! Recordings as lines of text: the traces that this tool leaves.

use std::net::{Ipv4Addr, SocketAddr};

use assay_reports::{Medium, TraceKind, TraceRecord, read_trace};

use super::{Captured, Carried, Packet};

/// The port of the server, where a trace has no addresses.
const SERVER: u16 = 39_192;

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
    for entry in &trace.entries {
        let Some(link) = entry.link.and_then(|link| trace.head.links.get(usize::from(link))) else {
            continue;
        };
        let wanted = if entry.back { TraceKind::Sent } else { TraceKind::Heard };
        let datagram = link.kind == Medium::Datagram;
        if !datagram || entry.kind != wanted {
            if matches!(entry.kind, TraceKind::Sent | TraceKind::Heard) && !datagram {
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
        captured.notes.push(format!("{} × entry of other links than paths of datagrams", captured.foreign));
    }
    captured
}

/// Bytes from their hexadecimal digits, as far as they are some.
fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
