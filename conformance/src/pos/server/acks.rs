//! Acknowledgements.

use super::head::Head;
use super::{CARD, OTHER, SOON, case, rest};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "pos/server-acks/every-command",
            "One message of each kind comes, and each but the 100 is acknowledged",
            &["POS-A1", "POS-X3"],
            every_command,
        ),
        case(
            "pos/server-acks/byte-for-byte",
            "Sequence numbers that are no numbers, and such as are equal as numbers, come back as they were",
            &["POS-A1", "POS-X3"],
            byte_for_byte,
        ),
        case(
            "pos/server-acks/same-number-again",
            "Different messages bear one sequence number, as after a restart, and each is served",
            &["POS-A1", "POS-M1", "POS-P1", "POS-P2"],
            same_number_again,
        ),
    ]
}

fn every_command(stage: &mut Stage) -> Result<(), StageError> {
    let head = Head(0);
    head.throw(stage, "100,00001,192.168.0.20,255.255.255.0,192.168.0.1,10.0.0.2,39190,1234567890")?;
    for (seq, (command, fields)) in [
        ("101", "2024-01-02 03:04:05".to_owned()),
        ("102", CARD.to_owned()),
        ("103", format!("{CARD},5.50,2024-01-02 03:05:00")),
        ("104", format!("{OTHER},2024-01-02 03:05:10")),
        ("105", format!("{OTHER},1.20,2024-01-02 02:00:00,0,00000001,1")),
        ("106", "12.30".to_owned()),
        ("109", format!("008,{CARD}")),
        ("128", "00001,3.00,2024-01-02 03:05:20,2,134567890123456789".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        head.tell(stage, command, &format!("{:05}", seq + 2), &fields)?;
        stage.pause(SOON)?;
    }
    rest(stage)
}

fn byte_for_byte(stage: &mut Stage) -> Result<(), StageError> {
    for seq in ["00009", "9", "009", "abc", "0", "-1", "1e5", "99999", "1234567890123456", "x/y", "A b"] {
        Head(0).tell(stage, "106", seq, "7")?;
        Head(1).tell(stage, "102", seq, CARD)?;
        stage.pause(SOON)?;
    }
    rest(stage)
}

fn same_number_again(stage: &mut Stage) -> Result<(), StageError> {
    for second in 0..3 {
        Head(0).tell(stage, "103", "00001", &format!("{CARD},5.50,2024-01-02 03:05:0{second}"))?;
        Head(0).tell(stage, "106", "00001", "7")?;
        stage.pause(SOON)?;
    }
    rest(stage)
}
