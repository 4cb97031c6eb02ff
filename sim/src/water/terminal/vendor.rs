//! A terminal of others in a terminal's seat.

use std::fmt;

use super::firmware::TerminalStimulus;
use crate::digest::Digest;
use crate::eeprom::Chip;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::tape::Fingerprint;
use crate::time::{Instant, Now};

/// A board that a vendor wrote, with the ports of [`super::port`].
pub trait VendorBoard: Board<Stimulus = TerminalStimulus> {
    /// The 24C02, if it is laid out as the protocol page says, so that the bench can read it out at rest.
    ///
    /// Why: without it, what has to be seen there cannot be judged, and is neither passed nor failed.
    fn chip(&self) -> Option<&Chip>;

    /// What keeps the party from being one, where a seat has found out.
    fn trouble(&self) -> Option<Trouble> {
        None
    }
}

/// What a seat has found wrong with the party in it, beside all that a protocol asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What, as a sentence about the party.
    pub what: String,
    /// Whether it is ours or the rig's fault, and says nothing about the party.
    pub ours: bool,
}

/// What a vendor's terminal says of itself, in its own words: a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorEvent(pub String);

impl fmt::Display for VendorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "says \"{}\"", self.0.escape_debug())
    }
}

impl Fingerprint for VendorEvent {
    fn fingerprint(&self, add: &mut dyn FnMut(&[u8])) {
        add(self.0.as_bytes());
    }
}

/// Any vendor's board as one type.
pub struct VendorTerminal(Box<dyn AnyBoard>);

impl VendorTerminal {
    /// Takes a board for a seat.
    pub fn new<B>(board: B) -> Self
    where
        B: VendorBoard + Send + Sync + 'static,
        B::Event: fmt::Display,
    {
        Self(Box::new(board))
    }

    /// The 24C02, if the vendor has it read out.
    pub fn chip(&self) -> Option<&Chip> {
        self.0.chip()
    }

    /// What keeps it from being a terminal, if its seat has found out.
    pub fn trouble(&self) -> Option<Trouble> {
        self.0.trouble()
    }
}

/// What a bench asks of a board, in a form that has one type for all of them.
trait AnyBoard: Send + Sync {
    fn forked(&self) -> Box<dyn AnyBoard>;
    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>);
    fn poll_output(&mut self) -> Option<Stamped<Output<VendorEvent>>>;
    fn poll_timeout(&self) -> Option<Instant>;
    fn busy_until(&self) -> Option<Instant>;
    fn digest(&self, now: Instant, into: &mut Digest);
    fn cut(&mut self, at: Instant, torn: Torn);
    fn is_on(&self) -> bool;
    fn poll_step(&mut self) -> Option<StoreStep>;
    fn timer_name(&self) -> Option<&'static str>;
    fn each_deadline(&self, tell: &mut dyn FnMut(Instant));
    fn chip(&self) -> Option<&Chip>;
    fn trouble(&self) -> Option<Trouble>;
}

impl<B> AnyBoard for B
where
    B: VendorBoard + Send + Sync + 'static,
    B::Event: fmt::Display,
{
    fn forked(&self) -> Box<dyn AnyBoard> {
        Box::new(self.clone())
    }

    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        Machine::handle_input(self, now, input);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<VendorEvent>>> {
        Some(Machine::poll_output(self)?.map_event(|event| VendorEvent(event.to_string())))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Machine::poll_timeout(self)
    }

    fn busy_until(&self) -> Option<Instant> {
        Machine::busy_until(self)
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        Machine::digest(self, now, into);
    }

    fn cut(&mut self, at: Instant, torn: Torn) {
        Board::cut(self, at, torn);
    }

    fn is_on(&self) -> bool {
        Board::is_on(self)
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        Board::poll_step(self)
    }

    fn timer_name(&self) -> Option<&'static str> {
        Board::timer_name(self)
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        Board::each_deadline(self, tell);
    }

    fn chip(&self) -> Option<&Chip> {
        VendorBoard::chip(self)
    }

    fn trouble(&self) -> Option<Trouble> {
        VendorBoard::trouble(self)
    }
}

impl Clone for VendorTerminal {
    fn clone(&self) -> Self {
        Self(self.0.forked())
    }
}

impl Machine for VendorTerminal {
    type Stimulus = TerminalStimulus;
    type Event = VendorEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        self.0.handle_input(now, input);
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<VendorEvent>>> {
        self.0.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn busy_until(&self) -> Option<Instant> {
        self.0.busy_until()
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.0.digest(now, into);
    }
}

impl Board for VendorTerminal {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.0.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.0.is_on()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.0.poll_step()
    }

    fn timer_name(&self) -> Option<&'static str> {
        self.0.timer_name()
    }

    fn each_deadline(&self, tell: &mut dyn FnMut(Instant)) {
        self.0.each_deadline(tell);
    }
}
