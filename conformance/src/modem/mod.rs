//! The suite for AT modems and their hosts.

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
