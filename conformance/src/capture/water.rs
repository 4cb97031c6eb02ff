//! A recording of water terminals and their message server as a tape: the bytes of each connection, as the server has
//! them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use assay_reports::text::{counted, grouped};
use assay_sim::bench::{LinkEnds, Names};
use assay_sim::fault::{LinkKind, Way};
use assay_sim::machine::Closing;
use assay_sim::tape::{Keep, LineId, SeatId, Seen, Tape};
use assay_sim::time::Instant;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{Answer, Message};
use assay_sim::water::party::Event;
use assay_sim::water::plant::letter;
use assay_sim::water::profile::Profile;

use super::clock::Clock;
use super::tcp::{Connections, Piece, Segment};
use super::{Captured, Carried, Judged, Packet, is_sent};
use crate::finding::{Findings, Oracles};
use crate::outcome::recorded;
use crate::requirement::Side;
use crate::trial::ProfileSource;
use crate::water::oracles::server::ServerLedger;
use crate::water::oracles::server_ears::{Crossing, Ears, Noticed};
use crate::water::oracles::server_frames::ServerFrames;
use crate::water::oracles::server_negatives::ServerNegatives;
use crate::water::scene::Scene;

/// The most places that connections come from.
const PLACES_MAX: usize = 10_000;

/// What a server's answers show without its books.
pub(super) const JUDGED: [&str; 4] = ["WAT-F2", "WAT-F4", "WAT-F5", "WAT-I1"];

/// The server's seat.
const SERVER: SeatId = SeatId(0);

/// Judges what a recording shows of a server.
///
/// Errors: a sentence; for a profile that does not read, and a recording without a connection of this system.
pub(super) fn judge(captured: Captured, source: &ProfileSource) -> Result<Judged, String> {
    let profile: Profile = source.profile::<Water>("")?;
    let port = profile.server.address.port();
    let mut feed = Feed { port, two_ended: captured.two_ended, ..Feed::default() };
    for packet in &captured.packets {
        feed.take(packet);
    }
    if feed.places.is_empty() {
        return Err(super::nothing_there(&captured, "TCP", port, "server.address"));
    }
    Ok(feed.judged(captured, profile))
}

/// A tape that is being made.
struct Feed {
    port: u16,
    /// Whether it shows links at both ends.
    two_ended: bool,
    tape: Tape<Event>,
    clock: Clock,
    connections: Connections,
    /// Where each connection comes from, by place.
    places: BTreeMap<IpAddr, usize>,
    /// The number of each connection at its place, and the last number there.
    numbers: BTreeMap<SocketAddr, u16>,
    last: Vec<u16>,
    missing: (u64, u64),
    lost: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            port: 0,
            two_ended: false,
            tape: Tape::new(Keep::All),
            clock: Clock::default(),
            connections: Connections::default(),
            places: BTreeMap::new(),
            numbers: BTreeMap::new(),
            last: Vec::new(),
            missing: (0, 0),
            lost: Vec::new(),
            counts: BTreeMap::new(),
        }
    }
}

impl Feed {
    fn take(&mut self, packet: &Packet) {
        let Carried::Segment(segment) = &packet.carried else {
            return self.count("packet that is no TCP segment");
        };
        if self.two_ended && is_sent(packet) {
            return;
        }
        let up = match (packet.from.port() == self.port, packet.to.port() == self.port) {
            (false, true) => true,
            (true, false) => false,
            _ => return self.count("TCP segment of other ports"),
        };
        if let Some(back) = self.clock.tick(packet.at_us, format_args!("packet {}", packet.number)) {
            self.lost.push(back.clone());
            self.unsure(&back);
        }
        let far = if up { packet.from } else { packet.to };
        let places = self.places.len();
        let place = *self.places.entry(far.ip()).or_insert(places);
        if place >= PLACES_MAX {
            return self.count("TCP segment of one place more than can be told apart");
        }
        if place == places {
            self.last.push(0);
        }
        self.segment(place, far, up, packet, segment);
    }

    fn segment(&mut self, place: usize, far: SocketAddr, up: bool, packet: &Packet, segment: &Segment) {
        let (own, back) = self.connections.take(packet.from, packet.to, segment);
        for (pieces, up) in [(back, !up), (own, up)] {
            for piece in pieces {
                self.piece(place, far, up, piece);
            }
        }
    }

    fn piece(&mut self, place: usize, far: SocketAddr, up: bool, piece: Piece) {
        let (line, way) = (line(place), if up { Way::AtoB } else { Way::BtoA });
        match piece {
            // A connection begins with what its terminal sends.
            Piece::Opened if !up && self.numbers.contains_key(&far) => {}
            Piece::Opened => {
                let conn = self.next(place, far);
                self.push(Seen::Opened { line, way: Way::AtoB, conn });
            }
            Piece::Bytes(bytes) => {
                let conn = self.conn(place, far);
                if up {
                    self.push(Seen::Heard { line, way, conn, bytes });
                } else {
                    let nth = u32::try_from(self.tape.len()).unwrap_or(u32::MAX);
                    self.push(Seen::Sent { line, way, conn, name: "bytes", nth, bytes });
                }
            }
            Piece::Missing(count) => {
                self.missing.0 += u64::from(count);
                self.missing.1 += 1;
                let conn = self.conn(place, far);
                // What follows cannot be put behind what was there.
                self.push(Seen::Closed { line, way: Way::AtoB, conn, why: Closing::Reset });
                self.unsure(&format!("{} of a connection are not recorded", counted(count.into(), "byte")));
                let conn = self.next(place, far);
                self.push(Seen::Opened { line, way: Way::AtoB, conn });
            }
            Piece::Closed => {
                let conn = self.conn(place, far);
                self.push(Seen::Closed { line, way, conn, why: Closing::Fin });
            }
        }
    }

