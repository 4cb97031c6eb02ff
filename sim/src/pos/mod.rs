//! The UDP POS system: card and scan-code terminals, and the server that charges.
//!
//! - [`frame`] is what a datagram says, in two levels: fields of bytes, and meaning.
//! - [`books`] is what a server keeps, and the rules by which it charges; [`server`] is the server, and [`platform`]
//!   the payment platform behind it.
//! - [`terminal`] is the terminal on its flash, and [`panel`] stands for people before it.
//! - [`observe`] is what is read off parties at rest, and [`ledger_line`] the form in which any server can tell it.
//! - [`plant`] draws a whole installation; [`profile`] and [`policy`] say how it differs from others.

pub mod books;
pub mod family;
pub mod frame;
pub mod ledger_line;
pub mod observe;
pub mod panel;
pub mod party;
pub mod plant;
pub mod platform;
pub mod policy;
pub mod profile;
pub mod server;
pub mod terminal;
