//! Clients that are killed, and networks that break.

use assay_sim::payments::ledger::Manner;

use super::{BASE, SETUP};
use crate::payments::{Case, Setup, Stage};
use crate::stage::StageError;

const KILLED_ASKING: &str = r#"
[[strike]]
site = "pay> micropay #1"
moment = "after"
fault = { mishap = "crash", party = "client", torn = "old", off = "5 s" }
"#;

const KILLED_ANSWERED: &str = r#"
[[strike]]
site = "pay< answer #1"
moment = "after"
fault = { mishap = "crash", party = "client", torn = "old", off = "5 s" }
"#;

const KILLED_UNDOING: &str = r#"
[[strike]]
site = "pay> reverse #1"
moment = "after"
fault = { mishap = "crash", party = "client", torn = "old", off = "5 s" }
"#;

const KILLED_TOLD: &str = r#"
[[strike]]
site = "notify< receipt #1"
moment = "before"
fault = { mishap = "crash", party = "client", torn = "old", off = "5 s" }
"#;

const REFUSED_ANSWER: &str = r#"
[[strike]]
site = "pay< answer #1"
moment = "before"
fault = { fate = "reset", at = 0 }
"#;

pub(super) fn cases() -> Vec<Case> {
    let rows: [(&str, &str, &str, &[&str], Setup); 4] = [
        (
            "payments/client/killed-while-asking",
            "The client is killed when its pay call is on its way",
            KILLED_ASKING,
            &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            SETUP,
        ),
        (
            "payments/client/killed-when-answered",
            "The client is killed when the platform has answered",
            KILLED_ANSWERED,
            &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            SETUP,
        ),
        (
            "payments/client/killed-while-undoing",
            "The client is killed when it undoes an order",
            KILLED_UNDOING,
            &["PYC-1", "PYC-3", "PYC-5", "PYC-14"],
            Setup { manner: Manner::Nothing, ..SETUP },
        ),
        (
            "payments/client/answer-lost",
            "The connection is reset before the platform's answer has come",
            REFUSED_ANSWER,
            &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            SETUP,
        ),
    ];
    let mut cases: Vec<Case> = rows
        .into_iter()
        .map(|(id, title, plan, shows, setup)| Case { id, title, plan, shows, setup, run: charged, ..BASE })
        .collect();
    cases.push(Case {
        id: "payments/client/killed-when-notified",
        title: "The client is killed when it answers a notification",
        plan: KILLED_TOLD,
        shows: &["PYC-1", "PYC-5", "PYC-8", "PYC-9", "PYC-14"],
        run: scanned,
        ..BASE
    });
    cases
}

fn charged(stage: &mut Stage) -> Result<(), StageError> {
    stage.sell("charge 7 550 134567890123456789")?;
    stage.rest()
}

fn scanned(stage: &mut Stage) -> Result<(), StageError> {
    use assay_sim::payments::acquirer::PayerStimulus;
    use assay_sim::time::Span;
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    stage.wait(Span::s(60))?;
    stage.sell("offer 8 990")?;
    stage.rest()
}
