//! Captures of networks, pcap and pcapng: the datagrams in them, and everything about them that a judge must know.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_file::pcap::PcapParser;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::interface_statistics::InterfaceStatisticsOption;
use pcap_file::pcapng::{Block, PcapNgParser};
use pcap_file::{DataLink, PcapError, TsResolution};

use super::{Captured, Carried, Packet, Segment};

/// How the name of an interface ends that shows what was meant and not what arrived, in captures of this tool.
const SENT: &str = " (sent)";

/// Reads a capture of either form; nothing if it is neither.
pub(super) fn read(bytes: &[u8]) -> Option<Captured> {
    match bytes.get(..4)? {
        [0x0A, 0x0D, 0x0D, 0x0A] => Some(pcapng(bytes)),
        [0xA1, 0xB2, 0xC3, 0xD4] | [0xA1, 0xB2, 0x3C, 0x4D] => pcap(bytes),
        [0xD4, 0xC3, 0xB2, 0xA1] | [0x4D, 0x3C, 0xB2, 0xA1] => pcap(bytes),
        _ => None,
    }
}

fn pcap(bytes: &[u8]) -> Option<Captured> {
    let (mut rest, parser) = PcapParser::new(bytes).ok()?;
    let link = parser.header().datalink;
    let per_us = if parser.header().ts_resolution == TsResolution::NanoSecond { 1_000 } else { 1 };
    let mut reading = Reading::default();
    while !rest.is_empty() {
        // Raw, as a packet that was cut is longer than the capture's own limit, which is no mistake in it.
        match parser.next_raw_packet(rest) {
            Ok((left, packet)) => {
                rest = left;
                let fraction = u64::from(packet.ts_frac) / per_us;
                let at_us = u64::from(packet.ts_sec).saturating_mul(1_000_000).saturating_add(fraction);
                reading.packet(link, None, at_us, packet.orig_len, &packet.data);
            }
            Err(error) => {
                reading.broken_off(bytes.len() - rest.len(), &error);
                break;
            }
        }
    }
    Some(reading.done())
}

fn pcapng(bytes: &[u8]) -> Captured {
    let mut reading = Reading::default();
    let (mut rest, mut parser) = match PcapNgParser::new(bytes) {
        Ok(begun) => begun,
        Err(error) => {
            reading.broken_off(0, &error);
            return reading.done();
        }
    };
    while !rest.is_empty() {
        match parser.next_block(rest) {
            Ok((left, block)) => {
                rest = left;
                reading.block(&block, parser.interfaces());
            }
            Err(error) => {
                reading.broken_off(bytes.len() - rest.len(), &error);
                break;
            }
        }
    }
    reading.done()
}

/// A capture that is being read.
#[derive(Default)]
struct Reading {
    captured: Captured,
    number: u64,
    /// What was passed over, by its kind: how many packets, and the number of the first.
    passed_over: BTreeMap<String, (u64, u64)>,
}

