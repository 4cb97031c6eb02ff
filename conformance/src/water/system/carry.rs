//! A card that goes from one terminal to another.

use assay_sim::machine::Torn;
use assay_sim::money::Fen;
use assay_sim::time::Span;

use super::{BASE, TWO};
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

const PAID: Fen = Fen(4_375);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/carry/after-cut",
        title: "the power of terminal A goes in the middle of a credit, and the card is taken to terminal B",
        shows: &["WAT-T1", "WAT-T2", "WAT-C4", "WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: TWO,
        plan: r#"
            [[strike]]
            site = "rf-a> burst #3"
            moment = "midway"
            fault = { mishap = "power-cut", supply = "strip-a", off = "60 s" }
        "#,
        run: carried_after_cut,
        ..BASE
    },
    Case {
        id: "water/carry/torn-block-3",
        title: "the power of terminal A goes while block 3 is programmed and left undefined; B decides the card",
        shows: &["WAT-T1", "WAT-T2", "WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: TWO,
        plan: r#"
            [[strike]]
            site = "card-1 card-block@3 #2"
            fault = { mishap = "power-cut", supply = "strip-a", torn = "neither", off = "60 s" }
        "#,
        run: carried_after_cut,
        ..BASE
    },
    Case {
        id: "water/carry/late-answer",
        title: "A's answer is late; the card is credited at B meanwhile and comes back to A before it arrives",
        shows: &["WAT-T1", "WAT-T2", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: TWO,
        plan: r#"
            [[strike]]
            site = "gprs-a< order-request-answer #1"
            fault = { fate = "delay", by = "16 s" }
        "#,
        run: late_answer,
        ..BASE
    },
    Case {
        id: "water/carry/result-still-cached",
        title: "A cannot upload its result; the card is presented at B, which settles it by what the card shows",
        shows: &["WAT-T1", "WAT-T2", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: TWO,
        plan: r#"
            [[strike]]
            site = "uart-a> upload #1"
            fault = { mishap = "link-down", link = "gprs-a", span = "120 s" }
        "#,
        run: result_still_cached,
        ..BASE
    },
    Case {
        id: "water/carry/there-and-back",
        title: "three orders are credited at A, at B and at A again",
        shows: &["WAT-T1", "WAT-T2", "WAT-T3", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: TWO,
        run: there_and_back,
        ..BASE
    },
    Case {
        id: "water/carry/both-at-once",
        title: "two cards of two orders are credited at two terminals at the same time",
        shows: &["WAT-T1", "WAT-T2", "WAT-T3", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        setup: crate::water::Setup { cards: &[super::FLAT, super::FLAT], ..TWO },
        run: both_at_once,
        ..BASE
    },
];

fn carried_after_cut(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    stage.prepay(0, PAID)?;
    stage.wait(Span::s(2))?;
    stage.present(0, 0)?;
    stage.wait(Span::s(5))?;
    stage.remove(0, Torn::default())?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 1)?;
    stage.wait(Span::s(5))?;
    stage.visit_until_told(0, 1)?;
    stage.rest()?;
    stage.visit_until_told(0, 0)?;
    stage.rest()
}

fn late_answer(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    stage.prepay(0, PAID)?;
    stage.wait(Span::s(2))?;
    stage.present(0, 0)?;
    stage.wait(Span::s(1))?;
    stage.remove(0, Torn::default())?;
    stage.wait(Span::ms(500))?;
    stage.visit_until_told(0, 1)?;
    stage.wait(Span::s(2))?;
    stage.present(0, 0)?;
    stage.wait(Span::s(40))?;
    stage.remove(0, Torn::default())?;
    stage.rest()?;
    stage.visit_until_told(0, 0)?;
    stage.rest()
}

fn result_still_cached(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    stage.prepay(0, PAID)?;
    stage.prepay(0, Fen(700))?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 0)?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 1)?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 1)?;
    stage.rest()
}

fn there_and_back(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    for (terminal, paid) in [(0, PAID), (1, Fen(700)), (0, Fen(350))] {
        stage.prepay(0, paid)?;
        stage.wait(Span::s(2))?;
        stage.visit_until_told(0, terminal)?;
        stage.wait(Span::s(5))?;
    }
    stage.rest()
}

fn both_at_once(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.ready(1)?;
    stage.prepay(0, PAID)?;
    stage.prepay(1, Fen(700))?;
    stage.wait(Span::s(2))?;
    stage.present(0, 0)?;
    stage.present(1, 1)?;
    stage.wait(Span::s(15))?;
    stage.remove(0, Torn::default())?;
    stage.remove(1, Torn::default())?;
    stage.rest()
}
