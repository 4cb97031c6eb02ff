//! Recordings made in the field: the fixtures are what simulations with known faults leave, and `assay check` finds in
//! them what was done there and says what they do not show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "captures/serial.rs"]
mod serial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assay_conformance::interrupt::Stop;
use assay_conformance::outcome::Outcome;
use assay_conformance::pos::{Setup, Stage};
use assay_conformance::rig_bench::Bench;
use assay_conformance::suite;
use assay_conformance::system::{Suited as _, Sut};
use assay_conformance::trial::{Design, Trial};
use assay_reports::{Medium, TraceKind, TraceRecord, render_pcapng, render_trace};
use assay_sim::fault::{Fate, Fault, FaultPlan, Moment, Strike};
use assay_sim::policy::PolicyName;
use assay_sim::pos::family::Pos;
use assay_sim::pos::plant::{CardSpec, Seating, TerminalSpec};
use assay_sim::pos::profile::Profile;
use assay_sim::seed::Seed;
use assay_sim::tape::Keep;
use assay_sim::time::Span;
use etherparse::PacketBuilder;
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, Endianness, TsResolution};

/// A card that pays once, at the seventh terminal.
const ONCE: &str = "4000000099";

/// The others.
const OFTEN: [&str; 8] = [
    "4000000001",
    "4000000002",
    "4000000003",
    "4000000004",
    "4000000005",
    "4000000006",
    "4000000007",
    "4000000008",
];

const CARDS: &[CardSpec] = &[
    CardSpec::good(ONCE, 10_000, 0),
    CardSpec::good(OFTEN[0], 1_000_000, 0),
    CardSpec::good(OFTEN[1], 1_000_000, 0),
    CardSpec::good(OFTEN[2], 1_000_000, 0),
    CardSpec::good(OFTEN[3], 1_000_000, 0),
    CardSpec::good(OFTEN[4], 1_000_000, 0),
    CardSpec::good(OFTEN[5], 1_000_000, 0),
    CardSpec::good(OFTEN[6], 1_000_000, 0),
    CardSpec::good(OFTEN[7], 1_000_000, 0),
];

/// When the recordings begin: 2024-01-02 03:04:05 UTC.
///
/// Units: microseconds since 1970.
const BEGIN_US: u64 = 1_704_164_645_000_000;

/// What is lost at the seventh terminal: what acknowledges and answers its payment, twice.
fn answers_lost() -> FaultPlan {
    let sites = ["udp-g< 001 #2", "udp-g< 001 #3", "udp-g< 008 #1", "udp-g< 008 #2"];
    let strike = |site: &&str| Strike {
        site: site.parse().unwrap(),
        moment: Moment::Before,
        fault: Fault::Fate(Fate::Drop),
    };
    FaultPlan { strikes: sites.iter().map(strike).collect() }
}

/// Terminals of fixed amounts that are tapped for so many minutes, five a minute, on a server of this design.
fn simulate(terminals: usize, minutes: usize, policy: PolicyName, plan: &FaultPlan) -> TraceRecord {
    let profile: Profile = Pos::load(Pos::BUILT_IN, &toml::Table::new(), 1).unwrap();
    let setup = Setup {
        seating: Seating::Whole,
        terminals,
        specs: &[TerminalSpec::FIXED],
        cards: CARDS,
        records: 4,
        profile: "",
    };
    let plant = Pos::plant(profile, Pos::policy(policy, None), &setup, Seed(7));
    let mut stage = Stage::new(&plant, Sut::System, plan, Keep::All).unwrap();
    stage.switch_on();
    stage.ready(terminals - 1).unwrap();
    for minute in 0..minutes {
        for turn in 0..5 {
            let number = minute * 5 + turn;
            let terminal = (number * 7) % terminals;
            if terminal != 6 {
                stage.act(terminal, format!("tap {}", OFTEN[number % OFTEN.len()])).unwrap();
            }
            if minute == minutes / 2 && turn == 2 {
                stage.act(6, format!("tap {ONCE}")).unwrap();
            }
            stage.wait(Span::s(12)).unwrap();
        }
    }
    Outcome::from(stage.finish()).bench.tape.trace(plan)
}