impl Reading {
    fn block(&mut self, block: &Block<'_>, interfaces: &[InterfaceDescriptionBlock<'_>]) {
        match block {
            Block::EnhancedPacket(packet) => {
                let Some(interface) = interfaces.get(packet.interface_id as usize) else {
                    self.number += 1;
                    self.pass_over("packet of an interface that the capture does not describe");
                    return;
                };
                let at_us = in_us(packet.timestamp.as_nanos(), interface);
                let name = name(interface);
                self.packet(interface.linktype, name, at_us, packet.original_len, &packet.data);
            }
            Block::SimplePacket(_) | Block::Packet(_) => {
                self.number += 1;
                self.pass_over("packet without a time of its own");
            }
            Block::InterfaceStatistics(statistics) => {
                for option in &statistics.options {
                    if let InterfaceStatisticsOption::IsbIfDrop(count)
                    | InterfaceStatisticsOption::IsbOsDrop(count) = option
                        && *count > 0
                    {
                        self.captured.lost.push(format!(
                            "the computer that captured says that it missed {count} packets on its interface {}",
                            statistics.interface_id
                        ));
                    }
                }
            }
            _ => {}
        }
    }

    fn packet(&mut self, link: DataLink, interface: Option<String>, at_us: u64, whole_len: u32, data: &[u8]) {
        self.number += 1;
        let cut = data.len() < whole_len as usize;
        let sliced = match link {
            DataLink::ETHERNET => LaxSlicedPacket::from_ethernet(data).ok(),
            DataLink::IPV4 | DataLink::IPV6 | DataLink::RAW => LaxSlicedPacket::from_ip(data).ok(),
            // The protocol is what follows the header of a cooked capture, whose length is fixed.
            DataLink::LINUX_SLL => cooked(data, 14, 16),
            DataLink::LINUX_SLL2 => cooked(data, 0, 20),
            other => {
                self.pass_over(&format!("packet of the link type {}", u32::from(other)));
                return;
            }
        };
        let Some(sliced) = sliced else {
            self.pass_over("packet whose headers do not read");
            return;
        };
        match datagram(&sliced) {
            Ok((from, to, id, carried, fragment)) => {
                let whole = !cut && !fragment;
                // What a connection lacks shows in what follows.
                let carried =
                    if whole || matches!(carried, Carried::Segment(_)) { carried } else { Carried::Cut };
                let number = self.number;
                self.captured.packets.push(Packet { number, at_us, from, to, id, interface, carried });
            }
            Err(_) if cut => self.pass_over("packet that is cut before its ports"),
            Err(what) => self.pass_over(&what),
        }
    }

    fn pass_over(&mut self, what: &str) {
        self.passed_over.entry(what.to_owned()).or_insert((0, self.number)).0 += 1;
    }

    fn broken_off(&mut self, at: usize, error: &PcapError) {
        let how = match error {
            PcapError::IncompleteBuffer => "it ends in the middle of something".to_owned(),
            error => error.to_string(),
        };
        let what = format!("the capture breaks off at byte {at}, after packet {}: {how}", self.number);
        self.captured.lost.push(what);
    }

    fn done(mut self) -> Captured {
        let (captured, all) = (&mut self.captured, self.number);
        for (what, (count, first)) in self.passed_over {
            captured.foreign += count;
            captured.notes.push(format!("{count} × {what}, the first is number {first}"));
        }
        captured.all = all;
        // Of a link that this tool has captured at both ends, what counts is what the server's end shows.
        let both: Vec<String> = captured
            .packets
            .iter()
            .filter_map(|packet| packet.interface.as_deref()?.strip_suffix(SENT).map(str::to_owned))
            .collect();
        captured.two_ended = !both.is_empty();
        self.captured
    }
}

/// Whether a packet of a capture of both ends shows what its sender meant.
pub fn is_sent(packet: &Packet) -> bool {
    packet.interface.as_deref().is_some_and(|name| name.ends_with(SENT))
}

fn cooked(data: &[u8], protocol_at: usize, header: usize) -> Option<LaxSlicedPacket<'_>> {
    let protocol = data.get(protocol_at..protocol_at + 2)?;
    let protocol = EtherType(u16::from_be_bytes([protocol[0], protocol[1]]));
    Some(LaxSlicedPacket::from_ether_type(protocol, data.get(header..)?))
}

/// From where, to where, its number, what it carries, and whether that is but a part.
type Found = (SocketAddr, SocketAddr, u16, Carried, bool);

/// The datagram or segment in a packet, or else what it is.
fn datagram(sliced: &LaxSlicedPacket<'_>) -> Result<Found, String> {
    let (source, target, id, fragment) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let [source, target] = [header.source_addr(), header.destination_addr()].map(IpAddr::V4);
            (source, target, header.identification(), ip.is_payload_fragmented())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let [source, target] = [header.source_addr(), header.destination_addr()].map(IpAddr::V6);
            (source, target, 0, ip.is_payload_fragmented())
        }
        Some(LaxNetSlice::Arp(_)) => return Err("ARP packet".to_owned()),
        None => return Err("packet that is not IP".to_owned()),
    };
    match &sliced.transport {
        Some(TransportSlice::Udp(udp)) => {
            let from = SocketAddr::new(source, udp.source_port());
            let to = SocketAddr::new(target, udp.destination_port());
            Ok((from, to, id, Carried::Datagram(udp.payload().to_vec()), fragment))
        }
        Some(TransportSlice::Tcp(tcp)) => {
            let from = SocketAddr::new(source, tcp.source_port());
            let to = SocketAddr::new(target, tcp.destination_port());
            let segment = Segment {
                seq: tcp.sequence_number(),
                ack: tcp.ack().then(|| tcp.acknowledgment_number()),
                syn: tcp.syn(),
                fin: tcp.fin(),
                rst: tcp.rst(),
                bytes: tcp.payload().to_vec(),
            };
            Ok((from, to, id, Carried::Segment(segment), fragment))
        }
        Some(TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_)) => Err("ICMP message".to_owned()),
        Some(TransportSlice::Igmp(_)) => Err("IGMP message".to_owned()),
        None if fragment => Err("later part of a datagram that was sent in parts".to_owned()),
        None => Err("packet of another protocol than UDP and TCP".to_owned()),
    }
}

