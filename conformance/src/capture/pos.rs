//! A recording of POS terminals and their server as a tape: what reached the server, and what left it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use assay_reports::text::{counted, grouped};
use assay_sim::bench::{LinkEnds, Names};
use assay_sim::fault::LinkKind;
use assay_sim::pos::family::Pos;
use assay_sim::pos::frame::field::{split, trimmed};
use assay_sim::pos::frame::label::label;
use assay_sim::pos::frame::{DeviceMessage, MachineNumber, ServerMessage};
use assay_sim::pos::observe::{Ledger, Observed};
use assay_sim::pos::party::Event;
use assay_sim::pos::plant::{CardSpec, TerminalSpec, letter};
use assay_sim::pos::profile::Profile;
use assay_sim::tape::{Keep, LineId, SeatId, Seen, SupplyId, Tape};
use assay_sim::time::{Instant, Span};

use super::clock::Clock;
use super::said::Balances;
use super::{Captured, Carried, Judged, Packet, is_sent};
use crate::finding::{Findings, Oracles};
use crate::outcome::recorded;
use crate::pos::oracles::server_acks::ServerAcks;
use crate::pos::oracles::server_books::judge_ledger;
use crate::pos::oracles::server_desk::Desk;
use crate::pos::oracles::server_records::ServerRecords;
use crate::pos::oracles::server_sales::ServerSales;
use crate::pos::scene::{Scene, TerminalCast};
use crate::requirement::Side;
use crate::trial::ProfileSource;

/// The most places that datagrams come from.
const PATHS_MAX: usize = 10_000;

/// How long the same packet may take to be recorded a second time.
const TWICE_US: u64 = 5_000;

/// How long answers may be about what was asked before the recording began.
const GRACE: Span = Span::s(120);

/// What a server's answers show without its books, its accounts and its calendar.
pub(super) const JUDGED: [&str; 12] = [
    "POS-A1", "POS-A3", "POS-A5", "POS-M1", "POS-P2", "POS-P5", "POS-P7", "POS-R3", "POS-R4", "POS-R5",
    "POS-X3", "POS-X4",
];

/// Judges what a recording shows of a server.
///
/// Errors: a sentence; for a profile that does not read, and a recording without a datagram of this system.
pub(super) fn judge(captured: Captured, source: &ProfileSource) -> Result<Judged, String> {
    let profile: Profile = source.profile::<Pos>("")?;
    let port = profile.install.server.port();
    let mut feed = Feed::new(&profile, captured.two_ended);
    for packet in &captured.packets {
        feed.take(packet);
    }
    if feed.paths.is_empty() {
        return Err(super::nothing_there(&captured, "UDP", port, "install.server"));
    }
    Ok(feed.judged(captured))
}

