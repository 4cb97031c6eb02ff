//! The suite for the prepaid water-card system.

pub mod oracles;
pub mod server;

use crate::case::Case;
use crate::suite::Mutant;

/// Its cases.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(server::cases());
    cases
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    mutants.extend(server::mutants());
    mutants
}
