//! The board around the firmware: what survives a power cut.

use super::clock::Clock;
use super::config::{TerminalConfig, TerminalEvent, TerminalStimulus};
use super::firmware::Terminal;
use super::store::{Content, Session, Store, StoreError};
use crate::digest::Digest;
use crate::flash::Chip;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// A terminal's board: firmware while there is power, the flash, and a clock that holds its time for so long.
#[derive(Clone, Debug)]
pub struct TerminalBoard {
    config: std::sync::Arc<TerminalConfig>,
    firmware: Option<Box<Terminal>>,
    parts: TerminalParts,
}

/// What firmware borrows from its board for the length of one input.
#[derive(Clone, Debug)]
pub struct TerminalParts {
    /// The flash.
    pub chip: Chip,
    /// The clock.
    pub clock: Clock,
}

impl TerminalParts {
    /// The flash and its rules, from `at` on.
    pub(super) fn session(&mut self, at: Instant, config: &TerminalConfig) -> Session<'_> {
        Session::new(&mut self.chip, at, config.store_rules())
    }
}

impl TerminalBoard {
    /// A board as the installer leaves it: without power, its flash programmed.
    pub fn new(config: TerminalConfig, chip: Chip) -> Self {
        let clock = Clock::new(config.clock);
        Self { config: config.into(), firmware: None, parts: TerminalParts { chip, clock } }
    }

    /// The same with a clock that is wrong by this many microseconds.
    #[must_use]
    pub fn with_clock_wrong_by(mut self, offset_us: i64) -> Self {
        self.parts.clock = self.parts.clock.wrong_by(offset_us);
        self
    }

    /// The flash.
    pub fn chip(&self) -> &Chip {
        &self.parts.chip
    }

    /// What the flash holds, as somebody reads it who takes it out.
    ///
    /// Errors: [`StoreError::BadInstallation`].
    pub fn content(&self) -> Result<Content, StoreError> {
        Store::read_out(&self.parts.chip, self.config.store_rules())
    }
}

impl Machine for TerminalBoard {
    type Stimulus = TerminalStimulus;
    type Event = TerminalEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        self.parts.chip.settle(now.mono);
        if input == Input::PowerOn {
            self.parts.clock.handle_power_on(now);
            let terminal = Terminal::boot(self.config.clone(), now, &mut self.parts);
            self.firmware = Some(Box::new(terminal));
        } else if let Some(firmware) = &mut self.firmware {
            firmware.handle_input(now, input, &mut self.parts);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<TerminalEvent>>> {
        self.firmware.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.firmware.as_ref()?.poll_timeout()
    }

    fn busy_until(&self) -> Option<Instant> {
        self.firmware.as_ref().map(|firmware| firmware.busy_until())
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.parts.chip.digest(now, into);
        self.parts.clock.digest(into);
        into.flag(self.firmware.is_some());
        if let Some(firmware) = &self.firmware {
            firmware.digest(now, into);
        }
    }
}

impl Board for TerminalBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.firmware = None;
        self.parts.clock.handle_power_off(at);
        self.parts.chip.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.firmware.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.parts.chip.poll_step()
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
