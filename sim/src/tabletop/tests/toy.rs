//! A toy family of puppets, echoes and clients, the scanner that names what they send, and the links between them.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::super::*;
use super::puppet::{Out, Puppet};
use super::talk::{Client, Echo};
use crate::link::{AirTiming, SerialConfig, StreamConfig};
use crate::machine::{Close, Input, Machine, Output, Port, Stamped, StoreStep};
use crate::time::Now;

/// What a party says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note(pub(crate) String);

impl Fingerprint for Note {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.0.as_bytes());
    }
}

/// What a puppet is told to do.
#[derive(Clone, Debug)]
pub(crate) enum Cue {
    /// Put something out, so many microseconds from now.
    Do(u64, Output<Note>),
    /// Be busy for so many microseconds, now or (if `false`) after each input that comes.
    Busy(u64, bool),
    /// Ask for a deadline so many microseconds from now.
    Timer(u64),
    /// Store something in so many microseconds.
    Store(u64, &'static str, u16),
    /// Answer at once, with these bytes, whatever comes.
    Answer(&'static [u8]),
    /// When the power goes, say this and try to send that.
    Last(&'static str, &'static [u8]),
}

pub(crate) fn say(port: u16, bytes: &[u8]) -> Cue {
    say_in(0, port, bytes)
}

pub(crate) fn say_in(after_us: u64, port: u16, bytes: &[u8]) -> Cue {
    Cue::Do(after_us, Output::Transmit { port: Port(port), bytes: bytes.to_vec() })
}

pub(crate) fn open(port: u16) -> Cue {
    Cue::Do(0, Output::Open { port: Port(port), to: ADDRESS })
}

pub(crate) fn close(port: u16) -> Cue {
    Cue::Do(0, Output::Close { port: Port(port), how: Close::Fin })
}

pub(crate) fn level(port: u16, high: bool) -> Cue {
    Cue::Do(0, Output::Level { port: Port(port), high })
}

/// Any of them.
#[derive(Clone, Debug)]
pub(crate) enum Party {
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
            Self::Puppet(party) => party.cut(at),
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

/// Finds lines, named by their first letter. After one that begins with `d` come as many bytes of data as its next
/// letter says, whatever they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    data: usize,
}

impl Scanner for Lines {
    fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    fn poll(&mut self) -> Option<Unit> {
        if self.data > 0 {
            let len = self.data;
            if self.held.len() < len {
                return None;
            }
            self.held.drain(..len);
            self.data = 0;
            return Some(Unit { len, name: "data" });
        }
        let len = self.held.iter().position(|byte| *byte == b'\n')? + 1;
        let name = match self.held[0] {
            b'q' => "ask",
            b'a' => "answer",
            b'd' => "header",
            _ => "other",
        };
        if name == "header" {
            self.data = usize::from(self.held[1].saturating_sub(b'0'));
        }
        self.held.drain(..len);
        Some(Unit { len, name })
    }

    fn flush(&mut self) -> Option<Unit> {
        let len = std::mem::take(&mut self.held).len();
        (len > 0).then_some(Unit { len, name: "part" })
    }

    fn digest(&self, into: &mut Digest) {
        into.word(self.data as u64);
    }
}

/// The family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Toy;

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

pub(crate) const ADDRESS: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 7);

pub(crate) fn epoch() -> Wall {
    Wall::from_us(0)
}

pub(crate) fn scanners() -> [Lines; 2] {
    [Lines::default(), Lines::default()]
}

/// A millisecond a byte.
pub(crate) fn slow() -> SerialConfig {
    SerialConfig { baud: 10_000, bits_a_byte: 10, byte_gap: Span::ZERO, burst_gap: Span::ZERO }
}

/// Ten milliseconds each way.
pub(crate) fn path() -> StreamConfig {
    StreamConfig {
        latency_min: Span::ms(10),
        latency_max: Span::ms(10),
        connect_timeout: Span::ms(200),
        user_timeout: Span::ms(500),
    }
}

/// A millisecond a byte.
pub(crate) const AIR: AirTiming = AirTiming {
    time: |_, bytes| Span::ms(bytes.len() as u64),
    prefix: |_, bytes, elapsed| usize::try_from(elapsed.as_ms()).unwrap_or(usize::MAX).min(bytes.len()),
    spoil: |_, bytes| bytes.iter().rev().copied().collect(),
};
