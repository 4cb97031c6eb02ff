//! Messages that come again, and answers that nobody confirms.

use assay_sim::time::Span;

use super::head::Head;
use super::{CARD, OTHER, POOR, SOON, case, quiet, rest, setup};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// Answers that wait longer than the tolerance on timers, so that too early a sending can be told.
const SLOW: &str = "\
[server]
confirm_timeout = \"3 s\"
";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "pos/server-repeats/unconfirmed",
            "Answers of every kind that nobody confirms are sent three times",
            &["POS-A5", "POS-P2", "POS-P4", "POS-P7"],
            unconfirmed,
        ),
        case(
            "pos/server-repeats/confirmed",
            "Answers that are confirmed after the first or the second sending are sent no more",
            &["POS-A5"],
            confirmed,
        ),
        Case {
            setup: Setup { profile: SLOW, ..setup(1) },
            ..case(
                "pos/server-repeats/spacing",
                "An answer that nobody confirms is sent again after the time that the profile sets",
                &["POS-A5"],
                spacing,
            )
        },
        case(
            "pos/server-repeats/same-answer",
            "Payments come three times before they are confirmed, by a head that heard nothing",
            &["POS-A3", "POS-P1", "POS-P2", "POS-P7"],
            same_answer,
        ),
        case(
            "pos/server-repeats/after-confirmation",
            "Payments come again after they were confirmed",
            &["POS-A3", "POS-P1"],
            after_confirmation,
        ),
        case(
            "pos/server-repeats/after-newer-sale",
            "A payment comes again, late, when its machine has made another",
            &["POS-A3", "POS-P1"],
            after_newer_sale,
        ),
        case(
            "pos/server-repeats/refused-again",
            "A refused payment comes again, also when there is money on the card",
            &["POS-A3", "POS-P1", "POS-P4"],
            refused_again,
        ),
        case(
            "pos/server-repeats/other-sequence",
            "A payment comes again with other sequence numbers, as after restarts of the device",
            &["POS-A1", "POS-P1", "POS-X3"],
            other_sequence,
        ),
        Case {
            plan: LATE,
            ..case(
                "pos/server-repeats/late-and-twice",
                "A payment, its answer and its confirmation come late, twice and out of order",
                &["POS-P1", "POS-P2"],
                late_and_twice,
            )
        },
    ]
}

const LATE: &str = r#"
[[strike]]
site = "udp-a> 103 #1"
fault = { fate = "twice", gap = "2 s" }

[[strike]]
site = "udp-a> 103 #2"
fault = { fate = "delay", by = "2900 ms" }

[[strike]]
site = "udp-a< 001 #1"
fault = { fate = "drop" }

[[strike]]
site = "udp-a< 008 #1"
fault = { fate = "delay", by = "2 s" }

[[strike]]
site = "udp-a> 109 #1"
fault = { fate = "twice", gap = "1 s" }

[[strike]]
site = "udp-b> 104 #1"
fault = { fate = "twice", gap = "500 ms" }

[[strike]]
site = "udp-b< 008 #1"
fault = { fate = "drop" }
"#;

fn pay(second: u32) -> String {
    format!("{CARD},5.50,2024-01-02 03:05:{second:02}")
}

fn unconfirmed(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    a.tell(stage, "103", "00001", &pay(0))?;
    b.tell(stage, "104", "00001", &format!("{OTHER},2024-01-02 03:05:01"))?;
    quiet(stage)?;
    a.tell(stage, "103", "00002", &format!("{POOR},6.01,2024-01-02 03:05:10"))?;
    b.tell(stage, "102", "00002", CARD)?;
    quiet(stage)?;
    a.tell(stage, "102", "00003", "3333333333")?;
    b.tell(stage, "103", "00003", &format!("{OTHER},0.00,2024-01-02 03:05:20"))?;
    rest(stage)
}

