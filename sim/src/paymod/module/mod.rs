//! The pay module: a host's orders become pay links, are followed to their end, and switch a relay.
//!
//! - [`ModuleBoard`] owns the flash; the firmware is built anew at power-on.
//! - [`ModulePolicy`] names the choices on which such modules differ.
//! - `firmware` takes input and keeps time; `host_line` is the host's line, `orders` an order's life, `link` the
//!   session with the server, `net` what carries it, `channel` the bytes that go through.

mod board;
mod channel;
mod config;
mod firmware;
mod host_line;
mod link;
mod net;
mod orders;
mod policy;
#[cfg(test)]
mod tests;

pub use board::ModuleBoard;
pub use config::{ModuleConfig, ModuleEvent, ModuleSetup};
pub use policy::*;

/// A module's ports.
pub mod port {
    use crate::machine::Port;

    /// The line to the host.
    pub const HOST: Port = Port(0);
    /// The line to the modem.
    pub const MODEM: Port = Port(1);
    /// The modem's power key, low while it is held.
    pub const PWRKEY: Port = Port(2);
    /// The modem's reset pin, active low.
    pub const RESET: Port = Port(3);
    /// The modem's status pin.
    pub const STATUS: Port = Port(4);
    /// Words about the relays, where no pin leads to what they switch.
    pub const TEXT: Port = Port(5);
    /// The first relay; the others follow it.
    pub const RELAYS: u16 = 8;
    /// How many relays there are.
    pub const RELAY_COUNT: u8 = 4;
    /// The first port of connections to the server, where no modem lies between.
    pub const LINK_FIRST: Port = Port(32);
    /// How many ports they take in turn.
    pub const LINKS: u16 = 8;

    /// The port of a relay, from 1.
    pub fn relay(number: u8) -> Port {
        Port(RELAYS + u16::from(number.saturating_sub(1)))
    }
}
