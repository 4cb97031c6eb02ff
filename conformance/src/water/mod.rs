//! The suite for the prepaid water-card system.

pub mod oracles;

use crate::case::Case;
use crate::suite::Mutant;

/// Its cases.
pub fn cases() -> Vec<Case> {
    Vec::new()
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    Vec::new()
}
