//! Negative answers.

use assay_sim::time::Span;
use assay_sim::water::frame::{Kind, RawFrame};

use super::probe_server::{ProbeServer, SOON, closed, no_order, offer};
use super::{BASE, FLAT, ONE, TIERED};
use crate::stage::StageError;
use crate::water::Stage;
use crate::water::{Case, Setup};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/negative/repeats",
        title: "order requests and uploads of both prices are refused twice each, then answered",
        shows: &["WAT-F3", "WAT-F4", "WAT-P1", "WAT-U1"],
        setup: Setup { cards: &[FLAT, TIERED], ..ONE },
        run: repeats,
        ..BASE
    },
    Case {
        id: "water/negative/unasked",
        title: "negative answers of every type come when nothing is outstanding",
        shows: &["WAT-F3"],
        run: unasked,
        ..BASE
    },
    Case {
        id: "water/negative/heartbeats",
        title: "every heartbeat at boot is refused for a while, then one is answered",
        shows: &["WAT-F3", "WAT-F4"],
        run: heartbeats,
        ..BASE
    },
];

/// Refuses a message and each of its repeats, so often; the last repeat, if it came.
fn refuse(server: &mut ProbeServer<'_>, first: RawFrame, times: u32) -> Result<Option<RawFrame>, StageError> {
    let Some((_, kind)) = Kind::split(first.kind) else { return Ok(None) };
    let mut last = first;
    for _ in 0..times {
        let negative = server.negative(&last);
        server.send(&negative)?;
        match server.message(kind, Span::s(5))? {
            Some(again) => last = again,
            None => return Ok(None),
        }
    }
    Ok(Some(last))
}

fn repeats(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    for card in 0..2 {
        let Some(request) = server.card_in(card)? else { return Ok(()) };
        let Some(request) = refuse(&mut server, request, 2)? else { return Ok(()) };
        let sound = server.answer(&request, &offer(&request, 1_001 + card as u64));
        server.send(&sound)?;
        let Some(upload) = server.message(Kind::Upload, SOON)? else { return Ok(()) };
        let Some(upload) = refuse(&mut server, upload, 2)? else { return Ok(()) };
        let answer = server.answer(&upload, &closed(&upload));
        server.send(&answer)?;
        server.card_out()?;
    }
    Ok(())
}

fn unasked(stage: &mut Stage) -> Result<(), StageError> {
    let Some(mut server) = ProbeServer::in_service(stage)? else { return Ok(()) };
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let none = server.answer(&request, &no_order(&request));
    server.send(&none)?;
    server.serve(Span::s(2))?;
    refuse_all(&mut server, &request)?;
    server.card_out()?;
    let Some(request) = server.card_in(0)? else { return Ok(()) };
    let sound = server.answer(&request, &offer(&request, 1_001));
    server.send(&sound)?;
    let Some(upload) = server.message(Kind::Upload, SOON)? else { return Ok(()) };
    let answer = server.answer(&upload, &closed(&upload));
    server.send(&answer)?;
    server.serve(Span::s(2))?;
    refuse_all(&mut server, &upload)?;
    server.card_out()
}

/// A negative answer of every type, two seconds apart.
fn refuse_all(server: &mut ProbeServer<'_>, like: &RawFrame) -> Result<(), StageError> {
    for kind in [Kind::Heartbeat, Kind::OrderRequest, Kind::Upload] {
        let negative = server.negative(&RawFrame { kind: kind as u8, ..like.clone() });
        server.send(&negative)?;
        server.serve(Span::s(2))?;
    }
    Ok(())
}

fn heartbeats(stage: &mut Stage) -> Result<(), StageError> {
    let within = stage.scene().profile.bench.ready_within;
    let patience = stage.scene().profile.terminal.answer_timeout;
    let mut server = ProbeServer::new(stage, 0)?;
    let Some(first) = server.message(Kind::Heartbeat, within)? else { return Ok(()) };
    let until = server.stage.now() + patience * 2;
    let mut last = first;
    while server.stage.now() < until {
        let negative = server.negative(&last);
        server.send(&negative)?;
        match server.message(Kind::Heartbeat, patience + SOON)? {
            Some(again) => last = again,
            None => return Ok(()),
        }
    }
    let answer = server.answer(&last, &server.date());
    server.send(&answer)?;
    server.serve(Span::s(5))
}
