//! The UDP POS system: card and scan-code terminals, and the server that charges.
//!
//! - [`frame`] is what a datagram says, in two levels: fields of bytes, and meaning.
//! - [`books`] is what a server keeps, and the rules by which it charges; [`server`] is the server.

pub mod books;
pub mod frame;
pub mod server;