/// A datagram at the server: when, whether it goes to the server, by which terminal, and what it says.
type Seen = (u64, bool, u8, Vec<u8>);

/// What a computer beside the server sees.
fn at_server(trace: &TraceRecord) -> Vec<Seen> {
    let mut seen = Vec::new();
    for entry in &trace.entries {
        let Some(link) =
            entry.link.filter(|link| trace.head.links[usize::from(*link)].kind == Medium::Datagram)
        else {
            continue;
        };
        let wanted = if entry.back { TraceKind::Sent } else { TraceKind::Heard };
        if entry.kind == wanted {
            let hex = entry.hex.as_deref().unwrap_or_default();
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let bytes = (0..hex.len()).step_by(2).map(byte).collect();
            seen.push((BEGIN_US + entry.at_us, !entry.back, u8::try_from(link).unwrap(), bytes));
        }
    }
    seen
}

/// A frame on the Ethernet of the shop.
fn frame((_, up, terminal, bytes): &Seen, number: u16) -> Vec<u8> {
    let (far, server) = ([192, 168, 0, 20 + terminal], [192, 168, 0, 2]);
    let (from, to) = if *up { (far, server) } else { (server, far) };
    let (source, target) = if *up { (39_190, 39_192) } else { (39_192, 39_190) };
    let mut ip = etherparse::Ipv4Header::new(
        u16::try_from(bytes.len() + 8).unwrap(),
        64,
        etherparse::IpNumber::UDP,
        from,
        to,
    )
    .unwrap();
    ip.identification = number;
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ip(etherparse::IpHeaders::Ipv4(ip, etherparse::Ipv4Extensions::default()))
        .udp(source, target);
    let mut frame = Vec::new();
    builder.write(&mut frame, bytes).unwrap();
    frame
}

/// A capture as tcpdump leaves one, of packets with their times.
fn pcap(packets: &[(u64, Vec<u8>)], snaplen: usize) -> Vec<u8> {
    let header = PcapHeader {
        version_major: 2,
        version_minor: 4,
        ts_correction: 0,
        ts_accuracy: 0,
        snaplen: u32::try_from(snaplen).unwrap(),
        datalink: DataLink::ETHERNET,
        ts_resolution: TsResolution::MicroSecond,
        endianness: Endianness::Little,
    };
    let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
    for (at_us, bytes) in packets {
        let at = std::time::Duration::from_micros(*at_us);
        let len = u32::try_from(bytes.len()).unwrap();
        writer.write_packet(&PcapPacket::new(at, len, &bytes[..bytes.len().min(snaplen)])).unwrap();
    }
    writer.into_writer()
}

fn framed(seen: &[Seen]) -> Vec<(u64, Vec<u8>)> {
    let number = |at: usize| u16::try_from(at % 60_000 + 1).unwrap();
    seen.iter().enumerate().map(|(at, one)| (one.0, frame(one, number(at)))).collect()
}

/// What else there is on a network: ARP, TCP, a name that is asked for, and a port that mirrors everything twice.
fn among_others(packets: &[(u64, Vec<u8>)]) -> Vec<(u64, Vec<u8>)> {
    let ethernet = || PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 3]);
    let (mut web, mut name) = (Vec::new(), Vec::new());
    let hosts = ([192, 168, 0, 9], [192, 168, 0, 1]);
    ethernet().ipv4(hosts.0, hosts.1, 64).tcp(50_000, 443, 1, 1_000).write(&mut web, b"").unwrap();
    ethernet().ipv4(hosts.0, hosts.1, 64).udp(50_001, 53).write(&mut name, b"shop").unwrap();
    let mut arp = vec![0xFF; 6];
    arp.extend([2, 0, 0, 0, 0, 3, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 3, 192, 168, 0, 9]);
    arp.extend([0, 0, 0, 0, 0, 0, 192, 168, 0, 1]);
    let mut all = Vec::new();
    for (place, (at, frame)) in packets.iter().enumerate() {
        all.push((*at, frame.clone()));
        all.push((*at + 40, frame.clone()));
        let other = [&arp, &web, &name][place % 3];
        all.push((*at + 100, other.clone()));
    }
    all
}

