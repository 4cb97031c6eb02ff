//! What must be the same on two benches, taken from a tape: everything but times, chunks, ordinals, and what follows
//! from no order between two parties.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use assay_sim::bench::Names;
use assay_sim::fault::Way;
use assay_sim::pos::frame::SaleTime;
use assay_sim::tape::{Entry, LineId, SeatId, Seen, SupplyId, Tape, render_bytes};
use assay_sim::time::{Instant, Span, Wall};

use crate::finding::Findings;
use crate::outcome::Outcome;
use crate::system::Suited;

/// What happens this shortly before a run ends may be there or not: another bench may end the run just before it.
///
/// Why: the case's clock decides when a run ends, and no message waits for it. An exchange takes less.
pub const TAIL: Span = Span::s(2);

/// Why two benches do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Where: a link, a party, a supply, or the findings.
    pub place: String,
    /// What the first bench has; nothing if it has nothing there.
    pub left: Option<String>,
    /// What the second bench has.
    pub right: Option<String>,
    /// The entries of the two tapes that show it.
    pub ordinals: [Option<u64>; 2],
    /// When it is first seen on either.
    pub at: Instant,
}

/// What is compared as one sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Track {
    /// The units that a party sends over a link; of a modem, data, unasked lines and answers apart.
    Sent(LineId, usize, u16, Voice),
    /// The bytes that arrive over a connection, 0 where there are none.
    Heard(LineId, usize, u16),
    /// A connection's coming and going, as one end learns of it.
    Conn(LineId, usize, u16),
    Level(LineId, usize),
    Power(SupplyId),
    Plug(LineId),
    Overrun(SeatId),
    Noted(SeatId),
    Struck,
    Case,
}

/// Who speaks on a line: a modem delivers data and says things unasked at no certain place between its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    Own,
    Data,
    Unasked,
}

impl Voice {
    fn of(name: &str) -> Self {
        const UNASKED: [&str; 8] =
            ["RDY", "+CFUN", "+CPIN", "+CREG", "+CMTI", "+PDP", "CONNECTION CLOSED", "+CGREG"];
        if name.starts_with("+IPDATA") {
            Self::Data
        } else if UNASKED.iter().any(|unasked| name.starts_with(unasked)) {
            Self::Unasked
        } else {
            Self::Own
        }
    }
}

/// One thing of a sequence.
#[derive(Clone, Debug)]
struct Piece {
    /// What is compared.
    key: String,
    /// What is shown of it.
    text: String,
    ordinal: u64,
    at: Instant,
}

impl Piece {
    fn new<E>(text: String, entry: &Entry<E>) -> Self {
        Self { key: text.clone(), text, ordinal: entry.ordinal, at: entry.at }
    }
}

/// A run, without what may differ.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    violated: Vec<(&'static str, Instant)>,
    tracks: BTreeMap<Track, Vec<Piece>>,
    streams: BTreeMap<Track, (Vec<u8>, Vec<Piece>)>,
    /// What was last read off the boundaries, by party and name.
    rest: BTreeMap<(SeatId, String), Piece>,
    end: Instant,
    names: BTreeMap<Track, String>,
}

impl Projection {
    /// Of what a run on a bench left.
    pub fn of(outcome: &Outcome) -> Self {
        outcome.bench.tape.projection(&outcome.findings, outcome.bench.now)
    }

    /// Of a tape that ends at `end`; `names` are those of its parties, links and supplies.
    pub fn new<F: Suited>(
        findings: &Findings,
        tape: &Tape<F::Event>,
        scene: &F::Scene,
        end: Instant,
        names: &Names,
    ) -> Self {
        let mut projection = Self { end, ..Self::default() };
        let mut conns: BTreeMap<LineId, Vec<u16>> = BTreeMap::new();
        for entry in tape.entries() {
            projection.add::<F>(entry, scene, &mut conns);
        }
        for violation in &findings.violations {
            if !projection.violated.iter().any(|(known, _)| *known == violation.requirement) {
                projection.violated.push((violation.requirement, violation.at));
            }
        }
        projection.violated.sort_unstable();
        let tracks = projection.tracks.keys().chain(projection.streams.keys());
        projection.names = tracks.map(|track| (*track, place(*track, names))).collect();
        projection
    }

