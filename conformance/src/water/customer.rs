//! What customers and installers do, as the cases of the water system need it.

use assay_sim::fault::Way;
use assay_sim::machine::Torn;
use assay_sim::money::Fen;
use assay_sim::tape::Seen;
use assay_sim::time::Span;
use assay_sim::water::frame::OrderNumber;
use assay_sim::water::ledger::Prepayment;
use assay_sim::water::party::Stimulus;
use assay_sim::water::payments::PaymentsStimulus;
use assay_sim::water::tariff::Pricing;

use super::Stage;
use super::scene::Scene;
use crate::stage::StageError;

/// How often a customer whose card got no word tries again.
const TRIES_MAX: u32 = 3;

impl Stage {
    /// The customer pays for an order; returns its number.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn prepay(&mut self, card: usize, paid: Fen) -> Result<OrderNumber, StageError> {
        let cast = self.card(card)?;
        let (number, pricing) = (cast.number, cast.spec.pricing);
        self.prepay_as(number, paid, pricing)
    }

    /// The same with other prices than the card's own.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn prepay_as(
        &mut self,
        card: assay_sim::card::number::CardNumber,
        paid: Fen,
        pricing: Pricing,
    ) -> Result<OrderNumber, StageError> {
        let order = OrderNumber::new(1_000 + u128::from(self.next_number()))
            .map_err(|_| StageError::NoSuch("order number".to_owned()))?;
        self.remark(format!("order {order}: {paid} yuan for card {card}"));
        let stimulus = PaymentsStimulus::Prepay(Prepayment { card, order, pricing, paid });
        self.stimulate("payments", Stimulus::Payments(stimulus))?;
        Ok(order)
    }

    /// Puts a card into a terminal's slot.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn present(&mut self, card: usize, terminal: usize) -> Result<(), StageError> {
        let (seat, line) = (self.card(card)?.seat, self.terminal(terminal)?.rf);
        let what = format!("put card {} in", self.card(card)?.number);
        self.plug(line, seat, &what)
    }

    /// Takes the card out of a terminal's slot.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn remove(&mut self, terminal: usize, torn: Torn) -> Result<(), StageError> {
        let line = self.terminal(terminal)?.rf;
        self.unplug(line, torn)
    }

    /// How many texts for people a terminal's display has been given so far.
    pub fn texts_shown(&self, terminal: usize) -> u32 {
        self.scene().terminals.get(terminal).map_or(0, |cast| self.heard(cast.display, Scene::UP))
    }

    fn card(&self, place: usize) -> Result<&super::scene::CardCast, StageError> {
        self.scene().cards.get(place).ok_or_else(|| StageError::NoSuch(format!("card {}", place + 1)))
    }

    fn terminal(&self, place: usize) -> Result<&super::scene::TerminalCast, StageError> {
        self.scene().terminals.get(place).ok_or_else(|| StageError::NoSuch(format!("terminal {}", place + 1)))
    }

    /// Waits until a terminal has had its first answer from the server and told people how its self test went.
    ///
    /// Errors: those of waiting.
    pub fn ready(&mut self, terminal: usize) -> Result<bool, StageError> {
        let display = self.scene().terminals.get(terminal).map(|cast| cast.display);
        let within = self.scene().profile.bench.ready_within;
        // It may have come while another terminal was waited for.
        while self.texts_shown(terminal) < 1 {
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
