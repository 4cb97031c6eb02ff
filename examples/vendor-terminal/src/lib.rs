//! A vendor's own water-card terminal: its firmware as a state machine, and the board that it runs on.
//!
//! It stands on the drivers that come with `assay-sim`, as firmware stands on its chip makers' drivers: AT commands,
//! the card's radio, the 24C02, and the frames. What it does with them is the vendor's own.

mod firmware;
mod memory;
mod requests;
mod visit;

use std::sync::Arc;

use assay_sim::digest::Digest;
use assay_sim::eeprom::Chip;
use assay_sim::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use assay_sim::time::{Instant, Now};
use assay_sim::water::profile::Profile;
use assay_sim::water::terminal::TerminalStimulus;
use assay_sim::water::terminal::vendor::VendorBoard;

use firmware::Firmware;

/// When a result is put into the 24C02.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Before the card is touched: the release that is sold.
    R2,
    /// When the server has not confirmed it, which was quicker: the release that was called back.
    R1,
}

/// What a terminal is built with.
#[derive(Clone, Debug)]
pub struct Build {
    /// The release.
    pub release: Release,
    /// Times, counts and the settings of drivers.
    pub data_sheet: Profile,
    /// Whether service tools may read the 24C02.
    pub memory_open: bool,
}

/// The board: what survives without power, and the firmware while there is some.
#[derive(Clone, Debug)]
pub struct Terminal {
    build: Arc<Build>,
    hardware: Hardware,
    firmware: Option<Box<Firmware>>,
}

/// What firmware borrows from its board.
#[derive(Clone, Debug)]
struct Hardware {
    chip: Chip,
    /// How far the clock chip is from the bench's calendar.
    ///
    /// Units: microseconds.
    clock_off: i64,
}

impl Terminal {
    /// A terminal as the installer leaves it.
    pub fn new(build: Build, chip: Chip) -> Self {
        Self { build: Arc::new(build), hardware: Hardware { chip, clock_off: 0 }, firmware: None }
    }
}

impl Machine for Terminal {
    type Stimulus = TerminalStimulus;
    type Event = &'static str;

    fn handle_input(&mut self, now: Now, input: Input<'_, TerminalStimulus>) {
        self.hardware.chip.settle(now.mono);
        if input == Input::PowerOn {
            self.firmware = Some(Box::new(Firmware::start(Arc::clone(&self.build), now, &mut self.hardware)));
        } else if let Some(firmware) = &mut self.firmware {
            firmware.handle_input(now, input, &mut self.hardware);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<&'static str>>> {
        self.firmware.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.firmware.as_ref()?.poll_timeout()
    }

    fn busy_until(&self) -> Option<Instant> {
        self.firmware.as_ref().map(|firmware| firmware.at())
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.hardware.chip.digest(now, into);
        into.word(self.hardware.clock_off.cast_unsigned()).flag(self.firmware.is_some());
        if let Some(firmware) = &self.firmware {
            firmware.digest(into);
        }
    }
}

impl Board for Terminal {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.firmware = None;
        self.hardware.chip.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.firmware.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.hardware.chip.poll_step()
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

impl VendorBoard for Terminal {
    fn chip(&self) -> Option<&Chip> {
        self.build.memory_open.then_some(&self.hardware.chip)
    }
}
