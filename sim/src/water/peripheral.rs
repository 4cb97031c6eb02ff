//! The voice module and the display: each takes lines of text, says them to people, and answers when asked.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now, Span};

/// Times and limits of a peripheral.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeripheralConfig {
    /// How long it takes to answer.
    pub latency: Span,
    /// The longest line; the rest of a longer one is dropped.
    pub line_max: usize,
}

/// What people hear or see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(pub String);

impl Fingerprint for Said {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.0.as_bytes());
    }
}

/// A voice module or a display.
///
/// Shape: each line is text ended by LF; `?` alone asks whether it is there, and is answered with `READY` LF.
#[derive(Clone, Debug)]
pub struct Peripheral {
    config: PeripheralConfig,
    on: bool,
    line: Vec<u8>,
    answer_at: Option<Instant>,
    out: VecDeque<Stamped<Output<Said>>>,
}

impl Peripheral {
    /// Its only port.
    pub const UART: Port = Port(0);

    /// A peripheral without power.
    pub fn new(config: PeripheralConfig) -> Self {
        Self { config, on: false, line: Vec::new(), answer_at: None, out: VecDeque::new() }
    }

    fn take(&mut self, now: Instant, byte: u8) {
        if byte != b'\n' {
            if self.line.len() < self.config.line_max {
                self.line.push(byte);
            }
            return;
        }
        let line = std::mem::take(&mut self.line);
        if line == b"?" {
            self.answer_at = Some(now + self.config.latency);
        } else {
            let text = String::from_utf8_lossy(&line).into_owned();
            self.out.push_back(Stamped { at: now, what: Output::Event(Said(text)) });
        }
    }
}

impl Machine for Peripheral {
    type Stimulus = std::convert::Infallible;
    type Event = Said;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        match input {
            Input::PowerOn => self.on = true,
            Input::Received { bytes, .. } if self.on => {
                for byte in bytes {
                    self.take(now.mono, *byte);
                }
            }
            Input::Deadline if self.answer_at.is_some_and(|at| at <= now.mono) => {
                self.answer_at = None;
                let answer = Output::Transmit { port: Self::UART, bytes: b"READY\n".to_vec() };
                self.out.push_back(Stamped { at: now.mono, what: answer });
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Said>>> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.answer_at
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).bytes(&self.line).deadline(self.answer_at);
    }
}

impl Board for Peripheral {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.on = false;
        self.line.clear();
        self.answer_at = None;
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

    #[test]
    fn it_answers_when_asked_and_not_a_microsecond_early() {
        let mut voice = Peripheral::new(PeripheralConfig { latency: Span::ms(5), line_max: 8 });
        let at = |us| Now { mono: Instant::from_us(us), wall: Wall::default() };
        voice.handle_input(at(0), Input::PowerOn);
        voice.handle_input(at(0), Input::Received { port: Peripheral::UART, bytes: b"HELLO, WORLD\n?" });
        let said = Output::Event(Said("HELLO, W".to_owned()));
        assert_eq!(voice.poll_output().map(|output| output.what), Some(said));
        assert_eq!(voice.poll_timeout(), None);
        voice.handle_input(at(10), Input::Received { port: Peripheral::UART, bytes: b"\n" });
        assert_eq!(voice.poll_timeout(), Some(Instant::from_us(5_010)));
        voice.handle_input(at(5_009), Input::Deadline);
        assert_eq!(voice.poll_output(), None);
        voice.handle_input(at(5_010), Input::Deadline);
        let ready = Output::Transmit { port: Peripheral::UART, bytes: b"READY\n".to_vec() };
        assert_eq!(voice.poll_output().map(|output| output.what), Some(ready));
    }
}
