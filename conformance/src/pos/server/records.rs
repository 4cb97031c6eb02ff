//! Sales that were booked while the server did not answer.

use super::head::Head;
use super::{CARD, EXPIRED, LOST, OTHER, POOR, SOON, UNKNOWN, case, quiet, rest};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "pos/server-records/repeated",
            "Records come one after the other, each several times",
            &["POS-R3"],
            repeated,
        ),
        case(
            "pos/server-records/impossible-time",
            "Records come whose times are no times, and one of a leap day",
            &["POS-R4"],
            impossible_time,
        ),
        case(
            "pos/server-records/illegal-amount",
            "Records come whose amounts are none",
            &["POS-R4"],
            illegal_amount,
        ),
        case(
            "pos/server-records/after-payment",
            "The record comes of a payment that was charged",
            &["POS-R3", "POS-R5"],
            after_payment,
        ),
        case(
            "pos/server-records/before-payment",
            "A payment comes late, behind its own record",
            &["POS-P1", "POS-R5"],
            before_payment,
        ),
        case(
            "pos/server-records/of-refused-payment",
            "The records come of payments that were refused, and are charged and flagged",
            &["POS-R3", "POS-R5"],
            of_refused_payment,
        ),
        case(
            "pos/server-records/of-bad-cards",
            "Records come of cards that are lost, expired, unknown or empty",
            &["POS-R3", "POS-R5"],
            of_bad_cards,
        ),
        case(
            "pos/server-records/counts",
            "Records of counts come, before and after the messages that they stand for",
            &["POS-P7", "POS-R3", "POS-R5"],
            counts,
        ),
        case(
            "pos/server-records/place-used-again",
            "A place in the device's memory is used for one record after the other",
            &["POS-R3"],
            place_used_again,
        ),
    ]
}

/// A record of five and a half yuan.
fn record(card: &str, second: u32, address: u32) -> String {
    format!("{card},5.50,2024-01-02 03:02:{second:02},0,{address:08},1")
}

fn repeated(stage: &mut Stage) -> Result<(), StageError> {
    for address in 0..3 {
        let fields = record(CARD, address, address);
        Head(0).drain(stage, &fields)?;
        for _ in 0..2 {
            Head(0).tell(stage, "105", "00077", &fields)?;
            stage.pause(SOON)?;
        }
    }
    quiet(stage)?;
    Head(0).tell(stage, "105", "00078", &record(CARD, 0, 0))?;
    rest(stage)
}

fn impossible_time(stage: &mut Stage) -> Result<(), StageError> {
    for (address, time) in [
        "2024-02-30 12:00:00",
        "2023-02-29 12:00:00",
        "2024-13-01 12:00:00",
        "2024-00-10 12:00:00",
        "2024-01-02 24:00:00",
        "2024-01-02 23:60:00",
        "0000-00-00 00:00:00",
        "9999-99-99 99:99:99",
        "2024-01-02",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let fields = format!("{CARD},5.50,{time},0,{address:08},1");
        for _ in 0..2 {
            Head(0).tell(stage, "105", "00001", &fields)?;
            stage.pause(SOON)?;
        }
    }
    Head(0).drain(stage, &format!("{OTHER},5.50,2024-02-29 23:59:59,0,00000020,1"))?;
    rest(stage)
}

fn illegal_amount(stage: &mut Stage) -> Result<(), StageError> {
    let none = ["", "5.5", "-5.50", "+5.50", "5.500", "5;5", "5e0", "５.５０", "10000000.00"];
    for (address, amount) in none.into_iter().enumerate() {
        let fields = format!("{CARD},{amount},2024-01-02 03:02:{address:02},0,{address:08},1");
        for _ in 0..2 {
            Head(0).tell(stage, "105", "00001", &fields)?;
            stage.pause(SOON)?;
        }
    }
    Head(0).drain(stage, &format!("{OTHER},0.01,2024-01-02 03:02:30,0,00000020,1"))?;
    rest(stage)
}

fn after_payment(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    // The device has heard nothing of what the server answered.
    a.tell(stage, "103", "00001", &format!("{CARD},5.50,2024-01-02 03:02:00"))?;
    quiet(stage)?;
    a.drain(stage, &record(CARD, 0, 7))?;
    a.drain(stage, &record(CARD, 0, 7))?;
    // The same sale but for one thing is another one.
    a.drain(stage, &record(CARD, 1, 8))?;
    b.drain(stage, &record(OTHER, 0, 7))?;
    b.tell(stage, "103", "00001", &format!("{OTHER},5.51,2024-01-02 03:02:00"))?;
    rest(stage)
}

fn before_payment(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    a.drain(stage, &record(CARD, 0, 7))?;
    quiet(stage)?;
    a.sell(stage, "103", &format!("{CARD},5.50,2024-01-02 03:02:00"))?;
    // On a card that has no more after its record.
    b.drain(stage, &record(POOR, 0, 9))?;
    quiet(stage)?;
    b.sell(stage, "103", &format!("{POOR},5.50,2024-01-02 03:02:00"))?;
    b.drain(stage, &record(POOR, 0, 9))?;
    rest(stage)
}

fn of_refused_payment(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    let of = |card: &str, amount: &str, second: u32| format!("{card},{amount},2024-01-02 03:02:{second:02}");
    a.sell(stage, "103", &of(POOR, "6.01", 0))?;
    b.sell(stage, "103", &of(LOST, "5.50", 1))?;
    a.drain(stage, &format!("{},0,00000001,1", of(POOR, "6.01", 0)))?;
    b.drain(stage, &format!("{},0,00000002,1", of(LOST, "5.50", 1)))?;
    a.drain(stage, &format!("{},0,00000001,1", of(POOR, "6.01", 0)))?;
    quiet(stage)?;
    // What is charged now is answered as made.
    a.tell(stage, "103", "00077", &of(POOR, "6.01", 0))?;
    rest(stage)
}

fn of_bad_cards(stage: &mut Stage) -> Result<(), StageError> {
    for (address, card) in (0..).zip([LOST, EXPIRED, UNKNOWN, POOR]) {
        Head(0).drain(stage, &record(card, address, address))?;
    }
    Head(1).drain(stage, &record(POOR, 20, 4))?;
    rest(stage)
}

fn counts(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    a.tell(stage, "104", "00001", &format!("{CARD},2024-01-02 03:02:00"))?;
    quiet(stage)?;
    // What a record of a count says of an amount is not compared.
    a.drain(stage, &format!("{CARD},0.00,2024-01-02 03:02:00,1,00000001,1"))?;
    a.drain(stage, &format!("{CARD},5.50,2024-01-02 03:02:00,1,00000001,1"))?;
    b.drain(stage, &format!("{OTHER},0.00,2024-01-02 03:02:00,1,00000001,1"))?;
    quiet(stage)?;
    b.sell(stage, "104", &format!("{OTHER},2024-01-02 03:02:00"))?;
    // The only count of this card is gone when the record comes.
    a.sell(stage, "104", &format!("{POOR},2024-01-02 03:02:10"))?;
    a.sell(stage, "104", &format!("{POOR},2024-01-02 03:02:20"))?;
    a.drain(stage, &format!("{POOR},0.00,2024-01-02 03:02:20,1,00000002,1"))?;
    rest(stage)
}

fn place_used_again(stage: &mut Stage) -> Result<(), StageError> {
    for second in 0..4 {
        Head(0).drain(stage, &record(CARD, second, 1))?;
        Head(1).drain(stage, &record(CARD, second, 1))?;
    }
    rest(stage)
}
