//! Any party of the payments family in one type, so that a bench can hold them side by side.

use std::fmt;

use super::acquirer::{Acquirer, AcquirerEvent, PayerStimulus};
use super::client::{ClientBoard, ClientEvent};
use super::observe::Observed;
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::pos::panel::{Panel, PanelEvent, PanelStimulus};
use crate::probe::{Probe, ProbeStimulus};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now};

/// A party of the payments family.
#[derive(Clone)]
pub enum Party {
    /// The program that calls the platform, on its machine.
    Client(Box<ClientBoard>),
    /// The payment platforms.
    Acquirer(Box<Acquirer>),
    /// The people at the till.
    Till(Panel),
    /// A test head in a party's place.
    Probe(Probe),
}

/// What is done to a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// What payers do.
    Payer(PayerStimulus),
    /// What is done at the till.
    Till(PanelStimulus),
    /// To a test head.
    Probe(ProbeStimulus),
}

/// What a party says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The client: a claim.
    Client(ClientEvent),
    /// The platforms.
    Acquirer(AcquirerEvent),
    /// The till was told this.
    Said(PanelEvent),
    /// What an observer read off a party.
    Observed(Observed),
}

macro_rules! each {
    ($party:expr, $inner:ident => $call:expr) => {
        match $party {
            Party::Client($inner) => $call,
            Party::Acquirer($inner) => $call,
            Party::Till($inner) => $call,
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
            (Self::Acquirer(acquirer), Input::Stimulus(Stimulus::Payer(stimulus))) => {
                acquirer.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Till(till), Input::Stimulus(Stimulus::Till(stimulus))) => {
                till.handle_input(now, Input::Stimulus(stimulus));
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
            Self::Client(inner) => Some(inner.poll_output()?.map_event(Event::Client)),
            Self::Acquirer(inner) => Some(inner.poll_output()?.map_event(Event::Acquirer)),
            Self::Till(inner) => Some(inner.poll_output()?.map_event(Event::Said)),
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
            Self::Client(event) => event.fmt(f),
            Self::Acquirer(event) => event.fmt(f),
            Self::Said(PanelEvent(line)) => write!(f, "the till is told \"{}\"", line.escape_debug()),
            Self::Observed(observed) => observed.fmt(f),
        }
    }
}

impl Fingerprint for Event {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.to_string().as_bytes());
    }
}
