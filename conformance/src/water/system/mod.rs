//! Cases in which every party of an installation takes part.

mod cache;
mod carry;
mod server;
mod topup;

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

/// A new card whose owner pays the flat price.
const FLAT: CardSpec = CardSpec { sold: Volume(0), pricing: Pricing::Flat };
/// A new card whose owner pays by tiers.
const TIERED: CardSpec = CardSpec { sold: Volume(0), pricing: Pricing::Tiered };

/// One terminal and one card.
const ONE: Setup = Setup { seating: Seating::Whole, terminals: 1, cards: &[FLAT], profile: "" };
/// Two terminals and one card.
const TWO: Setup = Setup { terminals: 2, ..ONE };

/// What every case of this folder shares.
const BASE: Case = Case {
    id: "",
    title: "",
    system: System::Water,
    sut: Sut::System,
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
    vec![crate::water::oracles::court()]
}

/// Its cases.
pub(super) fn cases() -> Vec<Case> {
    [topup::CASES, carry::CASES, cache::CASES, server::CASES].concat()
}
