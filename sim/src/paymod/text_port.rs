//! The relays of a pay module as words: a line of text for each time that one is switched, and the other way round.
//!
//! Shape: `relay N ON` or `relay N OFF` with N from 1 to 4, ended by LF. Other lines mean nothing.
//!
//! Why: a module at a real port has no pins that reach a bench. One of the suite's tells by words what its relays do,
//! and beside a module of others the same words drive the pins.

use std::collections::VecDeque;

use super::module::port;
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// The longest line; a longer one is read in pieces.
const LINE_MAX: usize = 64;

/// Relays and their words; it has the module's supply.
#[derive(Clone, Debug, Default)]
pub struct TextPort {
    on: bool,
    held: Vec<u8>,
    out: VecDeque<Stamped<Output<std::convert::Infallible>>>,
}

impl TextPort {
    /// The line of words. The relays' ports are those of [`super::module::port::relay`].
    pub const LINE: Port = port::TEXT;

    fn hear(&mut self, now: Instant, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.held.push(*byte);
            }
            if *byte == b'\n' || self.held.len() >= LINE_MAX {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.held)).into_owned();
                if let Some((relay, high)) = read(line.trim_end_matches('\r')) {
                    self.emit(now, Output::Level { port: port::relay(relay), high });
                }
            }
        }
    }

    fn emit(&mut self, at: Instant, what: Output<std::convert::Infallible>) {
        self.out.push_back(Stamped { at, what });
    }
}

/// The line that says how a relay is switched, with its end.
fn line(relay: u8, high: bool) -> Vec<u8> {
    format!("relay {relay} {}\n", if high { "ON" } else { "OFF" }).into_bytes()
}

/// The relay in such a line without its end, and how it is switched.
fn read(line: &str) -> Option<(u8, bool)> {
    let (relay, word) = line.strip_prefix("relay ")?.split_once(' ')?;
    let relay: u8 = relay.parse().ok().filter(|relay| (1..=port::RELAY_COUNT).contains(relay))?;
    match word {
        "ON" => Some((relay, true)),
        "OFF" => Some((relay, false)),
        _ => None,
    }
}

impl Machine for TextPort {
    type Stimulus = std::convert::Infallible;
    type Event = std::convert::Infallible;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        match input {
            Input::PowerOn => self.on = true,
            Input::Received { port: Self::LINE, bytes } => self.hear(now.mono, bytes),
            Input::Level { port, high } => {
                if let Some(relay) = (1..=port::RELAY_COUNT).find(|relay| port::relay(*relay) == port) {
                    let bytes = line(relay, high);
                    self.emit(now.mono, Output::Transmit { port: Self::LINE, bytes });
                }
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Self::Event>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).bytes(&self.held).word(self.out.len() as u64);
    }
}

impl Board for TextPort {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.on = false;
        self.held.clear();
        self.out.clear();
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;

    fn told(input: Input<'_, std::convert::Infallible>) -> Vec<Output<std::convert::Infallible>> {
        let mut port = TextPort::default();
        let now = Now { mono: Instant::ZERO, wall: Wall::parse_digits(b"20240102030405").unwrap() };
        port.handle_input(now, Input::PowerOn);
        port.handle_input(now, input);
        std::iter::from_fn(|| port.poll_output()).map(|out| out.what).collect()
    }

    #[test]
    fn levels_become_words_and_words_levels() {
        let line = |text: &str| Output::Transmit { port: TextPort::LINE, bytes: text.as_bytes().to_vec() };
        assert_eq!(told(Input::Level { port: port::relay(4), high: true }), [line("relay 4 ON\n")]);
        assert_eq!(told(Input::Level { port: port::relay(1), high: false }), [line("relay 1 OFF\n")]);
        assert_eq!(told(Input::Level { port: Port(3), high: true }), []);
        let heard = |bytes| told(Input::Received { port: TextPort::LINE, bytes });
        let level = |relay, high| Output::Level { port: port::relay(relay), high };
        assert_eq!(heard(b"relay 2 ON\r\nrelay 2 OFF\n"), [level(2, true), level(2, false)]);
        for nothing in [&b"relay 0 ON\n"[..], b"relay 5 ON\n", b"relay 2 on\n", b"relay 2 ON", b"ready\n"] {
            assert_eq!(heard(nothing), [], "{nothing:?}");
        }
    }
}
