//! Frames whose CRC is wrong.

use assay_sim::time::Span;
use assay_sim::water::frame::{Kind, RawFrame, word};

use super::BASE;
use super::probe_server::{ProbeServer, SOON, answer, closed, damaged, no_order, offer};
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/damage/offer",
        title: "the offer arrives damaged in its volume, then sound",
        shows: &["WAT-F1", "WAT-F2", "WAT-F4", "WAT-U1"],
        run: damaged_offer,
        ..BASE
    },
    Case {
        id: "water/damage/every-byte",
        title: "an answer arrives damaged in each of its bytes, one after the other, then sound",
        shows: &["WAT-F1", "WAT-F4", "WAT-U1"],
        run: every_byte,
        ..BASE
    },
    Case {
        id: "water/damage/flood",
        title: "nothing is outstanding, and damaged frames come one a second, and one more after the window",
        shows: &["WAT-F2"],
        run: flood,
        ..BASE
    },
    Case {
        id: "water/damage/upload-answer",
        title: "the answer to an upload arrives damaged, and no sound one follows",
        shows: &["WAT-F1", "WAT-F2", "WAT-F4"],
        run: upload_answer,
        ..BASE
    },
    Case {
        id: "water/damage/heartbeat-answer",
        title: "the answer to the first heartbeat arrives damaged, then sound",
        shows: &["WAT-F1", "WAT-F2", "WAT-F4"],
        run: heartbeat_answer,
        ..BASE
    },
];

/// The place of the second digit of the volume in an offer of a four-digit order: the offer stays one.
const VOLUME_AT: usize = 12 + "0012345678%1001%1%2.".len();

fn damaged_offer(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&damaged(&sound, VOLUME_AT))?;
    server.serve(Span::s(3))?;
    server.send(&sound)?;
    if let Some(upload) = server.message(Kind::Upload, SOON)? {
        let answer = server.answer(&upload, &closed(&upload));
        server.send(&answer)?;
    }
    server.card_out()
}

fn every_byte(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let mut at = 0;
    loop {
        let Some(request) = server.card_in(0)? else { return Ok(()) };
        let sound = server.answer(&request, &no_order(&request));
        server.send(&damaged(&sound, at))?;
        // A damaged length may promise more than comes: the frame's gap ends that.
        server.serve(Span::ms(1_500))?;
        server.send(&sound)?;
        server.card_out()?;
        at += 1;
        if at == sound.len() {
            return Ok(());
        }
    }
}

/// A frame that answers nothing.
fn answer_to_nothing(server: &ProbeServer<'_>) -> RawFrame {
    let machine = server.stage.scene().terminals[0].machine;
    let version = server.stage.scene().profile.frame.version;
    let kind = Kind::CardQuery as u8;
    RawFrame { answer: word::POSITIVE, kind, version, machine, content: b"0012345678%1%0".to_vec() }
}

fn flood(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let window = server.stage.scene().profile.terminal.negatives_window;
    let bytes = server.bytes(&answer_to_nothing(&server));
    let bytes = damaged(&bytes, bytes.len() - 1);
    for _ in 0..8 {
        server.send(&bytes)?;
        server.serve(window.shortened(20))?;
    }
    server.serve(window)?;
    server.send(&bytes)?;
    server.serve(Span::s(3))
}

fn upload_answer(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let patience = server.stage.scene().profile.terminal.answer_timeout;
    let heartbeat = server.stage.scene().profile.server.heartbeat;
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&sound)?;
    let Some(upload) = server.message(Kind::Upload, SOON)? else { return Ok(()) };
    let answer = server.answer(&upload, &closed(&upload));
    server.send(&damaged(&answer, answer.len() - 1))?;
    server.card_out()?;
    if server.message(Kind::Upload, patience + SOON)?.is_some() {
        server.send(&answer)?;
    }
    server.serve(heartbeat + SOON)
}

fn heartbeat_answer(stage: &mut Stage) -> Result<(), StageError> {
    let within = stage.scene().profile.bench.ready_within;
    let mut server = ProbeServer::new(stage, 0)?;
    let Some(heartbeat) = server.message(Kind::Heartbeat, within)? else { return Ok(()) };
    let sound = server.bytes(&answer(&heartbeat, &server.date()));
    server.send(&damaged(&sound, sound.len() - 3))?;
    server.serve(Span::s(3))?;
    server.send(&sound)?;
    server.serve(Span::s(3))
}
