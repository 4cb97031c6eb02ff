//! Cards and amounts that are refused, and their neighbours that are not.

use super::head::Head;
use super::{CARD, EXPIRED, LOST, OTHER, POOR, SOON, UNKNOWN, case, quiet, rest};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "pos/server-refusals/bad-cards",
            "Lost, expired, unknown and overdrawn cards pay, and a good one beside them",
            &["POS-P2", "POS-P4"],
            bad_cards,
        ),
        case(
            "pos/server-refusals/last-fen",
            "A card pays the last fen that it has, and then one more",
            &["POS-P1", "POS-P4"],
            last_fen,
        ),
        case(
            "pos/server-refusals/one-of-two",
            "Two terminals take at the same time from a card that has enough for one",
            &["POS-P1", "POS-P2", "POS-P4"],
            one_of_two,
        ),
        case(
            "pos/server-refusals/amounts",
            "Amounts come that are none, and such as are the least and the largest",
            &["POS-M1", "POS-P4", "POS-P5"],
            amounts,
        ),
        case(
            "pos/server-refusals/counts",
            "Counts are taken one by one until there is none left",
            &["POS-P4", "POS-P7"],
            counts,
        ),
    ]
}

fn bad_cards(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    for (second, card) in [LOST, EXPIRED, UNKNOWN, POOR].into_iter().enumerate() {
        a.sell(stage, "103", &format!("{card},6.01,2024-01-02 03:05:0{second}"))?;
        b.sell(stage, "104", &format!("{card},2024-01-02 03:05:0{second}"))?;
    }
    a.sell(stage, "103", &format!("{CARD},6.01,2024-01-02 03:05:10"))?;
    b.sell(stage, "104", &format!("{CARD},2024-01-02 03:05:10"))?;
    for (second, card) in ["", "888888888", "88888888888", "888888888a", "-888888888"].into_iter().enumerate()
    {
        a.tell(stage, "103", "00077", &format!("{card},1.00,2024-01-02 03:06:0{second}"))?;
        stage.pause(SOON)?;
    }
    rest(stage)
}

fn last_fen(stage: &mut Stage) -> Result<(), StageError> {
    let head = Head(0);
    for (second, amount) in ["6.01", "5.99", "0.02", "0.01", "0.01", "0.00"].into_iter().enumerate() {
        head.sell(stage, "103", &format!("{POOR},{amount},2024-01-02 03:05:0{second}"))?;
    }
    rest(stage)
}

fn one_of_two(stage: &mut Stage) -> Result<(), StageError> {
    for second in 0..2 {
        for (command, amount) in [("103", "3.50,"), ("104", "")] {
            for head in [Head(0), Head(1)] {
                head.tell(stage, command, "00001", &format!("{POOR},{amount}2024-01-02 03:05:0{second}"))?;
            }
            quiet(stage)?;
        }
    }
    rest(stage)
}

fn amounts(stage: &mut Stage) -> Result<(), StageError> {
    let none = [
        "",
        "5",
        "5.",
        ".5",
        ".50",
        "5.5",
        "5.500",
        "5.505",
        "-5.50",
        "+5.50",
        "-0.00",
        "5e2",
        "5.50e0",
        "0x5.50",
        "５.５０",
        "5．50",
        "5 .50",
        "5.5 0",
        "10000000.00",
        "99999999999999999999.00",
        "92233720368547758.08",
        "42949672.96",
        "NaN",
        "inf",
        "1_000.00",
        "5.50元",
        "5.5O",
        "5.50;",
        "'5.50'",
        "--5.50",
        "5..50",
        "5.50.00",
    ];
    for (second, amount) in none.into_iter().enumerate() {
        let fields = format!("{CARD},{amount},2024-01-02 03:05:{second:02}");
        Head(0).tell(stage, "103", "00001", &fields)?;
        let fields = format!("{second:05},{amount},2024-01-02 03:05:{second:02},2,134567890123456789");
        Head(1).tell(stage, "128", "00001", &fields)?;
        stage.pause(SOON)?;
    }
    quiet(stage)?;
    // Their neighbours are good amounts, though nobody has so much.
    for (second, amount) in ["0.01", "007.10", "9999999.99", "5.50"].into_iter().enumerate() {
        Head(0).sell(stage, "103", &format!("{OTHER},{amount},2024-01-02 03:06:0{second}"))?;
    }
    rest(stage)
}

fn counts(stage: &mut Stage) -> Result<(), StageError> {
    for second in 0..3 {
        Head(0).sell(stage, "104", &format!("{POOR},2024-01-02 03:05:0{second}"))?;
        Head(1).sell(stage, "104", &format!("{CARD},2024-01-02 03:05:0{second}"))?;
    }
    rest(stage)
}
