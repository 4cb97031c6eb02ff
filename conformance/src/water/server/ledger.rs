//! Requests and uploads that come late, twice, from elsewhere, or never.

use assay_sim::water::frame::{OrderNumber, WriteResult};

use super::head::{Desk, Reply, begin, pay, rest};
use super::{FLAT, case, setup};
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

const FAILED: WriteResult = WriteResult::Failed;
const WRITTEN: WriteResult = WriteResult::Written;
const IN_DOUBT: WriteResult = WriteResult::InDoubt;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "water/server-ledger/closes-once",
            "An order is closed once; the same upload again, and late ones of every result, change nothing",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
            closes_once,
        ),
        Case {
            setup: setup(2, &[FLAT, FLAT]),
            ..case(
                "water/server-ledger/uploads-that-close-nothing",
                "Results 0 and 2, a wrong sold volume, an unknown order and another card's close nothing",
                &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
                uploads_that_close_nothing,
            )
        },
        case(
            "water/server-ledger/recognised-by-sold",
            "Orders whose uploads were lost are recognised by the sold volume and never offered again",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6", "WAT-T7"],
            recognised_by_sold,
        ),
        case(
            "water/server-ledger/two-terminals-one-order",
            "Two terminals ask and report doubled and mixed up, and one order is credited once",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
            two_terminals_one_order,
        ),
        case(
            "water/server-ledger/one-order-at-a-time",
            "Of three orders the oldest is out, at whichever terminal, until it is closed",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6", "WAT-T7"],
            one_order_at_a_time,
        ),
        case(
            "water/server-ledger/unexplained-sold",
            "A card that shows what no order explains is refused, and nothing changes",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T7"],
            unexplained_sold,
        ),
        case(
            "water/server-ledger/doubt-ends-at-the-card",
            "An order in doubt is offered again on its base, and closed when the card shows it",
            &["WAT-I1", "WAT-I2", "WAT-T5", "WAT-T6", "WAT-T7"],
            doubt_ends_at_the_card,
        ),
    ]
}

fn closes_once(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    a.present(stage, 0)?;
    a.report(stage, order, WRITTEN, 100)?;
    a.query(stage)?;
    a.report(stage, order, WRITTEN, 100)?;
    b.report(stage, order, WRITTEN, 100)?;
    a.query(stage)?;
    b.report(stage, order, IN_DOUBT, 100)?;
    b.report(stage, order, IN_DOUBT, 0)?;
    a.query(stage)?;
    b.report(stage, order, FAILED, 0)?;
    a.query(stage)?;
    a.present(stage, 100)?;
    // A request that was on its way since before the credit.
    b.present(stage, 0)?;
    a.query(stage)?;
    rest(stage)
}

fn uploads_that_close_nothing(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 1));
    let order = pay(stage, 0, 350)?;
    let others = pay(stage, 1, 350)?;
    a.present(stage, 0)?;
    b.present(stage, 0)?;
    a.report(stage, order, FAILED, 0)?;
    a.query(stage)?;
    a.present(stage, 0)?;
    a.report(stage, order, IN_DOUBT, 0)?;
    a.query(stage)?;
    a.present(stage, 0)?;
    for sold in [250, 99, 101, 0, 200] {
        a.report(stage, order, WRITTEN, sold)?;
    }
    a.query(stage)?;
    a.report(stage, OrderNumber::MAX, WRITTEN, 100)?;
    a.report(stage, others, WRITTEN, 100)?;
    a.query(stage)?;
    b.query(stage)?;
    a.present(stage, 0)?;
    a.report(stage, order, WRITTEN, 100)?;
    b.report(stage, others, WRITTEN, 100)?;
    a.query(stage)?;
    b.query(stage)?;
    rest(stage)
}