/// A card that is credited twice by a terminal and a server of the published design: power is cut between the card and
/// the report, and the server offers the order again.
fn double_credit() -> TraceRecord {
    let case = suite::cases().into_iter().find(|case| case.id == "water/topup/power-cut").unwrap();
    let trial = Trial::new(case, &Design::new(PolicyName::Published, Seed(0))).unwrap();
    let run = Bench::Tabletop.run(&trial, &trial.own, &Stop::default());
    run.tape().unwrap().trace(&trial.own)
}

/// The connections of terminals in a trace, as a computer beside the server sees them; `segments` says what becomes of
/// the data of one sending.
fn connections(
    trace: &TraceRecord,
    segments: impl Fn(usize, &[u8]) -> Vec<(u32, Vec<u8>)>,
) -> Vec<(u64, Vec<u8>)> {
    let (mut packets, mut passed) = (Vec::new(), std::collections::BTreeMap::<(u16, bool), u32>::new());
    let mut sending = 0;
    for entry in &trace.entries {
        if entry.link.is_none_or(|link| trace.head.links[usize::from(link)].name != "gprs-a") {
            continue;
        }
        let client = ([192, 168, 1, 10], 50_000 + entry.conn);
        let server = ([10, 0, 0, 2], 7_000);
        let mut put = |at: u64, up: bool, seq: u32, ack: u32, flags: &str, bytes: &[u8]| {
            let ((from, source), (to, target)) = if up { (client, server) } else { (server, client) };
            let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
                .ipv4(from, to, 64)
                .tcp(source, target, seq, 8_192);
            let builder = if flags.contains('S') { builder.syn() } else { builder };
            let builder = if flags.contains('F') { builder.fin() } else { builder };
            let builder = if flags.contains('A') { builder.ack(ack) } else { builder };
            let mut frame = Vec::new();
            builder.write(&mut frame, bytes).unwrap();
            packets.push((BEGIN_US + entry.at_us + at, frame));
        };
        let next = |passed: &std::collections::BTreeMap<(u16, bool), u32>, up: bool| {
            1_001 + passed.get(&(entry.conn, up)).copied().unwrap_or_default()
        };
        match (entry.kind, entry.back) {
            (TraceKind::Opened, false) => {
                put(0, true, 1_000, 0, "S", b"");
                put(10, false, 1_000, 1_001, "SA", b"");
                put(20, true, 1_001, 1_001, "A", b"");
            }
            (TraceKind::Heard, false) | (TraceKind::Sent, true) => {
                let hex = entry.hex.as_deref().unwrap_or_default();
                let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
                let up = !entry.back;
                let (seq, ack) = (next(&passed, up), next(&passed, !up));
                let parts = segments(sending, &bytes);
                for (at, (offset, part)) in parts.iter().enumerate() {
                    put(at as u64 * 10, up, seq + offset, ack, "A", part);
                }
                *passed.entry((entry.conn, up)).or_default() += u32::try_from(bytes.len()).unwrap();
                put(100, !up, ack, next(&passed, up), "A", b"");
                sending += 1;
            }
            (TraceKind::Closed, back) => {
                put(0, !back, next(&passed, !back), next(&passed, back), "FA", b"");
            }
            _ => {}
        }
    }
    packets
}

/// Each sending as it is.
fn whole(_: usize, bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    vec![(0, bytes.to_vec())]
}

/// Each sending in two segments, the second first, and then all of it once more.
fn shaken(_: usize, bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let offset = u32::try_from(first.len()).unwrap();
    vec![(offset, second.to_vec()), (0, first.to_vec()), (0, bytes.to_vec())]
}

