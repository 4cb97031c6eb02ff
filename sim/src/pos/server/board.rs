//! The server as a party that can lose its power.

use super::event::{ServerEvent, ServerStimulus};
use super::firmware::{Lent, Server};
use super::setup::ServerSetup;
use crate::digest::Digest;
use crate::journal::Journal;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::pos::books::Books;
use crate::time::{Instant, Now};

/// The program while it runs, and the journal that survives it.
#[derive(Clone, Debug)]
pub struct ServerBoard {
    setup: ServerSetup,
    server: Option<Box<Server>>,
    journal: Journal<Books>,
}

impl ServerBoard {
    /// A server that was never started.
    pub fn new(setup: ServerSetup) -> Self {
        let journal = Journal::new(setup.journal, setup.accounts.clone());
        Self { setup, server: None, journal }
    }

    /// What survives a loss of power.
    pub const fn journal(&self) -> &Journal<Books> {
        &self.journal
    }

    /// The books as the running program knows them, durable or not; without power, what the journal holds.
    pub fn books(&self) -> &Books {
        self.server.as_ref().map_or_else(|| self.journal.state(), |server| &server.books)
    }
}

impl Machine for ServerBoard {
    type Stimulus = ServerStimulus;
    type Event = ServerEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, ServerStimulus>) {
        self.journal.settle(now.mono);
        let mut lent = Lent { now, setup: &self.setup, journal: &mut self.journal };
        if input == Input::PowerOn {
            self.server = Some(Box::new(Server::start(&lent)));
        } else if let Some(server) = &mut self.server {
            server.handle_input(&mut lent, input);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<ServerEvent>>> {
        self.server.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.as_ref()?.poll_timeout()
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.journal.digest(now, into);
        into.flag(self.server.is_some());
        if let Some(server) = &self.server {
            server.digest(into);
        }
    }
}

impl Board for ServerBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.server = None;
        self.journal.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.server.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.journal.poll_step()
    }

    fn timer_name(&self) -> Option<&'static str> {
        self.server.as_ref()?.timer_name()
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        if let Some(server) = &self.server {
            server.each_deadline(tell);
        }
    }
}
