//! What a tap means, mode by mode.

use assay_sim::pos::plant::TerminalSpec;
use assay_sim::pos::terminal::installed::Mode;
use assay_sim::time::Span;

use super::probe_server::{ProbeServer, SOON, Serves};
use super::{BASE, CARD, ONE, WHITE};
use crate::pos::{Case, Setup, Stage};
use crate::stage::StageError;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "pos/terminal-modes/ordinary",
        title: "a card without an amount, keys, a payment and a payment by code, all served",
        shows: &["POS-A2", "POS-A4", "POS-P3", "POS-P8"],
        run: ordinary,
        explored: true,
        ..BASE
    },
    Case {
        id: "pos/terminal-modes/money",
        title: "an older device with the field of unknown meaning that takes typed amounts only",
        shows: &["POS-A2", "POS-A4", "POS-P3", "POS-R1", "POS-R8"],
        setup: Setup { specs: &[MONEY], ..ONE },
        run: money,
        ..BASE
    },
    Case {
        id: "pos/terminal-modes/fixed",
        title: "a fixed amount is paid by card, by code, and off line",
        shows: &["POS-A2", "POS-A4", "POS-P3", "POS-R1", "POS-R8"],
        setup: Setup { specs: &[TerminalSpec::FIXED], ..ONE },
        run: taps,
        ..BASE
    },
    Case {
        id: "pos/terminal-modes/count",
        title: "a count is taken, refused, and booked off line",
        shows: &["POS-A2", "POS-A4", "POS-P3", "POS-R1", "POS-R8"],
        setup: Setup { specs: &[TerminalSpec::COUNTING], ..ONE },
        run: taps,
        ..BASE
    },
];

/// An older device: no serial, the field of unknown meaning, and nothing without an amount.
const MONEY: TerminalSpec =
    TerminalSpec { mode: Mode::Money, tells_serial: false, flag: Some(b'2'), ..TerminalSpec::ORDINARY };

fn ordinary(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Everything;
    server.act(&format!("tap {CARD}"))?;
    server.serve(SOON)?;
    server.act("keys #7")?;
    server.serve(SOON)?;
    server.pay("5.50", CARD)?;
    server.serve(SOON)?;
    server.scan("3.00", "134567890123456789")?;
    server.serve(SOON)?;
    server.pay("1.2", WHITE)?;
    server.serve(Span::s(60))?;
    // Whatever befell it, it serves the next sale.
    server.pay("2", CARD)?;
    server.serve(Span::s(30))
}

fn money(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.act(&format!("tap {CARD}"))?;
    for bad in ["0", "1.234", "99999.99", "x"] {
        server.act(&format!("keys {bad}"))?;
        server.act(&format!("tap {CARD}"))?;
    }
    server.serves = Serves::Everything;
    server.pay("5.5", CARD)?;
    server.serve(Span::s(5))?;
    server.serves = Serves::Notices;
    server.pay("0.01", WHITE)?;
    server.serve(Span::s(10))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(20))
}

fn taps(stage: &mut Stage) -> Result<(), StageError> {
    let mut server = ProbeServer::in_service(stage)?;
    server.serves = Serves::Everything;
    server.act(&format!("tap {CARD}"))?;
    server.serve(Span::s(5))?;
    server.act("scan 134567890123456789")?;
    server.serve(Span::s(5))?;
    server.serves = Serves::Acknowledges;
    server.forget();
    server.act(&format!("tap {CARD}"))?;
    if let Some(sale) = server.sale(SOON)? {
        server.refuse(&sale)?;
    }
    server.serve(Span::s(5))?;
    server.serves = Serves::Notices;
    server.act(&format!("tap {WHITE}"))?;
    server.serve(Span::s(10))?;
    server.serves = Serves::Everything;
    server.serve(Span::s(20))
}