/// Its time, in microseconds.
///
/// Why: the reader hands the bare number out, whose unit the interface says.
fn in_us(units: u128, interface: &InterfaceDescriptionBlock<'_>) -> u64 {
    let resolution = interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfTsResol(resolution) => Some(*resolution),
        _ => None,
    });
    let us = match resolution.unwrap_or(6) {
        binary if binary & 0x80 != 0 => units.saturating_mul(1_000_000) >> u32::from(binary & 0x7F).min(127),
        decimal @ ..=6 => units.saturating_mul(10_u128.pow(6 - u32::from(decimal))),
        decimal => units / 10_u128.pow(u32::from(decimal - 6).min(38)),
    };
    u64::try_from(us).unwrap_or(u64::MAX)
}

fn name(interface: &InterfaceDescriptionBlock<'_>) -> Option<String> {
    interface.options.iter().find_map(|option| match option {
        InterfaceDescriptionOption::IfName(name) => Some(name.clone().into_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One datagram of five bytes, as tcpdump writes it: written out from the format's document.
    pub(crate) fn classic() -> Vec<u8> {
        let mut bytes =
            vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
        bytes.extend([1, 0, 0, 0, 0x40, 0x42, 0x0F, 0, 33, 0, 0, 0, 33, 0, 0, 0]);
        bytes.extend([0x45, 0, 0, 33, 0, 7, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend([0x99, 0x16, 0x99, 0x18, 0, 13, 0, 0]);
        bytes.extend(b"hello");
        bytes
    }

    #[test]
    fn a_datagram_is_read_out_of_its_headers() {
        let captured = read(&classic()).unwrap();
        let [packet] = &captured.packets[..] else { panic!("{captured:?}") };
        assert_eq!((packet.number, packet.at_us, packet.id), (1, 2_000_000, 7));
        assert_eq!(packet.from, "10.0.0.1:39190".parse().unwrap());
        assert_eq!(packet.to, "10.0.0.2:39192".parse().unwrap());
        assert_eq!(packet.carried, Carried::Datagram(b"hello".to_vec()));
        assert!(captured.lost.is_empty() && captured.notes.is_empty());
    }

    #[test]
    fn a_capture_that_breaks_off_says_where() {
        let whole = classic();
        let captured = read(&whole[..whole.len() - 1]).unwrap();
        assert!(captured.packets.is_empty());
        let what = "the capture breaks off at byte 24, after packet 0: it ends in the middle of something";
        assert_eq!(captured.lost, [what]);
    }

    #[test]
    fn a_packet_that_was_cut_is_told_from_a_whole_one() {
        let mut bytes = classic();
        bytes[36] = 40;
        let captured = read(&bytes).unwrap();
        assert_eq!(captured.packets[0].carried, Carried::Cut);
        assert_eq!(read(b"no capture"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_worse_than_named(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
            magic in 0..3_usize,
            keep in 0..40_usize,
        ) {
            let classic = classic();
            let keep = keep.min(bytes.len());
            match magic {
                0 => bytes.splice(..keep, [0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A]).for_each(drop),
                1 => bytes.splice(..keep, classic[..24].iter().copied()).for_each(drop),
                _ => bytes.splice(..keep, classic).for_each(drop),
            }
            let _ = read(&bytes);
        }
    }
}
