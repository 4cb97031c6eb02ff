//! The suite for the scan-to-pay system: the pay module, its server, and both together.

mod exhibits;
mod forged;
pub mod ledger;
mod link;
mod mutants;
pub mod oracles;
pub mod scene;
mod server;
mod stage;
pub mod suited;
mod system;
mod trouble;

use assay_sim::money::Fen;
use assay_sim::paymod::family::Paymod;
use assay_sim::paymod::plant::{Carrier, Seating};

use crate::finding::Oracles;
use crate::system::{Sut, System};

pub use mutants::mutants;
use scene::Scene;
pub use suited::{SETTLED, Setup};

/// A case as this family's suites write it.
pub type Case = crate::case::Script<Paymod>;
/// The stage of such a case.
pub type Stage = crate::stage::Stage<Paymod>;

/// Its cases.
pub fn cases() -> Vec<Case> {
    [system::cases(), trouble::cases(), link::cases(), server::cases(), forged::cases()].concat()
}

/// Everybody there, on the module's own connections, a payer with enough, and platforms that do nothing wrong.
const SETUP: Setup = Setup {
    seating: Seating::Whole,
    carrier: Carrier::Direct,
    balance: Fen(1_000_000),
    misbehaviour: "",
    profile: "",
    modules: 1,
};

/// What most cases have in common.
const BASE: Case = Case {
    id: "",
    title: "",
    system: System::Paymod,
    sut: Sut::System,
    shows: &[],
    setup: SETUP,
    plan: "",
    oracles: judges,
    run: |_| Ok(()),
    explored: false,
    on_rig: false,
    tabletop_only: false,
};

/// Every judge.
fn judges(_: &Scene) -> Oracles<Paymod> {
    vec![
        Box::new(oracles::line::Line::default()),
        Box::new(oracles::link::Link::default()),
        Box::new(oracles::orders::Orders::default()),
        Box::new(oracles::money::Money::default()),
        Box::new(oracles::channel::Channel::default()),
    ]
}
