//! A toy family: a puppet that does as it is told and notes what happens to it, an echo that stores before it answers,
//! and a client that asks again when no answer comes.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::super::*;
use crate::link::{AirTiming, SerialConfig, StreamConfig};
use crate::machine::{Close, Input, Machine, Output, Port, Stamped, StoreStep};
use crate::time::Now;

/// What a party says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note(pub(super) String);

impl Fingerprint for Note {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.0.as_bytes());
    }
}

/// What a puppet is told to do.
#[derive(Clone, Debug)]
pub(super) enum Cue {
    /// Put something out, so many microseconds from now.
    Do(u64, Output<Note>),
    /// Be busy for so many microseconds, now or (if `false`) after each input that comes.
    Busy(u64, bool),
    /// Ask for a deadline so many microseconds from now.
    Timer(u64),
    /// Store something in so many microseconds.
    Store(u64, &'static str, u16),
}

pub(super) fn say(port: u16, bytes: &[u8]) -> Cue {
    say_in(0, port, bytes)
}

pub(super) fn say_in(after_us: u64, port: u16, bytes: &[u8]) -> Cue {
    Cue::Do(after_us, Output::Transmit { port: Port(port), bytes: bytes.to_vec() })
}

pub(super) fn open(port: u16) -> Cue {
    Cue::Do(0, Output::Open { port: Port(port), to: ADDRESS })
}

pub(super) fn close(port: u16) -> Cue {
    Cue::Do(0, Output::Close { port: Port(port), how: Close::Fin })
}

pub(super) fn level(port: u16, high: bool) -> Cue {
    Cue::Do(0, Output::Level { port: Port(port), high })
}

/// What any party has on its way out.
#[derive(Clone, Debug, Default)]
struct Out {
    outputs: VecDeque<Stamped<Output<Note>>>,
    steps: VecDeque<StoreStep>,
}

impl Out {
    fn put(&mut self, at: Instant, what: Output<Note>) {
        let place = self.outputs.iter().rposition(|other| other.at <= at).map_or(0, |place| place + 1);
        self.outputs.insert(place, Stamped { at, what });
    }

    fn step(&mut self, at: Instant, kind: &'static str, address: u16) {
        self.steps.push_back(StoreStep { at, kind, address });
    }
}

/// Notes what happens to it and does as it is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Puppet {
    on: bool,
    out: Out,
    busy_until: Instant,
    work: Span,
    timer: Option<Instant>,
    /// How often its power was cut.
    pub(super) cuts: u32,
}

impl Puppet {
    fn handle(&mut self, at: Instant, input: Input<'_, Cue>) {
        let text = match input {
            Input::PowerOn => {
                self.on = true;
                "on".to_owned()
            }
            Input::Deadline => {
                self.timer = None;
                "deadline".to_owned()
            }
            Input::Received { port, bytes } => format!("got {} {}", port.0, bytes.escape_ascii()),
            Input::Opened { port, from } => {
                format!("open {}{}", port.0, if from.is_some() { " from outside" } else { "" })
            }
            Input::Closed { port, why } => format!("closed {} {why:?}", port.0),
            Input::Acked { port, len } => format!("acked {} {len}", port.0),
            Input::Level { port, high } => format!("level {} {high}", port.0),
            Input::Stimulus(cue) => return self.obey(at, cue),
        };
        self.out.put(at, Output::Event(Note(text)));
        if self.work > Span::ZERO {
            self.busy_until = at + self.work;
        }
    }

    fn obey(&mut self, at: Instant, cue: Cue) {
        match cue {
            Cue::Do(after, what) => {
                // Stamps never go back, so who puts something off is busy until then.
                self.busy_until = self.busy_until.max(at + Span::us(after));
                self.out.put(at + Span::us(after), what);
            }
            Cue::Busy(span, true) => self.busy_until = at + Span::us(span),
            Cue::Busy(span, false) => self.work = Span::us(span),
            Cue::Timer(after) => self.timer = Some(at + Span::us(after)),
            Cue::Store(after, kind, address) => self.out.step(at + Span::us(after), kind, address),
        }
    }
}

/// Answers `q…` with `a…` on the port where it was asked, after it has stored a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo {
    on: bool,
    out: Out,
    held: Vec<u8>,
    busy_until: Instant,
    /// How many records are stored, and those that a cut may still take back.
    pub(super) records: u64,
    young: Vec<Instant>,
}

