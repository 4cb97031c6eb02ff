//! The UDP POS system: card and scan-code terminals, and the server that charges.
//!
//! - [`frame`] is what a datagram says, in two levels: fields of bytes, and meaning.

pub mod frame;
