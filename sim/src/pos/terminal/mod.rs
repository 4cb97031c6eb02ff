//! The POS terminal: firmware, its board, and what it keeps.
//!
//! - [`TerminalBoard`] owns flash and clock; the firmware is built anew at each power-on.
//! - [`TerminalPolicy`] names the choices on which such terminals differ.
//! - [`store`] keeps sales in flash, [`clock`] tells their times, [`installed`] is what the installer set.

mod announce;
mod answers;
mod board;
mod booking;
pub mod clock;
mod config;
pub mod entry;
mod exchange;
mod firmware;
pub mod installed;
mod notices;
mod people;
mod policy;
mod sales;
pub mod store;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
mod upload;

pub use announce::Announcement;
pub use board::{TerminalBoard, TerminalParts};
pub use config::{About, Addresses, TerminalConfig, TerminalEvent, TerminalStimulus, TerminalTimes};
pub use policy::*;

/// The terminal's ports.
pub mod port {
    use crate::machine::Port;

    /// The network: datagrams from and to the server.
    pub const NET: Port = Port(0);
    /// The line to people: display, keys, reader, scanner, loudspeaker.
    pub const PANEL: Port = Port(1);
}