    fn add<F: Suited>(
        &mut self,
        entry: &Entry<F::Event>,
        scene: &F::Scene,
        conns: &mut BTreeMap<LineId, Vec<u16>>,
    ) {
        // A connection is known by its place among those of its link, whatever a bench numbers it.
        let mut nth = |line: LineId, conn: u16| {
            let known = conns.entry(line).or_default();
            let place = known.iter().rposition(|known| *known == conn).unwrap_or_else(|| {
                known.push(conn);
                known.len() - 1
            });
            if conn == 0 { 0 } else { u16::try_from(place + 1).unwrap_or(u16::MAX) }
        };
        let from_modem = |line: LineId, way: Way| F::voices_mix(scene, line, way);
        let mut key = None;
        let (track, text) = match &entry.what {
            Seen::Case(text) => (Track::Case, text.clone()),
            Seen::Sent { line, way, conn, name, bytes, .. } => {
                let voice = if from_modem(*line, *way) { Voice::of(name) } else { Voice::Own };
                let conn = nth(*line, *conn);
                if voice == Voice::Data {
                    self.stream(Track::Sent(*line, way.index(), conn, voice), without_mark(bytes), entry);
                    return;
                }
                key = Some(format!("{name} [{conn}] {}", hex(&without_clock(bytes))));
                (
                    Track::Sent(*line, way.index(), conn, voice),
                    format!("{name} [{conn}] {}", render_bytes(bytes)),
                )
            }
            Seen::Heard { line, way, conn, bytes } => {
                if !from_modem(*line, *way) {
                    self.stream(Track::Heard(*line, way.index(), nth(*line, *conn)), bytes, entry);
                }
                return;
            }
            Seen::Opened { line, way, conn } => {
                (Track::Conn(*line, way.index(), nth(*line, *conn)), "stands".to_owned())
            }
            Seen::Closed { line, way, conn, why } => {
                (Track::Conn(*line, way.index(), nth(*line, *conn)), format!("gone: {why:?}"))
            }
            Seen::Level { line, way, high } => (Track::Level(*line, way.index()), format!("high: {high}")),
            Seen::Power { supply, on } => (Track::Power(*supply), format!("on: {on}")),
            Seen::Plug { line, seat, present } => {
                (Track::Plug(*line), format!("{} present: {present}", seat.0))
            }
            Seen::Struck { strike } => (Track::Struck, format!("strike {}", strike + 1)),
            Seen::Overrun { seat } => (Track::Overrun(*seat), "overrun".to_owned()),
            Seen::Noted { seat, event } if F::is_observed(event) => {
                for (name, text) in F::readings(event) {
                    let key = hex(&without_clock(text.as_bytes()));
                    self.rest.insert((*seat, name), Piece { key, ..Piece::new(text, entry) });
                }
                return;
            }
            Seen::Noted { seat, event } => {
                let words = F::event_words(event);
                key = Some(hex(&without_clock(words.as_bytes())));
                (Track::Noted(*seat), words)
            }
        };
        let mut piece = Piece::new(text, entry);
        piece.key = key.unwrap_or(piece.key);
        self.tracks.entry(track).or_default().push(piece);
    }

    fn stream<E>(&mut self, track: Track, bytes: &[u8], entry: &Entry<E>) {
        let (all, pieces) = self.streams.entry(track).or_default();
        all.extend_from_slice(bytes);
        pieces.push(Piece::new(all.len().to_string(), entry));
    }

    /// The first thing in time that two benches do not agree on.
    pub fn compare(&self, other: &Self) -> Option<Disagreement> {
        let mut found: Vec<Disagreement> = Vec::new();
        let none = Vec::new();
        let tracks = self.names.iter().chain(&other.names).collect::<BTreeMap<_, _>>();
        for (track, name) in &tracks {
            let of = |side: &'_ Self| side.tracks.get(track).unwrap_or(&none).clone();
            found.extend(self.sequences(other, name, &of(self), &of(other)));
            found.extend(self.bytes(other, name, **track));
        }
        for key in self.rest.keys().chain(other.rest.keys()) {
            let (left, right) = (self.rest.get(key), other.rest.get(key));
            if left.map(|piece| &piece.key) != right.map(|piece| &piece.key) {
                found.push(disagreement(&key.1, left, right));
            }
        }
        let ids = |side: &Self| side.violated.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        if ids(self) != ids(other) {
            let text = |side: &Self| Some(format!("violates [{}]", ids(side).join(", ")));
            let all = self.violated.iter().chain(&other.violated);
            let at = all.map(|(_, at)| *at).min().unwrap_or_default();
            let place = "findings".to_owned();
            found.push(Disagreement { place, left: text(self), right: text(other), ordinals: [None; 2], at });
        }
        found.into_iter().min_by_key(|found| found.at)
    }

    fn is_tail(&self, piece: &Piece) -> bool {
        self.end.since(piece.at) < TAIL
    }

    fn sequences(&self, other: &Self, name: &str, left: &[Piece], right: &[Piece]) -> Option<Disagreement> {
        let same = left.iter().zip(right).take_while(|(left, right)| left.key == right.key).count();
        let (left, right) = (left.get(same), right.get(same));
        let differs = match (left, right) {
            (None, None) => false,
            (Some(left), None) => !self.is_tail(left),
            (None, Some(right)) => !other.is_tail(right),
            (Some(_), Some(_)) => true,
        };
        differs.then(|| disagreement(name, left, right))
    }