impl Echo {
    /// Units: microseconds for each of the two steps of storing a record.
    const STEP_US: u64 = 100;

    fn handle(&mut self, now: Instant, input: Input<'_, Cue>) {
        match input {
            Input::PowerOn => self.on = true,
            Input::Received { port, bytes } => {
                self.held.extend_from_slice(bytes);
                self.held.truncate(64);
                while let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                    let mut line: Vec<u8> = self.held.drain(..=end).collect();
                    if line[0] == b'q' {
                        line[0] = b'a';
                        self.store(now);
                        self.out.put(self.busy_until, Output::Transmit { port, bytes: line });
                    }
                }
            }
            Input::Closed { .. } => self.held.clear(),
            _ => {}
        }
    }

    fn store(&mut self, now: Instant) {
        let at = self.busy_until.max(now);
        self.young.retain(|done| *done >= now);
        self.out.step(at + Span::us(Self::STEP_US), "byte", 7);
        self.busy_until = at + Span::us(2 * Self::STEP_US);
        self.out.step(self.busy_until, "stop", 7);
        self.young.push(self.busy_until);
        self.records += 1;
    }

    fn cut(&mut self, at: Instant, torn: Torn) {
        let lost =
            self.young.iter().filter(|done| **done > at || (**done == at && torn == Torn::Old)).count();
        *self = Self { records: self.records - lost as u64, ..Self::default() };
    }
}

/// How a client reaches its echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Over a line, or in packets.
    Line,
    /// Over one connection, as long as it lasts.
    Conn,
    /// Over a connection for each question.
    Conns,
}

/// Asks `q0`, and the next when that is answered; asks again when no answer comes.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) reach: Reach,
    /// Whether it sends each question byte by byte.
    pub(super) in_pieces: bool,
    on: bool,
    open: bool,
    out: Out,
    timer: Option<Instant>,
    asks: u64,
    /// How many answers it has had since the bench began.
    pub(super) answers: u64,
}

impl Client {
    const PATIENCE: Span = Span::ms(80);

    pub(super) fn new(reach: Reach, in_pieces: bool) -> Self {
        Self {
            reach,
            in_pieces,
            on: false,
            open: false,
            out: Out::default(),
            timer: None,
            asks: 0,
            answers: 0,
        }
    }

