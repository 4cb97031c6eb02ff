//!
//! - [`air`] is how pulses and edges travel between the two as bytes.
//! - [`manchester`] turns bits into edges and back, and spoils edges for the fault injector.
//! - [`number`] and [`content`] are what a water card holds, and the rule that decides a torn one.

pub mod air;
pub mod content;
pub mod manchester;
pub mod number;
pub mod settings;


pub use air::{
    AirWay, FIELD_CLOCK, air_time, burst_prefix, burst_time, edges_prefix, edges_time, in_field_clocks,
};
pub use content::{CardContent, Reading, ReadingState, Unreadable, read_rule};
pub use number::{CardNumber, NotACardNumber};
pub use settings::Settings;

/// How many data bits a block has.
pub const BLOCK_BITS: u32 = 32;