/// Without every offer to a card: the recorder has missed what the server sent.
fn without_offers(_: usize, bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let is_offer = bytes.get(2..4) == Some(&[0x11, 0x01]);
    if is_offer { Vec::new() } else { vec![(0, bytes.to_vec())] }
}

/// Every fixture, as it is made.
fn made() -> Vec<(&'static str, Vec<u8>)> {
    let lost = answers_lost();
    let fleet = framed(&at_server(&simulate(40, 30, PolicyName::Published, &lost)));
    let small = simulate(8, 2, PolicyName::Published, &lost);
    let good = framed(&at_server(&simulate(8, 3, PolicyName::Hardened, &lost)));
    let mut back = good.clone();
    let middle = back.len() / 2;
    back[middle..].iter_mut().for_each(|(at, _)| *at -= 3_600_000_000);
    let mut broken_off = pcap(&good, 65_535);
    broken_off.truncate(broken_off.len() / 2);
    let mut silent = at_server(&simulate(8, 2, PolicyName::Hardened, &FaultPlan::default()));
    // A server that is deaf to one payment: neither acknowledgement nor answer.
    let deaf = silent.iter().position(|(_, up, _, bytes)| *up && bytes.starts_with(b"103,")).unwrap();
    let (_, _, terminal, payment) = silent[deaf].clone();
    let seq = payment[4..9].to_vec();
    silent.retain(|(_, up, of, bytes)| {
        let about = bytes.starts_with(&[b"001,", seq.as_slice()].concat()) || bytes.starts_with(b"008,");
        *up || *of != terminal || !about
    });
    let water = double_credit();
    vec![
        ("pos-double-charge-fleet.pcap", pcap(&fleet, 65_535)),
        ("pos-double-charge.pcapng", render_pcapng(&small)),
        ("pos-double-charge.trace.jsonl", render_trace(&small).into_bytes()),
        ("pos-good.pcap", pcap(&good, 65_535)),
        ("pos-among-others.pcap", pcap(&among_others(&good), 65_535)),
        ("pos-cut.pcap", pcap(&good, 100)),
        ("pos-clock-back.pcap", pcap(&back, 65_535)),
        ("pos-broken-off.pcap", broken_off),
        ("pos-unanswered.pcap", pcap(&framed(&silent), 65_535)),
        ("water-double-credit.pcap", pcap(&connections(&water, whole), 65_535)),
        ("water-shaken.pcap", pcap(&connections(&water, shaken), 65_535)),
        ("water-not-recorded.pcap", pcap(&connections(&water, without_offers), 65_535)),
    ]
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures")
}

#[test]
fn the_fixtures_are_what_the_simulation_leaves() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures");
    fs::create_dir_all(&fresh).unwrap();
    let mut apart = Vec::new();
    for (name, bytes) in made().into_iter().chain(serial::made()) {
        fs::write(fresh.join(name), &bytes).unwrap();
        if fs::read(fixtures().join(name)).ok().as_deref() != Some(&bytes) {
            apart.push(name);
        }
    }
    assert!(apart.is_empty(), "{apart:?}: what is made now is in {}", fresh.display());
}

/// Judges a recording; exit code, what was printed, and the directory of the report.
fn check(file: &Path, more: &[&str]) -> (i32, String, PathBuf) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checked").join(format!("{name}{}", more.concat()));
    let _ = fs::remove_dir_all(&out);
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    command.arg("check").arg(file).arg("--out").arg(&out).args(more);
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap(), out)
}

fn plain(name: &str) -> (i32, String) {
    let (code, printed, _) = check(&fixtures().join(name), &["--show-card-numbers"]);
    (code, printed)
}

/// The pseudonym of the card that pays once, in the fixtures.
fn once(printed: &str) -> String {
    let at = printed.find(" charged 3 × 5.50").unwrap_or_else(|| panic!("{printed}"));
    printed[at - 10..at].to_owned()
}

