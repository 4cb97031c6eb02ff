//! Messages that are not acknowledged.

use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON, Serves, is_sale};
use super::{BASE, CARD, WHITE};
use crate::pos::{Case, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-rounds/white-card",
        title: "nobody acknowledges the payment of a card on the white list, which is booked and goes up later",
        shows: &["POS-A2", "POS-R1", "POS-R2", "POS-R7", "POS-R8"],
        run: white_card,
        ..BASE
    },
    Case {
        id: "pos/terminal-rounds/other-card",
        title: "nobody acknowledges the payment of a card that is on no white list",
        shows: &["POS-A2", "POS-R1"],
        run: other_card,
        ..BASE
    },
    Case {
        id: "pos/terminal-rounds/acknowledged-late",
        title: "the second, then the third send of a payment is the first to be acknowledged, and answered",
        shows: &["POS-A2", "POS-A4", "POS-P3"],
        run: acknowledged_late,
        ..BASE
    },
    Case {
        id: "pos/terminal-rounds/short-messages",
        title: "nobody acknowledges that it was switched on, a card, keys and a confirmation, each sent thrice",
        shows: &["POS-A2", "POS-A4"],
        run: short_messages,
        ..BASE
    },
    Case {
        id: "pos/terminal-rounds/acknowledges-another",
        title: "what comes acknowledges other messages, and the payment goes its round",
        shows: &["POS-A2", "POS-R1"],
        run: acknowledges_another,
        ..BASE
    },
];

/// Long enough for a first round to end.
const ROUND: Span = Span::s(6);

fn white_card(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.pay("5.50", WHITE)?;
    server.serve(ROUND)?;
    // Nobody acknowledges its record either.
    server.serve(Span::s(30))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(40))
}

fn other_card(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.pay("5.50", CARD)?;
    server.serve(Span::s(40))
}

fn acknowledged_late(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    for missed in 1..=2 {
        server.pay("5.50", CARD)?;
        for _ in 1..missed {
            server.sale(SOON)?;
        }
        let Some(sale) = server.sale(SOON)? else { return Ok(()) };
        server.acknowledge(&sale)?;
        server.serve(Span::s(3))?;
        server.make(&sale)?;
        server.serve(Span::s(15))?;
    }
    Ok(())
}

fn short_messages(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::new(stage, Serves::Nothing)?;
    server.power_on()?;
    server.serve(ROUND)?;
    server.act(&format!("tap {CARD}"))?;
    server.serve(ROUND)?;
    server.act("keys #42")?;
    server.serve(ROUND)?;
    server.send_text("009,00002,WELCOME,20,1,0")?;
    server.serve(Span::s(30))
}

fn acknowledges_another(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.pay("5.50", WHITE)?;
    for other in ["001,00000", "001,99999", "001,1", "001,"] {
        server.send_text(other)?;
    }
    server.sale(SOON)?;
    server.serve(Span::s(20))?;
    server.message(SOON, &is_sale)?;
    server.serves = Serves::Everything;
    server.serve(Span::s(20))
}
