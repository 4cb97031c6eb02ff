//! The suite for the prepaid water-card system.

mod customer;
pub mod mutants;
pub mod oracles;
pub mod server;
mod system;
pub mod terminal;

use crate::case::Case;
use crate::suite::Mutant;

/// Its cases.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(server::cases());
    cases.extend(system::cases());
    cases.extend(terminal::cases());
    cases
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    mutants.extend(server::mutants());
    mutants.extend(mutants::money());
    mutants.extend(terminal::mutants());
    mutants
}
