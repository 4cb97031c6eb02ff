//! Result uploads that are not confirmed.

use assay_sim::fault::Way;
use assay_sim::machine::Torn;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;
use assay_sim::water::frame::{Kind, RawFrame};
use assay_sim::water::party::Event;

use super::BASE;
use super::probe_server::{ProbeServer, SOON, closed, damaged, offer};
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/upload/unanswered",
        title: "an upload gets no answer twice, then one",
        shows: &["WAT-C1", "WAT-F4"],
        run: unanswered,
        ..BASE
    },
    Case {
        id: "water/upload/failure-unanswered",
        title: "the card leaves before it is written, and the upload that says so gets no answer",
        shows: &["WAT-C1", "WAT-U1"],
        run: failure_unanswered,
        ..BASE
    },
    Case {
        id: "water/upload/refused",
        title: "an upload is refused for the third time, waits, and follows the next heartbeat",
        shows: &["WAT-C2", "WAT-F3"],
        run: refused,
        ..BASE
    },
    Case {
        id: "water/upload/answers-damaged",
        title: "the third damaged answer to an upload comes; it waits, and follows the next heartbeat",
        shows: &["WAT-C2", "WAT-F1", "WAT-F2"],
        run: answers_damaged,
        ..BASE
    },
];

/// A card is credited; its upload.
fn credited(server: &mut ProbeServer<'_>) -> Result<Option<RawFrame>, StageError> {
    let Some(request) = server.card_in(0)? else { return Ok(None) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&sound)?;
    server.message(Kind::Upload, SOON)
}

/// Long enough for an answer to be missed, the network to be reset, and the connection to stand again.
fn round(server: &ProbeServer<'_>) -> Span {
    let profile = &server.stage.scene().profile;
    profile.terminal.answer_timeout + profile.host.backoff_max + SOON
}

fn unanswered(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(mut upload) = credited(&mut server)? else { return Ok(()) };
    server.card_out()?;
    for _ in 0..2 {
        let patience = server.stage.scene().profile.terminal.answer_timeout;
        let tolerance = server.stage.scene().profile.bench.tolerance;
        server.serve(patience + tolerance)?;
        server.stage.read_memories();
        match server.message(Kind::Upload, round(&server))? {
            Some(again) => upload = again,
            None => return server.serve(server.stage.scene().profile.server.heartbeat * 2),
        }
    }
    let answer = server.answer(&upload, &closed(&upload));
    server.send(&answer)?;
    server.serve(server.stage.scene().profile.server.heartbeat + SOON)
}

fn failure_unanswered(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&sound)?;
    // The card is read once more before it is written: it leaves then.
    let air = server.stage.scene().terminals[0].rf;
    let edges = |entry: &Entry<Event>| matches!(&entry.what, Seen::Heard { line, way: Way::BtoA, .. } if *line == air);
    if server.stage.wait_for(SOON, &edges)? {
        server.stage.remove(0, Torn::default())?;
    }
    let Some(upload) = server.message(Kind::Upload, SOON)? else { return Ok(()) };
    server.serve(round(&server).shortened(4))?;
    server.stage.read_memories();
    let heartbeat = server.stage.scene().profile.server.heartbeat;
    if server.message(Kind::Upload, round(&server))?.is_some() {
        let answer = server.answer(&upload, &format!("{}%1", super::probe_server::field(&upload, 1)));
        server.send(&answer)?;
    }
    server.serve(heartbeat * 2)
}

fn refused(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(mut upload) = credited(&mut server)? else { return Ok(()) };
    // A terminal that never stops is let go after twice as often as it may send.
    for _ in 0..server.stage.scene().profile.terminal.sends_max * 2 {
        let negative = server.negative(&upload);
        server.send(&negative)?;
        match server.message(Kind::Upload, Span::s(5))? {
            Some(again) => upload = again,
            None => break,
        }
    }
    wait_for_heartbeat(&mut server, &upload)
}

/// The upload waits; with the next heartbeat it comes again, and is answered.
fn wait_for_heartbeat(server: &mut ProbeServer<'_>, upload: &RawFrame) -> Result<(), StageError> {
    server.card_out()?;
    server.stage.read_memories();
    let heartbeat = server.stage.scene().profile.server.heartbeat;
    if server.message(Kind::Upload, heartbeat + SOON)?.is_some() {
        let answer = server.answer(upload, &closed(upload));
        server.send(&answer)?;
    }
    server.serve(heartbeat + SOON)
}

fn answers_damaged(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(upload) = credited(&mut server)? else { return Ok(()) };
    let answer = server.answer(&upload, &closed(&upload));
    for _ in 0..server.stage.scene().profile.terminal.sends_max {
        server.send(&damaged(&answer, answer.len() - 1))?;
        server.serve(Span::s(2))?;
    }
    wait_for_heartbeat(&mut server, &upload)
}
