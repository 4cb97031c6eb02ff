//! The message server as a party that can lose its power.

use crate::digest::Digest;
use crate::journal::Journal;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};
use crate::water::ledger::{Ledger, OrderState};
use crate::water::observe::{Books, CardBooks, Listed, OrderBooks};
use crate::water::server::event::{ServerEvent, ServerStimulus};
use crate::water::server::firmware::{Lent, MessageServer};
use crate::water::server::policy::Framing;
use crate::water::server::setup::ServerSetup;

/// The server and the journal that survives it.
#[derive(Clone, Debug)]
pub struct ServerBoard {
    setup: ServerSetup,
    /// `None` while there is no power.
    server: Option<MessageServer>,
    journal: Journal<Ledger>,
}

impl ServerBoard {
    /// A server that was never switched on, with an empty ledger.
    pub fn new(setup: ServerSetup) -> Self {
        Self::with_ledger(setup, Ledger::default())
    }

    /// A server that finds this ledger in its journal.
    pub fn with_ledger(mut setup: ServerSetup, ledger: Ledger) -> Self {
        if setup.policy.framing == Framing::BelievesLength {
            let frame = &mut setup.frame;
            frame.content_max = frame.length.length_max() - frame.content_at();
        }
        let journal = Journal::new(setup.journal, ledger);
        Self { setup, server: None, journal }
    }

    /// What it was built from.
    pub const fn setup(&self) -> &ServerSetup {
        &self.setup
    }

    /// What survives a loss of power.
    pub const fn journal(&self) -> &Journal<Ledger> {
        &self.journal
    }

    /// The ledger as the running server knows it, durable or not; without power, what the journal holds.
    pub fn ledger(&self) -> &Ledger {
        self.server.as_ref().map_or_else(|| self.journal.state(), MessageServer::ledger)
    }

    /// The books as an observer reads them off the ledger.
    pub fn books(&self) -> Books {
        let ledger = self.ledger();
        let cards = ledger.cards().map(|(card, account)| CardBooks {
            card,
            last: account.last,
            credit: account.credit,
        });
        let orders = ledger.orders().map(|(number, order)| OrderBooks {
            order: number,
            card: order.card,
            volume: order.volume,
            listed: match order.state {
                OrderState::Paid | OrderState::Offered => Listed::Open,
                OrderState::InDoubt => Listed::InDoubt,
                OrderState::Closed => Listed::Closed,
            },
        });
        Books { cards: cards.collect(), orders: orders.collect() }
    }

    /// The ledger that a server would find if power were cut now, between two syncs.
    pub fn durable_ledger(&self, now: Instant) -> Ledger {
        self.journal.durable(now)
    }
}

impl Machine for ServerBoard {
    type Stimulus = ServerStimulus;
    type Event = ServerEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, ServerStimulus>) {
        self.journal.settle(now.mono);
        let Some(server) = &mut self.server else {
            if input == Input::PowerOn {
                self.server = Some(MessageServer::boot(now.mono, self.journal.state().clone()));
            }
            return;
        };
        server.handle_input(&mut Lent { now, setup: &self.setup, journal: &mut self.journal }, input);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<ServerEvent>>> {
        self.server.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.server.as_ref()?.next_timer(&self.setup).map(|(at, _)| at)
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.journal.digest(now, into);
        into.flag(self.server.is_some());
        if let Some(server) = &self.server {
            server.digest(now, &self.setup, into);
        }
    }
}

impl Board for ServerBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.journal.cut(at, torn);
        self.server = None;
    }

    fn is_on(&self) -> bool {
        self.server.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.journal.poll_step()
    }

    fn timer_name(&self) -> Option<&'static str> {
        self.server.as_ref()?.next_timer(&self.setup).map(|(_, name)| name)
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        if let Some(server) = &self.server {
            server.each_deadline(&self.setup, tell);
        }
    }
}
