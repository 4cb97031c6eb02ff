//! The judges of the POS system.

pub mod drain;
pub mod facts;
pub mod money;
pub mod wire;
