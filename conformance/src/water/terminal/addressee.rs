//! Answers that are not for this request.

use assay_sim::time::Span;
use assay_sim::water::frame::{Kind, MachineNumber, RawFrame};

use super::probe_server::{ProbeServer, SOON, answer, closed, no_order, offer};
use super::{BASE, FLAT, ONE};
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::{Case, Setup};

/// Two cards, so that there is another one.
const TWO_CARDS: Setup = Setup { cards: &[FLAT, FLAT], ..ONE };

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/addressee/offer",
        title: "offers for another machine, of another type and for another card come before the right one",
        shows: &["WAT-F6", "WAT-U1"],
        setup: TWO_CARDS,
        run: offers,
        ..BASE
    },
    Case {
        id: "water/addressee/upload-answer",
        title: "answers to an upload come for another machine, of another type and for another order, and no other",
        shows: &["WAT-F6"],
        run: upload_answers,
        ..BASE
    },
    Case {
        id: "water/addressee/heartbeat-answer",
        title: "at boot the answer to another machine's heartbeat comes before the right one",
        shows: &["WAT-F6"],
        run: heartbeat_answer,
        ..BASE
    },
    Case {
        id: "water/addressee/unasked",
        title: "the offer comes once more, and a new one unasked, after the credit is confirmed",
        shows: &["WAT-F6", "WAT-U1"],
        run: unasked,
        ..BASE
    },
];

/// The number of another terminal.
fn next(machine: MachineNumber) -> MachineNumber {
    let text = format!("{:010}", machine.value() + 1);
    MachineNumber::parse(text.as_bytes()).unwrap_or(machine)
}

/// The frame as one for another machine, and as one of another type.
fn elsewhere(right: &RawFrame) -> [RawFrame; 3] {
    [
        RawFrame { machine: next(right.machine), ..right.clone() },
        RawFrame { kind: right.kind ^ 0x10, ..right.clone() },
        RawFrame { kind: Kind::CardQuery as u8, ..right.clone() },
    ]
}

fn offers(stage: &mut Stage) -> Result<(), StageError> {
    let other = stage.scene().cards[1].number;
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let right = answer(&request, &offer(&request, 1_001));
    let other_card = answer(&request, &format!("{other}%1002%1%2.5%40"));
    for frame in elsewhere(&right).iter().chain([&other_card]) {
        let bytes = server.bytes(frame);
        server.send(&bytes)?;
        server.serve(Span::ms(1_500))?;
    }
    let bytes = server.bytes(&right);
    server.send(&bytes)?;
    if let Some(upload) = server.message(Kind::Upload, SOON)? {
        let answer = server.answer(&upload, &closed(&upload));
        server.send(&answer)?;
    }
    server.card_out()?;
    // The same with an answer that only tells.
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let right = answer(&request, &no_order(&request));
    for frame in elsewhere(&right) {
        let bytes = server.bytes(&frame);
        server.send(&bytes)?;
        server.serve(Span::ms(1_500))?;
    }
    let bytes = server.bytes(&right);
    server.send(&bytes)?;
    server.card_out()
}

fn upload_answers(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let patience = server.stage.scene().profile.terminal.answer_timeout;
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&sound)?;
    let Some(upload) = server.message(Kind::Upload, SOON)? else { return Ok(()) };
    let right = answer(&upload, &closed(&upload));
    let other_order = answer(&upload, "1002%2");
    for frame in elsewhere(&right).iter().chain([&other_order]) {
        let bytes = server.bytes(frame);
        server.send(&bytes)?;
        server.serve(Span::ms(500))?;
    }
    server.card_out()?;
    if server.message(Kind::Upload, patience + SOON)?.is_some() {
        let bytes = server.bytes(&right);
        server.send(&bytes)?;
    }
    let heartbeat = server.stage.scene().profile.server.heartbeat;
    server.serve(heartbeat + SOON)
}

fn heartbeat_answer(stage: &mut Stage) -> Result<(), StageError> {
    let within = stage.scene().profile.bench.ready_within;
    let mut server = ProbeServer::new(stage, 0)?;
    let Some(heartbeat) = server.message(Kind::Heartbeat, within)? else { return Ok(()) };
    let right = answer(&heartbeat, &server.date());
    for frame in elsewhere(&right).iter().chain([&right]) {
        let bytes = server.bytes(frame);
        server.send(&bytes)?;
        server.serve(Span::ms(1_500))?;
    }
    server.serve(Span::s(3))
}

fn unasked(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&sound)?;
    server.send(&sound)?;
    let Some(upload) = server.message(Kind::Upload, SOON)? else { return Ok(()) };
    let confirmed = server.answer(&upload, &closed(&upload));
    server.send(&confirmed)?;
    server.serve(Span::s(3))?;
    let new = format!("{}%1002%1%3%42.5", super::probe_server::field(&request, 0));
    let new = server.answer(&request, &new);
    server.send(&new)?;
    server.serve(Span::s(5))?;
    server.send(&sound)?;
    server.serve(Span::s(5))?;
    server.card_out()
}
