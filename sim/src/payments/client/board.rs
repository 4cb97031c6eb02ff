//! The client as a party that can lose its power.

use super::books::Books;
use super::config::ClientSetup;
use super::event::ClientEvent;
use super::firmware::{Firmware, Lent};
use crate::digest::Digest;
use crate::journal::Journal;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// The program while it runs, and the journal that survives it.
#[derive(Clone, Debug)]
pub struct ClientBoard {
    setup: ClientSetup,
    firmware: Option<Box<Firmware>>,
    journal: Journal<Books>,
    /// How often it was started, as a register tells that keeps its count without power.
    starts: u32,
}

impl ClientBoard {
    /// A client that was never started.
    pub fn new(setup: ClientSetup) -> Self {
        let journal = Journal::new(setup.journal, Books::default());
        Self { setup, firmware: None, journal, starts: 0 }
    }

    /// The books as the running program knows them, durable or not; without power, what the journal holds.
    pub fn books(&self) -> &Books {
        self.firmware.as_ref().map_or_else(|| self.journal.state(), |firmware| firmware.books())
    }
}

impl Machine for ClientBoard {
    type Stimulus = std::convert::Infallible;
    type Event = ClientEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        self.journal.settle(now.mono);
        let mut lent = Lent { now, setup: &self.setup, journal: &mut self.journal };
        if input == Input::PowerOn {
            self.starts += 1;
            self.firmware = Some(Box::new(Firmware::start(&lent, self.starts)));
        } else if let Some(firmware) = &mut self.firmware {
            firmware.handle_input(&mut lent, input);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<ClientEvent>>> {
        self.firmware.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.firmware.as_ref()?.poll_timeout()
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.journal.digest(now, into);
        into.flag(self.firmware.is_some()).word(u64::from(self.starts));
        if let Some(firmware) = &self.firmware {
            firmware.digest(into);
        }
    }
}

impl Board for ClientBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.firmware = None;
        self.journal.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.firmware.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.journal.poll_step()
    }

    fn timer_name(&self) -> Option<&'static str> {
        self.firmware.as_ref()?.timer_name()
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        if let Some(firmware) = &self.firmware {
            firmware.each_deadline(tell);
        }
    }
}
