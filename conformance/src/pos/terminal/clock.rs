//! The calendar clock, and the times of sales.

use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON, Serves};
use super::{BASE, CARD, MORE_WHITE, ONE, WHITE};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-clock/set",
        title: "the clock is set forward, back, to a leap day and to the last second of a year",
        shows: &["POS-K2", "POS-A2"],
        run: set,
        ..BASE
    },
    Case {
        id: "pos/terminal-clock/impossible",
        title: "days and times that there are not, and the clock of another machine, change nothing",
        shows: &["POS-K2"],
        run: impossible,
        ..BASE
    },
    Case {
        id: "pos/terminal-clock/back-in-time",
        title: "sales follow a clock that was set back a day, and then one that was set forward",
        shows: &["POS-P8", "POS-K2"],
        run: back_in_time,
        ..BASE
    },
    Case {
        id: "pos/terminal-clock/within-a-second",
        title: "three cards pay within one second",
        shows: &["POS-P8"],
        run: within_a_second,
        ..BASE
    },
    Case {
        id: "pos/terminal-clock/back-over-power-loss",
        title: "the clock is set back, power is lost, and the next sale follows",
        shows: &["POS-P8"],
        run: back_over_power_loss,
        ..BASE
    },
    Case {
        id: "pos/terminal-clock/lost",
        title: "the clock loses its time with the power, twice, and sales follow before it is set again",
        shows: &["POS-P8", "POS-K2"],
        setup: Setup { profile: "[clock]\nholds = \"1 s\"", ..ONE },
        run: lost,
        ..BASE
    },
];

/// Sets the clock, and asks for it.
fn set_and_ask(server: &mut ProbeServer<'_>, to: &str) -> Result<(), StageError> {
    server.send_text(to)?;
    server.serve(SOON)?;
    ask(server)
}

fn ask(server: &mut ProbeServer<'_>) -> Result<(), StageError> {
    server.send_text("002,00002")?;
    server.serve(SOON)
}

fn set(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for to in [
        "2025-06-07 08:09:10",
        "2023-06-07 08:09:10",
        "2024-02-29 23:59:58",
        "2000-02-29 00:00:00",
        "2024-12-31 23:59:59",
    ] {
        set_and_ask(&mut server, &format!("003,00002,{to}"))?;
    }
    server.restart(Span::s(5))?;
    ask(&mut server)
}

fn impossible(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for wrong in [
        "003,00002,2023-02-29 12:00:00",
        "003,00002,2024-02-30 12:00:00",
        "003,00002,2024-13-01 12:00:00",
        "003,00002,2024-00-10 12:00:00",
        "003,00002,2025-06-31 12:00:00",
        "003,00002,2025-06-07 24:00:00",
        "003,00002,2025-06-07 12:60:00",
        "003,00002,2025-06-07 12:00:60",
        "003,00002,2100-02-29 12:00:00",
        "003,00002,9999-99-99 99:99:99",
        "003,00002,2025-06-07",
        "003,00002,2025-06-07 12:00:00 ,",
        "003,00002,",
        "003,00003,2025-06-07 12:00:00",
    ] {
        set_and_ask(&mut server, wrong)?;
    }
    set_and_ask(&mut server, "003,00002,2025-06-07 12:00:00")?;
    set_and_ask(&mut server, "003,00002,2023-02-29 12:00:00")
}

/// A card pays, and is served.
fn serve(server: &mut ProbeServer<'_>, card: &str) -> Result<(), StageError> {
    server.pay("5.50", card)?;
    server.serve(Span::s(4))
}

fn back_in_time(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Everything;
    serve(&mut server, CARD)?;
    set_and_ask(&mut server, "003,00002,2024-01-01 03:04:05")?;
    serve(&mut server, WHITE)?;
    serve(&mut server, CARD)?;
    set_and_ask(&mut server, "003,00002,2024-01-03 00:00:00")?;
    serve(&mut server, WHITE)?;
    set_and_ask(&mut server, "003,00002,2024-01-02 23:59:59")?;
    serve(&mut server, CARD)
}

fn within_a_second(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Everything;
    for card in [CARD, WHITE, MORE_WHITE[0], MORE_WHITE[1], MORE_WHITE[2]] {
        server.pay("5.50", card)?;
        server.shown("OK", SOON)?;
    }
    server.serve(Span::s(3))
}

fn back_over_power_loss(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Everything;
    serve(&mut server, CARD)?;
    server.send_text("003,00002,2024-01-01 03:04:05")?;
    server.serve(SOON)?;
    server.restart(Span::s(5))?;
    serve(&mut server, WHITE)?;
    server.restart(Span::s(5))?;
    serve(&mut server, CARD)
}

fn lost(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Everything;
    serve(&mut server, CARD)?;
    server.restart(Span::s(5))?;
    serve(&mut server, WHITE)?;
    serve(&mut server, CARD)?;
    server.restart(Span::s(5))?;
    serve(&mut server, WHITE)?;
    set_and_ask(&mut server, "003,00002,2024-01-02 03:30:00")?;
    serve(&mut server, CARD)
}
