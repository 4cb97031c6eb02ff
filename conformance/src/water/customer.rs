//! What customers and installers do, as the cases of the water system need it.

use assay_sim::fault::Way;
use assay_sim::machine::Torn;
use assay_sim::tape::Seen;
use assay_sim::time::Span;

use crate::stage::{Stage, StageError};

/// How often a customer whose card got no word tries again.
const TRIES_MAX: u32 = 3;

impl Stage {
    /// Waits until a terminal has had its first answer from the server and told people how its self test went.
    ///
    /// Errors: those of waiting.
    pub fn ready(&mut self, terminal: usize) -> Result<bool, StageError> {
        let display = self.scene().terminals.get(terminal).map(|cast| cast.display);
        let within = self.scene().profile.bench.ready_within;
        // The first text is the self test's ping, the second its result. Either may have come while another terminal
        // was waited for.
        while self.texts_shown(terminal) < 2 {
            let heard = self.wait_for(within, &|entry| {
                matches!(&entry.what, Seen::Heard { line, way: Way::AtoB, .. } if Some(*line) == display)
            })?;
            if !heard {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts a card into the slot, waits for word on the display, and takes the card out a second later; whether
    /// there was word.
    ///
    /// Errors: those of waiting.
    pub fn visit(&mut self, card: usize, terminal: usize) -> Result<bool, StageError> {
        let display = self.scene().terminals.get(terminal).map(|cast| cast.display);
        let within = self.scene().profile.bench.card_within;
        self.present(card, terminal)?;
        let told = self.wait_for(
            within,
            &|entry| matches!(&entry.what, Seen::Sent { line, way: Way::AtoB, .. } if Some(*line) == display),
        )?;
        self.wait(Span::s(1))?;
        self.remove(terminal, Torn::default())?;
        Ok(told)
    }

    /// The same by a customer who tries again while there is no word, a while later each time.
    ///
    /// Errors: those of waiting.
    pub fn visit_until_told(&mut self, card: usize, terminal: usize) -> Result<bool, StageError> {
        for _ in 0..TRIES_MAX {
            if self.visit(card, terminal)? {
                return Ok(true);
            }
            let pause = self.scene().profile.bench.card_within;
            self.wait(pause)?;
        }
        Ok(false)
    }
}
