//! Rigs: benches in which a link is real. A rig file says which, and this crate opens its ports and paces the bench.
//!
//! - [`lockstep`] seats a program in any language, stepped in the bench's time.
//! - [`rig`] reads a rig file.
//! - [`pty`] opens the two ends of a pseudo-terminal.
//! - [`real_time`] runs a bench over a rig's ports, one step after the other.

pub mod lockstep;
pub mod pty;
pub mod real_time;
pub mod rig;
mod self_check;
