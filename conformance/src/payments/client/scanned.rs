//! Orders that a payer scans, and notifications.

use assay_sim::payments::acquirer::PayerStimulus;
use assay_sim::time::Span;

use super::{BASE, SETUP, ids};
use crate::payments::faced::{Faced, Ids};
use crate::payments::{Case, Setup, Stage};
use crate::stage::StageError;

pub(super) fn cases() -> Vec<Faced> {
    let mut cases: Vec<Faced> = NOTICES
        .into_iter()
        .map(|(ids, title, misbehaviour, shows)| {
            let setup = Setup { misbehaviour, ..SETUP };
            let (explored, run): (bool, fn(&mut Stage) -> _) =
                if misbehaviour.is_empty() { (true, asked_again) } else { (false, paid) };
            Faced::new(ids, Case { title, shows, setup, run, explored, ..BASE })
        })
        .collect();
    cases.extend([given_up(), paid_when_given_up(), closing_fails()]);
    cases
}

fn given_up() -> Faced {
    let case = Case {
        title: "The till no longer wants an order, and it is closed when that is allowed",
        shows: &["PYC-1", "PYC-4", "PYC-5", "PYC-14"],
        run: cancelled,
        ..BASE
    };
    Faced::new(ids!("scan-cancelled"), case)
}

/// At Alipay a cancel gives the money back by itself.
fn paid_when_given_up() -> Faced {
    let case = Case {
        title: "An order is paid that the till no longer wants, and the money goes back",
        shows: &["PYC-1", "PYC-5", "PYC-6", "PYC-12"],
        setup: Setup {
            misbehaviour: "[[misbehave]]\ncall = 'notification'\ntimes = 9\n\
                           with = { does = 'no-answer', effect = false }",
            ..SETUP
        },
        run: paid_when_cancelled,
        ..BASE
    };
    Faced { at_alipay: Some(&["PYC-1", "PYC-5"]), ..Faced::new(ids!("scan-paid-when-cancelled"), case) }
}

fn closing_fails() -> Faced {
    let case = Case {
        title: "Nobody scans an order, and closing it fails at first",
        shows: &["BKD-3", "PYC-1", "PYC-2", "PYC-4", "PYC-5"],
        setup: Setup {
            misbehaviour: "[[misbehave]]\ncall = 'close'\nwith = { does = 'system-error', effect = false }\n\
                           [[misbehave]]\ncall = 'close'\nnth = 2\nwith = { does = 'no-answer', effect = true }",
            ..SETUP
        },
        run: cancelled,
        ..BASE
    };
    Faced::new(ids!("scan-close-errors"), case)
}

type Row = (Ids, &'static str, &'static str, &'static [&'static str]);

/// What befalls the notification of an order that is paid.
const NOTICES: [Row; 8] = [
    (
        ids!("scan"),
        "An order is scanned, paid and notified",
        "",
        &["PYC-1", "PYC-5", "PYC-8", "PYC-9", "PYC-11", "PYC-14"],
    ),
    (
        ids!("notice-twice"),
        "The notification comes twice, a while apart",
        "[[misbehave]]\ncall = 'notification'\nwith = { does = 'twice', after = '2 s' }",
        &["BKD-3", "PYC-8", "PYC-9"],
    ),
    (
        ids!("notice-signature"),
        "The first notification has a wrong signature",
        "[[misbehave]]\ncall = 'notification'\nwith = { does = 'wrong-signature' }",
        &["BKD-3", "PYC-7", "PYC-8"],
    ),
    (
        ids!("notice-amount"),
        "The first notification tells of another amount",
        "[[misbehave]]\ncall = 'notification'\nwith = { does = 'wrong-amount', by_fen = -100 }",
        &["BKD-3", "PYC-7", "PYC-8"],
    ),
    (
        ids!("notice-late"),
        "The notification comes long after the order was asked about",
        "[[misbehave]]\ncall = 'notification'\nwith = { does = 'held', by = '60 s' }",
        &["BKD-3", "PYC-2", "PYC-5", "PYC-8", "PYC-9"],
    ),
    (
        ids!("notice-never"),
        "No notification comes for an hour",
        "[[misbehave]]\ncall = 'notification'\ntimes = 9\nwith = { does = 'no-answer', effect = false }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("offer-errors"),
        "Making the order fails, is not answered, and succeeds",
        "[[misbehave]]\ncall = 'precreate'\nwith = { does = 'system-error', effect = false }\n\
         [[misbehave]]\ncall = 'precreate'\nnth = 2\nwith = { does = 'no-answer', effect = true }",
        &["BKD-3", "PYC-1", "PYC-5", "PYC-8"],
    ),
    (
        ids!("scan-query-paid"),
        "A query tells of another amount before the notification comes",
        "[[misbehave]]\ncall = 'query'\ntimes = 9\nwith = { does = 'wrong-amount', by_fen = 100 }\n\
         [[misbehave]]\ncall = 'notification'\nwith = { does = 'held', by = '30 s' }",
        &["BKD-3", "PYC-5", "PYC-8", "PYC-13"],
    ),
];

fn paid(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    stage.told(&["paid", "failed"], Span::s(90))?;
    stage.rest()
}

/// A word to the till may be lost with the client that says it: the till asks again.
fn asked_again(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    if !stage.told(&["paid", "failed"], Span::s(90))? {
        stage.sell("offer 8 990")?;
    }
    stage.rest()
}

fn cancelled(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.at_till("cancel 8")?;
    stage.told(&["paid", "failed"], Span::s(400))?;
    stage.rest()
}

fn paid_when_cancelled(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.at_till("cancel 8")?;
    stage.wait(Span::s(20))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    stage.told(&["paid", "failed"], Span::s(400))?;
    stage.rest()
}
