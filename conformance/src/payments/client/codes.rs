//! Payments by a code.

use assay_sim::money::Fen;
use assay_sim::payments::acquirer::PayerStimulus;
use assay_sim::payments::ledger::Manner;
use assay_sim::time::Span;

use super::{BASE, SETUP, ids};
use crate::payments::faced::{Faced, Ids};
use crate::payments::{Case, Setup, Stage};
use crate::stage::StageError;

/// A payer who never types the password.
const SILENT: Setup = Setup { manner: Manner::Nothing, ..SETUP };

const NOT_ENOUGH: &str = "[[misbehave]]\ncall = 'pay'\nwith = { does = 'refuse', refusal = 'not-enough' }";

pub(super) fn cases() -> Vec<Faced> {
    let mut cases = by_the_payer();
    for (ids, title, misbehaviour, shows) in STRUCK {
        cases
            .push(Faced::new(ids, Case { title, shows, setup: misbehaving(misbehaviour), run: one, ..BASE }));
    }
    for (ids, title, misbehaviour, shows) in UNDONE {
        let setup = Setup { misbehaviour, ..SILENT };
        cases.push(Faced::new(ids, Case { title, shows, setup, run: one, ..BASE }));
    }
    cases
}

/// What the payer does, or has.
fn by_the_payer() -> Vec<Faced> {
    let repeated = Case {
        title: "A code is charged, and the till asks again",
        shows: &["PYC-1", "PYC-5", "PYC-9", "PYC-11", "PYC-14"],
        explored: true,
        run: repeated,
        ..BASE
    };
    let late = Case {
        title: "The payer takes twelve seconds for the password",
        shows: &["PYC-1", "PYC-2", "PYC-5"],
        setup: Setup { manner: Manner::PaysLate { after: Span::s(12) }, ..SETUP },
        run: one,
        ..BASE
    };
    let never = Case {
        title: "The payer never types the password, and the order is undone",
        shows: &["PYC-1", "PYC-2", "PYC-3", "PYC-5", "PYC-14"],
        setup: SILENT,
        explored: true,
        run: one,
        ..BASE
    };
    let wrong = Case {
        title: "The payer types a wrong password",
        shows: &["PYC-1", "PYC-2", "PYC-5"],
        setup: Setup { manner: Manner::WrongPassword, ..SETUP },
        run: one,
        ..BASE
    };
    let refused = Case {
        title: "The payer has too little, and shows another code after it has more",
        shows: &["PYC-1", "PYC-5", "PYC-10"],
        setup: misbehaving(NOT_ENOUGH),
        run: another_code,
        ..BASE
    };
    let poor = Case {
        title: "The payer has too little",
        setup: Setup { balance: Fen(100), ..SETUP },
        run: one,
        ..BASE
    };
    vec![
        Faced::new(ids!("code"), repeated),
        Faced::new(ids!("password"), late),
        Faced::new(ids!("password-never"), never),
        Faced::new(ids!("wrong-password"), wrong),
        Faced::new(ids!("refused"), refused),
        Faced::new(ids!("poor"), poor),
    ]
}

const fn misbehaving(misbehaviour: &'static str) -> Setup {
    Setup { misbehaviour, ..SETUP }
}

type Row = (Ids, &'static str, &'static str, &'static [&'static str]);

