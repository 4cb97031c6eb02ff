//! What is booked, and how much of it.

use assay_sim::pos::party::Event;
use assay_sim::tape::{Entry, Seen};
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, Serves};
use super::records::book;
use super::{BASE, CARD, MORE_WHITE, ONE, WHITE};
use crate::pos::scene::Scene;
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

/// A store with room for three records.
const SMALL: Setup = Setup { profile: "[store]\nrecords_max = 3", ..ONE };

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-store/full",
        title: "a fourth sale is refused when there is room for three, and all three go up",
        shows: &["POS-R1", "POS-R2", "POS-R7"],
        setup: SMALL,
        run: full,
        ..BASE
    },
    Case {
        id: "pos/terminal-store/room-again",
        title: "a full store has room again when a record was deleted, also after a loss of power",
        shows: &["POS-R1", "POS-R7"],
        setup: SMALL,
        run: room_again,
        ..BASE
    },
    Case {
        id: "pos/terminal-store/code",
        title: "nobody acknowledges a payment by code, and it is not booked",
        shows: &["POS-A2"],
        run: code,
        ..BASE
    },
    Case {
        id: "pos/terminal-store/white-list",
        title: "after each of three losses of power, a card on the white list is booked and another is not",
        shows: &["POS-R1", "POS-R7"],
        run: white_list,
        ..BASE
    },
    Case {
        id: "pos/terminal-store/cut-when-shown",
        title: "power goes the moment that a sale is shown as booked, and the record is there",
        shows: &["POS-R7"],
        run: cut_when_shown,
        ..BASE
    },
];

fn full(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Acknowledges;
    server.serve(Span::s(1))?;
    server.serves = Serves::Notices;
    book(&mut server, &MORE_WHITE)?;
    server.pay("5.50", WHITE)?;
    server.serve(Span::s(10))?;
    server.pay("5.50", CARD)?;
    server.serve(Span::s(10))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(40))
}

fn room_again(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    book(&mut server, &MORE_WHITE)?;
    server.forget();
    if let Some(record) = server.record(Span::s(15))? {
        server.acknowledge(&record)?;
        server.delete(&record)?;
    }
    server.serve(Span::s(3))?;
    server.restart(Span::s(5))?;
    book(&mut server, &[WHITE])?;
    server.serve(Span::s(10))?;
    server.pay("1.00", MORE_WHITE[0])?;
    server.serve(Span::s(10))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(40))
}

fn code(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.scan("3.00", "134567890123456789")?;
    server.serve(Span::s(30))
}

fn white_list(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for white in MORE_WHITE {
        server.restart(Span::s(5))?;
        server.pay("5.50", CARD)?;
        server.serve(Span::s(12))?;
        book(&mut server, &[white])?;
    }
    server.serves = Serves::Everything;
    server.serve(Span::s(30))
}

fn cut_when_shown(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.pay("5.50", WHITE)?;
    let line = server.stage.terminal(0)?.panel_line;
    let shows = |entry: &Entry<Event>| match &entry.what {
        Seen::Sent { line: on, way: Scene::UP, bytes, .. } => {
            *on == line && bytes.starts_with(b"show OFF LINE")
        }
        _ => false,
    };
    if server.stage.wait_for(Span::s(6), &shows)? {
        server.restart(Span::s(5))?;
    }
    server.serve(Span::s(30))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(20))
}
