//! Any party of the POS system in one type, so that a bench can hold them side by side.

use std::fmt;

use super::observe::Observed;
use super::panel::{Panel, PanelEvent, PanelStimulus};
use super::platform::{Platform, PlatformEvent};
use super::server::{ServerBoard, ServerEvent, ServerStimulus};
use super::terminal::{TerminalBoard, TerminalEvent};
use crate::digest::Digest;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::probe::{Probe, ProbeStimulus};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now};

/// A party of the POS system.
#[derive(Clone)]
pub enum Party {
    /// A terminal on its board.
    Terminal(Box<TerminalBoard>),
    /// The server on its machine.
    Server(Box<ServerBoard>),
    /// The payment platform.
    Platform(Box<Platform>),
    /// People at a terminal.
    Panel(Box<Panel>),
    /// A test head in a party's place.
    Probe(Probe),
}

/// What is done to a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// To the server, at the office.
    Server(ServerStimulus),
    /// What people do.
    Panel(PanelStimulus),
    /// To a test head.
    Probe(ProbeStimulus),
}

/// What a party says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A terminal: a claim.
    Terminal(TerminalEvent),
    /// The server: a claim.
    Server(ServerEvent),
    /// The payment platform.
    Platform(PlatformEvent),
    /// People saw or heard this.
    Said(PanelEvent),
    /// What an observer read off a party.
    Observed(Observed),
}

macro_rules! each {
    ($party:expr, $inner:ident => $call:expr) => {
        match $party {
            Party::Terminal($inner) => $call,
            Party::Server($inner) => $call,
            Party::Platform($inner) => $call,
            Party::Panel($inner) => $call,
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
            (Self::Server(server), Input::Stimulus(Stimulus::Server(stimulus))) => {
                server.handle_input(now, Input::Stimulus(stimulus));
            }
            (Self::Panel(panel), Input::Stimulus(Stimulus::Panel(stimulus))) => {
                panel.handle_input(now, Input::Stimulus(stimulus));
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
            Self::Server(inner) => Some(inner.poll_output()?.map_event(Event::Server)),
            Self::Platform(inner) => Some(inner.poll_output()?.map_event(Event::Platform)),
            Self::Panel(inner) => Some(inner.poll_output()?.map_event(Event::Said)),
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
            Self::Server(event) => event.fmt(f),
            Self::Platform(event) => event.fmt(f),
            Self::Said(PanelEvent(line)) => write!(f, "people get \"{}\"", line.escape_debug()),
            Self::Observed(observed) => observed.fmt(f),
        }
    }
}

impl Fingerprint for Event {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Server(ServerEvent::Entered(record)) => record.fingerprint(add),
            Self::Said(PanelEvent(line)) => {
                add(b"said");
                add(line.as_bytes());
            }
            _ => add(self.to_string().as_bytes()),
        }
    }
}
