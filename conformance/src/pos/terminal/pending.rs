//! Payments that are acknowledged and not answered.

use assay_sim::pos::frame::DeviceMessage;
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON};
use super::{BASE, CARD, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-pending/overdue",
        title: "an acknowledged payment is not answered for two rounds, other sales wait, and it is made at last",
        shows: &["POS-A2", "POS-A4", "POS-P3"],
        run: overdue,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/white-card",
        title: "an acknowledged payment of a card on the white list is not answered, and is not booked",
        shows: &["POS-P3"],
        run: white_card,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/continued",
        title: "the same card and amount continue the pending payment before its next round",
        shows: &["POS-P3"],
        run: continued,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/restarted",
        title: "power is lost twice while a payment is pending, and it is refused at last",
        shows: &["POS-P3"],
        run: restarted,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/unanswered-rounds",
        title: "the rounds of a pending payment are not even acknowledged, and it stays pending",
        shows: &["POS-A2", "POS-P3"],
        run: unanswered_rounds,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/in-progress",
        title: "a payment by code is in progress for longer than is waited, and is made in a later round",
        shows: &["POS-A4", "POS-P3"],
        run: in_progress,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/in-progress-then-refused",
        title: "a payment by code is in progress for a minute, in which others wait, and is refused",
        shows: &["POS-A4", "POS-P3"],
        run: in_progress_then_refused,
        ..BASE
    },
    Case {
        id: "pos/terminal-pending/scan-restarted",
        title: "power is lost while a payment by code is in progress, and it is repeated with number and code",
        shows: &["POS-P3", "POS-R7"],
        run: scan_restarted,
        explored: true,
        ..BASE
    },
];

/// Long enough for an acknowledged payment to become pending.
const OVERDUE: Span = Span::s(7);

/// A payment that is acknowledged.
fn acknowledged(server: &mut ProbeServer<'_>, card: &str) -> Result<Option<DeviceMessage>, StageError> {
    let sale = server.pay("5.50", card)?;
    if let Some(sale) = &sale {
        server.acknowledge(sale)?;
    }
    Ok(sale)
}

/// The next round begins, and is acknowledged.
fn next_round(server: &mut ProbeServer<'_>) -> Result<Option<DeviceMessage>, StageError> {
    server.forget();
    let sale = server.sale(Span::s(25))?;
    if let Some(sale) = &sale {
        server.acknowledge(sale)?;
    }
    Ok(sale)
}

fn overdue(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    acknowledged(&mut server, CARD)?;
    server.serve(OVERDUE)?;
    server.pay("5.50", WHITE)?;
    server.pay("5.51", CARD)?;
    next_round(&mut server)?;
    server.pay("1.00", WHITE)?;
    let Some(sale) = next_round(&mut server)? else { return Ok(()) };
    server.serve(Span::s(2))?;
    server.make(&sale)?;
    server.serve(Span::s(25))?;
    // The next sale is served as ever.
    let Some(sale) = acknowledged(&mut server, WHITE)? else { return Ok(()) };
    server.make(&sale)?;
    server.serve(Span::s(5))
}

fn white_card(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    acknowledged(&mut server, WHITE)?;
    server.serve(Span::s(45))?;
    let Some(sale) = next_round(&mut server)? else { return Ok(()) };
    server.make(&sale)?;
    server.serve(Span::s(5))
}

fn continued(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    acknowledged(&mut server, CARD)?;
    server.serve(OVERDUE)?;
    let again = server.pay("5.50", CARD)?;
    if let Some(sale) = &again {
        server.acknowledge(sale)?;
        server.serve(Span::s(1))?;
        server.make(sale)?;
    }
    server.serve(Span::s(25))
}

fn restarted(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    acknowledged(&mut server, CARD)?;
    server.serve(Span::s(2))?;
    server.restart(Span::s(5))?;
    next_round(&mut server)?;
    server.serve(OVERDUE)?;
    server.restart(Span::s(5))?;
    server.pay("1.00", WHITE)?;
    let Some(sale) = next_round(&mut server)? else { return server.serve(Span::s(25)) };
    server.refuse(&sale)?;
    server.serve(Span::s(25))
}

fn unanswered_rounds(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    acknowledged(&mut server, WHITE)?;
    server.serve(Span::s(50))?;
    let Some(sale) = next_round(&mut server)? else { return Ok(()) };
    server.make(&sale)?;
    server.serve(Span::s(5))
}

fn in_progress(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(sale) = server.scan("3.00", "134567890123456789")? else { return Ok(()) };
    server.acknowledge(&sale)?;
    server.in_progress(&sale)?;
    server.serve(Span::s(95))?;
    server.scan("3.00", "999999999999999999")?;
    let Some(sale) = next_round(&mut server)? else { return Ok(()) };
    server.make(&sale)?;
    server.serve(Span::s(5))
}

fn in_progress_then_refused(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let Some(sale) = server.scan("3.00", "1345,6789,")? else { return Ok(()) };
    server.acknowledge(&sale)?;
    server.in_progress(&sale)?;
    server.serve(Span::s(30))?;
    server.pay("1.00", CARD)?;
    server.in_progress(&sale)?;
    server.serve(Span::s(30))?;
    server.refuse(&sale)?;
    server.serve(Span::s(25))?;
    let Some(sale) = acknowledged(&mut server, CARD)? else { return Ok(()) };
    server.make(&sale)?;
    server.serve(SOON)
}

fn scan_restarted(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    let mut sale = server.scan("3.00", "134567890123456789,7")?;
    if sale.is_none() {
        // Power may be away just then; people try again.
        server.serve(Span::s(25))?;
        sale = server.scan("3.00", "134567890123456789,7")?;
    }
    let Some(sale) = sale else { return Ok(()) };
    server.acknowledge(&sale)?;
    server.in_progress(&sale)?;
    server.serve(Span::s(3))?;
    server.restart(Span::s(5))?;
    let Some(sale) = next_round(&mut server)? else { return server.serve(Span::s(25)) };
    server.make(&sale)?;
    server.serve(Span::s(5))?;
    // Nobody answers the next one.
    server.scan("3.00", "134567890123456780")?;
    server.serve(Span::s(30))
}
