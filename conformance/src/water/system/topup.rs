//! One customer, one terminal.

use assay_sim::machine::Torn;
use assay_sim::money::Fen;
use assay_sim::time::Span;

use super::{BASE, FLAT, ONE, TIERED};
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::{Case, Setup};

/// What 12.5 t cost at the flat price of the built-in profile.
const PAID: Fen = Fen(4_375);
/// What a clean top-up shows.
const MONEY: &[&str] = &["WAT-T1", "WAT-T2", "WAT-T3", "WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/topup/clean",
        title: "an order is paid, credited once, confirmed, and found done at the next visit",
        shows: MONEY,
        run: one_topup,
        explored: true,
        on_rig: true,
        ..BASE
    },
    Case {
        id: "water/topup/lost-answer",
        title: "the answer to the result upload is lost on the line",
        shows: MONEY,
        plan: r#"
            [[strike]]
            site = "uart-a< +IPDATA/upload-answer #1"
            fault = { fate = "overrun", from = 0 }
        "#,
        run: one_topup,
        on_rig: true,
        ..BASE
    },
    Case {
        id: "water/topup/power-cut",
        title: "the power of the terminal goes just before it uploads the result",
        shows: &[
            "WAT-T1", "WAT-T2", "WAT-C3", "WAT-C4", "WAT-C5", "WAT-C6", "WAT-I1", "WAT-I2", "WAT-I3",
            "WAT-I4",
        ],
        plan: r#"
            [[strike]]
            site = "uart-a> upload #1"
            fault = { mishap = "power-cut", supply = "strip-a", off = "5 s" }
        "#,
        run: one_topup,
        on_rig: true,
        ..BASE
    },
    Case {
        id: "water/topup/lost-request",
        title: "the order request is lost on the line, and the customer tries again",
        shows: MONEY,
        plan: r#"
            [[strike]]
            site = "uart-a> order-request #1"
            fault = { fate = "overrun", from = 0 }
        "#,
        run: two_visits_then_rest,
        ..BASE
    },
    Case {
        id: "water/topup/removed-before-write",
        title: "the card leaves while the server is asked",
        shows: &["WAT-T1", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "uart-a< +IPDATA/order-request-answer #1"
            fault = { mishap = "remove-card", link = "rf-a" }
        "#,
        run: two_visits_then_rest,
        ..BASE
    },
    Case {
        id: "water/topup/removed-before-first-block",
        title: "the card leaves after the intent is recorded and before any block is written",
        shows: &["WAT-T1", "WAT-T4", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "terminal-a eeprom-cycle@104 #1"
            fault = { mishap = "remove-card", link = "rf-a" }
        "#,
        run: two_visits_then_rest,
        ..BASE
    },
    Case {
        id: "water/topup/removed-in-block-3",
        title: "the card leaves while block 3 is programmed, which is left undefined",
        shows: &["WAT-T1", "WAT-T4", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "card-1 card-block@3 #2"
            fault = { mishap = "remove-card", link = "rf-a", torn = "neither" }
        "#,
        run: two_visits_then_rest,
        ..BASE
    },
    Case {
        id: "water/topup/removed-in-block-4",
        title: "the card leaves while block 4 is programmed, which is left undefined",
        shows: &["WAT-T1", "WAT-T2", "WAT-T4", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "card-1 card-block@4 #2"
            fault = { mishap = "remove-card", link = "rf-a", torn = "neither" }
        "#,
        run: two_visits_then_rest,
        ..BASE
    },
    Case {
        id: "water/topup/removed-in-block-6",
        title: "the card leaves while block 6 is programmed, and the next order meets the card torn",
        shows: &["WAT-T1", "WAT-T2", "WAT-T4", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "card-1 card-block@6 #2"
            fault = { mishap = "remove-card", link = "rf-a", torn = "neither" }
        "#,
        run: next_order_on_torn_card,
        ..BASE
    },
    Case {
        id: "water/topup/write-rejected",
        title: "three times the card understands no write, and keeps what it held",
        shows: &["WAT-T1", "WAT-T4", "WAT-I2", "WAT-I3", "WAT-I4"],
        plan: r#"
            [[strike]]
            site = "rf-a> burst #1"
            fault = { fate = "jitter", at = 5, by = 12 }
            [[strike]]
            site = "rf-a> burst #2"
            fault = { fate = "jitter", at = 5, by = 12 }
            [[strike]]
            site = "rf-a> burst #3"
            fault = { fate = "jitter", at = 5, by = 12 }
            [[strike]]
            site = "rf-a> burst #4"
            fault = { fate = "jitter", at = 5, by = 12 }
            [[strike]]
            site = "rf-a> burst #5"
            fault = { fate = "jitter", at = 5, by = 12 }
            [[strike]]
            site = "rf-a> burst #6"
            fault = { fate = "jitter", at = 5, by = 12 }
        "#,
        run: two_visits_then_rest,
        ..BASE
    },
    Case {
        id: "water/topup/several-orders",
        title: "three orders for one card are credited one after the other, oldest first",
        shows: MONEY,
        run: several_orders,
        ..BASE
    },
    Case {
        id: "water/topup/flat-and-tiered",
        title: "a flat and a tiered card buy for the same money at their own prices",
        shows: MONEY,
        setup: Setup { cards: &[FLAT, TIERED], ..ONE },
        run: flat_and_tiered,
        ..BASE
    },
    Case {
        id: "water/topup/forty-credits",
        title: "forty credits wear the memory no more than ten years allow",
        shows: &["WAT-C7", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"],
        run: forty_credits,
        ..BASE
    },
];

fn one_topup(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.prepay(0, PAID)?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 0)?;
    stage.rest()?;
    stage.visit_until_told(0, 0)?;
    stage.rest()
}

fn two_visits_then_rest(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.prepay(0, PAID)?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 0)?;
    stage.wait(Span::s(10))?;
    stage.visit_until_told(0, 0)?;
    stage.rest()?;
    stage.visit_until_told(0, 0)?;
    stage.rest()
}

fn next_order_on_torn_card(stage: &mut Stage) -> Result<(), StageError> {
    two_visits_then_rest(stage)?;
    stage.prepay(0, PAID)?;
    stage.wait(Span::s(2))?;
    stage.visit_until_told(0, 0)?;
    stage.rest()
}

fn several_orders(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    for paid in [PAID, Fen(700), Fen(10_500)] {
        stage.prepay(0, paid)?;
        stage.wait(Span::s(1))?;
    }
    for _ in 0..4 {
        stage.visit_until_told(0, 0)?;
        stage.wait(Span::s(5))?;
    }
    stage.rest()
}

fn flat_and_tiered(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    for card in 0..2 {
        stage.prepay(card, Fen(9_000))?;
        stage.wait(Span::s(1))?;
        stage.visit_until_told(card, 0)?;
        stage.wait(Span::s(5))?;
    }
    stage.rest()
}

fn forty_credits(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    for _ in 0..40 {
        stage.prepay(0, Fen(350))?;
        stage.wait(Span::s(1))?;
        stage.visit_until_told(0, 0)?;
        stage.wait(Span::s(3))?;
    }
    stage.remove(0, Torn::default())?;
    stage.rest()
}