/// What befalls the pay call or its queries, of a payer who pays at once.
const STRUCK: [Row; 16] = [
    (
        ids!("no-answer"),
        "The charge is made and never answered",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'no-answer', effect = true }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("no-answer-no-effect"),
        "The pay call is never answered and nothing is done",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'no-answer', effect = false }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-3", "PYC-5"],
    ),
    (
        ids!("system-error"),
        "The platform does not know, and has charged",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'system-error', effect = true }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("system-error-no-effect"),
        "The platform does not know, and has not charged",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'system-error', effect = false }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("bank-error"),
        "The bank does not know, and has charged",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'bank-error', effect = true }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("gateway-error"),
        "The gateway answers 502 behind which the charge is made",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'http', status = 502, effect = true }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("reset-in-body"),
        "The connection is reset in the middle of the answer",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'reset', at = 40 }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("slow-answer"),
        "The answer is later than a client waits",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'slow', by = '12 s' }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("user-paying"),
        "The payer is asked for the password out of turn",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'user-paying', span = '8 s' }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("answer-signature"),
        "Success is told with a wrong signature, and nothing is charged until asked",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'wrong-signature' }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-13"],
    ),
    (
        ids!("answer-amount"),
        "Success is told of another amount",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'wrong-amount', by_fen = -100 }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-13"],
    ),
    (
        ids!("query-errors"),
        "The result is unknown, and the first queries fail",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'system-error', effect = true }\n\
         [[misbehave]]\ncall = 'query'\nwith = { does = 'system-error', effect = true }\n\
         [[misbehave]]\ncall = 'query'\nnth = 2\nwith = { does = 'http', status = 500, effect = true }\n\
         [[misbehave]]\ncall = 'query'\nnth = 3\nwith = { does = 'no-answer', effect = true }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("query-refused"),
        "The result is unknown, and a query says that there is no such order",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'system-error', effect = true }\n\
         [[misbehave]]\ncall = 'query'\nwith = { does = 'refuse', refusal = 'no-such-order' }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
    (
        ids!("query-signature"),
        "The result is unknown, and queries are answered with a wrong signature",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'no-answer', effect = true }\n\
         [[misbehave]]\ncall = 'query'\ntimes = 2\nwith = { does = 'wrong-signature' }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-13"],
    ),
    (
        ids!("query-amount"),
        "The result is unknown, and a query tells of another amount",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'no-answer', effect = true }\n\
         [[misbehave]]\ncall = 'query'\ntimes = 2\nwith = { does = 'wrong-amount', by_fen = 100 }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-13"],
    ),
    (
        ids!("order-paid"),
        "The answer is that the order is paid already",
        "[[misbehave]]\ncall = 'pay'\nwith = { does = 'refuse', refusal = 'order-paid' }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-5"],
    ),
];

/// What befalls the undoing of an order that nobody pays in time.
const UNDONE: [Row; 4] = [
    (
        ids!("reverse-errors"),
        "Undoing an order fails, is not answered, and fails again",
        "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'system-error', effect = false }\n\
         [[misbehave]]\ncall = 'cancel'\nnth = 2\nwith = { does = 'no-answer', effect = false }\n\
         [[misbehave]]\ncall = 'cancel'\nnth = 3\nwith = { does = 'http', status = 503, effect = true }",
        &["BKD-3", "PYC-1", "PYC-2", "PYC-3", "PYC-5"],
    ),
    (
        ids!("late-success"),
        "The order is paid after it was undone, and the money goes back",
        "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'late-success', after = '40 s' }",
        &["BKD-3", "PYC-1", "PYC-3", "PYC-5", "PYC-6"],
    ),
    (
        ids!("late-success-refund-errors"),
        "The order is paid after it was undone, and the refund fails twice",
        "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'late-success', after = '40 s' }\n\
         [[misbehave]]\ncall = 'refund'\nwith = { does = 'system-error', effect = false }\n\
         [[misbehave]]\ncall = 'refund'\nnth = 2\nwith = { does = 'no-answer', effect = true }",
        &["BKD-3", "PYC-1", "PYC-3", "PYC-5", "PYC-6", "PYC-12"],
    ),
    (
        ids!("reverse-signature"),
        "That an order is undone is told with a wrong signature",
        "[[misbehave]]\ncall = 'cancel'\nwith = { does = 'wrong-signature' }",
        &["BKD-3", "PYC-1", "PYC-3", "PYC-5"],
    ),
];

fn one(stage: &mut Stage) -> Result<(), StageError> {
    stage.charge(7, 550, 0)?;
    stage.rest()
}

fn repeated(stage: &mut Stage) -> Result<(), StageError> {
    stage.charge(7, 550, 0)?;
    stage.charge(7, 550, 0)?;
    stage.charge(8, 990, 1)?;
    stage.rest()
}

fn another_code(stage: &mut Stage) -> Result<(), StageError> {
    stage.charge(7, 550, 0)?;
    stage.payer(PayerStimulus::Behave(Manner::Pays))?;
    stage.charge(7, 550, 1)?;
    stage.rest()
}
