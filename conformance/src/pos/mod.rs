//! The suite for the UDP POS system.

mod exhibits;
pub mod ledger;
pub mod oracles;
mod people;
pub mod scene;
pub mod server;
pub mod suited;
mod system;
pub mod terminal;

use assay_sim::pos::family::Pos;
use assay_sim::pos::policy::Policy;

use crate::suite::{Mutant, Turn};
use crate::system::System;

pub use suited::{DRAINED, Setup};

/// A case as this family's suites write it.
pub type Case = crate::case::Script<Pos>;
/// The stage of such a case.
pub type Stage = crate::stage::Stage<Pos>;

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
    mutants.extend(terminal::mutants());
    mutants.extend(system::mutants());
    mutants
}

/// A mutant of this family.
const fn mutant(name: &'static str, what: &'static str, turn: fn(&mut Policy)) -> Mutant {
    Mutant { name, what, system: System::Pos, turn: Turn::Pos(turn), profile: "" }
}
