//! The judges of the water system.

pub mod boot;
pub mod facts;
pub mod frames;
pub mod memory;
pub mod money;
pub mod panel;
pub mod panel_words;
pub mod reports;
pub mod server;
pub mod server_account;
pub mod server_ears;
pub mod server_frames;
pub mod server_negatives;
mod server_offers;
pub mod server_prices;
pub mod server_worlds;
pub mod terminal_wire;
pub mod terminal_wire_answers;
pub mod terminal_wire_boundary;
pub mod terminal_wire_ear;
pub mod terminal_wire_repeats;
pub mod terminal_wire_talk;
pub mod terminal_wire_uploads;

use assay_sim::water::family::Water;
use facts::Court;

use crate::finding::Oracle;

/// The judges of money, memory, drains and reports, on one reading of the tape.
pub fn court() -> Box<dyn Oracle<Water>> {
    Box::new(Court::new(vec![
        Box::new(money::Money::default()),
        Box::new(money::Drain::default()),
        Box::new(memory::Memory::default()),
        Box::new(reports::Reports::default()),
    ]))
}
