//! A bench in real time: with its clock paused and pipes for ports, and over a real pseudo-terminal.

#![expect(clippy::unwrap_used, reason = "the whole crate is a test")]

mod paused;
mod pseudo_terminal;
mod toy;
