//! Cases in which a terminal with its modem is under test, and the case plays the server byte by byte.

mod addressee;
mod boot;
mod damage;
mod mutants;
mod negative;
mod panel;
mod probe_server;
mod stream;
mod upload;

use assay_sim::money::Volume;
use assay_sim::water::cards::CardSpec;
use assay_sim::water::family::Water;
use assay_sim::water::plant::Seating;
use assay_sim::water::tariff::Pricing;

use crate::finding::Oracle;
use crate::system::Sut;
use crate::system::System;
use crate::water::scene::Scene;
use crate::water::{Case, Setup};

pub use mutants::mutants;

/// A card that has bought 40 t at the flat price.
const FLAT: CardSpec = CardSpec { sold: Volume(4_000), pricing: Pricing::Flat };
/// A new card whose owner pays by tiers.
const TIERED: CardSpec = CardSpec { sold: Volume(0), pricing: Pricing::Tiered };

/// One terminal, one card, and a test head for a server.
const ONE: Setup = Setup { seating: Seating::ProbeServer, terminals: 1, cards: &[FLAT], profile: "" };

/// The same over a network of even latency, so that what the server sends apart arrives as far apart.
const EVEN: Setup = Setup {
    profile: r#"
        [gprs]
        latency_min = "200 ms"
        latency_max = "200 ms"
    "#,
    ..ONE
};

/// What every case of this folder shares.
const BASE: Case = Case {
    id: "",
    title: "",
    system: System::Water,
    sut: Sut::Terminal,
    shows: &[],
    setup: ONE,
    plan: "",
    oracles: judges,
    run: |_| Ok(()),
    explored: false,
    on_rig: false,
    tabletop_only: false,
};

fn judges(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(crate::water::oracles::terminal_wire::TerminalBench::default())]
}

/// Its cases.
pub fn cases() -> Vec<Case> {
    [
        damage::CASES,
        negative::CASES,
        stream::CASES,
        addressee::CASES,
        upload::CASES,
        boot::CASES,
        panel::CASES,
    ]
    .concat()
}
