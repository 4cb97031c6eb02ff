//! Devices of all kinds, behind address translators, in crowds, and with one number.

use assay_sim::pos::plant::TerminalSpec;

use super::head::Head;
use super::{CARD, OTHER, SOON, case, quiet, rest, setup};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// Every form that a device may have.
const FORMS: &[TerminalSpec] = &[
    TerminalSpec::ORDINARY,
    TerminalSpec { tells_serial: false, ..TerminalSpec::ORDINARY },
    TerminalSpec { flag: Some(b'2'), ..TerminalSpec::ORDINARY },
    TerminalSpec { flag: Some(b'2'), tells_serial: false, ..TerminalSpec::ORDINARY },
];

/// Two that were given the number of the first.
const TWINS: &[TerminalSpec] =
    &[TerminalSpec::ORDINARY, TerminalSpec { number_of: Some(0), ..TerminalSpec::ORDINARY }];

/// How many are tapped at once. Source: POS-M1.
const CROWD: usize = 200;

/// How many share a public address whose ports are given out anew.
const NEIGHBOURS: usize = 6;

/// Addresses as the devices have them themselves.
const PLAIN: &str = "\
[install]
nat = false
";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            setup: Setup { specs: FORMS, ..setup(4) },
            ..case(
                "pos/server-devices/forms",
                "Devices with and without serial, with and without the field of unknown meaning, do what devices do",
                &["POS-A1", "POS-M1", "POS-R3", "POS-X4"],
                forms,
            )
        },
        Case {
            setup: Setup { specs: TWINS, ..setup(2) },
            ..case(
                "pos/server-devices/one-number",
                "Two machines bear one number and take the same from one card in the same second",
                &["POS-A5", "POS-M1", "POS-P1", "POS-X3"],
                one_number,
            )
        },
        Case {
            setup: setup(CROWD),
            ..case(
                "pos/server-devices/crowd",
                "Two hundred terminals are tapped at once",
                &["POS-A1", "POS-M1", "POS-P1"],
                crowd,
            )
        },
        case(
            "pos/server-devices/moving-source",
            "One device's datagrams come from one address and then from another",
            &["POS-A1", "POS-A3", "POS-P1", "POS-X3"],
            moving_source,
        ),
        case(
            "pos/server-devices/door-controllers",
            "Door controllers of three layouts say that they are there, before a payment, under it and after it",
            &["POS-A1", "POS-P1", "POS-X1"],
            door_controllers,
        ),
        Case {
            setup: setup(NEIGHBOURS),
            ..case(
                "pos/server-devices/rebinding",
                "Terminals of one public address repeat what they said, each from the port that was another's before",
                &["POS-A1", "POS-A3", "POS-A5", "POS-M1", "POS-P1", "POS-R3", "POS-X3"],
                rebinding,
            )
        },
        Case {
            setup: Setup { profile: PLAIN, ..setup(2) },
            ..case(
                "pos/server-devices/printed-elsewhere",
                "Devices print addresses that are nobody's, or each other's",
                &["POS-A1", "POS-M1", "POS-X3"],
                printed_elsewhere,
            )
        },
    ]
}

fn forms(stage: &mut Stage) -> Result<(), StageError> {
    for place in 0..FORMS.len() {
        let head = Head(place);
        let minute = 10 + place;
        head.ask(stage, "101", "2024-01-02 03:04:05")?;
        head.ask(stage, "102", CARD)?;
        head.sell(stage, "103", &format!("{CARD},1.00,2024-01-02 03:{minute}:00"))?;
        head.sell(stage, "104", &format!("{CARD},2024-01-02 03:{minute}:10"))?;
        head.drain(stage, &format!("{OTHER},1.00,2024-01-02 03:{minute}:20,0,00000001,1"))?;
        head.ask(stage, "106", "7")?;
    }
    // Blanks behind commas, as some devices send them.
    let blanks = format!(" {CARD}, 1.00, 2024-01-02 03:20:00");
    Head(0).tell(stage, "103", "00099", &blanks)?;
    rest(stage)
}

fn one_number(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    a.tell(stage, "103", "00001", &format!("{CARD},5.50,2024-01-02 03:05:00"))?;
    stage.pause(SOON)?;
    b.tell(stage, "103", "00001", &format!("{CARD},5.50,2024-01-02 03:05:00"))?;
    quiet(stage)?;
    for head in [a, b] {
        head.tell(stage, "104", "00002", &format!("{OTHER},2024-01-02 03:05:10"))?;
        stage.pause(SOON)?;
    }
    quiet(stage)?;
    // The first is confirmed, the second is not.
    a.sell(stage, "103", &format!("{CARD},1.00,2024-01-02 03:05:20"))?;
    b.tell(stage, "103", "00003", &format!("{CARD},1.00,2024-01-02 03:05:20"))?;
    rest(stage)
}

fn crowd(stage: &mut Stage) -> Result<(), StageError> {
    let terminals = stage.scene().terminals.len();
    for place in 0..terminals {
        let card = if place % 2 == 0 { CARD } else { OTHER };
        Head(place).tell(stage, "103", "00001", &format!("{card},0.10,2024-01-02 03:05:00"))?;
    }
    rest(stage)
}

