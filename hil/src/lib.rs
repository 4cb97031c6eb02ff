//! Rigs: benches in which a link is real. A rig file says which, and this crate opens its ports and paces the bench.
//!
//! - [`rig`] reads a rig file.
//! - [`pty`] opens the two ends of a pseudo-terminal.

pub mod pty;
pub mod rig;
