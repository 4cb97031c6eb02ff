//! AT modems: one engine, its dialects, and the client that a host drives them with.
//!
//! - [`engine`] is the module itself: power, boot, echo, prompts, unsolicited lines, sockets; its ports are in
//!   [`port`], what happens to it and what may be noted of it in [`event`].
//! - [`m6311`] and [`sim800a`] are the dialects of the M6311 and the SIM800A; [`basic`] holds what both share.
//! - [`client`] is the host's side.
//! - [`label`] names what crosses the UART between the two, so that a fault can be planned at it.

pub mod basic;
pub mod client;
pub mod config;
pub mod core;
mod data;
pub mod dialect;
pub mod engine;
pub mod escape;
pub mod event;
pub mod label;
pub mod line;
pub mod m6311;
pub mod names;
mod network;
pub mod port;
pub mod power;
pub mod radio;
pub mod reply;
pub mod sim800a;
pub mod socket;

#[cfg(test)]
mod tests;
