//! Power that goes while a sale is written, sent, answered, booked or deleted.

use assay_sim::time::Span;

use super::probe_server::{ProbeServer, Serves};
use super::records::book;
use super::{BASE, CARD, MORE_WHITE, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-cuts/just-sent",
        title: "power goes just after the first send of a payment, which is repeated afterwards",
        shows: &["POS-P3"],
        plan: r#"
            [[strike]]
            site = "udp-a> 103 #1"
            moment = "after"
            fault = { mishap = "power-cut", supply = "mcu-a", torn = "neither", off = "5 s" }
        "#,
        run: just_sent,
        ..BASE
    },
    Case {
        id: "pos/terminal-cuts/code-just-sent",
        title: "power goes just after the first send of a payment by code, which is repeated afterwards",
        shows: &["POS-P3"],
        plan: r#"
            [[strike]]
            site = "udp-a> 128 #1"
            moment = "after"
            fault = { mishap = "power-cut", supply = "mcu-a", torn = "neither", off = "5 s" }
        "#,
        run: code_just_sent,
        ..BASE
    },
    Case {
        id: "pos/terminal-cuts/half-written",
        title: "power goes while the amount of a sale is written, and the sale was none",
        shows: &["POS-P3", "POS-P8"],
        plan: r#"
            [[strike]]
            site = "terminal-a flash-byte@16 #30"
            moment = "after"
            fault = { mishap = "power-cut", supply = "mcu-a", torn = "neither", off = "5 s" }
        "#,
        run: half_written,
        ..BASE
    },
    Case {
        id: "pos/terminal-cuts/off-line",
        title: "a sale is booked off line and goes up; every datagram, storage step and timer of it may be struck",
        shows: &["POS-A2", "POS-R1", "POS-R2", "POS-R8"],
        run: off_line,
        explored: true,
        ..BASE
    },
];

fn just_sent(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.pay("5.50", CARD)?;
    server.serve(Span::s(35))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(30))
}

fn code_just_sent(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.scan("3.00", "134567890123456789,1")?;
    server.serve(Span::s(35))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(30))
}

fn half_written(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.pay("5.50", CARD)?;
    server.serve(Span::s(20))?;
    server.serves = Serves::Everything;
    for card in [CARD, WHITE] {
        server.pay("5.50", card)?;
        server.serve(Span::s(5))?;
    }
    Ok(())
}

fn off_line(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &[WHITE, MORE_WHITE[0]])?;
    server.serves = Serves::Everything;
    server.serve(Span::s(60))?;
    server.pay("2", CARD)?;
    server.serve(Span::s(30))
}