/// A tape that is being made.
struct Feed<'a> {
    profile: &'a Profile,
    two_ended: bool,
    tape: Tape<Event>,
    paths: BTreeMap<SocketAddr, usize>,
    casts: Vec<TerminalCast>,
    balances: Balances,
    clock: Clock,
    /// Since when something may be missing.
    unsure_since_us: u64,
    /// What has been asked since then: sequence numbers and keys, by path.
    asked: BTreeSet<(usize, Vec<u8>)>,
    recent: VecDeque<(u64, Packet)>,
    /// How often a kind of message was sent, by path.
    sendings: BTreeMap<(usize, &'static str), u32>,
    /// How many packets are not there to their end, and the number of the first.
    cut: Option<(u64, u64)>,
    lost: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

impl<'a> Feed<'a> {
    fn new(profile: &'a Profile, two_ended: bool) -> Self {
        Self {
            profile,
            two_ended,
            tape: Tape::new(Keep::All),
            paths: BTreeMap::new(),
            casts: Vec::new(),
            balances: Balances::default(),
            clock: Clock::default(),
            unsure_since_us: 0,
            asked: BTreeSet::new(),
            recent: VecDeque::new(),
            sendings: BTreeMap::new(),
            cut: None,
            lost: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    fn take(&mut self, packet: &Packet) {
        if matches!(packet.carried, Carried::Segment(_)) {
            return self.count("TCP segment");
        }
        let port = self.profile.install.server.port();
        let up = match (packet.from.port() == port, packet.to.port() == port) {
            (false, true) => true,
            (true, false) => false,
            _ => return self.count("datagram of other ports"),
        };
        // Of a path that was recorded at both ends, the server's is what counts.
        if self.two_ended && is_sent(packet) == up {
            return;
        }
        if let Some(back) = self.clock.tick(packet.at_us, format_args!("packet {}", packet.number)) {
            self.lost.push(back.clone());
            self.unsure(&back);
        }
        if self.is_twice(packet) {
            return self.count("datagram that was recorded twice");
        }
        let far = if up { packet.from } else { packet.to };
        let Some(path) = self.path(far) else {
            return self.count("datagram of one place more than can be told apart");
        };
        let Carried::Datagram(bytes) = &packet.carried else {
            let what = format!("packet {} is not there to its end", packet.number);
            self.cut.get_or_insert((0, packet.number)).0 += 1;
            return self.unsure(&what);
        };
        if up { self.up(path, bytes) } else { self.down(path, bytes) }
    }

    fn is_twice(&mut self, packet: &Packet) -> bool {
        let now = self.clock.now_us;
        while self.recent.front().is_some_and(|(at, _)| at + TWICE_US < now) {
            self.recent.pop_front();
        }
        let same = |(_, other): &(u64, Packet)| {
            let ends = (other.from, other.to, other.id) == (packet.from, packet.to, packet.id);
            ends && packet.id != 0 && other.carried == packet.carried
        };
        let twice = self.recent.iter().any(same);
        self.recent.push_back((now, packet.clone()));
        twice
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// From here on nothing is owed for what came before: the recording may not have it all.
    fn unsure(&mut self, what: &str) {
        self.push(Seen::Case(format!("{what}: nothing before it is held against anybody")));
        self.push(Seen::Overrun { seat: SERVER });
        self.unsure_since_us = self.clock.now_us;
        self.asked.clear();
    }

    fn push(&mut self, what: Seen<Event>) {
        self.tape.push(Instant::from_us(self.clock.now_us), what);
    }

    fn up(&mut self, path: usize, bytes: &[u8]) {
        // What an answer may name: the sequence number, the card, the number of a payment.
        self.asked.extend(split(bytes).skip(1).take(5).map(|field| (path, trimmed(field).to_vec())));
        if let Ok(message) = DeviceMessage::parse(bytes, &self.profile.frame) {
            self.balances.heard(path, &message);
            if let Some(head) = message.head() {
                let cast = &mut self.casts[path];
                cast.machine = head.machine;
                cast.spec.tells_serial = head.serial.is_some();
                if let Some(serial) = &head.serial {
                    cast.serial = String::from_utf8_lossy(serial).into_owned();
                }
                if let Ok(printed) = head.terminal {
                    cast.address = printed;
                }
            }
        }
        self.push(Seen::Heard { line: line(path), way: Scene::UP, conn: 0, bytes: bytes.to_vec() });
    }

    fn down(&mut self, path: usize, bytes: &[u8]) {
        let named = split(bytes).nth(if bytes.starts_with(b"001") { 1 } else { 2 }).map(trimmed);
        let answers = [b"001", b"006", b"008", b"009", b"011"].iter().any(|word| bytes.starts_with(*word));
        let known = named.is_some_and(|named| self.asked.contains(&(path, named.to_vec())));
        let begun = self.clock.now_us > self.unsure_since_us.saturating_add(GRACE.as_us());
        // A 009 names nobody.
        if answers && !known && !begun && !bytes.starts_with(b"009") {
            return self.count("answer to what is not in the recording");
        }
        if let Ok(message) = ServerMessage::parse(bytes, &self.profile.frame) {
            self.balances.said(path, &message);
        }
        let name = label(bytes);
        let nth = self.sendings.entry((path, name)).or_default();
        *nth += 1;
        let nth = *nth;
        self.push(Seen::Sent {
            line: line(path),
            way: Scene::DOWN,
            conn: 0,
            name,
            nth,
            bytes: bytes.to_vec(),
        });
    }

    /// The path of whoever is there, a new one if need be.
    fn path(&mut self, far: SocketAddr) -> Option<usize> {
        if let Some(path) = self.paths.get(&far) {
            return Some(*path);
        }
        let path = self.paths.len();
        if path >= PATHS_MAX {
            return None;
        }
        self.paths.insert(far, path);
        let address = match far.ip() {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        let place = u16::try_from(path).unwrap_or(u16::MAX);
        self.casts.push(TerminalCast {
            letter: letter(path),
            terminal: SeatId(place + 1),
            panel: SeatId(u16::MAX),
            udp: line(path),
            panel_line: LineId(u16::MAX),
            supply: SupplyId(u16::MAX),
            machine: MachineNumber::default(),
            serial: String::new(),
            address,
            spec: TerminalSpec::ORDINARY,
        });
        Some(path)
    }

    fn judged(mut self, captured: Captured) -> Judged {
        let accounts: Vec<_> = self.balances.accounts().collect();
        let cards = accounts
            .iter()
            .map(|(card, opening, _)| (*card, CardSpec { account: *opening, ..BLANK }))
            .collect();
        let paths = self.paths.len();
        let names = names(&self.paths);
        let scene = Scene::of_recording(self.profile.clone(), std::mem::take(&mut self.casts), cards, SERVER);
        let mut findings = by_oracles(&self.tape, &scene);
        findings.judged.retain(|id, _| JUDGED.contains(id));
        findings.violations.retain(|violation| JUDGED.contains(&violation.requirement));
        if !accounts.is_empty() {
            let closing = accounts.iter().map(|(card, _, closing)| (*card, *closing)).collect();
            let ledger = Box::new(Ledger { accounts: closing, ..Ledger::default() });
            self.push(Seen::Case("what is left on each card, as the server's own answers say".to_owned()));
            self.push(Seen::Noted { seat: SERVER, event: Event::Observed(Observed::Ledger(ledger)) });
            let charges = by_balances(&self.tape, &scene);
            findings.judged.insert("POS-P1", accounts.len() as u64);
            findings.violations.extend(charges);
        }
        let mut notes = captured.notes;
        notes.append(&mut self.clock.notes);
        if self.clock.disordered > 0 {
            self.counts.insert("packet that is out of order", self.clock.disordered);
        }
        notes.extend(self.counts.iter().map(|(what, count)| format!("{} × {what}", grouped(*count))));
        let (mut lost, span_us) = (captured.lost, self.clock.now_us);
        lost.append(&mut self.lost);
        if let Some((count, first)) = self.cut {
            let packets = counted(count, "packet");
            lost.push(format!(
                "{packets} that the recording does not have to the end, the first is number {first}"
            ));
        }
        if !self.balances.stated {
            notes.push("no answer says what is left on a card, so a second charge would not show".to_owned());
        }
        let unexplained: Vec<String> = self.balances.unexplained().collect();
        let tape = recorded::<Pos>(self.tape, names, scene);
        notes.extend(unexplained.iter().map(|text| tape.redacted(text)));
        let parties = counted(paths as u64, "terminal");
        Judged { tape, findings, span_us, parties, can_show: &JUDGED, at: Side::Server, lost, notes }
    }
}

/// The server's seat.
const SERVER: SeatId = SeatId(0);

/// A card of which nothing is known.
const BLANK: CardSpec = CardSpec::good("", 0, 0);

fn line(path: usize) -> LineId {
    LineId(u16::try_from(path).unwrap_or(u16::MAX))
}

/// Every datagram before every judge.
fn by_oracles(tape: &Tape<Event>, scene: &Scene) -> Findings {
    let mut oracles: Oracles<Pos> = vec![
        Box::new(ServerAcks::default()),
        Box::new(ServerSales::default()),
        Box::new(ServerRecords::default()),
    ];
    let mut all = Findings::default();
    let mut end = Instant::ZERO;
    for oracle in &mut oracles {
        let mut findings = Findings::default();
        for entry in tape.entries() {
            oracle.observe(entry, scene, &mut findings);
            end = entry.at;
        }
        oracle.finish(end, scene, &mut findings);
        all.absorb(findings);
    }
    all
}

/// Second charges, as the balances in the last entry show them.
fn by_balances(tape: &Tape<Event>, scene: &Scene) -> Vec<crate::finding::Violation> {
    let (mut desk, mut findings) = (Desk::default(), Findings::default());
    for entry in tape.entries() {
        if let Seen::Noted { event: Event::Observed(Observed::Ledger(ledger)), .. } = &entry.what {
            judge_ledger(&desk, ledger, entry, scene, &mut findings);
        }
        desk.observe(entry, scene);
    }
    findings.violations.retain(|violation| violation.requirement == "POS-P1");
    findings.violations
}

fn names(paths: &BTreeMap<SocketAddr, usize>) -> Names {
    let mut ordered: Vec<(usize, &SocketAddr)> = paths.iter().map(|(far, path)| (*path, far)).collect();
    ordered.sort_unstable();
    let seat = |place: usize| SeatId(u16::try_from(place).unwrap_or(u16::MAX));
    let link = |(path, _): &(usize, &SocketAddr)| LinkEnds {
        kind: LinkKind::Datagram,
        ends: [Some(seat(path + 1)), Some(SERVER)],
        listens: None,
    };
    let links = ordered.iter().map(link).collect();
    let far = |(_, far): &(usize, &SocketAddr)| far.to_string();
    let seats = std::iter::once("server".to_owned()).chain(ordered.iter().map(far)).collect();
    let lines = ordered.iter().map(|(path, _)| format!("udp-{}", letter(*path))).collect();
    Names { seats, lines, supplies: Vec::new(), links, feeds: Vec::new() }
}
