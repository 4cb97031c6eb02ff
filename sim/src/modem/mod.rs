//! AT modems: one engine, its dialects, and the client that a host drives them with.
//!
//! - [`engine`] is the module itself: power, boot, echo, prompts, unsolicited lines, sockets.
//! - [`m6311`] is the dialect of the M6311; [`basic`] holds what every dialect shares.
//! - [`client`] is the host's side.
//! - [`label`] names what crosses the UART between the two, so that a fault can be planned at it.

pub mod basic;
pub mod client;
pub mod config;
pub mod engine;
pub mod escape;
pub mod label;
pub mod line;
pub mod m6311;
pub mod names;
pub mod power;
pub mod reply;
pub mod socket;

#[cfg(test)]
mod trials;
