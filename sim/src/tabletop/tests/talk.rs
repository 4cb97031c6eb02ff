//! A client that asks again when no answer comes, and an echo that stores before it answers.

use crate::machine::{Close, Input, Output, Port, Torn};
use crate::time::{Instant, Span};

use super::puppet::Out;
use super::toy::{ADDRESS, Cue};

/// Answers `q…` with `a…` on the port where it was asked, after it has stored a record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Echo {
    pub(crate) on: bool,
    pub(crate) out: Out,
    pub(crate) held: Vec<u8>,
    pub(crate) busy_until: Instant,
    /// How many records are stored, and those that a cut may still take back.
    pub(crate) records: u64,
    pub(crate) young: Vec<Instant>,
}

impl Echo {
    /// Units: microseconds for each of the two steps of storing a record.
    const STEP_US: u64 = 100;

    pub(crate) fn handle(&mut self, now: Instant, input: Input<'_, Cue>) {
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

    pub(crate) fn cut(&mut self, at: Instant, torn: Torn) {
        let lost =
            self.young.iter().filter(|done| **done > at || (**done == at && torn == Torn::Old)).count();
        *self = Self { records: self.records - lost as u64, ..Self::default() };
    }
}

/// How a client reaches its echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Over a line, or in packets.
    Line,
    /// Over one connection, as long as it lasts.
    Conn,
    /// Over a connection for each question.
    Conns,
}

/// Asks `q0`, and the next when that is answered; asks again when no answer comes.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) reach: Reach,
    /// Whether it sends each question byte by byte.
    pub(crate) in_pieces: bool,
    pub(crate) on: bool,
    pub(crate) open: bool,
    pub(crate) out: Out,
    pub(crate) timer: Option<Instant>,
    pub(crate) asks: u64,
    /// How many answers it has had since the bench began.
    pub(crate) answers: u64,
}

impl Client {
    const PATIENCE: Span = Span::ms(80);

    pub(crate) fn new(reach: Reach, in_pieces: bool) -> Self {
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

    pub(crate) fn handle(&mut self, now: Instant, input: Input<'_, Cue>) {
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
