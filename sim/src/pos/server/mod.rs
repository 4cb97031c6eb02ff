//! The POS server: datagrams in, answers out, the books on a journal, the payment platform behind it.
//!
//! - [`ServerBoard`] owns the journal; the program is built anew at each start.
//! - [`ServerPolicy`] names the choices on which such servers differ.

mod answers;
mod board;
mod event;
mod firmware;
mod platform;
mod policy;
mod setup;
#[cfg(test)]
mod tests;
mod words;

pub use board::ServerBoard;
pub use event::{ServerEvent, ServerStimulus};
pub use policy::*;
pub use setup::{ServerConfig, ServerSetup};

use crate::machine::Port;

/// The first port of connections to the platform; those below are devices, a port a source address.
pub const PLATFORM_FIRST: Port = Port(60_000);
/// How many ports connections to the platform take in turn.
pub const PLATFORM_PORTS: u16 = 8;
