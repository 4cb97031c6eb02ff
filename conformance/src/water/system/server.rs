//! The server stops dead, and comes back with what its journal kept.

use assay_sim::money::Fen;
use assay_sim::time::Span;

use super::BASE;
use crate::stage::StageError;
use crate::water::Case;
use crate::water::Stage;

const SHOWS: &[&str] = &["WAT-T1", "WAT-T2", "WAT-C5", "WAT-I1", "WAT-I2", "WAT-I3", "WAT-I4"];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "water/server/crash-at-close",
        title: "the server stops while the closing of the order is being written",
        shows: SHOWS,
        plan: r#"
            [[strike]]
            site = "gprs-a> upload #1"
            moment = "after"
            fault = { mishap = "crash", party = "server", torn = "old", off = "30 s" }
        "#,
        run: one_topup,
        ..BASE
    },
    Case {
        id: "water/server/crash-before-durable",
        title: "the server has acknowledged the upload's bytes and stops before it has stored what they say",
        shows: SHOWS,
        plan: r#"
            [[strike]]
            site = "server journal-append@4 #1"
            moment = "after"
            fault = { mishap = "crash", party = "server", torn = "old", off = "30 s" }
        "#,
        run: one_topup,
        ..BASE
    },
    Case {
        id: "water/server/crash-at-offer",
        title: "the server stops when it has offered the order",
        shows: SHOWS,
        plan: r#"
            [[strike]]
            site = "gprs-a< order-request-answer #1"
            fault = { mishap = "crash", party = "server", torn = "old", off = "30 s" }
        "#,
        run: one_topup,
        ..BASE
    },
    Case {
        id: "water/server/crash-at-payment",
        title: "the server stops while the payment is being written, and is told of it again",
        shows: SHOWS,
        plan: r#"
            [[strike]]
            site = "lan> pay #1"
            moment = "after"
            fault = { mishap = "crash", party = "server", torn = "neither", off = "30 s" }
        "#,
        run: one_topup,
        ..BASE
    },
];

fn one_topup(stage: &mut Stage) -> Result<(), StageError> {
    stage.ready(0)?;
    stage.prepay(0, Fen(4_375))?;
    stage.wait(Span::s(2))?;
    for _ in 0..3 {
        stage.visit_until_told(0, 0)?;
        stage.rest()?;
    }
    Ok(())
}
