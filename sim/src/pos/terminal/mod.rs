//! The POS terminal: firmware, its board, and what it keeps.
//!
//! - [`TerminalPolicy`] names the choices on which such terminals differ.
//! - [`store`] keeps sales in flash, [`clock`] their times.

pub mod clock;
pub mod entry;
pub mod installed;
mod policy;
pub mod store;
#[cfg(test)]
mod store_tests;

pub use policy::*;
