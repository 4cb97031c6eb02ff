//! The water-card terminal: firmware, its board, and what it keeps.
//!
//! - [`TerminalBoard`] owns chip and clock; [`Terminal`] is the firmware, built anew at each power-on.
//! - [`TerminalPolicy`] names the choices on which such terminals differ.
//! - [`store`] lays out the 24C02.
//! - [`vendor`] seats terminals of others.

mod announce;
mod board;
mod exchange;
mod firmware;
mod network;
mod policy;
mod selftest;
pub mod store;
mod text;
mod topup;
pub mod vendor;

pub use announce::Announcement;
pub use board::{TerminalBoard, TerminalParts};
pub use firmware::{Terminal, TerminalConfig, TerminalEvent, TerminalStimulus, TerminalTimes};
pub use policy::*;

/// The terminal's ports.
pub mod port {
    use crate::machine::Port;

    /// The line to the modem.
    pub const UART: Port = Port(0);
    /// The modem's power key: low while pressed.
    pub const PWRKEY: Port = Port(1);
    /// The modem's reset: low while held.
    pub const RESET: Port = Port(2);
    /// The modem's status: high while it runs.
    pub const STATUS: Port = Port(3);
    /// The antenna.
    pub const RF: Port = Port(4);
    /// The switch behind the card slot: high while a card is in.
    pub const SLOT: Port = Port(5);
    /// The line to the voice module.
    pub const VOICE: Port = Port(6);
    /// The line to the display.
    pub const DISPLAY: Port = Port(7);
    /// The modem's DTR, where it is wired: high while the terminal is not ready for it.
    pub const DTR: Port = Port(8);
    /// The text port, of a board that has it in the place of antenna, voice, display and modem key.
    pub const TEXT: Port = Port(9);
}
