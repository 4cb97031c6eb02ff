//! The board around the firmware: what survives a power cut.

use super::firmware::{Terminal, TerminalConfig, TerminalEvent, TerminalStimulus};
use super::store::Session;
use crate::digest::Digest;
use crate::eeprom::Chip;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// A terminal's board: firmware while there is power, the 24C02, and a battery-backed clock.
#[derive(Clone, Debug)]
pub struct TerminalBoard {
    config: TerminalConfig,
    firmware: Option<Box<Terminal>>,
    parts: TerminalParts,
}

/// What firmware borrows from its board for the length of one input.
#[derive(Clone, Debug)]
pub struct TerminalParts {
    /// The 24C02.
    pub chip: Chip,
    /// How far the board's clock is from the bench's.
    ///
    /// Units: microseconds.
    pub rtc_offset_us: i64,
}

impl TerminalParts {
    /// The chip and its rules, from `at` on.
    pub(super) fn session(&mut self, at: Instant, config: &TerminalConfig) -> Session<'_> {
        Session::new(&mut self.chip, at, config.store_rules())
    }
}

impl TerminalBoard {
    /// A board as the installer leaves it: without power, its memory programmed.
    pub fn new(config: TerminalConfig, chip: Chip) -> Self {
        Self { config, firmware: None, parts: TerminalParts { chip, rtc_offset_us: 0 } }
    }

    /// The memory.
    pub fn chip(&self) -> &Chip {
        &self.parts.chip
    }
}

impl Machine for TerminalBoard {
    type Stimulus = TerminalStimulus;
    type Event = TerminalEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        self.parts.chip.settle(now.mono);
        let now = Now { wall: now.wall.stepped(self.parts.rtc_offset_us), ..now };
        if input == Input::PowerOn {
            self.firmware = Some(Box::new(Terminal::boot(self.config.clone(), now, &mut self.parts)));
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
        into.word(self.parts.rtc_offset_us.cast_unsigned()).flag(self.firmware.is_some());
        if let Some(firmware) = &self.firmware {
            firmware.digest(now, into);
        }
    }
}

impl Board for TerminalBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.firmware = None;
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
