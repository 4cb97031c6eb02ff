//! Captures and dissector in Wireshark's own hands, against the codecs.
//!
//! Runs where tshark is installed, and says so where it is not.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use assay_reports::{
    LinkRecord, Medium, TRACE_SCHEMA, TraceEntry, TraceHead, TraceKind, TraceRecord, render_pcapng,
};
use assay_sim::pos::frame::device::DeviceMessage;
use assay_sim::pos::frame::label::label;
use assay_sim::pos::frame::text::encode;
use assay_sim::water::frame::RawFrame;
use assay_sim::wire::{Scan, Wire as _};
use serde::Deserialize;

const DISSECTOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../reports/wireshark/assay.lua");

fn link(name: &str, kind: Medium) -> LinkRecord {
    let listens = (kind == Medium::Stream).then(|| "10.0.0.1:9000".to_owned());
    LinkRecord { name: name.to_owned(), kind, ends: [Some(0), Some(1)], listens }
}

/// Messages that arrive over one link, one way or the other.
fn trace(kind: Medium, messages: &[(bool, Vec<u8>)]) -> TraceRecord {
    let entry = |(ordinal, (back, bytes)): (u64, &(bool, Vec<u8>))| TraceEntry {
        ordinal,
        at_us: ordinal * 1_000_000 + 42,
        kind: TraceKind::Heard,
        link: Some(0),
        back: *back,
        conn: 0,
        party: None,
        supply: None,
        on: false,
        name: None,
        hex: Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        claim: false,
        text: String::new(),
        exhibits: Vec::new(),
    };
    let head = TraceHead {
        schema: TRACE_SCHEMA.to_owned(),
        parties: vec!["terminal".to_owned(), "server".to_owned()],
        links: vec![link("wire", kind)],
        supplies: Vec::new(),
        timers: Vec::new(),
    };
    TraceRecord { head, entries: (0..).zip(messages).map(entry).collect() }
}