    fn bytes(&self, other: &Self, name: &str, track: Track) -> Option<Disagreement> {
        let none = (Vec::new(), Vec::new());
        let (left, left_marks) = self.streams.get(&track).unwrap_or(&none);
        let (right, right_marks) = other.streams.get(&track).unwrap_or(&none);
        let (bare_left, bare_right) = (without_clock(left), without_clock(right));
        let same = bare_left.iter().zip(&bare_right).take_while(|(left, right)| left == right).count();
        let piece = |marks: &[Piece], all: &[u8]| {
            // A piece's key says how many bytes there were with it.
            let holds = |mark: &&Piece| mark.key.parse().is_ok_and(|end: usize| end > same);
            let mark = marks.iter().find(holds)?;
            let text = format!("byte {same} on: {}", render_bytes(&all[same..]));
            Some(Piece { text, ..mark.clone() })
        };
        let (left, right) = (piece(left_marks, left), piece(right_marks, right));
        let differs = match (&left, &right) {
            (None, None) => false,
            (Some(left), None) => !self.is_tail(left),
            (None, Some(right)) => !other.is_tail(right),
            (Some(_), Some(_)) => true,
        };
        differs.then(|| disagreement(name, left.as_ref(), right.as_ref()))
    }
}

fn disagreement(place: &str, left: Option<&Piece>, right: Option<&Piece>) -> Disagreement {
    Disagreement {
        place: place.to_owned(),
        left: left.map(|piece| piece.text.clone()),
        right: right.map(|piece| piece.text.clone()),
        ordinals: [left, right].map(|piece| piece.map(|piece| piece.ordinal)),
        at: [left, right].into_iter().flatten().map(|piece| piece.at).min().unwrap_or_default(),
    }
}

fn place(track: Track, Names { seats, lines, supplies, .. }: &Names) -> String {
    let name = |names: &[String], at: u16| names.get(usize::from(at)).cloned().unwrap_or_default();
    let way = |line: LineId, way: usize| format!("{}{}", name(lines, line.0), Way::BOTH[way].sign());
    match track {
        Track::Sent(line, at, ..) => format!("what is sent over {}", way(line, at)),
        Track::Heard(line, at, _) => format!("what arrives over {}", way(line, at)),
        Track::Conn(line, at, conn) => format!("connection {conn} of {}", way(line, at)),
        Track::Level(line, at) => format!("level of {}", way(line, at)),
        Track::Power(supply) => format!("power of {}", name(supplies, supply.0)),
        Track::Plug(line) => format!("cards at {}", name(lines, line.0)),
        Track::Overrun(seat) => format!("overruns of {}", name(seats, seat.0)),
        Track::Noted(seat) => format!("what {} says", name(seats, seat.0)),
        Track::Struck => "faults".to_owned(),
        Track::Case => "what the case does".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// What a modem delivers, without the line that says how much of it there is.
///
/// Why: a modem delivers what it reads at once as one block, and reads may be cut otherwise.
fn without_mark(bytes: &[u8]) -> &[u8] {
    let mark = bytes.strip_prefix(b"\r\n").filter(|rest| rest.starts_with(b"+IPDATA"));
    let end = mark.and_then(|rest| rest.windows(2).position(|pair| pair == b"\r\n"));
    mark.zip(end).map_or(bytes, |(rest, end)| &rest[end + 2..])
}

/// How many digits say a date and a time, and how many bytes of check follow them in a frame.
const CLOCK_LEN: usize = 14;
const CHECK_LEN: usize = 2;
/// How long a date and a time are where they are written for people.
const WRITTEN_LEN: usize = 19;

/// Bytes with every date and time blanked, and with the check behind it where it stands in a frame.
///
/// Why: a party tells its time to the second, and what happens a tick later may happen in the next one.
fn without_clock(bytes: &[u8]) -> Vec<u8> {
    let mut bare = bytes.to_vec();
    let mut at = 0;
    while let Some(digits) = bytes.get(at..at + CLOCK_LEN) {
        let is_date = digits.starts_with(b"20") && Wall::parse_digits(digits).is_ok();
        let is_written = bytes.get(at..at + WRITTEN_LEN).is_some_and(|text| SaleTime::of(text).is_some());
        let (used, blank) = match (is_date, is_written) {
            (true, _) => (CLOCK_LEN, CLOCK_LEN + CHECK_LEN),
            (false, true) => (WRITTEN_LEN, WRITTEN_LEN),
            (false, false) => (1, 0),
        };
        let end = (at + blank).min(bare.len());
        bare[at..end].fill(0);
        at += used;
    }
    bare
}
