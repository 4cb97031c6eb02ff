//! Cases for the POS terminal: a test head in the server's place speaks datagrams to it.

mod answers;
mod clock;
mod cuts;
mod hostile;
mod modes;
mod mutants;
mod pending;
mod probe_server;
mod records;
mod rounds;
mod store;
mod texts;

use assay_sim::pos::plant::{CardSpec, Seating, TerminalSpec};

use super::oracles::terminal::judges;
use crate::pos::{Case, Setup};
use crate::system::{Sut, System};

pub use mutants::mutants;

/// A card that may not pay off line.
const CARD: &str = "8888888888";
/// One that may.
const WHITE: &str = "7777777777";
/// Others that may.
const MORE_WHITE: [&str; 3] = ["7777777771", "7777777772", "7777777773"];

/// The cards of every case.
const CARDS: &[CardSpec] = &[
    CardSpec::good(CARD, 10_000, 10),
    CardSpec::good(WHITE, 10_000, 10).white(),
    CardSpec::good(MORE_WHITE[0], 10_000, 10).white(),
    CardSpec::good(MORE_WHITE[1], 10_000, 10).white(),
    CardSpec::good(MORE_WHITE[2], 10_000, 10).white(),
];

/// One newer device in ordinary mode, and a test head for a server.
const ONE: Setup = Setup {
    seating: Seating::ProbeServer,
    terminals: 1,
    specs: &[TerminalSpec::ORDINARY],
    cards: CARDS,
    records: 4,
    profile: "",
};

/// What every case of this folder shares.
const BASE: Case = Case {
    id: "",
    title: "",
    system: System::Pos,
    sut: Sut::Terminal,
    shows: &[],
    setup: ONE,
    plan: "",
    oracles: |_| judges(),
    run: |_| Ok(()),
    explored: false,
    on_rig: false,
    tabletop_only: false,
};

/// Every case.
pub fn cases() -> Vec<Case> {
    [
        rounds::CASES,
        pending::CASES,
        answers::CASES,
        modes::CASES,
        records::CASES,
        store::CASES,
        cuts::CASES,
        clock::CASES,
        texts::CASES,
        hostile::CASES,
    ]
    .concat()
}
