//! The suite for programs that call the payment platforms, and for what the platforms record of them.

mod backend;
pub mod client;
mod exhibits;
mod faced;
pub mod oracles;
pub mod scene;
mod stage;
pub mod suited;
mod told;

use assay_sim::payments::family::Payments;

use crate::suite::Mutant;

pub use suited::{SETTLED, Setup};

/// A case as this family's suites write it.
pub type Case = crate::case::Script<Payments>;
/// The stage of such a case.
pub type Stage = crate::stage::Stage<Payments>;

/// Its cases.
pub fn cases() -> Vec<Case> {
    [client::cases(), backend::cases()].concat()
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    client::mutants()
}
