//! A test head: it sends what a case says, on any port, and what it hears is on the tape.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use crate::digest::Digest;
use crate::machine::{Board, Close, Input, Machine, Output, Port, Stamped, StoreStep, Torn};
use crate::queue::take_first;
use crate::time::{Instant, Now};

/// What a case has the test head do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeStimulus {
    /// Send bytes.
    Send(Port, Vec<u8>),
    /// Set a pin.
    Level(Port, bool),
    /// Open a connection.
    Open(Port, SocketAddrV4),
    /// End a connection.
    Close(Port, Close),
}

/// A test head, in the place of a party whose every byte a case wants to choose.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    on: bool,
    out: VecDeque<Stamped<Output<std::convert::Infallible>>>,
}

impl Machine for Probe {
    type Stimulus = ProbeStimulus;
    type Event = std::convert::Infallible;

    fn handle_input(&mut self, now: Now, input: Input<'_, ProbeStimulus>) {
        let what = match input {
            Input::PowerOn => {
                self.on = true;
                return;
            }
            Input::Stimulus(ProbeStimulus::Send(port, bytes)) => Output::Transmit { port, bytes },
            Input::Stimulus(ProbeStimulus::Level(port, high)) => Output::Level { port, high },
            Input::Stimulus(ProbeStimulus::Open(port, to)) => Output::Open { port, to },
            Input::Stimulus(ProbeStimulus::Close(port, how)) => Output::Close { port, how },
            _ => return,
        };
        self.out.push_back(Stamped { at: now.mono, what });
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Self::Event>>> {
        take_first(&mut self.out)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    fn digest(&self, _now: Instant, into: &mut Digest) {
        into.flag(self.on).word(self.out.len() as u64);
    }
}

impl Board for Probe {
    fn cut(&mut self, _at: Instant, _torn: Torn) {
        self.on = false;
        self.out.clear();
    }

    fn is_on(&self) -> bool {
        self.on
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        None
    }
}