fn recognised_by_sold(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let first = pay(stage, 0, 350)?;
    let second = pay(stage, 0, 700)?;
    a.present(stage, 0)?;
    // Credited, and its upload lost: the next contact is elsewhere.
    b.present(stage, 100)?;
    b.query(stage)?;
    b.present(stage, 100)?;
    a.report(stage, first, WRITTEN, 100)?;
    a.query(stage)?;
    // The second as well.
    a.present(stage, 300)?;
    a.query(stage)?;
    a.present(stage, 300)?;
    b.report(stage, second, WRITTEN, 300)?;
    b.report(stage, second, FAILED, 100)?;
    a.query(stage)?;
    b.present(stage, 300)?;
    rest(stage)
}

fn two_terminals_one_order(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    for desk in [a, b, b, a] {
        let (pricing, request) = desk.order_request(stage, 0)?;
        desk.head.throw(stage, pricing, &request)?;
    }
    rest(stage)?;
    // Terminal A has credited it; B gave up, and its request of before comes once more.
    let (pricing, written) = a.upload(stage, order, WRITTEN, 100)?;
    let (_, failed) = b.upload(stage, order, FAILED, 0)?;
    let (_, late) = b.order_request(stage, 0)?;
    a.head.throw(stage, pricing, &written)?;
    b.head.throw(stage, pricing, &failed)?;
    a.head.throw(stage, pricing, &written)?;
    b.head.throw(stage, pricing, &late)?;
    rest(stage)?;
    a.query(stage)?;
    b.present(stage, 0)?;
    b.report(stage, order, FAILED, 0)?;
    b.present(stage, 100)?;
    a.query(stage)?;
    rest(stage)
}

fn one_order_at_a_time(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let first = pay(stage, 0, 350)?;
    a.present(stage, 0)?;
    let second = pay(stage, 0, 350)?;
    let third = pay(stage, 0, 350)?;
    b.present(stage, 0)?;
    a.present(stage, 0)?;
    a.report(stage, first, WRITTEN, 100)?;
    b.present(stage, 0)?;
    b.present(stage, 100)?;
    a.present(stage, 100)?;
    a.present(stage, 200)?;
    b.report(stage, second, WRITTEN, 200)?;
    b.report(stage, third, IN_DOUBT, 200)?;
    a.present(stage, 200)?;
    a.present(stage, 300)?;
    a.query(stage)?;
    rest(stage)
}

fn unexplained_sold(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    // Not even what the order would make of it, as long as nobody was offered the order.
    a.present(stage, 100)?;
    if a.present(stage, 777)? == Reply::Offer {
        // Such a server has the card credited; it knows no more afterwards than before.
        a.report(stage, order, WRITTEN, 877)?;
        b.present(stage, 877)?;
    }
    a.query(stage)?;
    a.present(stage, 0)?;
    for sold in [50, 101, 250] {
        b.present(stage, sold)?;
    }
    b.report(stage, order, WRITTEN, 350)?;
    b.present(stage, 350)?;
    b.query(stage)?;
    a.present(stage, 0)?;
    a.report(stage, order, WRITTEN, 100)?;
    for sold in [0, 99, 200] {
        b.present(stage, sold)?;
    }
    a.present(stage, 100)?;
    a.query(stage)?;
    rest(stage)
}

fn doubt_ends_at_the_card(stage: &mut Stage) -> Result<(), StageError> {
    begin(stage, 2)?;
    let (a, b) = (Desk::at(0, 0), Desk::at(1, 0));
    let order = pay(stage, 0, 350)?;
    a.present(stage, 0)?;
    a.report(stage, order, IN_DOUBT, 0)?;
    a.query(stage)?;
    // The card shows that it was not credited.
    b.present(stage, 0)?;
    b.report(stage, order, IN_DOUBT, 100)?;
    b.query(stage)?;
    // And now that it was.
    a.present(stage, 100)?;
    a.query(stage)?;
    a.report(stage, order, IN_DOUBT, 0)?;
    b.report(stage, order, WRITTEN, 100)?;
    a.query(stage)?;
    rest(stage)
}