#[test]
fn the_double_charge_of_forty_terminals_in_half_an_hour_is_found_with_its_amount() {
    let (code, printed) = plain("pos-double-charge-fleet.pcap");
    assert_eq!(code, 100, "{printed}");
    assert!(printed.contains("40 terminals"), "{printed}");
    let card = once(&printed);
    assert!(printed.contains(&format!("card {card} charged 1 × 5.50")), "{printed}");
    assert!(printed.contains("POS-P1"), "{printed}");
    // Nobody else was charged twice.
    assert_eq!(printed.matches("charged 3 × 5.50").count(), 1, "{printed}");
    assert!(!printed.contains("missing:"), "{printed}");
}

#[test]
fn the_same_is_found_in_what_this_tool_records_itself() {
    for name in ["pos-double-charge.pcapng", "pos-double-charge.trace.jsonl"] {
        let (code, printed) = plain(name);
        assert_eq!(code, 100, "{printed}");
        assert!(printed.contains("charged 3 × 5.50") && printed.contains("8 terminals"), "{printed}");
    }
}

#[test]
fn a_good_server_passes_and_what_was_not_judged_is_said() {
    let (code, printed) = plain("pos-good.pcap");
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("The verdict is pass."), "{printed}");
    for what in ["Judged: POS-A1", "about terminals", "it takes the server's books", "the server's calendar"]
    {
        assert!(printed.contains(what), "{what}: {printed}");
    }
}

#[test]
fn other_traffic_and_what_was_recorded_twice_is_named_and_blames_nobody() {
    let (code, printed) = plain("pos-among-others.pcap");
    assert_eq!(code, 0, "{printed}");
    for what in ["ARP packet", "TCP segment", "of other ports", "recorded twice"] {
        assert!(printed.contains(what), "{what}: {printed}");
    }
}

#[test]
fn what_is_missing_makes_a_recording_inconclusive_and_blames_nobody() {
    for (name, what) in [
        ("pos-cut.pcap", "that the recording does not have to the end"),
        ("pos-clock-back.pcap", "the clock of the recording goes back by"),
        ("pos-broken-off.pcap", "the capture breaks off at byte"),
    ] {
        let (code, printed) = plain(name);
        assert_eq!(code, 101, "{name}: {printed}");
        assert!(printed.contains("missing: ") && printed.contains(what), "{name}: {printed}");
    }
}

#[test]
fn a_payment_that_nobody_answers_is_found() {
    let (code, printed) = plain("pos-unanswered.pcap");
    assert_eq!(code, 100, "{printed}");
    assert!(printed.contains("POS-A1") && printed.contains("no such acknowledgement"), "{printed}");
}

fn water(file: &Path) -> (i32, String) {
    let (code, printed, _) = check(file, &["--system", "water", "--show-card-numbers"]);
    (code, printed)
}

#[test]
fn the_order_that_is_offered_again_is_found_over_tcp_with_its_volume() {
    for name in ["water-double-credit.pcap", "water-shaken.pcap"] {
        let (code, printed) = water(&fixtures().join(name));
        assert_eq!(code, 100, "{printed}");
        assert!(printed.contains("WAT-I1 (must) does not hold"), "{printed}");
        assert!(printed.contains("order 1001, 12.5 t, is on card 91"), "{printed}");
        assert!(!printed.contains("missing:"), "{printed}");
        let shaken = printed.contains("TCP segment that repeats another")
            && printed.contains("TCP segment that is before its turn");
        assert_eq!(shaken, name == "water-shaken.pcap", "{printed}");
    }
}

#[test]
fn the_same_is_found_in_a_trace_and_a_capture_of_this_tool() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("captures");
    fs::create_dir_all(&dir).unwrap();
    let trace = double_credit();
    let files =
        [("water.trace.jsonl", render_trace(&trace).into_bytes()), ("water.pcapng", render_pcapng(&trace))];
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
        let (code, printed) = water(&dir.join(name));
        assert_eq!(code, 100, "{printed}");
        assert!(printed.contains("order 1001, 12.5 t, is on card 91"), "{printed}");
    }
}