    fn handle(&mut self, now: Instant, input: Input<'_, Cue>) {
        match input {
            Input::PowerOn => {
                self.on = true;
                self.start(now);
            }
            Input::Deadline => {
                if self.open && self.reach != Reach::Line {
                    self.out.put(now, Output::Close { port: Port(1), how: Close::Reset });
                }
                self.start(now);
            }
            Input::Opened { .. } => {
                self.open = true;
                self.ask(now);
            }
            Input::Closed { .. } => {
                self.open = false;
                self.timer = Some(now + Span::ms(5));
            }
            Input::Received { bytes, .. } if bytes == format!("a{}\n", self.asks % 10).as_bytes() => {
                self.answers += 1;
                self.asks += 1;
                if self.reach == Reach::Conns {
                    self.out.put(now, Output::Close { port: Port(1), how: Close::Fin });
                    self.open = false;
                    self.start(now);
                } else {
                    self.ask(now);
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, now: Instant) {
        if self.reach == Reach::Line {
            self.ask(now);
        } else {
            self.open = false;
            self.out.put(now, Output::Open { port: Port(1), to: ADDRESS });
            self.timer = Some(now + Self::PATIENCE);
        }
    }

    fn ask(&mut self, now: Instant) {
        let question = format!("q{}\n", self.asks % 10).into_bytes();
        if self.in_pieces {
            for byte in question {
                self.out.put(now, Output::Transmit { port: Port(1), bytes: vec![byte] });
            }
        } else {
            self.out.put(now, Output::Transmit { port: Port(1), bytes: question });
        }
        self.timer = Some(now + Self::PATIENCE);
    }
}

/// Any of them.
#[derive(Clone, Debug)]
pub(super) enum Party {
    Puppet(Puppet),
    Echo(Echo),
    Client(Client),
}

impl Party {
    fn out(&mut self) -> &mut Out {
        match self {
            Self::Puppet(party) => &mut party.out,
            Self::Echo(party) => &mut party.out,
            Self::Client(party) => &mut party.out,
        }
    }
}

impl Machine for Party {
    type Stimulus = Cue;
    type Event = Note;

    fn handle_input(&mut self, now: Now, input: Input<'_, Cue>) {
        match self {
            Self::Puppet(party) => party.handle(now.mono, input),
            Self::Echo(party) => party.handle(now.mono, input),
            Self::Client(party) => party.handle(now.mono, input),
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Note>>> {
        self.out().outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Puppet(party) => party.timer,
            Self::Echo(_) => None,
            Self::Client(party) => party.timer,
        }
    }

    fn busy_until(&self) -> Option<Instant> {
        match self {
            Self::Puppet(party) => Some(party.busy_until),
            Self::Echo(party) => Some(party.busy_until),
            Self::Client(_) => None,
        }
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        match self {
            Self::Puppet(party) => {
                into.flag(party.on).instant(party.busy_until).word(party.work.as_us()).deadline(party.timer);
            }
            Self::Echo(party) => {
                into.flag(party.on).bytes(&party.held).instant(party.busy_until).word(party.records);
                for young in party.young.iter().filter(|young| **young >= now) {
                    into.instant(*young);
                }
            }
            Self::Client(party) => {
                into.flag(party.on).flag(party.open).deadline(party.timer).word(party.asks % 10);
            }
        }
    }
}

impl Board for Party {
    fn cut(&mut self, at: Instant, torn: Torn) {
        match self {
            Self::Puppet(party) => *party = Puppet { cuts: party.cuts + 1, ..Puppet::default() },
            Self::Echo(party) => party.cut(at, torn),
            Self::Client(party) => {
                *party = Client { answers: party.answers, ..Client::new(party.reach, party.in_pieces) };
            }
        }
    }

    fn is_on(&self) -> bool {
        match self {
            Self::Puppet(party) => party.on,
            Self::Echo(party) => party.on,
            Self::Client(party) => party.on,
        }
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.out().steps.pop_front()
    }

    fn timer_name(&self) -> Option<&'static str> {
        self.poll_timeout().map(|_| "timer")
    }
}

/// Finds lines, named by their first letter.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    held: Vec<u8>,
}

impl Scanner for Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn poll(&mut self) -> Option<Unit> {
        let len = self.held.iter().position(|byte| *byte == b'\n')? + 1;
        let name = match self.held[0] {
            b'q' => "ask",
            b'a' => "answer",
            _ => "other",
        };
        self.held.drain(..len);
        Some(Unit { len, name })
    }

    fn flush(&mut self) -> Option<Unit> {
        let len = std::mem::take(&mut self.held).len();
        (len > 0).then_some(Unit { len, name: "part" })
    }
}

/// The family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Toy;

impl Family for Toy {
    type Party = Party;
    type Stimulus = Cue;
    type Event = Note;
    type Scanner = Lines;

    fn suffering(what: &str) -> Option<Cue> {
        (what == "stumble").then_some(Cue::Busy(2_000, true))
    }

    fn meaning(_: &str, _: &[u8]) -> Option<String> {
        None
    }

    fn event_words(event: &Note) -> String {
        event.0.clone()
    }
}

pub(super) const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 7);

pub(super) fn epoch() -> Wall {
    Wall::from_us(0)
}

pub(super) fn scanners() -> [Lines; 2] {
    [Lines::default(), Lines::default()]
}

/// A millisecond a byte.
pub(super) fn slow() -> SerialConfig {
    SerialConfig { baud: 10_000, bits_a_byte: 10, byte_gap: Span::ZERO, burst_gap: Span::ZERO }
}

/// Ten milliseconds each way.
pub(super) fn path() -> StreamConfig {
    StreamConfig {
        latency_min: Span::ms(10),
        latency_max: Span::ms(10),
        connect_timeout: Span::ms(200),
        user_timeout: Span::ms(500),
    }
}

/// A millisecond a byte.
pub(super) const AIR: AirTiming = AirTiming {
    time: |_, bytes| Span::ms(bytes.len() as u64),
    prefix: |_, bytes, elapsed| usize::try_from(elapsed.as_ms()).unwrap_or(usize::MAX).min(bytes.len()),
    spoil: |_, bytes| bytes.iter().rev().copied().collect(),
};
