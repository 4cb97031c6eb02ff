//! The link by itself: standing idle, losing its other end, carrying bytes.

use assay_sim::paymod::host::HostStimulus;
use assay_sim::time::Span;

use super::{BASE, Case, Stage};
use crate::stage::StageError;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            id: "paymod/link/bytes",
            title: "Every byte goes through the free channel, both ways at once",
            shows: &["PAY-T1"],
            run: bytes,
            ..BASE
        },
        Case {
            id: "paymod/link/bytes-and-half-open",
            title: "Bytes go through the free channel when the link becomes half open",
            plan: "[[strike]]\nsite = \"link> data #2\"\nfault = { fate = \"half-open\" }",
            shows: &["PAY-L3", "PAY-T1"],
            run: bytes,
            ..BASE
        },
        Case {
            id: "paymod/link/idle",
            title: "Nothing happens for five minutes",
            shows: &["PAY-L3"],
            run: idle,
            ..BASE
        },
        Case {
            id: "paymod/link/half-open",
            title: "The link becomes half open while nothing happens",
            plan: "[[strike]]\nsite = \"link< heartbeat-answer #1\"\nfault = { fate = \"half-open\" }",
            shows: &["PAY-L3"],
            run: idle,
            ..BASE
        },
    ]
}

fn bytes(stage: &mut Stage) -> Result<(), StageError> {
    stage.pause(Span::s(10))?;
    let all: Vec<u8> = (0..=u8::MAX).collect();
    for part in all.chunks(90) {
        stage.host(HostStimulus::Data(part.to_vec()))?;
    }
    stage.centre(all)?;
    stage.pause(Span::s(90))?;
    stage.host(HostStimulus::Data(b"and once more".to_vec()))?;
    stage.pause(Span::s(10))?;
    stage.rest()
}

fn idle(stage: &mut Stage) -> Result<(), StageError> {
    stage.pause(Span::s(300))?;
    stage.rest()
}
