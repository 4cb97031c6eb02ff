//! What people at terminals do, as the cases of the POS system need it.

use std::cell::Cell;

use assay_sim::pos::panel::{PanelEvent, PanelStimulus};
use assay_sim::pos::party::{Event, Stimulus};
use assay_sim::pos::plant::panel_name;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;

use super::Stage;
use super::scene::{Scene, TerminalCast};
use crate::stage::StageError;

/// How long a hand takes from one thing to the next.
const HAND: Span = Span::ms(730);

/// How long a person waits for the terminal to answer a key.
const KEY_PATIENCE: Span = Span::s(2);

impl Stage {
    /// The terminal at this place.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn terminal(&self, place: usize) -> Result<&TerminalCast, StageError> {
        self.scene().terminals.get(place).ok_or_else(|| StageError::NoSuch(format!("terminal {}", place + 1)))
    }

    /// A person does something at a terminal: a line of the text port.
    ///
    /// Errors: [`StageError::NoSuch`].
    pub fn act(&mut self, terminal: usize, line: impl Into<String>) -> Result<(), StageError> {
        self.stimulate(&panel_name(terminal), Stimulus::Panel(PanelStimulus(line.into())))
    }

    /// Waits until a terminal has said something to people since it was switched on.
    ///
    /// Errors: those of waiting.
    pub fn ready(&mut self, terminal: usize) -> Result<bool, StageError> {
        let line = self.terminal(terminal)?.panel_line;
        if self.heard(line, Scene::UP) > 0 {
            return Ok(true);
        }
        let within = self.scene().profile.bench.ready_within;
        self.wait_for(
            within,
            &|entry| matches!(&entry.what, Seen::Heard { line: heard, way: Scene::UP, .. } if *heard == line),
        )
    }

    /// Waits until people at a terminal are shown something; whether they were.
    ///
    /// Errors: those of waiting.
    pub fn shown(&mut self, terminal: usize, within: Span) -> Result<bool, StageError> {
        let panel = self.terminal(terminal)?.panel;
        self.wait_for(within, &|entry| shows(entry, panel).is_some())
    }

    /// A cashier types an amount and taps a card, and waits for word; whether there was any.
    ///
    /// Errors: those of waiting.
    pub fn pay(&mut self, terminal: usize, amount: &str, card: &str) -> Result<bool, StageError> {
        self.type_amount(terminal, amount)?;
        self.pause(HAND)?;
        self.tap(terminal, card)
    }

    /// The same with a code that is scanned.
    ///
    /// Errors: those of waiting.
    pub fn pay_by_code(&mut self, terminal: usize, amount: &str, code: &str) -> Result<bool, StageError> {
        self.type_amount(terminal, amount)?;
        self.pause(HAND)?;
        let panel = self.terminal(terminal)?.panel;
        self.act(terminal, format!("scan {code}"))?;
        // The first word is that the payment is in progress.
        let shown = Cell::new(0);
        let patience = self.scene().profile.bench.answer_within;
        self.wait_for(patience, &|entry| {
            shown.set(shown.get() + u32::from(shows(entry, panel).is_some()));
            shown.get() == 2
        })
    }

    /// A card is tapped, and word is waited for; whether there was any.
    ///
    /// Errors: those of waiting.
    pub fn tap(&mut self, terminal: usize, card: &str) -> Result<bool, StageError> {
        let patience = self.scene().profile.bench.answer_within;
        self.act(terminal, format!("tap {card}"))?;
        self.shown(terminal, patience)
    }

    /// An amount is typed, and shown.
    ///
    /// Errors: those of waiting.
    pub fn type_amount(&mut self, terminal: usize, amount: &str) -> Result<bool, StageError> {
        self.pause(HAND)?;
        self.act(terminal, format!("keys {amount}"))?;
        self.shown(terminal, KEY_PATIENCE)
    }
}

/// What people at this seat are shown by an entry.
pub(super) fn shows(entry: &Entry<Event>, panel: assay_sim::tape::SeatId) -> Option<&str> {
    match &entry.what {
        Seen::Noted { seat, event: Event::Said(PanelEvent(line)) } if *seat == panel => {
            line.strip_prefix("show ")
        }
        _ => None,
    }
}