#[test]
fn what_was_received_and_not_recorded_is_missing() {
    let (code, printed) = water(&fixtures().join("water-not-recorded.pcap"));
    assert_eq!(code, 101, "{printed}");
    assert!(printed.contains("missing: ") && printed.contains("that reached their other side"), "{printed}");
    assert!(!printed.contains("does not hold"), "{printed}");
}

#[test]
fn no_card_number_of_a_recording_is_in_any_file_of_its_report() {
    let file = fixtures().join("pos-double-charge.pcapng");
    let (_, shown, _) = check(&file, &["--show-card-numbers"]);
    let card = once(&shown);
    let (code, printed, out) = check(&file, &[]);
    assert_eq!(code, 100);
    let pseudonym = once(&printed);
    assert!(pseudonym != card && pseudonym.starts_with("90"), "{card} is told as {pseudonym}");
    let mut looked = 0;
    for dir in [out.clone(), out.join("replay")] {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let digits: String = card.bytes().map(|digit| format!("{digit:02X}")).collect();
            assert!(!text.contains(&card) && !text.contains(&digits), "{}", path.display());
            looked += 1;
        }
    }
    assert_eq!(looked, 6, "run.json, junit.xml, summary.md, index.html, and two recordings");
    assert!(fs::read_to_string(out.join("run.json")).unwrap().contains(&pseudonym));
}

/// Cards that no answer names, and numbers that are cut in two by segments.
#[test]
fn no_card_that_only_a_terminal_names_is_told() {
    for (name, system) in
        [("pos-cut.pcap", "pos"), ("pos-unanswered.pcap", "pos"), ("water-shaken.pcap", "water")]
    {
        let (_, _, plain) = check(&fixtures().join(name), &["--system", system, "--show-card-numbers"]);
        let (_, _, out) = check(&fixtures().join(name), &["--system", system]);
        let trace = |dir: &Path| {
            let text = fs::read_to_string(dir.join("replay/recording.trace.jsonl")).unwrap();
            let trace = assay_reports::read_trace(&text).unwrap();
            let hex: Vec<String> = trace.entries.into_iter().filter_map(|entry| entry.hex).collect();
            hex.concat()
        };
        let (plain, told) = (trace(&plain), trace(&out));
        let cards: std::collections::BTreeSet<&str> = ["3930", "3931"]
            .iter()
            .flat_map(|kind| plain.match_indices(*kind))
            .filter_map(|(at, _)| plain.get(at..at + 20))
            .filter(|digits| {
                digits.as_bytes().chunks(2).all(|pair| pair[0] == b'3' && pair[1].is_ascii_digit())
            })
            .collect();
        assert!(cards.len() < 20, "{name}: {cards:?}");
        for card in cards {
            assert!(!told.contains(card), "{card} in the report of {name}");
        }
    }
}

#[test]
fn what_is_no_recording_is_refused_with_its_mend() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-recordings");
    fs::create_dir_all(&dir).unwrap();
    let refused = |name: &str, bytes: &[u8], what: &str| {
        let file = dir.join(name);
        fs::write(&file, bytes).unwrap();
        let (code, printed, _) = check(&file, &[]);
        assert!(code == 2 && printed.contains(what) && printed.lines().count() == 1, "{code}: {printed}");
    };
    refused("text", b"hello", "it is neither pcap nor pcapng");
    refused("bytes", &[0xFF, 0xFE, 0, 1], "give a capture of one of these forms");
    refused("empty.pcap", &pcap(&[], 65_535), "nothing goes to or from UDP port 39192 among its 0 packets");
    let (code, printed, _) = check(&dir.join("not-there"), &[]);
    assert!(code == 2 && printed.contains("not-there: "), "{printed}");
}
