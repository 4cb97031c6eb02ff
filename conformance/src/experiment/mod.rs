//! Experiments: what designs do over many swipes, as numbers and not as a verdict.
//!
//! [`water_cache`] is the experiment, [`sample`] many benches at one setting, [`bench`](mod@bench) one of them,
//! [`disturbance`] what befalls it. [`interval`] says what a count is worth.

pub mod bench;
mod csv;
pub mod disturbance;
pub mod interval;
mod plot;
mod report;
pub mod sample;
mod table;
pub mod water_cache;
mod words;

pub use csv::HEAD as CSV_HEAD;
pub use report::{ExperimentPlan, ReportError, conduct, render_csv, render_plot, render_table};

/// The experiments that there are.
pub const NAMES: [&str; 1] = ["water-cache"];
