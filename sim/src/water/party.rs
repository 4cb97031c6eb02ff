//! Any party of the water system in one type, so that a bench can hold them side by side.

use std::fmt;

use super::observe::Observed;
use super::payments::{Payments, PaymentsEvent, PaymentsStimulus};
use super::peripheral::{Peripheral, Said};
use super::server::{ServerBoard, ServerEvent};
use super::terminal::vendor::{VendorEvent, VendorTerminal};
use super::terminal::{TerminalBoard, TerminalEvent};
use super::text_port::TextPort;
use crate::card::tag::{CardEvent, T5557};
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::modem::event::{ModemEvent, ModemStimulus};
use crate::modem::m6311::M6311;
use crate::modem::sim800a::Sim800a;
use crate::probe::{Probe, ProbeStimulus};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now};

/// A party of the water system.
#[derive(Clone)]
pub enum Party {
    /// A terminal on its board.
    Terminal(TerminalBoard),
    /// A terminal of others.
    VendorTerminal(VendorTerminal),
    /// A modem.
    Modem(M6311),
    /// A modem of the other dialect.
    Sim800a(Box<Sim800a>),
    /// The message server on its machine.
    Server(ServerBoard),
    /// The prepayment front.
    Payments(Payments),
    /// A card.
    Card(T5557),
    /// A voice module or a display.
    Peripheral(Peripheral),
    /// What stands behind the text port of a real terminal.
    TextPort(TextPort),
    /// A test head in a party's place.
    Probe(Probe),
}

/// What is done to a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// To a modem.
    Modem(ModemStimulus),
    /// To the prepayment front.
    Payments(PaymentsStimulus),
    /// To a test head.
    Probe(ProbeStimulus),
}

/// What a party says of itself, or what is observed of it at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A terminal: a claim.
    Terminal(TerminalEvent),
    /// A terminal of others: a claim.
    Vendor(VendorEvent),
    /// A modem.
    Modem(ModemEvent),
    /// The server.
    Server(ServerEvent),
    /// The prepayment front.
    Payments(PaymentsEvent),
    /// A card's memory changed.
    Card(CardEvent),
    /// People heard or saw this.
    Said(Said),
    /// What lies at a party's boundary at a moment of rest.
    Observed(Observed),
}

macro_rules! each {
    ($party:expr, $inner:ident => $call:expr) => {
        match $party {
            Party::Terminal($inner) => $call,
            Party::VendorTerminal($inner) => $call,
            Party::Modem($inner) => $call,
            Party::Sim800a($inner) => $call,
            Party::Server($inner) => $call,
            Party::Payments($inner) => $call,
            Party::Card($inner) => $call,
            Party::Peripheral($inner) => $call,
            Party::TextPort($inner) => $call,
            Party::Probe($inner) => $call,
        }
    };
}

impl Machine for Party {
    type Stimulus = Stimulus;
    type Event = Event;

    /// Takes one input; a stimulus that is meant for another kind of party is ignored.
    fn handle_input(&mut self, now: Now, input: Input<'_, Stimulus>) {
        match (self, input) {
            (Self::Modem(modem), Input::Stimulus(Stimulus::Modem(stimulus))) => {
                modem.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Sim800a(modem), Input::Stimulus(Stimulus::Modem(stimulus))) => {
                modem.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Payments(payments), Input::Stimulus(Stimulus::Payments(stimulus))) => {
                payments.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Probe(probe), Input::Stimulus(Stimulus::Probe(stimulus))) => {
                probe.handle_input(now, Input::Stimulus(stimulus));
            }
            (party, input) => each!(party, inner => {
                if let Some(input) = input.without_stimulus() {
                    inner.handle_input(now, input);
                }
            }),
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<Event>>> {
        match self {
            Self::Terminal(inner) => Some(inner.poll_output()?.map_event(Event::Terminal)),
            Self::VendorTerminal(inner) => Some(inner.poll_output()?.map_event(Event::Vendor)),
            Self::Modem(inner) => Some(inner.poll_output()?.map_event(Event::Modem)),
            Self::Sim800a(inner) => Some(inner.poll_output()?.map_event(Event::Modem)),
            Self::Server(inner) => Some(inner.poll_output()?.map_event(Event::Server)),
            Self::Payments(inner) => Some(inner.poll_output()?.map_event(Event::Payments)),
            Self::Card(inner) => Some(inner.poll_output()?.map_event(Event::Card)),
            Self::Peripheral(inner) => Some(inner.poll_output()?.map_event(Event::Said)),
            Self::TextPort(inner) => Some(inner.poll_output()?.map_event(|never| match never {})),
            Self::Probe(inner) => Some(inner.poll_output()?.map_event(|never| match never {})),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        each!(self, inner => inner.poll_timeout())
    }

    fn busy_until(&self) -> Option<Instant> {
        each!(self, inner => inner.busy_until())
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        each!(self, inner => inner.digest(now, into));
    }
}

impl Board for Party {
    fn cut(&mut self, at: Instant, torn: Torn) {
        each!(self, inner => inner.cut(at, torn));
    }

    fn is_on(&self) -> bool {
        each!(self, inner => inner.is_on())
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        each!(self, inner => inner.poll_step())
    }

    fn timer_name(&self) -> Option<&'static str> {
        each!(self, inner => inner.timer_name())
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        each!(self, inner => inner.each_deadline(tell));
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terminal(event) => event.fmt(f),
            Self::Vendor(event) => event.fmt(f),
            Self::Modem(event) => write!(f, "{event:?}"),
            Self::Server(event) => write!(f, "{event:?}"),
            Self::Payments(event) => write!(f, "{event:?}"),
            Self::Card(event) => event.fmt(f),
            Self::Said(Said(text)) => write!(f, "people are told \"{text}\""),
            Self::Observed(observed) => observed.fmt(f),
        }
    }
}

impl Fingerprint for Event {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Vendor(event) => event.fingerprint(add),
            Self::Said(said) => said.fingerprint(add),
            Self::Observed(observed) => observed.fingerprint(add),
            other => add(other.to_string().as_bytes()),
        }
    }
}
