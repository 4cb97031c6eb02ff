//! Clocks that are set, and such as are left alone.

use assay_sim::time::Span;

use super::head::Head;
use super::{SOON, case, rest, setup};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// Half a minute before a leap day ends.
const LEAP_NIGHT: &str = "\
[bench]
epoch = \"20240229235930\"
";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "pos/server-clock/other-minute",
            "Devices with clocks in other minutes, years and calendars say that they are on",
            &["POS-K1"],
            other_minute,
        ),
        case(
            "pos/server-clock/same-minute",
            "Devices whose clocks differ by seconds within the minute say that they are on",
            &["POS-K1"],
            same_minute,
        ),
        Case {
            setup: Setup { profile: LEAP_NIGHT, ..setup(1) },
            ..case(
                "pos/server-clock/leap-night",
                "A device says that it is on before, at and after the end of a leap day",
                &["POS-K1"],
                leap_night,
            )
        },
    ]
}

/// A device says what its clock shows.
fn says(stage: &mut Stage, time: &str) -> Result<(), StageError> {
    Head(0).tell(stage, "101", "00001", time)?;
    stage.pause(SOON)
}

fn other_minute(stage: &mut Stage) -> Result<(), StageError> {
    stage.pause(Span::s(5))?;
    for time in [
        "2024-01-02 03:03:59",
        "2024-01-02 03:05:00",
        "2024-01-02 04:04:15",
        "2024-02-01 03:04:15",
        "2025-01-02 03:04:15",
        "0001-01-01 00:00:00",
        "2024-02-29 03:04:15",
        "2023-02-29 03:04:15",
        "2024-13-02 03:04:15",
        "2024-01-02 24:00:00",
        "9999-99-99 99:99:99",
        "2024-01-02 03:04",
        "2024/01/02 03:04:15",
        "",
    ] {
        says(stage, time)?;
    }
    rest(stage)
}

fn same_minute(stage: &mut Stage) -> Result<(), StageError> {
    stage.pause(Span::s(5))?;
    for second in ["00", "01", "09", "10", "11", "30", "58", "59"] {
        says(stage, &format!("2024-01-02 03:04:{second}"))?;
    }
    // Blanks behind a comma are no part of the field.
    says(stage, " 2024-01-02 03:04:30")?;
    rest(stage)
}

fn leap_night(stage: &mut Stage) -> Result<(), StageError> {
    stage.wait(Span::s(10))?;
    for time in ["2024-02-29 23:59:05", "2024-02-28 23:59:40", "2024-03-01 23:59:40"] {
        says(stage, time)?;
    }
    // Within two seconds of the edge either is right.
    stage.wait(Span::s(18))?;
    for time in ["2024-02-29 23:59:59", "2024-03-01 00:00:00"] {
        says(stage, time)?;
    }
    stage.wait(Span::s(10))?;
    for time in ["2024-03-01 00:00:55", "2024-02-29 23:59:59", "2024-02-30 00:00:10", "2024-02-29 00:00:10"] {
        says(stage, time)?;
    }
    rest(stage)
}