fn confirmed(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    let machine = stage.terminal(1)?.machine;
    a.tell(stage, "103", "00001", &pay(0))?;
    b.tell(stage, "102", "00001", OTHER)?;
    stage.pause(SOON)?;
    a.tell(stage, "109", "00002", &format!("008,{CARD}"))?;
    b.tell(stage, "109", "00002", &format!("009,{machine}"))?;
    quiet(stage)?;
    a.tell(stage, "104", "00003", &format!("{OTHER},2024-01-02 03:05:10"))?;
    b.tell(stage, "103", "00003", &format!("{POOR},6.01,2024-01-02 03:05:10"))?;
    let resend = stage.scene().profile.server.confirm_timeout;
    stage.wait(resend + SOON)?;
    // What does not name the answer confirms nothing.
    a.tell(stage, "109", "00004", &format!("006,{OTHER}"))?;
    b.tell(stage, "109", "00004", &format!("006,{CARD}"))?;
    stage.pause(SOON)?;
    a.tell(stage, "109", "00005", &format!("008,{OTHER}"))?;
    b.tell(stage, "109", "00005", &format!("006,{POOR}"))?;
    rest(stage)
}

fn spacing(stage: &mut Stage) -> Result<(), StageError> {
    Head(0).tell(stage, "103", "00001", &pay(0))?;
    quiet(stage)?;
    stage.pause(Span::s(5))?;
    Head(0).tell(stage, "102", "00002", CARD)?;
    rest(stage)
}

fn same_answer(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    for round in 0..3 {
        a.tell(stage, "103", "00001", &pay(0))?;
        b.tell(stage, "104", "00001", &format!("{OTHER},2024-01-02 03:05:00"))?;
        stage.pause(Span::ms(900 + round))?;
    }
    // Long after every sending, nobody has confirmed anything; meanwhile another device takes from the card.
    quiet(stage)?;
    b.tell(stage, "103", "00002", &format!("{CARD},1.00,2024-01-02 03:05:30"))?;
    quiet(stage)?;
    a.tell(stage, "103", "00009", &pay(0))?;
    rest(stage)
}

fn after_confirmation(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    let counted = format!("{OTHER},2024-01-02 03:05:00");
    a.sell(stage, "103", &pay(0))?;
    b.sell(stage, "104", &counted)?;
    for _ in 0..2 {
        a.ask(stage, "103", &pay(0))?;
        b.ask(stage, "104", &counted)?;
        quiet(stage)?;
    }
    rest(stage)
}

fn after_newer_sale(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    a.tell(stage, "103", "00001", &pay(0))?;
    b.tell(stage, "104", "00001", &format!("{OTHER},2024-01-02 03:05:00"))?;
    quiet(stage)?;
    a.sell(stage, "103", &pay(20))?;
    b.sell(stage, "104", &format!("{OTHER},2024-01-02 03:05:20"))?;
    quiet(stage)?;
    a.tell(stage, "103", "00003", &pay(0))?;
    b.tell(stage, "104", "00003", &format!("{OTHER},2024-01-02 03:05:00"))?;
    quiet(stage)?;
    a.tell(stage, "103", "00004", &pay(20))?;
    rest(stage)
}

fn refused_again(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    let much = format!("{POOR},6.01,2024-01-02 03:05:00");
    a.tell(stage, "103", "00001", &much)?;
    b.tell(stage, "103", "00001", &format!("{POOR},2.00,2024-01-02 03:05:00"))?;
    stage.pause(SOON)?;
    a.tell(stage, "103", "00001", &much)?;
    quiet(stage)?;
    a.sell(stage, "103", &format!("{POOR},4.00,2024-01-02 03:05:30"))?;
    b.tell(stage, "103", "00002", &format!("{POOR},0.01,2024-01-02 03:05:40"))?;
    stage.pause(SOON)?;
    b.tell(stage, "103", "00002", &format!("{POOR},0.01,2024-01-02 03:05:40"))?;
    rest(stage)
}

fn other_sequence(stage: &mut Stage) -> Result<(), StageError> {
    for seq in ["00001", "99999", "00000", "00001"] {
        Head(0).tell(stage, "103", seq, &pay(0))?;
        stage.pause(SOON)?;
    }
    quiet(stage)?;
    Head(0).tell_from(Head(1), stage, "103", "00002", &pay(0))?;
    rest(stage)
}

fn late_and_twice(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    a.sell(stage, "103", &pay(0))?;
    b.sell(stage, "104", &format!("{OTHER},2024-01-02 03:05:00"))?;
    stage.pause(Span::s(4))?;
    a.sell(stage, "103", &pay(20))?;
    rest(stage)
}
