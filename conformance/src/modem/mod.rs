//! The suite for AT modems and their hosts.
//!
//! - A modem under test has test heads at both its ends; a host under test has one in its modem's seat, or a virtual
//!   modem with planned faults.
//! - A case announces on the tape what must come ([`expect`], [`pattern`]); the [`oracles`] compare.

mod bounds;
mod cases;
mod desk;
pub mod expect;
mod mutants;
pub mod oracles;
pub mod pattern;
mod understudy;
mod words;

use assay_sim::time::Span;

use crate::suite::Mutant;
use crate::water::Case;

/// The smallest step of time.
const TICK: Span = Span::us(1);

/// Its cases.
pub fn cases() -> Vec<Case> {
    cases::cases()
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    mutants::mutants()
}
