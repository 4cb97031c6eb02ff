//! Results that wait for the server.

use assay_sim::machine::Torn;
use assay_sim::money::Fen;
use assay_sim::time::Span;

use super::{BASE, FLAT, ONE};
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::{Case, Setup};

const CACHED: &[&str] = &["WAT-C3", "WAT-C4", "WAT-C5", "WAT-C6", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"];

/// Every upload until the ninth is lost on the line.
const NO_UPLOAD_PASSES: &str = r#"
    [[strike]]
    site = "uart-a> upload #1"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #2"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #3"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #4"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #5"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #6"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #7"
    fault = { fate = "overrun", from = 0 }
    [[strike]]
    site = "uart-a> upload #8"
    fault = { fate = "overrun", from = 0 }
"#;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/cache/power-cut-while-waiting",
        title: "the server is out of reach, and the power goes while the result waits",
        shows: CACHED,
        plan: r#"
            [[strike]]
            site = "uart-a> upload #1"
            fault = { mishap = "link-down", link = "gprs-a", span = "120 s" }
            [[strike]]
            site = "uart-a> upload #2"
            fault = { mishap = "power-cut", supply = "strip-a", off = "5 s" }
        "#,
        run: one_card,
        ..BASE
    },
    Case {
        id: "water/cache/modem-dies",
        title: "the modem loses its power with the result on its way",
        shows: &["WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "uart-a> upload #1"
            moment = "after"
            fault = { mishap = "power-cut", supply = "modem-a", off = "30 s" }
        "#,
        run: one_card,
        ..BASE
    },
    Case {
        id: "water/cache/half-open",
        title: "the connection goes dead under the result, and nobody is told",
        shows: &["WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "gprs-a> upload #1"
            fault = { fate = "half-open" }
        "#,
        run: one_card,
        ..BASE
    },
    Case {
        id: "water/cache/torn-record",
        title: "the power goes while the last page of the intent is written, which is left undefined",
        shows: &["WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "terminal-a eeprom-cycle@136 #1"
            fault = { mishap = "power-cut", supply = "strip-a", torn = "neither", off = "5 s" }
        "#,
        run: one_card,
        ..BASE
    },
    Case {
        id: "water/cache/full",
        title: "with two undelivered results a third card is not credited, and all is drained afterwards",
        shows: &["WAT-C4", "WAT-C5", "WAT-C6", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: Setup { cards: &[FLAT, FLAT, FLAT], ..ONE },
        plan: NO_UPLOAD_PASSES,
        run: three_cards,
        ..BASE
    },
];

fn one_card(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.prepay(0, Fen(4_375))?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 0)?;
    // Long enough for the time-out and what follows from it.
    stage.wait(Span::s(60))?;
    stage.rest()?;
    stage.visit_until_told(0, 0)?;
    stage.rest()
}

fn three_cards(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    for card in 0..3 {
        stage.prepay(card, Fen(700))?;
        stage.wait(Span::s(1))?;
    }
    for card in 0..3 {
        stage.visit_until_told(card, 0)?;
        stage.wait(Span::s(2))?;
        stage.read_memories();
    }
    stage.cut_for("strip-a", Torn::Neither, Span::s(5))?;
    stage.ready(0)?;
    stage.rest()?;
    for card in 0..3 {
        stage.visit_until_told(card, 0)?;
        stage.wait(Span::s(5))?;
    }
    stage.rest()
}
