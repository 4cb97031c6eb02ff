//! Clients that are killed, and networks that break.

use assay_sim::payments::acquirer::PayerStimulus;
use assay_sim::payments::ledger::Manner;
use assay_sim::time::Span;

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

const KILLED_AFTER_RECEIPT: &str = r#"
[[strike]]
site = "notify< receipt #1"
moment = "after"
fault = { mishap = "crash", party = "client", torn = "old", off = "5 s" }
"#;

const HALF_OPEN: &str = r#"
[[strike]]
site = "pay< answer #2"
moment = "before"
fault = { fate = "half-open" }
"#;

/// A disk that takes longer than the way to the platform and back.
const SLOW_DISK: &str = "[journal]\nsync = \"500 ms\"\n";

const REFUSED_ANSWER: &str = r#"
[[strike]]
site = "pay< answer #1"
moment = "before"
fault = { fate = "reset", at = 0 }
"#;

pub(super) fn cases() -> Vec<Case> {
    let rows: [(&str, &str, &str, &[&str], Setup); 5] = [
        (
            "payments/client/answer-never-heard",
            "The connection is half open when the platform answers a query",
            HALF_OPEN,
            &["PYC-1", "PYC-2", "PYC-3", "PYC-5", "PYC-14"],
            Setup { manner: Manner::Nothing, ..SETUP },
        ),
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
    cases.extend(on_a_slow_disk());
    cases
}

const WRONG_AMOUNTS: &str =
    "[[misbehave]]\ncall = 'query'\ntimes = 99\nwith = { does = 'wrong-amount', by_fen = 100 }";

fn on_a_slow_disk() -> [Case; 2] {
    [
        Case {
            id: "payments/client/slow-disk-asking",
            title: "The client is killed when its pay call is on its way, and its disk is slow",
            plan: KILLED_ASKING,
            shows: &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            setup: Setup { profile: SLOW_DISK, ..SETUP },
            run: charged_once,
            ..BASE
        },
        Case {
            id: "payments/client/slow-disk-notified",
            title: "The client is killed after it has answered a notification, its disk is slow, and no query helps",
            plan: KILLED_AFTER_RECEIPT,
            shows: &["PYC-1", "PYC-5", "PYC-8", "PYC-14"],
            setup: Setup { profile: SLOW_DISK, misbehaviour: WRONG_AMOUNTS, ..SETUP },
            run: notified_once,
            ..BASE
        },
    ]
}

/// Asked for once: what is lost is lost.
fn charged_once(stage: &mut Stage) -> Result<(), StageError> {
    stage.wait(Span::s(1))?;
    stage.at_till("charge 7 550 134567890123456789")?;
    stage.told(&["paid", "failed"], Span::s(60))?;
    stage.rest()
}

/// At rest before the order would be closed, which would tell that it is paid.
fn notified_once(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    stage.wait(Span::s(20))?;
    stage.at_till("offer 8 990")?;
    stage.told(&["paid", "failed"], Span::s(10))?;
    stage.rest()
}

fn charged(stage: &mut Stage) -> Result<(), StageError> {
    stage.sell("charge 7 550 134567890123456789")?;
    stage.rest()
}

fn scanned(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    stage.wait(Span::s(60))?;
    stage.sell("offer 8 990")?;
    stage.rest()
}
