//! Rigs: benches in which a link or a party is real. A rig file says which, and this crate opens its ports, starts its
//! processes, switches its power and paces the bench.
//!
//! - [`lockstep`] seats a program in any language, stepped in the bench's time.
//! - [`rig`] reads a rig file.
//! - [`pty`] and [`serial`] open ports.
//! - [`process`] starts processes of others and ends them without a trace.
//! - [`serve`] puts one of the suite's own parties at real ports.
//! - [`overhead`] counts how long a rig holds transmissions up.
//! - [`real_time`] runs a bench over a rig's ports and beside its real parties, one step after the other.

mod alarm;
mod group;
pub mod lockstep;
mod occupant;
mod operator;
mod outlet;
mod outside;
pub mod overhead;
pub mod payments;
mod power;
mod presence;
pub mod process;
pub mod pty;
pub mod real_time;
mod reserved;
pub mod rig;
mod seating;
mod self_check;
pub mod serial;
pub mod serve;
mod starved;

pub use occupant::Cuts;
pub use outside::Greeting;
