//! Payments by code, and the platform behind the server.

use assay_sim::time::Span;

use super::head::Head;
use super::{SOON, case, quiet, rest, setup};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// Devices that have no field of unknown meaning before the code.
const NO_FLAG: &str = "\
[frame.scan]
flag = false
";
/// Devices that have no serial behind the code.
const NO_SERIAL: &str = "\
[frame.scan]
serial = false
";
/// Devices that have neither.
const NEITHER: &str = "\
[frame.scan]
flag = false
serial = false
";

const LOST_BEFORE: &str = r#"
[[strike]]
site = "lan> charge #1"
moment = "before"
fault = { fate = "reset", at = 0 }
"#;

const LOST_AFTER: &str = r#"
[[strike]]
site = "lan< answer #1"
moment = "before"
fault = { fate = "reset", at = 0 }
"#;

const KILLED_ASKING: &str = r#"
[[strike]]
site = "lan> charge #1"
moment = "after"
fault = { mishap = "crash", party = "server", torn = "old", off = "5 s" }
"#;

const KILLED_ANSWERED: &str = r#"
[[strike]]
site = "lan< answer #1"
moment = "after"
fault = { mishap = "crash", party = "server", torn = "old", off = "5 s" }
"#;

const DEAD_LINE: &str = r#"
[[strike]]
site = "lan< answer #1"
moment = "before"
fault = { fate = "half-open" }
"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = layouts();
    cases.extend([
        case(
            "pos/server-codes/declined",
            "The platform declines a code, and takes the next",
            &["POS-P1", "POS-P2", "POS-P6"],
            declined,
        ),
        case(
            "pos/server-codes/repeated",
            "A payment by code comes again while the platform is asked, when it is made, and when it is confirmed",
            &["POS-A3", "POS-P1", "POS-P2"],
            repeated,
        ),
        case(
            "pos/server-codes/same-number",
            "Two devices count their payments alike, and one uses a number again for another code",
            &["POS-P1", "POS-P2", "POS-P6"],
            same_number,
        ),
    ]);
    for (id, title, plan, shows) in [
        (
            "pos/server-codes/lost-before-charge",
            "The connection to the platform breaks before the platform has the order",
            LOST_BEFORE,
            &["POS-P1", "POS-P2"][..],
        ),
        (
            "pos/server-codes/lost-after-charge",
            "The connection breaks when the platform has charged and before it can say so",
            LOST_AFTER,
            &["POS-P1", "POS-P2"],
        ),
        (
            "pos/server-codes/dead-line",
            "The connection to the platform is dead, and nobody tells the server",
            DEAD_LINE,
            &["POS-P1", "POS-P2"],
        ),
        (
            "pos/server-codes/killed-while-asking",
            "The server is killed when it has asked the platform",
            KILLED_ASKING,
            &["POS-I2", "POS-P1", "POS-P2"],
        ),
        (
            "pos/server-codes/killed-when-answered",
            "The server is killed when the platform has answered",
            KILLED_ANSWERED,
            &["POS-I2", "POS-P1", "POS-P2"],
        ),
    ] {
        cases.push(Case { plan, ..case(id, title, shows, interrupted) });
    }
    cases
}

/// The forms of a 128.
fn layouts() -> Vec<Case> {
    let with = |profile| Setup { profile, ..setup(2) };
    vec![
        case(
            "pos/server-codes/commas",
            "Codes with commas and blanks everywhere in them reach the platform whole",
            &["POS-P2", "POS-P6"],
            commas,
        ),
        Case {
            setup: with(NO_FLAG),
            ..case(
                "pos/server-codes/no-flag",
                "Codes of devices without the field of unknown meaning reach the platform whole",
                &["POS-P2", "POS-P6", "POS-X4"],
                commas,
            )
        },
        Case {
            setup: with(NO_SERIAL),
            ..case(
                "pos/server-codes/no-serial",
                "Codes of devices without a serial behind them reach the platform whole",
                &["POS-P2", "POS-P6", "POS-X4"],
                commas,
            )
        },
        Case {
            setup: with(NEITHER),
            ..case(
                "pos/server-codes/bare",
                "Codes with nothing before or behind them reach the platform whole",
                &["POS-P2", "POS-P6", "POS-X4"],
                commas,
            )
        },
    ]
}

/// The fields of a payment of three yuan by code.
fn scan(stage: &Stage, number: u32, second: u32, code: &str) -> String {
    let flag = if stage.scene().profile.frame.scan.flag { "2," } else { "" };
    format!("{number:05},3.00,2024-01-02 03:05:{second:02},{flag}{code}")
}

fn commas(stage: &mut Stage) -> Result<(), StageError> {
    for (number, code) in (1..).zip([
        "134567890123456789",
        "a,b",
        ",a",
        "b,",
        "a,,b",
        ",",
        ",,,",
        " a b ",
        "a , b",
        "https://qr.example/?a=1,2&b={3}\\n",
        "2,a",
        "1234567890",
        "a,1234567890",
    ]) {
        let fields = scan(stage, number, number, code);
        Head(0).sell(stage, "128", &fields)?;
    }
    rest(stage)
}

fn declined(stage: &mut Stage) -> Result<(), StageError> {
    let fields = scan(stage, 1, 0, "990000000000000001");
    Head(0).sell(stage, "128", &fields)?;
    Head(0).ask(stage, "128", &fields)?;
    let fields = scan(stage, 2, 10, "130000000000000002");
    Head(0).sell(stage, "128", &fields)?;
    rest(stage)
}

fn repeated(stage: &mut Stage) -> Result<(), StageError> {
    let fields = scan(stage, 1, 0, "130000000000000001");
    for _ in 0..3 {
        Head(0).tell(stage, "128", "00001", &fields)?;
        stage.pause(Span::ms(100))?;
    }
    quiet(stage)?;
    Head(0).tell(stage, "128", "00001", &fields)?;
    quiet(stage)?;
    // By now it is certain which answer is confirmed.
    for _ in 0..9 {
        Head(0).ask(stage, "109", "008,00001")?;
    }
    Head(0).ask(stage, "128", &fields)?;
    quiet(stage)?;
    let fields = scan(stage, 2, 30, "130000000000000002");
    Head(0).sell(stage, "128", &fields)?;
    quiet(stage)?;
    let fields = scan(stage, 1, 0, "130000000000000001");
    Head(0).ask(stage, "128", &fields)?;
    rest(stage)
}

fn same_number(stage: &mut Stage) -> Result<(), StageError> {
    for (second, code) in [(0, "13,0001"), (1, "130002"), (2, "13,0001")] {
        let fields = scan(stage, 1, second, code);
        Head(0).sell(stage, "128", &fields)?;
        Head(1).sell(stage, "128", &fields)?;
    }
    rest(stage)
}

fn interrupted(stage: &mut Stage) -> Result<(), StageError> {
    let fields = scan(stage, 1, 0, "13,0001");
    Head(0).sell(stage, "128", &fields)?;
    stage.pause(SOON)?;
    let fields = scan(stage, 2, 30, "13,0002");
    Head(0).sell(stage, "128", &fields)?;
    rest(stage)
}
