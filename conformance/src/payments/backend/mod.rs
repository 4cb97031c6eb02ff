//! Cases in which a client does something wrong, and the platform has to record it.

use assay_sim::payments::acquirer::PayerStimulus;
use assay_sim::payments::client::{OnPassword, Receipt, Signing};
use assay_sim::payments::ledger::Manner;
use assay_sim::payments::watch::WrongMove;
use assay_sim::time::Span;

use super::client::{BASE, SETUP};
use super::faced::{Faced, by_face};
use super::oracles::wrong_moves::WrongMoves;
use super::{Case, Setup, Stage};
use crate::stage::StageError;
use crate::system::Sut;

/// Ids from the last part that they share.
macro_rules! ids {
    ($name:literal) => {
        [
            concat!("payments/backend/", $name),
            concat!("payments/backend-v3/", $name),
            concat!("payments/backend-alipay/", $name),
        ]
    };
}

/// Every case, by every face that has the rule.
pub(super) fn cases() -> Vec<Case> {
    let everywhere = [unsigned(), bad_signature(), second_charge(), polled_too_fast()].into_iter();
    let told = [answer_not_exact(), spoiled_refused()];
    let both = everywhere.chain(told).flat_map(Faced::by_each_face);
    // Alipay has no such times.
    let wechat = [undone_too_soon(), closed_too_soon()].into_iter();
    both.chain(wechat.flat_map(|faced| faced.by_each_face().into_iter().take(2))).collect()
}

const PLATFORM: Case = Case { sut: Sut::System, shows: &["BKD-6"], ..BASE };

/// The reference, with nothing wrong.
const RIGHT: Setup = Setup { amiss: Some(|_| {}), ..SETUP };

fn unsigned() -> Faced {
    let case = Case {
        title: "A client does not sign, which is recorded",
        setup: Setup { amiss: Some(|client| client.signing = Signing::Unsigned), ..SETUP },
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::Unsigned))],
        run: charged,
        ..PLATFORM
    };
    Faced::new(ids!("unsigned"), case)
}

fn bad_signature() -> Faced {
    let case = Case {
        title: "A client signs a part only, which is recorded",
        setup: Setup { amiss: Some(|client| client.signing = Signing::InPart), ..SETUP },
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::BadSignature))],
        run: charged,
        ..PLATFORM
    };
    Faced::new(ids!("bad-signature"), case)
}

fn second_charge() -> Faced {
    let case = Case {
        title: "A client charges another code while the payer types, both are paid, and that is recorded",
        setup: Setup {
            amiss: Some(|client| client.password = OnPassword::TakesAsFailed),
            manner: Manner::PaysLate { after: Span::s(12) },
            ..SETUP
        },
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::SecondCharge))],
        run: charged_twice,
        ..PLATFORM
    };
    Faced::new(ids!("second-charge"), case)
}

fn polled_too_fast() -> Faced {
    let case = Case {
        title: "A client asks every second, which is recorded",
        setup: Setup { manner: Manner::PaysLate { after: Span::s(12) }, ..RIGHT },
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::PolledTooFast))],
        run: charged,
        ..PLATFORM
    };
    Faced::new(ids!("polled-too-fast"), case).with(by_face!("query_gap = \"1 s\"\n"))
}

fn undone_too_soon() -> Faced {
    let case = Case {
        title: "A client undoes an order ten seconds after its pay call, which is recorded",
        setup: Setup { manner: Manner::Nothing, ..RIGHT },
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::UndoneTooSoon))],
        run: charged,
        ..PLATFORM
    };
    let profiles = by_face!("pay_window = \"5 s\"\nundo_after = \"0 s\"\n");
    Faced::new(ids!("undone-too-soon"), case).with(profiles)
}

fn closed_too_soon() -> Faced {
    let case = Case {
        title: "A client closes an order after a minute, which is recorded",
        setup: RIGHT,
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::ClosedTooSoon))],
        run: unwanted,
        ..PLATFORM
    };
    Faced::new(ids!("closed-too-soon"), case).with(by_face!("close_after = \"60 s\"\n"))
}

fn answer_not_exact() -> Faced {
    let case = Case {
        title: "A client answers a notification as if it had not taken it, which is recorded",
        setup: Setup { amiss: Some(|client| client.receipt = Receipt::Fail), ..SETUP },
        oracles: |_| vec![Box::new(WrongMoves::recorded(WrongMove::AnswerNotExact))],
        run: scanned,
        ..PLATFORM
    };
    Faced::new(ids!("answer-not-exact"), case)
}

fn spoiled_refused() -> Faced {
    let case = Case {
        title: "A client refuses a notification whose signature is wrong, which is no wrong move",
        setup: Setup {
            misbehaviour: "[[misbehave]]\ncall = 'notification'\nwith = { does = 'wrong-signature' }",
            ..RIGHT
        },
        oracles: |_| vec![Box::new(WrongMoves::not_recorded(WrongMove::AnswerNotExact))],
        run: scanned,
        ..PLATFORM
    };
    Faced::new(ids!("spoiled-refused"), case)
}

fn charged(stage: &mut Stage) -> Result<(), StageError> {
    stage.charge(7, 550, 0)?;
    stage.rest()
}

fn charged_twice(stage: &mut Stage) -> Result<(), StageError> {
    stage.charge(7, 550, 0)?;
    stage.charge(7, 550, 1)?;
    stage.rest()
}

fn unwanted(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.at_till("cancel 8")?;
    stage.told(&["paid", "failed"], Span::s(400))?;
    stage.rest()
}

fn scanned(stage: &mut Stage) -> Result<(), StageError> {
    stage.offer("offer 8 990")?;
    stage.wait(Span::s(3))?;
    stage.payer(PayerStimulus::ScanAndPay)?;
    stage.told(&["paid", "failed"], Span::s(90))?;
    stage.rest()
}
