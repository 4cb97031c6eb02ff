//! Cases for the message server: test heads at several sites speak frames to it, and the prepayment front pays.

mod durability;
mod frames;
mod head;
mod hostile;
mod ledger;
mod mutants;
mod prices;

use assay_sim::money::Volume;
use assay_sim::water::cards::CardSpec;
use assay_sim::water::family::Water;
use assay_sim::water::plant::Seating;
use assay_sim::water::tariff::Pricing;

use super::oracles::server::ServerLedger;
use super::oracles::server_frames::ServerFrames;
use super::oracles::server_negatives::ServerNegatives;
use crate::finding::Oracle;
use crate::stage::StageError;
use crate::system::Sut;
use crate::system::System;
use crate::water::Stage;
use crate::water::scene::Scene;
use crate::water::{Case, Setup};

pub use mutants::mutants;

/// A card whose owner pays the flat price.
const FLAT: CardSpec = CardSpec { sold: Volume::ZERO, pricing: Pricing::Flat };
/// A card whose owner pays by tiers.
const TIERED: CardSpec = CardSpec { sold: Volume::ZERO, pricing: Pricing::Tiered };

/// The prices by which the volumes in these cases were worked out: a tonne of flat water is 3.50.
const PRICES: &str = "\
[tariff]
flat_fen_per_tonne = 350
tiers = [
    { up_to_tonnes = 15, fen_per_tonne = 300 },
    { up_to_tonnes = 25, fen_per_tonne = 450 },
    { fen_per_tonne = 900 },
]
";

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(frames::cases());
    cases.extend(hostile::cases());
    cases.extend(ledger::cases());
    cases.extend(prices::cases());
    cases.extend(durability::cases());
    cases
}

const fn setup(sites: usize, cards: &'static [CardSpec]) -> Setup {
    Setup { seating: Seating::ProbeSites, terminals: sites, cards, profile: PRICES }
}

/// A case on two sites and one card of the flat price, judged by the ledger's rules.
fn case(
    id: &'static str,
    title: &'static str,
    shows: &'static [&'static str],
    run: fn(&mut Stage) -> Result<(), StageError>,
) -> Case {
    Case {
        id,
        title,
        system: System::Water,
        sut: Sut::Server,
        shows,
        setup: setup(2, &[FLAT]),
        plan: "",
        oracles: books,
        run,
        explored: false,
        on_rig: false,
        tabletop_only: false,
    }
}

/// The judges of what the server says about orders.
fn books(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(ServerLedger::default())]
}

/// The judges of how it finds frames.
fn frames(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(ServerFrames::default())]
}

/// The judges of how it answers damaged frames.
fn negatives(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(ServerNegatives::default())]
}
