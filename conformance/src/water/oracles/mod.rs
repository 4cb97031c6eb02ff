//! The judges of the water system.

pub mod facts;
pub mod frames;
pub mod memory;
pub mod money;
pub mod reports;
