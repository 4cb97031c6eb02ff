//! The message server: it stands between the terminals' connections, the payment front and the ledger.
//!
//! - [`ServerBoard`] is the party: the server and the journal that survives it.
//! - [`ServerSetup`] is what it is built from, [`policy::ServerPolicy`] the choices on which servers differ.
//! - Terminals and the payment front open connections to it; [`TERMINAL_PORT_MIN`] and [`PAYMENT_PORT_MIN`] say
//!   which is which.

mod board;
mod connection;
mod event;
mod firmware;
pub mod policy;
mod setup;
#[cfg(test)]
mod tests;

pub use board::ServerBoard;
pub use event::{ServerEvent, ServerStimulus, Unusable};
pub use firmware::MessageServer;
pub use setup::{OrderAnswerForm, ServerConfig, ServerSetup};

/// Connections to the terminals' address have this port and the ones up to [`PAYMENT_PORT_MIN`].
pub const TERMINAL_PORT_MIN: u16 = 16;

/// Connections to the payment front's address have this port and the ones above.
pub const PAYMENT_PORT_MIN: u16 = 1_000;