    fn conn(&mut self, place: usize, far: SocketAddr) -> u16 {
        match self.numbers.get(&far) {
            Some(conn) => *conn,
            None => self.next(place, far),
        }
    }

    fn next(&mut self, place: usize, far: SocketAddr) -> u16 {
        self.last[place] = self.last[place].saturating_add(1);
        self.numbers.insert(far, self.last[place]);
        self.last[place]
    }

    /// From here on nothing is owed for what came before: the recording may not have it all.
    fn unsure(&mut self, what: &str) {
        self.push(Seen::Case(format!("{what}: nothing before it is held against anybody")));
        self.push(Seen::Overrun { seat: SERVER });
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn push(&mut self, what: Seen<Event>) {
        self.tape.push(Instant::from_us(self.clock.now_us), what);
    }

    fn judged(mut self, captured: Captured, profile: Profile) -> Judged {
        let names = self.names();
        let scene = Scene::of_recording(profile, self.places.len(), SERVER);
        let mut findings = by_oracles(&self.tape, &scene);
        findings.judged.retain(|id, _| JUDGED.contains(id));
        findings.violations.retain(|violation| JUDGED.contains(&violation.requirement));
        let offers = offers(&self.tape, &scene);
        if offers > 0 {
            findings.judged.insert("WAT-I1", offers);
        }
        let (mut notes, mut lost) = (captured.notes, captured.lost);
        lost.append(&mut self.lost);
        if let (bytes @ 1.., places) = self.missing {
            let bytes = counted(bytes, "byte");
            lost.push(format!("{bytes} of connections that reached their other side, at {places} places"));
        }
        notes.append(&mut self.clock.notes);
        self.counts.insert("TCP segment that repeats another", self.connections.repeated);
        self.counts.insert("TCP segment that is before its turn", self.connections.early);
        self.counts.insert("packet that is out of order", self.clock.disordered);
        let counts = self.counts.iter().filter(|(_, count)| **count > 0);
        notes.extend(counts.map(|(what, count)| format!("{} × {what}", grouped(*count))));
        let parties = counted(self.places.len() as u64, "place");
        let span_us = self.clock.now_us;
        let tape = recorded::<Water>(self.tape, names, scene);
        Judged { tape, findings, span_us, parties, can_show: &JUDGED, at: Side::Server, lost, notes }
    }

    fn names(&self) -> Names {
        let mut ordered: Vec<(usize, &IpAddr)> =
            self.places.iter().map(|(far, place)| (*place, far)).collect();
        ordered.sort_unstable();
        let seat = |place: usize| SeatId(u16::try_from(place).unwrap_or(u16::MAX));
        let link = |(place, _): &(usize, &IpAddr)| LinkEnds {
            kind: LinkKind::Stream,
            ends: [Some(seat(place + 1)), Some(SERVER)],
            listens: None,
        };
        let far = |(_, far): &(usize, &IpAddr)| far.to_string();
        Names {
            seats: std::iter::once("server".to_owned()).chain(ordered.iter().map(far)).collect(),
            lines: ordered.iter().map(|(place, _)| format!("gprs-{}", letter(*place))).collect(),
            supplies: Vec::new(),
            links: ordered.iter().map(link).collect(),
            feeds: Vec::new(),
        }
    }
}

fn line(place: usize) -> LineId {
    LineId(u16::try_from(place).unwrap_or(u16::MAX))
}

fn by_oracles(tape: &Tape<Event>, scene: &Scene) -> Findings {
    let mut oracles: Oracles<Water> = vec![
        Box::new(ServerLedger::of_recording()),
        Box::new(ServerFrames::default()),
        Box::new(ServerNegatives::default()),
    ];
    let mut all = Findings::default();
    let end = tape.entries().next_back().map_or(Instant::ZERO, |entry| entry.at);
    for oracle in &mut oracles {
        let mut findings = Findings::default();
        for entry in tape.entries() {
            oracle.observe(entry, scene, &mut findings);
        }
        oracle.finish(end, scene, &mut findings);
        all.absorb(findings);
    }
    all
}

/// How often a server has answered what a card may take.
fn offers(tape: &Tape<Event>, scene: &Scene) -> u64 {
    let mut ears = Ears::default();
    let noticed = tape.entries().flat_map(|entry| ears.observe(entry, scene));
    let is_offer = |noticed: Noticed| match noticed {
        Noticed::Frame { what: Crossing::Sent(frame), .. } => {
            matches!(Message::of(&frame), Ok(Message::Answer { answer: Answer::OrderRequest { .. }, .. }))
        }
        _ => false,
    };
    noticed.map(is_offer).filter(|offer| *offer).count() as u64
}
