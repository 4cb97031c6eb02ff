//! What is done at the till and by payers, as the cases need it.

use assay_sim::payments::acquirer::PayerStimulus;
use assay_sim::payments::call::House;
use assay_sim::payments::party::{Event, Stimulus};
use assay_sim::pos::panel::{PanelEvent, PanelStimulus};
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;

use super::Stage;
use crate::stage::StageError;

/// How often a till asks that gets no word.
const ASKS: u32 = 4;

impl Stage {
    /// A line is given to the client at the till.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn at_till(&mut self, line: &str) -> Result<(), StageError> {
        self.stimulate("till", Stimulus::Till(PanelStimulus(line.to_owned())))
    }

    /// The payer does something.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn payer(&mut self, does: PayerStimulus) -> Result<(), StageError> {
        self.stimulate("platform", Stimulus::Payer(does))
    }

    /// Waits until the till is told one of these words; whether it was.
    ///
    /// Errors: those of waiting.
    pub fn told(&mut self, words: &'static [&'static str], within: Span) -> Result<bool, StageError> {
        self.wait_for(within, &|entry| tells(entry, words))
    }

    /// Gives a line at the till, and again while there is no word of how the sale has ended.
    ///
    /// Errors: those of waiting.
    pub fn sell(&mut self, line: &str) -> Result<(), StageError> {
        self.wait(Span::s(1))?;
        let patience = self.scene().profile.bench.word_within;
        for _ in 0..ASKS {
            self.at_till(line)?;
            if self.told(&["paid", "failed"], patience)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The line that has a sale charged by the payer's n-th code.
    pub fn charge_line(&self, sale: u32, fen: u32, code: u8) -> String {
        let first: u64 = match self.scene().face().house() {
            House::Wechat => 134_567_890_123_456_789,
            House::Alipay => 284_567_890_123_456_789,
        };
        format!("charge {sale} {fen} {}", first + u64::from(code))
    }

    /// Has a sale charged by the payer's n-th code, as [`Stage::sell`] does.
    ///
    /// Errors: those of waiting.
    pub fn charge(&mut self, sale: u32, fen: u32, code: u8) -> Result<(), StageError> {
        let line = self.charge_line(sale, fen, code);
        self.sell(&line)
    }

    /// The same of an order that is scanned, up to its address.
    ///
    /// Errors: those of waiting.
    pub fn offer(&mut self, line: &str) -> Result<(), StageError> {
        self.wait(Span::s(1))?;
        for _ in 0..ASKS {
            self.at_till(line)?;
            if self.told(&["show", "paid", "failed"], Span::s(30))? {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn tells(entry: &Entry<Event>, words: &[&str]) -> bool {
    match &entry.what {
        Seen::Noted { event: Event::Said(PanelEvent(line)), .. } => {
            let mut said = line.split(' ');
            let word = said.next().is_some_and(|word| words.contains(&word));
            // A word of which the client's death has left a part begins with that part.
            word && said.next().is_some_and(|sale| sale.parse::<u32>().is_ok())
        }
        _ => false,
    }
}
