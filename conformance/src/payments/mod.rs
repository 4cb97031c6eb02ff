//! The suite for programs that call the payment platforms.

pub mod client;
mod exhibits;
pub mod oracles;
pub mod scene;
mod stage;
pub mod suited;

use assay_sim::payments::family::Payments;

use crate::suite::Mutant;

pub use suited::{SETTLED, Setup};

/// A case as this family's suites write it.
pub type Case = crate::case::Script<Payments>;
/// The stage of such a case.
pub type Stage = crate::stage::Stage<Payments>;

/// Its cases.
pub fn cases() -> Vec<Case> {
    client::cases()
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    client::mutants()
}
