//! Cases in which every party of an installation takes part.

mod fleet;
mod mutants;
mod off_line;
mod payment;

use assay_sim::pos::family::Pos;
use assay_sim::pos::plant::{CardSpec, Seating, TerminalSpec};

use crate::finding::Oracles;
use crate::pos::oracles::drain::Drain;
use crate::pos::oracles::money::Money;
use crate::pos::scene::Scene;
use crate::pos::{Case, Setup};
use crate::system::{Sut, System};

pub(super) use mutants::mutants;

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    [payment::CASES, off_line::CASES, fleet::CASES].concat()
}

/// A card with a hundred yuan that may not pay off line.
const CARD: &str = "8888888888";
/// One that may.
const WHITE: &str = "7777777777";

/// The cards of most cases.
const CARDS: &[CardSpec] = &[CardSpec::good(CARD, 10_000, 10), CardSpec::good(WHITE, 10_000, 10).white()];

/// One newer device in ordinary mode.
const ONE: Setup = Setup {
    seating: Seating::Whole,
    terminals: 1,
    specs: &[TerminalSpec::ORDINARY],
    cards: CARDS,
    records: 4,
    profile: "",
};

/// What most cases have in common.
const BASE: Case = Case {
    id: "",
    title: "",
    system: System::Pos,
    sut: Sut::System,
    shows: &["POS-I1", "POS-R6"],
    setup: ONE,
    plan: "",
    oracles: judges,
    run: |_| Ok(()),
    explored: false,
    on_rig: false,
    tabletop_only: false,
};

/// Who judges a whole system.
fn judges(_: &Scene) -> Oracles<Pos> {
    vec![Box::new(Money::default()), Box::new(Drain::default())]
}
