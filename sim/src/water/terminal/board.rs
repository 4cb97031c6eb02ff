//! The board around the firmware: what survives a power cut.

use super::firmware::{Terminal, TerminalConfig, TerminalEvent, TerminalStimulus};
use super::port;
use super::store::Session;
use super::text::{Heard, TextPanel};
use crate::digest::Digest;
use crate::eeprom::Chip;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::time::{Instant, Now};

/// A terminal's board: firmware while there is power, the 24C02, and a battery-backed clock.
#[derive(Clone, Debug)]
pub struct TerminalBoard {
    config: TerminalConfig,
    firmware: Option<Box<Terminal>>,
    /// What leads antenna, voice, display and modem key out over a text port, on a board that has one.
    panel: Option<TextPanel>,
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
        Self { config, firmware: None, panel: None, parts: TerminalParts { chip, rtc_offset_us: 0 } }
    }

    /// The same for a host: over one line of text it asks for cards, speaks, shows, and moves the modem's pins.
    pub fn with_text_port(config: TerminalConfig, chip: Chip) -> Self {
        Self { panel: Some(TextPanel::default()), ..Self::new(config, chip) }
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
        let Self { config, firmware, panel, parts } = self;
        if input == Input::PowerOn {
            *firmware = Some(Box::new(Terminal::boot(config.clone(), now, panel.is_some(), parts)));
            return;
        }
        let Some(firmware) = firmware else { return };
        let (Input::Received { port: port::TEXT, bytes }, Some(panel)) = (&input, panel) else {
            return firmware.handle_input(now, input, parts);
        };
        for heard in panel.hear(bytes) {
            let input = match &heard {
                Heard::Card(high) => Input::Level { port: port::SLOT, high: *high },
                Heard::Bytes(port, bytes) => Input::Received { port: *port, bytes },
            };
            firmware.handle_input(now, input, parts);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<TerminalEvent>>> {
        let output = self.firmware.as_mut()?.poll_output()?;
        Some(match &self.panel {
            Some(_) => Stamped { what: TextPanel::lead_out(output.what), ..output },
            None => output,
        })
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
        if let Some(panel) = &self.panel {
            panel.digest(into);
        }
    }
}

impl Board for TerminalBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.firmware = None;
        self.panel = self.panel.take().map(|_| TextPanel::default());
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