/// What tshark makes of a capture: a line a packet, the fields in order; nothing where there is no tshark.
fn read(name: &str, capture: &[u8], fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let there = Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        std::io::stderr().write_all(b"not run: there is no tshark here\n").unwrap();
        return None;
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wireshark-{name}.pcapng"));
    fs::write(&file, capture).unwrap();
    let mut command = Command::new("tshark");
    command.args(["-X", &format!("lua_script:{DISSECTOR}"), "-r", file.to_str().unwrap()]);
    command.args(["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]);
    command.args([
        "-o",
        "tcp.check_checksum:TRUE",
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-E",
        "occurrence=a",
    ]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("Lua:"), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

#[derive(Deserialize)]
struct File {
    datagram: Vec<Golden>,
}

#[derive(Deserialize)]
struct Golden {
    name: String,
    way: String,
    text: String,
}

#[test]
fn golden_datagrams_are_dissected_as_the_codec_reads_them() {
    let File { datagram } = toml::from_str(include_str!("../../fixtures/frames/pos.toml")).unwrap();
    let messages: Vec<_> = datagram.iter().map(|one| (one.way == "down", encode(&one.text))).collect();
    let fields = [
        "assay_pos.command",
        "assay_pos.seq",
        "assay_pos.card",
        "assay_pos.amount",
        "assay_pos.machine",
        "udp.srcport",
        "udp.checksum.status",
        "frame.time_epoch",
        "frame.interface_name",
    ];
    let capture = render_pcapng(&trace(Medium::Datagram, &messages));
    let Some(packets) = read("pos", &capture, &fields) else { return };
    assert_eq!(packets.len(), datagram.len());
    let profile =
        assay_sim::pos::profile::Profile::load(assay_sim::pos::profile::BUILT_IN, &toml::Table::new(), 1);
    let format = profile.unwrap().frame;
    for (number, (packet, golden)) in packets.iter().zip(&datagram).enumerate() {
        let (back, bytes) = &messages[number];
        assert_eq!(packet[0], label(bytes), "{}", golden.name);
        assert_eq!(packet[5] == "39192", *back, "{}: {packet:?}", golden.name);
        assert_eq!((packet[6].as_str(), packet[8].as_str()), ("1", "wire"), "{}", golden.name);
        assert!(packet[7].starts_with(&format!("{number}.000042")), "{}: {}", golden.name, packet[7]);
        let message = (!back).then(|| DeviceMessage::parse(bytes, &format)).and_then(Result::ok);
        let Some(message) = message else { continue };
        if let Some(head) = message.head() {
            assert_eq!(packet[4], head.machine.to_string(), "{}", golden.name);
        }
        if let DeviceMessage::Pay { card, amount, .. } | DeviceMessage::Record { card, amount, .. } = &message
        {
            let read = [card.as_ref().map(ToString::to_string), amount.as_ref().map(ToString::to_string)];
            let read = read.map(|field| field.unwrap_or_default());
            assert_eq!(packet[2..4], read, "{}", golden.name);
        }
    }
}

/// From the table of frames in `docs/water.md`.
const WATER: [&str; 3] = [
    "AA5500000100 0C2018010925 622A",
    "AA5511000100 1A2018010925 3230313830313039303833303030 3ABB",
    "AA5500010100 1B2018010925 303031323334353637382531322E35 5A46",
];

#[test]
fn golden_frames_are_dissected_as_the_codec_reads_them_on_tcp_and_on_serial_lines() {
    let bytes = |text: &str| -> Vec<u8> {
        let digits: String = text.split(' ').collect();
        let pairs = (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[at * 2..][..2], 16).unwrap());
        pairs.collect()
    };
    let mut messages: Vec<_> = WATER.iter().map(|text| (false, bytes(text))).collect();
    let mut damaged = bytes(WATER[2]);
    damaged[13] ^= 1;
    messages.push((true, damaged));
    let profile =
        assay_sim::water::profile::Profile::load(assay_sim::water::profile::BUILT_IN, &toml::Table::new(), 1);
    let format = profile.unwrap().frame;
    let fields = [
        "assay_water.answer",
        "assay_water.type",
        "assay_water.content",
        "assay_water.sound",
        "frame.packet_flags_direction",
    ];
    for kind in [Medium::Stream, Medium::Serial] {
        let capture = render_pcapng(&trace(kind, &messages));
        let Some(packets) = read(&format!("water-{kind:?}"), &capture, &fields) else { return };
        assert_eq!(packets.len(), messages.len());
        for (packet, (back, bytes)) in packets.iter().zip(&messages) {
            let direction = u32::from_str_radix(packet[4].trim_start_matches("0x"), 16).unwrap();
            assert_eq!(direction, if *back { 1 } else { 2 }, "{packet:?}");
            match RawFrame::scan(&format, bytes) {
                Scan::Frame { frame, used } => {
                    assert_eq!(used, bytes.len());
                    let words = [format!("0x{:02x}", frame.answer), format!("0x{:02x}", frame.kind)];
                    assert_eq!(packet[..2], words);
                    assert_eq!(packet[2], String::from_utf8(frame.content).unwrap());
                    assert!(["1", "True"].contains(&packet[3].as_str()), "{packet:?}");
                }
                _ => assert!(["0", "False"].contains(&packet[3].as_str()), "{packet:?}"),
            }
        }
    }
}

/// One frame is lost, and one arrives with a bit turned: both ends of a connection in one capture, none of it taken for
/// segments that were sent again.
#[test]
fn what_was_sent_on_a_connection_and_lost_stands_beside_what_arrives() {
    let bytes = |text: &str| -> Vec<u8> {
        let digits: String = text.split(' ').collect();
        let pairs = (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[at * 2..][..2], 16).unwrap());
        pairs.collect()
    };
    let [heartbeat, answer, request] = WATER.map(bytes);
    let mut turned = request.clone();
    turned[13] ^= 1;
    let mut trace = trace(Medium::Stream, &[(false, heartbeat.clone()), (false, request), (true, answer)]);
    for entry in &mut trace.entries {
        entry.kind = TraceKind::Sent;
    }
    let mut arrives = trace.entries[1].clone();
    arrives.kind = TraceKind::Heard;
    arrives.hex = Some(turned.iter().map(|byte| format!("{byte:02X}")).collect());
    trace.entries.insert(2, arrives);
    let fields = [
        "frame.interface_name",
        "assay_water.type",
        "assay_water.sound",
        "tcp.checksum.status",
        "tcp.analysis.retransmission",
        "tcp.analysis.lost_segment",
        "tcp.len",
    ];
    let Some(packets) = read("sent", &render_pcapng(&trace), &fields) else { return };
    let data: Vec<_> = packets.iter().filter(|packet| packet[6] != "0").collect();
    let told: Vec<(&str, &str, bool)> = data
        .iter()
        .map(|packet| (packet[0].as_str(), packet[1].as_str(), ["1", "True"].contains(&packet[2].as_str())))
        .collect();
    let expected = [
        ("wire (sent)", "0x00", true),
        ("wire (sent)", "0x01", true),
        ("wire", "0x01", false),
        ("wire (sent)", "0x00", true),
    ];
    assert_eq!(told, expected);
    assert!(packets.iter().all(|packet| packet[3] == "1" && packet[4].is_empty() && packet[5].is_empty()));
}
