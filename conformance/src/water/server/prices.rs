//! Money becomes water. The volumes were worked out by hand from the prices that the cases state.

use assay_sim::money::Volume;
use assay_sim::water::family::Water;
use assay_sim::water::frame::{Request, WriteResult};
use assay_sim::water::tariff::Pricing;

use super::head::{Desk, Head, begin, pay, pay_as, rest};
use super::{FLAT, TIERED, case, setup};
use crate::finding::Oracle;
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;
use crate::water::oracles::server_prices::ServerPrices;
use crate::water::scene::Scene;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            setup: setup(1, &[FLAT]),
            oracles: flat_worth,
            ..case(
                "water/server-prices/flat-and-what-is-left",
                "Flat payments buy by 3.50 a tonne, and what is left counts towards the next",
                &["WAT-P1"],
                flat_and_what_is_left,
            )
        },
        Case {
            setup: setup(1, &[TIERED]),
            oracles: tiered_worth,
            ..case(
                "water/server-prices/tiers-and-what-is-left",
                "Tiered payments climb through three tiers, and what is left counts towards the next",
                &["WAT-P1"],
                tiers_and_what_is_left,
            )
        },
        Case {
            setup: setup(1, &[FLAT, TIERED, FLAT]),
            oracles: by_type_worth,
            ..case(
                "water/server-prices/told-apart-by-type",
                "The same money buys by the type of the order, and each answer keeps its request's type",
                &["WAT-P1"],
                told_apart_by_type,
            )
        },
    ]
}

/// A hundredth of a tonne costs 3.5 fen.
const FLAT_WORTH: [(u128, Volume); 5] = [
    // 1,004 fen: 286 hundredths are 1,001 fen, 3 are left.
    (1_001, Volume(286)),
    // 1,005 and 3: 288 hundredths are 1,008 fen, nothing is left. Alone they would buy 287.
    (1_002, Volume(288)),
    // 1,003: 286 hundredths are 1,001 fen, 2 are left.
    (1_003, Volume(286)),
    // 5 and 2: 2 hundredths are 7 fen. Alone they would buy 1.
    (1_004, Volume(2)),
    // 350 buy a tonne.
    (1_005, Volume(100)),
];

fn flat_worth(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(ServerPrices::knowing(&FLAT_WORTH))]
}

fn flat_and_what_is_left(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    for fen in [1_004, 1_005, 1_003, 5, 350] {
        pay(stage, 0, fen)?;
    }
    Desk::at(0, 0).present(stage, 0)?;
    rest(stage)
}

/// A hundredth of a tonne costs 3 fen up to 15 t in all, 4.5 fen up to 25 t, and 9 fen beyond.
const TIERED_WORTH: [(u128, Volume); 6] = [
    // 3,001: 1,000 hundredths are 3,000 fen, 1 is left. 10 t in all.
    (1_001, Volume(1_000)),
    // 1,951 and 1: 500 hundredths are 1,500, 100 more are 450, 2 are left. 16 t in all.
    (1_002, Volume(600)),
    // 7 and 2: 2 hundredths are 9 fen. Alone they would buy 1. 16.02 t in all.
    (1_003, Volume(2)),
    // 4,946: 898 hundredths are 4,041 fen, 100 more are 900, 5 are left. 26 t in all.
    (1_004, Volume(998)),
    // 13 and 5: 2 hundredths are 18 fen. Alone they would buy 1.
    (1_005, Volume(2)),
    // 900 buy a tonne.
    (1_006, Volume(100)),
];

fn tiered_worth(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(ServerPrices::knowing(&TIERED_WORTH))]
}

fn tiers_and_what_is_left(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    for fen in [3_001, 1_951, 7, 4_946, 13, 900] {
        pay(stage, 0, fen)?;
    }
    Desk::at(0, 0).present(stage, 0)?;
    rest(stage)
}

/// 1,050 fen by both tables, and one card that buys by both.
const BY_TYPE_WORTH: [(u128, Volume); 4] =
    [(1_001, Volume(300)), (1_002, Volume(350)), (1_003, Volume(100)), (1_004, Volume(200))];

fn by_type_worth(_: &Scene) -> Vec<Box<dyn Oracle<Water>>> {
    vec![Box::new(ServerPrices::knowing(&BY_TYPE_WORTH))]
}

fn told_apart_by_type(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    pay(stage, 0, 1_050)?;
    pay(stage, 1, 1_050)?;
    let flat = pay_as(stage, 2, 350, Pricing::Flat)?;
    pay_as(stage, 2, 600, Pricing::Tiered)?;
    Desk::at(0, 0).present(stage, 0)?;
    Desk::at(0, 1).present(stage, 0)?;
    let both = Desk::at(0, 2);
    let (card, _) = both.card(stage)?;
    let request = |sold| Request::OrderRequest { card, sold: Volume(sold) };
    both.head.ask(stage, Pricing::Tiered, &request(0))?;
    both.head.ask(stage, Pricing::Flat, &request(0))?;
    both.report(stage, flat, WriteResult::Written, 100)?;
    both.head.ask(stage, Pricing::Flat, &request(100))?;
    both.head.ask(stage, Pricing::Tiered, &request(100))?;
    for pricing in [Pricing::Flat, Pricing::Tiered] {
        let fault = Request::FaultReport { part: "voice".to_owned(), code: 7 };
        let query = Request::CardQuery { card, sold: Volume::ZERO };
        for request in [Request::Heartbeat, Request::Clock, Request::Parameters, query, fault] {
            Head(0).ask(stage, pricing, &request)?;
        }
    }
    rest(stage)
}
