//! Clients that are killed, and networks that break.

use assay_sim::payments::acquirer::PayerStimulus;
use assay_sim::payments::ledger::Manner;
use assay_sim::time::Span;

use super::{BASE, SETUP, ids};
use crate::payments::faced::{Faced, Ids, by_face};
use crate::payments::{Case, Setup, Stage};
use crate::stage::StageError;

const KILLED_ASKING: &str = r#"
[[strike]]
site = "pay> pay #1"
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
site = "pay> cancel #1"
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

const REFUSED_ANSWER: &str = r#"
[[strike]]
site = "pay< answer #1"
moment = "before"
fault = { fate = "reset", at = 0 }
"#;

pub(super) fn cases() -> Vec<Faced> {
    let rows: [(Ids, &str, &str, &[&str], Setup); 5] = [
        (
            ids!("answer-never-heard"),
            "The connection is half open when the platform answers a query",
            HALF_OPEN,
            &["PYC-1", "PYC-2", "PYC-3", "PYC-5", "PYC-14"],
            Setup { manner: Manner::Nothing, ..SETUP },
        ),
        (
            ids!("killed-while-asking"),
            "The client is killed when its pay call is on its way",
            KILLED_ASKING,
            &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            SETUP,
        ),
        (
            ids!("killed-when-answered"),
            "The client is killed when the platform has answered",
            KILLED_ANSWERED,
            &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            SETUP,
        ),
        (
            ids!("killed-while-undoing"),
            "The client is killed when it undoes an order",
            KILLED_UNDOING,
            &["PYC-1", "PYC-3", "PYC-5", "PYC-14"],
            Setup { manner: Manner::Nothing, ..SETUP },
        ),
        (
            ids!("answer-lost"),
            "The connection is reset before the platform's answer has come",
            REFUSED_ANSWER,
            &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
            SETUP,
        ),
    ];
    let mut cases: Vec<Faced> = rows
        .into_iter()
        .map(|(ids, title, plan, shows, setup)| {
            Faced::new(ids, Case { title, plan, shows, setup, run: charged, ..BASE })
        })
        .collect();
    cases.push(Faced::new(
        ids!("killed-when-notified"),
        Case {
            title: "The client is killed when it answers a notification",
            plan: KILLED_TOLD,
            shows: &["PYC-1", "PYC-5", "PYC-8", "PYC-9", "PYC-14"],
            run: scanned,
            ..BASE
        },
    ));
    cases.extend(on_a_slow_disk());
    cases
}

/// A disk that takes longer than the way to the platform and back.
const SLOW_DISK: [&str; 3] = by_face!("[journal]\nsync = \"500 ms\"\n");

const WRONG_AMOUNTS: &str =
    "[[misbehave]]\ncall = 'query'\ntimes = 99\nwith = { does = 'wrong-amount', by_fen = 100 }";

fn on_a_slow_disk() -> [Faced; 2] {
    let asking = Case {
        title: "The client is killed when its pay call is on its way, and its disk is slow",
        plan: KILLED_ASKING,
        shows: &["PYC-1", "PYC-2", "PYC-5", "PYC-14"],
        run: charged_once,
        ..BASE
    };
    let notified = Case {
        title: "The client is killed after it has answered a notification, its disk is slow, and no query helps",
        plan: KILLED_AFTER_RECEIPT,
        shows: &["PYC-1", "PYC-5", "PYC-8", "PYC-14"],
        setup: Setup { misbehaviour: WRONG_AMOUNTS, ..SETUP },
        run: notified_once,
        ..BASE
    };
    [
        Faced::new(ids!("slow-disk-asking"), asking).with(SLOW_DISK),
        Faced::new(ids!("slow-disk-notified"), notified).with(SLOW_DISK),
    ]
}

/// Asked for once: what is lost is lost.
fn charged_once(stage: &mut Stage) -> Result<(), StageError> {
    stage.wait(Span::s(1))?;
    let line = stage.charge_line(7, 550, 0);
    stage.at_till(&line)?;
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
    stage.charge(7, 550, 0)?;
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
