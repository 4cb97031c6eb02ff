//! The T5557 card: its memory, its radio and the reader that a terminal drives.
//!
//! - [`air`] is how pulses and edges travel between the two as bytes.
//! - [`manchester`] turns bits into edges and back, and spoils edges for the fault injector.
//! - [`settings`] reads configuration block 0; [`command`] reads the terminal's pulses as the tag does.
//! - [`tag`] is the card itself; [`reader`] is the part of a terminal's firmware that talks to it.
//! - [`number`] and [`content`] are what a water card holds, and the rule that decides a torn one.

pub mod air;
pub mod command;
pub mod content;
pub mod manchester;
pub mod number;
pub mod reader;
mod receiver;
pub mod settings;
pub mod tag;

#[cfg(test)]
mod closed_loop;

pub use air::{
    AirWay, FIELD_CLOCK, air_time, burst_prefix, burst_time, edges_prefix, edges_time, in_field_clocks,
};
pub use command::{Command, Refusal};
pub use content::{CardContent, Reading, ReadingState, Unreadable, read_rule};
pub use number::{CardNumber, NotACardNumber};
pub use reader::{ReadFailure, Reader, ReaderConfig, ReaderOutput, WriteOutcome};
pub use settings::Settings;
pub use tag::{CardEvent, ClockWindow, LockedAnswer, T5557, TagConfig};

/// How many data bits a block has.
pub const BLOCK_BITS: u32 = 32;
