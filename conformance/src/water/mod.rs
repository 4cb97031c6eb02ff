//! The suite for the prepaid water-card system.

mod customer;
mod exhibits;
pub mod ledger;
pub mod mutants;
pub mod oracles;
pub mod scene;
pub mod server;
pub mod suited;
mod system;
pub mod terminal;

use assay_sim::water::family::Water;

use crate::case::AnyScript;
use crate::suite::Mutant;

pub use suited::{DRAINED, Setup};

/// A case as this family's suites write it.
pub type Case = crate::case::Script<Water>;
/// The stage of such a case.
pub type Stage = crate::stage::Stage<Water>;

/// Its cases.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(server::cases());
    cases.extend(system::cases());
    cases.extend(terminal::cases());
    cases
}

/// Whether a case puts terminals to the test, so that a terminal of others can take their seats.
pub fn seats_terminals(case: &crate::case::Case) -> bool {
    match case.script {
        AnyScript::Water(script) => suited::has_terminals_under_test(&script.setup, script.sut),
        AnyScript::Pos(_) | AnyScript::Payments(_) | AnyScript::Paymod(_) => false,
    }
}

/// Its mutants.
pub fn mutants() -> Vec<Mutant> {
    let mut mutants = Vec::new();
    mutants.extend(server::mutants());
    mutants.extend(mutants::money());
    mutants.extend(terminal::mutants());
    mutants
}
