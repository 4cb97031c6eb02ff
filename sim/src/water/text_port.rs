//! The text port of a terminal that is none of the suite's: what stands there for its card reader, its voice and its
//! display, and for the modem's key where it has no wire to it.
//!
//! Shape: lines that end in LF. To the terminal `present`, `remove`, `block N HHHHHHHH`, `done`, `error`, `gone`,
//! `voice READY`, `display READY`; from it `read N`, `write N HHHHHHHH`, `say TEXT`, `show TEXT`, and `relay 1 ON` or
//! `OFF` for the modem's power key, `relay 2` for its reset. Lines that nothing here names mean nothing.

use std::collections::VecDeque;

use super::desk::{Ask, Desk, Radio};
use super::terminal::port;
use crate::card::reader::ReaderConfig;
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now, Span};

/// The longest line; a longer one is read in pieces.
pub(super) const LINE_MAX: usize = 256;

/// How long the field stays on for the next request.
///
/// Why: a terminal in real time takes a moment from an answer to its next line, and each field that comes on has the
/// card read anew.
const REST: Span = Span::ms(100);

/// What the terminal's lines stand for; it has the terminal's supply.
#[derive(Clone, Debug)]
pub struct TextPort {
    config: ReaderConfig,
    desk: Option<Desk>,
    held: Vec<u8>,
    rest_at: Option<Instant>,
    out: VecDeque<Stamped<Output<std::convert::Infallible>>>,
}

impl TextPort {
    /// The line to the terminal. All other ports are those of [`super::terminal::port`].
    pub const LINE: Port = port::TEXT;

    /// One without power.
    pub fn new(config: ReaderConfig) -> Self {
        Self { config, desk: None, held: Vec::new(), rest_at: None, out: VecDeque::new() }
    }

    fn hear(&mut self, now: Instant, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.held.push(*byte);
            }
            if *byte == b'\n' || self.held.len() >= LINE_MAX {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned();
                self.hear_line(now, line.trim_end_matches('\r'));
            }
        }
    }

    fn hear_line(&mut self, now: Instant, line: &str) {
        if let Some(ask) = Ask::parse(line) {
            self.rest_at = Some(now + REST);
            if let Some(desk) = &mut self.desk {
                desk.handle_ask(now, ask);
            }
        } else if let Some(text) = line.strip_prefix("say ") {
            self.transmit(now, port::VOICE, text);
        } else if let Some(text) = line.strip_prefix("show ") {
            self.transmit(now, port::DISPLAY, text);
        } else if let Some((pin, high)) = pin(line) {
            self.emit(now, Output::Level { port: pin, high });
        }
    }

    fn transmit(&mut self, at: Instant, port: Port, line: &str) {
        self.emit(at, Output::Transmit { port, bytes: format!("{line}\n").into_bytes() });
    }

    fn emit(&mut self, at: Instant, what: Output<std::convert::Infallible>) {
        self.out.push_back(Stamped { at, what });
    }

    /// Passes on what the reader wants, and what it has for the terminal.
    fn collect(&mut self, now: Instant) {
        while let Some(radio) = self.desk.as_mut().and_then(|desk| desk.poll_radio(now)) {
            self.emit(
                now,
                match radio {
                    Radio::Field(high) => Output::Level { port: port::RF, high },
                    Radio::Burst(bytes) => Output::Transmit { port: port::RF, bytes },
                },
            );
        }
        while let Some(line) = self.desk.as_mut().and_then(Desk::poll_answer) {
            self.rest_at = Some(now + REST);
            self.transmit(now, Self::LINE, &line);
        }
    }

    fn deadline(&mut self, now: Instant) {
        let rests = self.rest_at.is_some_and(|at| at <= now);
        if let Some(desk) = &mut self.desk {
            desk.handle_deadline(now);
            if rests {
                desk.rest(now);
            }
        }
        if rests {
            self.rest_at = None;
        }
    }
}

/// The pin that a line of a relay means, and its level: both pins act while they are low.
fn pin(line: &str) -> Option<(Port, bool)> {
    match line {
        "relay 1 ON" => Some((port::PWRKEY, false)),
        "relay 1 OFF" => Some((port::PWRKEY, true)),
        "relay 2 ON" => Some((port::RESET, false)),
        "relay 2 OFF" => Some((port::RESET, true)),
        _ => None,
    }
}

impl Machine for TextPort {
    type Stimulus = std::convert::Infallible;
    type Event = std::convert::Infallible;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        let at = now.mono;
        match input {
            Input::PowerOn => self.desk = Some(Desk::new(self.config.clone())),
            Input::Received { port: Self::LINE, bytes } => self.hear(at, bytes),
            Input::Received { port: port::RF, bytes } => {
                if let Some(desk) = &mut self.desk {
                    desk.handle_edges(at, bytes);
                }
            }
            Input::Received { port: port::VOICE, bytes: b"READY\n" } => {
                self.transmit(at, Self::LINE, "voice READY");
            }
            Input::Received { port: port::DISPLAY, bytes: b"READY\n" } => {
                self.transmit(at, Self::LINE, "display READY");
            }
            Input::Level { port: port::SLOT, high } => {
                if let Some(desk) = &mut self.desk {
                    desk.handle_presence(at, high);
                }
            }
            Input::Deadline => self.deadline(at),
            _ => {}
        }
        self.collect(at);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Self::Event>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let reader = self.desk.as_ref().and_then(Desk::poll_timeout);
        // A reader at work is not put to rest.
        reader.or(self.rest_at)
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.desk.is_some()).bytes(&self.held).deadline(self.rest_at).word(self.out.len() as u64);
        if let Some(desk) = &self.desk {
            desk.digest(into);
        }
    }
}

impl Board for TextPort {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        (self.desk, self.rest_at) = (None, None);
        self.held.clear();
        self.out.clear();
    }

    fn is_on(&self) -> bool {
        self.desk.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}
