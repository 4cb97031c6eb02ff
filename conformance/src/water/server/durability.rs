//! The server loses its power, and what it has answered holds.

use assay_sim::machine::Torn;
use assay_sim::time::Span;
use assay_sim::water::frame::WriteResult;

use super::head::{Desk, Reply, begin, pay, rest};
use super::{FLAT, case, setup};
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

const WRITTEN: WriteResult = WriteResult::Written;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            plan: "\
[[strike]]
site = \"lan< paid #1\"
moment = \"after\"
fault = { mishap = \"crash\", party = \"server\", torn = \"old\", off = \"5 s\" }
",
            ..case(
                "water/server-durability/paid-order-survives",
                "The server crashes as soon as it has confirmed a payment, and the order is there",
                &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
                paid_order_survives,
            )
        },
        Case {
            plan: "\
[[strike]]
site = \"gprs-a< order-request-answer #1\"
moment = \"after\"
fault = { mishap = \"crash\", party = \"server\", torn = \"old\", off = \"5 s\" }
",
            ..case(
                "water/server-durability/offer-survives",
                "The server crashes as soon as it has offered an order, and takes its result",
                &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6", "WAT-T7"],
                offer_survives,
            )
        },
        Case {
            plan: "\
[[strike]]
site = \"gprs-a< upload-answer #1\"
moment = \"after\"
fault = { mishap = \"crash\", party = \"server\", torn = \"old\", off = \"5 s\" }
",
            ..case(
                "water/server-durability/closed-order-stays-closed",
                "The server crashes as soon as it has closed an order, and never offers it again",
                &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
                closed_order_stays_closed,
            )
        },
        case(
            "water/server-durability/power-cuts-between-steps",
            "The server loses its power after each step of an order's life, and the order goes on",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6", "WAT-T7"],
            power_cuts_between_steps,
        ),
        Case {
            setup: setup(1, &[FLAT]),
            explored: true,
            ..case(
                "water/server-durability/order-life",
                "An order is paid, offered, reported twice and asked for again",
                &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
                order_life,
            )
        },
    ]
}

/// Longer than the server is away.
const AWAY: Span = Span::s(10);

fn paid_order_survives(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    stage.wait(AWAY)?;
    a.query(stage)?;
    a.present(stage, 0)?;
    a.report(stage, order, WRITTEN, 100)?;
    b.query(stage)?;
    rest(stage)
}

fn offer_survives(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let first = pay(stage, 0, 350)?;
    let second = pay(stage, 0, 350)?;
    a.present(stage, 0)?;
    stage.wait(AWAY)?;
    a.query(stage)?;
    // The card was credited, and another terminal is the first to hear of it.
    b.present(stage, 100)?;
    a.report(stage, first, WRITTEN, 100)?;
    a.report(stage, second, WRITTEN, 200)?;
    b.query(stage)?;
    rest(stage)
}

fn closed_order_stays_closed(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    a.present(stage, 0)?;
    a.report(stage, order, WRITTEN, 100)?;
    stage.wait(AWAY)?;
    b.query(stage)?;
    // A request that was on its way since before the credit.
    b.present(stage, 0)?;
    b.report(stage, order, WriteResult::Failed, 0)?;
    b.present(stage, 100)?;
    a.report(stage, order, WRITTEN, 100)?;
    b.query(stage)?;
    rest(stage)
}

fn power_cuts_between_steps(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let off = stage.scene().profile.faults.off.first().copied().unwrap_or(AWAY);
    let cut = |stage: &mut Stage| stage.cut_for("server", Torn::Neither, off);
    let first = pay(stage, 0, 350)?;
    let second = pay(stage, 0, 350)?;
    cut(stage)?;
    a.query(stage)?;
    a.present(stage, 0)?;
    cut(stage)?;
    a.query(stage)?;
    b.present(stage, 0)?;
    a.report(stage, first, WRITTEN, 100)?;
    cut(stage)?;
    a.query(stage)?;
    a.report(stage, first, WRITTEN, 100)?;
    b.present(stage, 100)?;
    cut(stage)?;
    b.report(stage, second, WriteResult::InDoubt, 100)?;
    cut(stage)?;
    a.present(stage, 200)?;
    cut(stage)?;
    a.query(stage)?;
    b.report(stage, second, WriteResult::Failed, 100)?;
    b.present(stage, 200)?;
    a.query(stage)?;
    rest(stage)
}

/// Short, because exploration strikes every one of its sites. What is said follows from what came, as at a terminal.
fn order_life(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 1)?;
    let desk = Desk::at(0, 0);
    let order = pay(stage, 0, 350)?;
    if desk.present(stage, 0)? != Reply::Offer {
        return rest(stage);
    }
    desk.report(stage, order, WRITTEN, 100)?;
    desk.report(stage, order, WRITTEN, 100)?;
    desk.query(stage)?;
    // Whatever was held up on the way comes now.
    let held_up = stage.scene().profile.faults.delays.iter().copied().max().unwrap_or_default();
    stage.wait(held_up)?;
    desk.present(stage, 100)?;
    desk.query(stage)?;
    rest(stage)
}
