//! The judges of the POS system.

pub mod wire;
