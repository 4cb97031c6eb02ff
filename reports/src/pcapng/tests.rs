//! Bytes as the standards have them, written out.

use super::*;
use crate::record::TraceHead;

fn link(name: &str, kind: Medium, listens: Option<&str>) -> LinkRecord {
    LinkRecord { name: name.to_owned(), kind, ends: [Some(0), Some(1)], listens: listens.map(str::to_owned) }
}

fn entry(kind: TraceKind, link: u16, back: bool, hex: &str) -> TraceEntry {
    TraceEntry {
        ordinal: 0,
        at_us: 0x1_0000_0002,
        kind,
        link: Some(link),
        back,
        conn: 1,
        party: None,
        supply: None,
        on: false,
        name: None,
        hex: Some(hex.to_owned()),
        claim: false,
        text: "connection closed".to_owned(),
        exhibits: Vec::new(),
    }
}

fn capture(links: Vec<LinkRecord>, entries: Vec<TraceEntry>) -> Vec<(u32, Vec<u8>)> {
    let head = TraceHead { links, ..TraceHead::default() };
    let bytes = render_pcapng(&TraceRecord { head, entries });
    let (mut blocks, mut rest) = (Vec::new(), &bytes[..]);
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let len = word(4) as usize;
        assert_eq!((len % 4, word(len - 4) as usize), (0, len));
        blocks.push((word(0), rest[8..len - 4].to_vec()));
        rest = &rest[len..];
    }
    blocks
}

#[test]
fn a_serial_line_has_two_interfaces_and_packets_with_their_direction() {
    let links = vec![link("uart-a", Medium::Serial, None)];
    let blocks = capture(links, vec![entry(TraceKind::Heard, 0, true, "4154")]);
    assert_eq!(blocks.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [0x0A0D_0D0A, 1, 1, 6]);
    assert_eq!(blocks[1].1, b"\x93\0\0\0\0\0\0\0\x02\0\x06\0uart-a\0\0\0\0\0\0");
    let expected = b"\0\0\0\0\x01\0\0\0\x02\0\0\0\x02\0\0\0\x02\0\0\0AT\0\0\x02\0\x04\0\x01\0\0\0\0\0\0\0";
    assert_eq!(blocks[3].1, expected);
}

#[test]
fn a_datagram_has_headers_whose_sums_are_right() {
    let links = vec![link("udp-a", Medium::Datagram, None)];
    let blocks = capture(links, vec![entry(TraceKind::Heard, 0, false, "303031")]);
    let packet = &blocks[3].1[20..51];
    // Summed by hand: 192.0.2.1:49152 to 192.0.2.2:39192, three bytes `001`.
    let header = b"\x45\0\0\x1f\0\0\x40\0\x40\x11\xb6\xca\xc0\0\x02\x01\xc0\0\x02\x02";
    assert_eq!(&packet[..20], header);
    assert_eq!(&packet[20..26], b"\xc0\0\x99\x18\0\x0b");
    assert_eq!(&packet[28..], b"001");
    let sum: u32 = packet[12..]
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    let sum = sum + 17 + 11;
    assert_eq!((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
}

#[test]
fn a_connection_is_opened_once_counts_its_bytes_and_ends() {
    let links = vec![link("gprs-a", Medium::Stream, Some("10.0.0.1:9000"))];
    let kinds = [
        (TraceKind::Opened, false, ""),
        (TraceKind::Opened, true, ""),
        (TraceKind::Heard, false, "AABB"),
        (TraceKind::Heard, true, "CC"),
        (TraceKind::Closed, false, ""),
    ];
    let entries = kinds.into_iter().map(|(kind, back, hex)| entry(kind, 0, back, hex)).collect();
    let packets: Vec<(u8, u32, u32)> = capture(links, entries)
        .into_iter()
        .filter(|(kind, _)| *kind == 6)
        .map(|(_, body)| {
            let tcp = &body[40..];
            let word = |at: usize| u32::from_be_bytes(tcp[at..at + 4].try_into().unwrap());
            (tcp[13], word(4), word(8))
        })
        .collect();
    let shakes = [(0x02, 0, 0), (0x12, 0, 1), (0x10, 1, 1)];
    assert_eq!(packets[..3], shakes);
    assert_eq!(packets[3..], [(0x18, 1, 1), (0x18, 1, 3), (0x11, 3, 2)]);
}

#[test]
fn what_is_sent_on_a_connection_and_does_not_arrive_is_a_connection_of_its_own() {
    let links = vec![link("gprs-a", Medium::Stream, Some("10.0.0.1:9000"))];
    let kinds = [
        (TraceKind::Opened, false, ""),
        (TraceKind::Sent, false, "AABB"),
        (TraceKind::Sent, false, "DD"),
        (TraceKind::Heard, false, "DD"),
        (TraceKind::Sent, true, "EE"),
    ];
    let entries = kinds.into_iter().map(|(kind, back, hex)| entry(kind, 0, back, hex)).collect();
    let packets: Vec<(u8, [u8; 2], u32, Vec<u8>)> = capture(links, entries)
        .into_iter()
        .filter(|(kind, _)| *kind == 6)
        .map(|(_, body)| {
            let (ip, len) = (&body[20..], usize::from(body[23]));
            let seq = u32::from_be_bytes(ip[24..28].try_into().unwrap());
            (body[0], [ip[12], ip[15]], seq, ip[40..len].to_vec())
        })
        .collect();
    let (arrives, sent): (Vec<_>, Vec<_>) = packets.into_iter().partition(|packet| packet.0 == 0);
    assert_eq!(arrives[3..], [(0, [192, 1], 1, vec![0xDD])]);
    let (up, down) = ([198, 1], [198, 129]);
    assert_eq!(sent[3..], [(1, up, 1, vec![0xAA, 0xBB]), (1, up, 3, vec![0xDD]), (1, down, 1, vec![0xEE])]);
}

#[test]
fn what_carries_no_bytes_and_digits_that_are_none_leave_nothing() {
    let links = vec![link("rf-a", Medium::Air, None), link("uart-a", Medium::Serial, None)];
    let entries = vec![entry(TraceKind::Heard, 0, false, "00"), entry(TraceKind::Heard, 1, false, "zz")];
    assert!(capture(links, entries).iter().all(|(kind, _)| *kind != 6));
    assert_eq!(unhex("4g41"), b"");
    assert_eq!(unhex("414"), b"A");
}
