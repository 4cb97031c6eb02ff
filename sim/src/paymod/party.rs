//! Any party of the scan-to-pay system in one type, so that a bench can hold them side by side.

use std::fmt;

use super::host::{Host, HostEvent, HostStimulus};
use super::module::{ModuleBoard, ModuleEvent};
use super::observe::Observed;
use super::platform::{PayerStimulus, Platform, PlatformEvent};
use super::server::{ServerBoard, ServerEvent};
use super::text_port::TextPort;
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::modem::event::{ModemEvent, ModemStimulus};
use crate::modem::sim800a::Sim800a;
use crate::probe::{Probe, ProbeStimulus};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now};

/// A party of the scan-to-pay system.
#[derive(Clone)]
pub enum Party {
    /// The vending machine.
    Host(Host),
    /// The pay module on its board.
    Module(Box<ModuleBoard>),
    /// The modem.
    Modem(Box<Sim800a>),
    /// The server on its machine.
    Server(Box<ServerBoard>),
    /// The payment platforms.
    Platform(Box<Platform>),
    /// The relays of a module that tells of them in words.
    TextPort(TextPort),
    /// A test head in a party's place, or whoever is behind the free channel.
    Probe(Probe),
}

/// What is done to a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// At the vending machine.
    Host(HostStimulus),
    /// To the modem.
    Modem(ModemStimulus),
    /// What payers do.
    Payer(PayerStimulus),
    /// To a test head.
    Probe(ProbeStimulus),
}

/// What a party says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The vending machine shows this.
    Host(HostEvent),
    /// The module: a claim.
    Module(ModuleEvent),
    /// The modem.
    Modem(ModemEvent),
    /// The server: a claim.
    Server(ServerEvent),
    /// The platforms.
    Platform(PlatformEvent),
    /// What an observer read off a party.
    Observed(Observed),
}

macro_rules! each {
    ($party:expr, $inner:ident => $call:expr) => {
        match $party {
            Party::Host($inner) => $call,
            Party::Module($inner) => $call,
            Party::Modem($inner) => $call,
            Party::Server($inner) => $call,
            Party::Platform($inner) => $call,
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
            (Self::Host(host), Input::Stimulus(Stimulus::Host(stimulus))) => {
                host.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Modem(modem), Input::Stimulus(Stimulus::Modem(stimulus))) => {
                modem.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Platform(platform), Input::Stimulus(Stimulus::Payer(stimulus))) => {
                platform.handle_input(now, Input::Stimulus(stimulus));
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
            Self::Host(inner) => Some(inner.poll_output()?.map_event(Event::Host)),
            Self::Module(inner) => Some(inner.poll_output()?.map_event(Event::Module)),
            Self::Modem(inner) => Some(inner.poll_output()?.map_event(Event::Modem)),
            Self::Server(inner) => Some(inner.poll_output()?.map_event(Event::Server)),
            Self::Platform(inner) => Some(inner.poll_output()?.map_event(Event::Platform)),
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
            Self::Host(event) => write!(f, "the vending machine {event}"),
            Self::Module(event) => event.fmt(f),
            Self::Modem(event) => write!(f, "{event:?}"),
            Self::Server(event) => event.fmt(f),
            Self::Platform(event) => event.fmt(f),
            Self::Observed(observed) => observed.fmt(f),
        }
    }
}

impl Fingerprint for Event {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.to_string().as_bytes());
    }
}