fn moving_source(stage: &mut Stage) -> Result<(), StageError> {
    let (a, b) = (Head(0), Head(1));
    let first = format!("{CARD},5.50,2024-01-02 03:05:00");
    a.tell(stage, "103", "00001", &first)?;
    stage.pause(SOON)?;
    a.tell_from(b, stage, "103", "00001", &first)?;
    quiet(stage)?;
    a.tell_from(b, stage, "102", "00002", CARD)?;
    quiet(stage)?;
    a.tell(stage, "104", "00003", &format!("{OTHER},2024-01-02 03:05:20"))?;
    stage.pause(SOON)?;
    // Its confirmation comes from where nothing was sent.
    a.tell_from(b, stage, "109", "00004", &format!("008,{OTHER}"))?;
    quiet(stage)?;
    a.tell_from(b, stage, "105", "00005", &format!("{OTHER},1.00,2024-01-02 03:05:40,0,00000001,1"))?;
    stage.pause(SOON)?;
    a.tell(stage, "101", "00006", "2024-01-01 00:00:00")?;
    rest(stage)
}

fn rebinding(stage: &mut Stage) -> Result<(), StageError> {
    let all = (0..NEIGHBOURS).map(|place| (Head(place), Head((place + 1) % NEIGHBOURS)));
    let neighbours: Vec<(Head, Head)> = all.collect();
    for (command, seq, fields) in [
        ("103", "00001", format!("{CARD},1.00,2024-01-02 03:05:00")),
        ("104", "00002", format!("{CARD},2024-01-02 03:05:10")),
        ("105", "00003", format!("{OTHER},1.00,2024-01-02 03:05:20,0,00000001,1")),
        ("101", "00004", "2024-01-01 00:00:00".to_owned()),
    ] {
        for (head, _) in &neighbours {
            head.tell(stage, command, seq, &fields)?;
        }
        // Just after the answers have left, and before the server sends them again.
        stage.pause(SOON)?;
        for (head, elsewhere) in &neighbours {
            head.tell_from(*elsewhere, stage, command, seq, &fields)?;
        }
        quiet(stage)?;
    }
    // Ports are given out anew between an answer and its confirmation.
    for (head, elsewhere) in &neighbours {
        head.tell(stage, "103", "00005", &format!("{OTHER},1.00,2024-01-02 03:05:30"))?;
        stage.pause(SOON)?;
        head.tell_from(*elsewhere, stage, "109", "00006", &format!("008,{OTHER}"))?;
    }
    rest(stage)
}

fn door_controllers(stage: &mut Stage) -> Result<(), StageError> {
    // Old, newer, newer with a serial; then with a number of fields that none of them has.
    const FRONT: &str = "100,192.168.0.77,255.255.255.0,192.168.0.1";
    let layouts = [
        format!("{FRONT},10.0.0.2,39169,00002"),
        format!("{FRONT},00-11-22-33-44-55,10.0.0.2,00-11-22-33-44-66,1,39169,00002"),
        format!("{FRONT},00-11-22-33-44-55,10.0.0.2,00-11-22-33-44-66,1,39169,00002,1234567890"),
        format!("{FRONT},00-11-22-33-44-55,10.0.0.2,39169,00002"),
        format!("{FRONT},00-11-22-33-44-55,10.0.0.2,00-11-22-33-44-66,1,39169,00002,1234567890,1"),
    ];
    for (second, layout) in layouts.iter().enumerate() {
        let (a, b) = (Head(0), Head(1));
        let seq = format!("{:05}", second + 1);
        for head in [a, b] {
            head.throw(stage, layout.clone())?;
            stage.pause(SOON)?;
        }
        // Its answer is asked for again behind another 100 of the same place.
        let payment = format!("{CARD},1.00,2024-01-02 03:05:0{second}");
        a.tell(stage, "103", &seq, &payment)?;
        a.throw(stage, layout.clone())?;
        a.tell(stage, "103", &seq, &payment)?;
        quiet(stage)?;
        b.sell(stage, "103", &format!("{OTHER},1.00,2024-01-02 03:05:0{second}"))?;
    }
    rest(stage)
}

fn printed_elsewhere(stage: &mut Stage) -> Result<(), StageError> {
    let machine = stage.terminal(0)?.machine;
    let serial = stage.terminal(0)?.serial.clone();
    let addresses = ["192.168.0.21", "10.9.9.9", "255.255.255.255", "0.0.0.0", "999.1.1.1", ""];
    for (second, address) in addresses.into_iter().enumerate() {
        let time = format!("2024-01-02 03:05:0{second}");
        let message = format!("103,0000{second},{address},10.0.0.2,{machine},{CARD},1.00,{time},{serial}");
        Head(0).throw(stage, message)?;
        stage.pause(SOON)?;
    }
    Head(1).sell(stage, "103", &format!("{OTHER},1.00,2024-01-02 03:05:10"))?;
    rest(stage)
}
