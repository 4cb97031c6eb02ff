//! The board around the firmware: what survives a power cut.

use std::sync::Arc;

use super::config::{ModuleEvent, ModuleSetup};
use super::firmware::{Firmware, Lent};
use crate::digest::Digest;
use crate::flash::Chip;
use crate::machine::{Board, Input, Machine, Output, Stamped, StoreStep, Torn};
use crate::paymod::store::{Memory, Store, StoreError};
use crate::seed::Stream;
use crate::time::{Instant, Now};

/// A module's board: firmware while there is power, the flash, and a source of noise.
#[derive(Clone, Debug)]
pub struct ModuleBoard {
    setup: Arc<ModuleSetup>,
    firmware: Option<Box<Firmware>>,
    chip: Chip,
    /// What nonces, vectors and pauses are drawn from.
    draws: Stream,
}

impl ModuleBoard {
    /// A board without power.
    pub fn new(setup: ModuleSetup, chip: Chip, draws: Stream) -> Self {
        Self { setup: setup.into(), firmware: None, chip, draws }
    }

    /// Its flash.
    pub const fn chip(&self) -> &Chip {
        &self.chip
    }

    /// The orders in its flash, as somebody reads them who takes it out.
    ///
    /// Errors: [`StoreError`].
    pub fn content(&self) -> Result<Store, StoreError> {
        Store::read_out(&self.chip, self.setup.flash, self.setup.store)
    }
}

impl Machine for ModuleBoard {
    type Stimulus = std::convert::Infallible;
    type Event = ModuleEvent;

    fn handle_input(&mut self, now: Now, input: Input<'_, Self::Stimulus>) {
        self.chip.settle(now.mono);
        let memory = Memory::new(&mut self.chip, now.mono, self.setup.flash, self.setup.store);
        let mut lent = Lent { now, setup: &self.setup, memory, draws: &mut self.draws };
        if input == Input::PowerOn {
            self.firmware = Some(Box::new(Firmware::boot(&mut lent)));
        } else if let Some(firmware) = &mut self.firmware {
            firmware.handle_input(&mut lent, input);
        }
    }

    fn poll_output(&mut self) -> Option<Stamped<Output<ModuleEvent>>> {
        self.firmware.as_mut()?.poll_output()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.firmware.as_ref()?.poll_timeout()
    }

    fn busy_until(&self) -> Option<Instant> {
        self.firmware.as_ref().map(|firmware| firmware.busy_until())
    }

    fn digest(&self, now: Instant, into: &mut Digest) {
        self.chip.digest(now, into);
        // The next draws stand for where the source of noise is.
        into.word(self.draws.clone().word()).flag(self.firmware.is_some());
        if let Some(firmware) = &self.firmware {
            firmware.digest(into);
        }
    }
}

impl Board for ModuleBoard {
    fn cut(&mut self, at: Instant, torn: Torn) {
        self.firmware = None;
        self.chip.cut(at, torn);
    }

    fn is_on(&self) -> bool {
        self.firmware.is_some()
    }

    fn poll_step(&mut self) -> Option<StoreStep> {
        self.chip.poll_step()
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
