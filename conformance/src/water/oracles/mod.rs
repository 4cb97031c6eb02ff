//! The judges of the water system.

pub mod facts;
pub mod frames;
pub mod money;
