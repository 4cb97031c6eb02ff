//! Rigs: real processes in the seats of a bench, parties that are served, certifications. Most of what these tests take
//! is waiting, so that each starts what can be under way at once.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what is missing fails the test right there")]

mod at_work;
mod certify;
mod devices;
mod foreign;
mod hopeless;
mod operators;
mod paymod;
mod processes;
mod seats;
mod serve;
