//! The server as a party that can lose its power.

use std::sync::Arc;

use super::books::Books;
use super::config::{ServerEvent, ServerSetup};
use super::firmware::{Firmware, Lent};
use crate::digest::Digest;
use crate::journal::Journal;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::seed::Stream;
use crate::time::{Instant, Now};

/// The program while it runs, and the journal that survives it.
#[derive(Clone, Debug)]
pub struct ServerBoard {
    setup: Arc<ServerSetup>,
    firmware: Option<Box<Firmware>>,
    journal: Journal<Books>,
    /// What sessions and vectors are drawn from.
    draws: Stream,
}

impl ServerBoard {
    /// A server that was never started, with what an earlier one has kept.
    pub fn with_books(setup: ServerSetup, books: Books, draws: Stream) -> Self {
        let journal = Journal::new(setup.journal, books);
        Self { setup: setup.into(), firmware: None, journal, draws }
    }

    /// What the journal would hold if power went now: the log of every order.
    pub fn log(&self, now: Instant) -> Books {
        self.journal.durable(now)
    }

    /// The journal.
    pub const fn journal(&self) -> &Journal<Books> {
        &self.journal
    }

    /// The books as the running program knows them, durable or not; without power, what the journal holds.
    pub fn books(&self) -> &Books {
        self.firmware.as_ref().map_or_else(|| self.journal.state(), |firmware| firmware.books())
    }
}

impl Machine for ServerBoard {
    type Stimulus = std::convert::Infallible;
    type Event = ServerEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        self.journal.settle(now.mono);
        let mut lent = Lent { now, setup: &self.setup, journal: &mut self.journal, draws: &mut self.draws };
        if input == Input::PowerOn {
            self.firmware = Some(Box::new(Firmware::start(&lent)));
        } else if let Some(firmware) = &mut self.firmware {
            firmware.handle_input(&mut lent, input);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<ServerEvent>>> {
        self.firmware.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.firmware.as_ref()?.poll_timeout()
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.journal.digest(now, into);
        into.word(self.draws.clone().word()).flag(self.firmware.is_some());
        if let Some(firmware) = &self.firmware {
            firmware.digest(into);
        }
    }
}

impl Board for ServerBoard {
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
